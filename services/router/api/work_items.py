"""Work items under /router/v1: looked at, taken, put back, handed on, completed."""

from __future__ import annotations

from typing import Annotated
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue, StringConstraints

from services.router.api.desk import Desk, item_json
from services.router.handlers import HandOn
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page
from shared.http.references import Reference
from shared.vocabulary import WorkItemState

Name = Annotated[str, Field(min_length=1, max_length=100)]
#: Blanks are no reason.
Reason = Annotated[str, StringConstraints(strip_whitespace=True, min_length=1, max_length=2000)]


class _Body(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class ClaimBody(_Body):
    """Who takes it."""

    by: Name


class UnclaimBody(_Body):
    """Who puts it back: who has it, or who leads its team."""

    by: Name


class ReturnBody(_Body):
    """Who gives it back, and why."""

    by: Name
    reason: Reason


class DelegateBody(_Body):
    """To whom it goes, and why; by whom, so that the history can tell."""

    team: Name
    assignee: Name | None = None
    reason: Reason
    by: Name | None = None


class CompleteBody(_Body):
    """Who did it, and what came of it."""

    by: Name | None = None
    result: dict[str, JsonValue] = Field(default_factory=dict)


def add_work_items(api: APIRouter, desk: Desk) -> None:
    """Add the paths."""
    _add_looking(api, desk)
    _add_acting(api, desk)


def _add_looking(api: APIRouter, desk: Desk) -> None:
    @api.get("/work-items", tags=["work items"], summary="Work items by team, person, state")
    async def list_items(
        caller: Annotated[Caller, needs("work:read")],
        team: str | None = None,
        assignee: str | None = None,
        state: WorkItemState | None = None,
        request_id: Reference | None = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        filters = {
            "team": team,
            "assignee": assignee,
            "state": state.value if state else None,
            "request_id": await desk.about(request_id),
        }
        items, total = await desk.items(filters, limit, offset)
        return json_answer(page(items, total, limit, offset))

    @api.get("/work-items/{item_id}", tags=["work items"], summary="One work item")
    async def get_item(item_id: UUID, caller: Annotated[Caller, needs("work:read")]) -> Response:
        return json_answer(await desk.item(item_id))

    @api.get(
        "/work-items/{item_id}/history",
        tags=["work items"],
        summary="What happened to it, oldest first: by whom, when, why",
    )
    async def history(
        item_id: UUID,
        caller: Annotated[Caller, needs("work:read")],
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        acts, total = await desk.history(item_id, limit, offset)
        return json_answer(page(acts, total, limit, offset))


def _add_acting(api: APIRouter, desk: Desk) -> None:
    @api.post("/work-items/{item_id}/claim", tags=["work items"], summary="Take it")
    async def claim(
        item_id: UUID, body: ClaimBody, caller: Annotated[Caller, needs("work:write")]
    ) -> Response:
        return json_answer(item_json(await desk.claim(item_id, body.by, desk.now())))

    @api.post(
        "/work-items/{item_id}/unclaim",
        tags=["work items"],
        summary="Put it back: who has it, or who leads its team",
    )
    async def unclaim(
        item_id: UUID, body: UnclaimBody, caller: Annotated[Caller, needs("work:write")]
    ) -> Response:
        return json_answer(item_json(await desk.unclaim(item_id, body.by, desk.now())))

    @api.post(
        "/work-items/{item_id}/return", tags=["work items"], summary="Give it back, and say why"
    )
    async def give_back(
        item_id: UUID, body: ReturnBody, caller: Annotated[Caller, needs("work:write")]
    ) -> Response:
        item = await desk.give_back(item_id, body.by, body.reason, desk.now())
        return json_answer(item_json(item))

    @api.post("/work-items/{item_id}/delegate", tags=["work items"], summary="Hand it on")
    async def delegate(
        item_id: UUID, body: DelegateBody, caller: Annotated[Caller, needs("work:write")]
    ) -> Response:
        to = HandOn(body.team, body.assignee, body.reason, body.by)
        return json_answer(item_json(await desk.delegate(item_id, to, desk.now())))

    @api.post("/work-items/{item_id}/complete", tags=["work items"], summary="Complete it")
    async def complete(
        item_id: UUID, body: CompleteBody, caller: Annotated[Caller, needs("work:write")]
    ) -> Response:
        item = await desk.complete(item_id, body.by, dict(body.result), desk.now())
        return json_answer(item_json(item))
