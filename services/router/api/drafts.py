"""`/router/v1/work-items/{id}/draft`: kept for who has the work item, read by nobody else."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any
from uuid import UUID

from fastapi import APIRouter, Header, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from services.router.api.desk import Desk
from services.router.domain.drafts import ANYTHING, NOTHING
from shared.errors import Finding, Invalid
from shared.http.auth import Caller, needs
from shared.http.kit import json_answer

if TYPE_CHECKING:
    from services.router.domain.drafts import Draft

Name = Annotated[str, Field(min_length=1, max_length=100)]
Person = Annotated[str, Query(min_length=1, max_length=100, description="whose draft")]
Seen = Annotated[str | None, Header(max_length=100)]
_VERSION = re.compile(r"[1-9][0-9]{0,8}", re.ASCII)


class DraftBody(BaseModel):
    """Who keeps it, and what is filled in so far; it need not be complete or right."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    by: Name
    data: dict[str, JsonValue]


def add_drafts(api: APIRouter, desk: Desk) -> None:
    """Add the paths."""

    @api.get("/work-items/{item_id}/draft", tags=["work items"], summary="One's own draft")
    async def read(
        item_id: UUID, person: Person, caller: Annotated[Caller, needs("work:write")]
    ) -> Response:
        return _told(await desk.draft(item_id, person))

    @api.put(
        "/work-items/{item_id}/draft", tags=["work items"], summary="Keep what is filled in so far"
    )
    async def save(
        item_id: UUID,
        body: DraftBody,
        caller: Annotated[Caller, needs("work:write")],
        if_match: Seen = None,
        if_none_match: Seen = None,
    ) -> Response:
        seen = _seen(if_match, if_none_match)
        return _told(await desk.save_draft(item_id, body.by, dict(body.data), seen, desk.now()))

    @api.delete(
        "/work-items/{item_id}/draft",
        tags=["work items"],
        summary="Forget one's own draft",
        status_code=204,
    )
    async def discard(
        item_id: UUID, person: Person, caller: Annotated[Caller, needs("work:write")]
    ) -> Response:
        await desk.discard_draft(item_id, person, desk.now())
        return Response(status_code=204)


def _told(draft: Draft) -> Response:
    told: dict[str, Any] = {
        "work_item_id": str(draft.item_id),
        "saved_by": draft.person,
        "saved_at": draft.saved_at,
        "version": draft.version,
        "data": dict(draft.data),
    }
    return json_answer(told, headers={"ETag": f'"{draft.version}"', "Cache-Control": "no-store"})


def _seen(if_match: str | None, if_none_match: str | None) -> tuple[str, ...]:
    """Return the versions a caller goes on from; raise `Invalid` for what says nothing."""
    if if_none_match is not None:
        if if_none_match.strip() != "*":
            raise Invalid([_unreadable("If-None-Match")])
        return (NOTHING,)
    if if_match is None:
        return ()
    seen = tuple(each.strip().removeprefix("W/").strip('"') for each in if_match.split(","))
    if not all(each == ANYTHING or _VERSION.fullmatch(each) for each in seen):
        raise Invalid([_unreadable("If-Match")])
    return seen


def _unreadable(place: str) -> Finding:
    return Finding(
        place,
        "seen-unreadable",
        {"zh-CN": "应为草稿的版本号（ETag）或 *", "en": "a version of the draft (its ETag) or *"},
        {"zh-CN": "使用上次回答中的 ETag", "en": "send the ETag of the last answer"},
    )
