"""The paths of intake, below /intake/v1 (and /v1 in the all-in-one)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Header, Query, Request
from fastapi.responses import Response

from services.intake.api import bodies, shapes
from services.intake.api.edge import (
    KEY_HEADER,
    KEY_PATTERN,
    described,
    may_write,
    needs_either,
    read_body,
    read_key,
)
from services.intake.store import Filter
from shared.errors import Forbidden
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page
from shared.vocabulary import RequestState

if TYPE_CHECKING:
    from services.intake.api.desk import Desk
    from services.intake.domain.values import Answer

#: Facts of the timeline a request is shown with; the rest has a path of its own.
_TIMELINE_SHOWN = 100

Writer = Annotated[Caller, needs("requests:write")]
Reader = Annotated[Caller, needs("requests:read")]
PortalOrAgent = Annotated[Caller, needs_either()]
Key = Annotated[
    str | None,
    Header(
        alias=KEY_HEADER,
        pattern=KEY_PATTERN,
        description="1 to 255 visible ASCII characters; kept for at least 24 hours",
    ),
]
Search = Annotated[str | None, Query(max_length=200, pattern=r"^[^\x00-\x1f]*$")]


def routes(desk: Desk) -> APIRouter:
    """Return the router; every error leaves it as problem+json."""
    router = APIRouter(prefix="/v1")
    _posting(router, desk)
    _acting(router, desk)
    _reading(router, desk)
    return router


def _posting(router: APIRouter, desk: Desk) -> None:
    async def submit(request: Request) -> Response:
        caller = await may_write(request)
        key = read_key(request)
        body = await read_body(request, bodies.PostBody)
        return _told(await desk.submit(body.post(), caller.key_id, key))

    # The one hot path: FastAPI's own handling of a call costs as much as everything done here,
    # so a plain route answers it, and the one below only describes it.
    router.add_route("/v1/requests", submit, methods=["POST"], include_in_schema=False)
    router.post(
        "/requests",
        status_code=201,
        tags=["requests"],
        summary="Ask for something",
        openapi_extra=described(bodies.PostBody, has_key=True),
    )(submit)

    @router.patch(
        "/requests/{reference}",
        tags=["requests"],
        summary="Correct what was posted",
        openapi_extra=described(bodies.PatchBody),
    )
    async def correct(request: Request, reference: str, caller: PortalOrAgent) -> Response:
        body = await read_body(request, bodies.PatchBody)
        changed_by = body.changed_by or caller.name or caller.key_id
        return _told(await desk.correct(reference, body.changes(), changed_by))

    @router.post(
        "/requests/{reference}/messages",
        status_code=201,
        tags=["conversation"],
        summary="Write to the other side",
        openapi_extra=described(bodies.MessageBody),
    )
    async def write(
        request: Request, reference: str, caller: PortalOrAgent, key: Key = None
    ) -> Response:
        body = await read_body(request, bodies.MessageBody)
        if body.author == "requester" and not caller.may("requests:write"):
            raise Forbidden(scope="requests:write")
        return _told(
            await desk.post_message(reference, body.written(), caller.key_id, key, body.occurred_at)
        )


def _acting(router: APIRouter, desk: Desk) -> None:
    @router.post(
        "/requests/{reference}/withdraw",
        tags=["requests"],
        summary="It is no longer wanted",
        openapi_extra=described(bodies.WithdrawBody, is_required=False),
    )
    async def withdraw(
        request: Request, reference: str, caller: Writer, key: Key = None
    ) -> Response:
        body = await read_body(request, bodies.WithdrawBody, is_optional=True)
        return _told(await desk.withdraw(reference, body.reason, caller.key_id, key))

    @router.post(
        "/requests/{reference}/confirm",
        tags=["requests"],
        summary="It is solved",
        openapi_extra=described(bodies.ConfirmBody, is_required=False),
    )
    async def confirm(
        request: Request, reference: str, caller: Writer, key: Key = None
    ) -> Response:
        await read_body(request, bodies.ConfirmBody, is_optional=True)
        return _told(await desk.confirm(reference, caller.key_id, key))

    @router.post(
        "/requests/{reference}/reopen",
        tags=["requests"],
        summary="It is not solved",
        openapi_extra=described(bodies.ReopenBody),
    )
    async def reopen(request: Request, reference: str, caller: Writer, key: Key = None) -> Response:
        body = await read_body(request, bodies.ReopenBody)
        return _told(await desk.reopen(reference, body.reason, caller.key_id, key))

    @router.post(
        "/requests/{reference}/rate",
        tags=["requests"],
        summary="Rate the result, 1 to 5",
        openapi_extra=described(bodies.RateBody),
    )
    async def rate(request: Request, reference: str, caller: Writer, key: Key = None) -> Response:
        body = await read_body(request, bodies.RateBody)
        return _told(await desk.rate(reference, body.score, body.comment, caller.key_id, key))


def _reading(router: APIRouter, desk: Desk) -> None:
    @router.get("/catalogue", tags=["catalogue"], summary="What can be asked")
    async def catalogue(caller: Reader) -> Response:
        return json_answer(shapes.catalogue(await desk.catalogue()))

    @router.get("/requests", tags=["requests"], summary="Requests, the newest first")
    async def listed(
        caller: Reader,
        source: Search = None,
        external_id: Search = None,
        number: Search = None,
        state: RequestState | None = None,
        requester: Search = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        wanted = Filter(source, external_id, number, state.value if state else None, requester)
        rows, total = await desk.reading.requests(wanted, limit, offset)
        return json_answer(page([shapes.summary(row) for row in rows], total, limit, offset))

    @router.get("/requests/{reference}", tags=["requests"], summary="One request, by id or number")
    async def one(reference: str, caller: Reader) -> Response:
        row = await desk.row(reference)
        facts, total = await desk.reading.timeline(row.id, _TIMELINE_SHOWN, 0)
        shown = page([shapes.fact(fact) for fact in facts], total, _TIMELINE_SHOWN, 0)
        return json_answer({**shapes.whole(row), "timeline": shown})

    @router.get("/requests/{reference}/timeline", tags=["requests"], summary="What happened, when")
    async def timeline(
        reference: str, caller: Reader, limit: Limit = 100, offset: Offset = 0
    ) -> Response:
        row = await desk.row(reference)
        facts, total = await desk.reading.timeline(row.id, limit, offset)
        return json_answer(page([shapes.fact(fact) for fact in facts], total, limit, offset))

    @router.get("/requests/{reference}/messages", tags=["conversation"], summary="Who wrote what")
    async def messages(
        reference: str, caller: Reader, limit: Limit = 100, offset: Offset = 0
    ) -> Response:
        row = await desk.row(reference)
        found, total = await desk.reading.messages(row.id, limit, offset)
        return json_answer(page([shapes.message(m) for m in found], total, limit, offset))


def _told(answer: Answer) -> Response:
    headers: dict[str, Any] = {"Location": answer.location} if answer.location else {}
    return Response(answer.body, answer.status, headers, media_type="application/json")
