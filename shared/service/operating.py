"""The operator's paths, the same in every service: health, metrics, set-aside messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any, Literal, Self

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field, model_validator

from shared.consuming.held import Chosen
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page
from shared.http.problems import Unfit
from shared.http.references import SubjectId
from shared.observability.exposition import CONTENT_TYPE
from shared.service.figures import Figures
from shared.service.settings import version

if TYPE_CHECKING:
    from shared.consuming.held_desk import HeldDesk
    from shared.service.built import Service

#: Messages one call replays at most: the caller waits for each of them.
_REPLAYED_AT_ONCE = 100

Operator = Annotated[Caller, needs("operate")]
Code = Annotated[str | None, Query(max_length=100, description="only this reason")]
Type = Annotated[str | None, Query(max_length=100, description="only this type of event or timer")]
About = Annotated[
    SubjectId | None, Query(max_length=200, description="only about the request with this id")
]
Reason = Annotated[str, Field(min_length=3, max_length=500, description="why; kept for good")]


class Gap(BaseModel):
    """What an operator declares lost: everything a publisher said about a request up to here."""

    model_config = ConfigDict(extra="forbid")

    request_id: Annotated[SubjectId, Field(min_length=1, max_length=200)]
    publisher: Literal["intake", "router", "clock", "escalation", "notify"]
    sequence: Annotated[int, Field(ge=1, lt=2**63)]
    reason: Reason | None = None


class Dismissal(BaseModel):
    """Why a message is given up."""

    model_config = ConfigDict(extra="forbid")

    reason: Reason


class Choice(BaseModel):
    """Which messages are replayed together; at least one of the three says so."""

    model_config = ConfigDict(extra="forbid")

    code: Annotated[str | None, Field(max_length=100)] = None
    type: Annotated[str | None, Field(max_length=100)] = None
    request_id: Annotated[SubjectId | None, Field(max_length=200)] = None
    limit: Annotated[int, Field(ge=1, le=_REPLAYED_AT_ONCE)] = _REPLAYED_AT_ONCE

    @model_validator(mode="after")
    def _says_which(self) -> Self:
        if self.code is None and self.type is None and self.request_id is None:
            raise Unfit(
                "请给出 code、type 或 request_id 之一", "name a code, a type or a request_id"
            )
        return self


def operator_routes(service: Service) -> APIRouter:
    """Return health, readiness, metrics and the desk of held messages."""
    routes = APIRouter(tags=["operate"])
    figures = Figures(service)

    @routes.get("/health", summary="The process lives")
    async def health() -> Response:
        return json_answer({"service": service.name, "version": version(), "status": "alive"})

    @routes.get("/ready", summary="What works and what does not")
    async def ready() -> Response:
        told = await service.readiness()
        return json_answer(told, 503 if told["status"] == "not_ready" else 200)

    @routes.get("/metrics", summary="What Prometheus reads")
    async def metrics() -> Response:
        return Response(await figures.text(), media_type=CONTENT_TYPE)

    _add_reading(routes, service.runtime.held)
    _add_settling(routes, service.runtime.held)
    return routes


def _add_reading(routes: APIRouter, held: HeldDesk[Any]) -> None:
    @routes.get("/v1/setaside", summary="Messages nobody could handle")
    async def setaside(
        caller: Operator,
        waiting: bool = False,
        code: Code = None,
        type: Type = None,
        request_id: About = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        chosen = Chosen(type, code, request_id)
        found, total = await held.find(
            is_set_aside=not waiting, chosen=chosen, limit=limit, offset=offset
        )
        return json_answer(page([one.as_json() for one in found], total, limit, offset))

    @routes.get("/v1/settled", summary="What was replayed, dismissed or skipped, by whom and why")
    async def settled(caller: Operator, limit: Limit = 100, offset: Offset = 0) -> Response:
        found, total = await held.settled(limit, offset)
        return json_answer(page(found, total, limit, offset))

    @routes.get("/v1/setaside/{event_id}", summary="One of them whole, with what it says")
    async def show(event_id: str, caller: Operator) -> Response:
        return json_answer(await held.show(event_id))


def _add_settling(routes: APIRouter, held: HeldDesk[Any]) -> None:
    @routes.post("/v1/setaside/replay", summary="Try all of one kind again, some at a time")
    async def replay_all(body: Choice, caller: Operator) -> Response:
        chosen = Chosen(body.type, body.code, body.request_id)
        return json_answer(await held.replay_all(chosen, body.limit, caller.name))

    @routes.post("/v1/setaside/{event_id}/replay", summary="Try it again")
    async def replay(event_id: str, caller: Operator) -> Response:
        is_done = await held.replay(event_id, caller.name)
        return json_answer({"event_id": event_id, "is_done": is_done})

    @routes.post("/v1/setaside/{event_id}/dismiss", summary="Give it up, let successors go on")
    async def dismiss(event_id: str, body: Dismissal, caller: Operator) -> Response:
        await held.dismiss(event_id, caller.name, body.reason)
        return json_answer({"event_id": event_id, "is_done": True})

    @routes.post("/v1/parked/skip", summary="Settle a gap nobody will fill")
    async def skip(body: Gap, caller: Operator) -> Response:
        place = (body.request_id, body.publisher, body.sequence)
        await held.skip_to(*place, caller.name, body.reason or "")
        return json_answer({**body.model_dump(), "is_done": True})
