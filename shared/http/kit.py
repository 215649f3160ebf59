"""What every API of ours has: limits, request ids, problem+json, pages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response

from shared.http.problems import TooLarge, problem, tell_problems
from shared.observability import bound

if TYPE_CHECKING:
    from collections.abc import Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from shared.http.auth import KeyRing
    from shared.id_source import IdSource

#: Bodies above it are refused; documents travel by reference.
MAX_BODY_BYTES = 256 * 1024
#: Entries per page at most.
MAX_PAGE = 500

Limit = Annotated[int, Query(ge=1, le=MAX_PAGE, description="entries per page")]
#: Bounded, because a database refuses larger numbers in its own words.
Offset = Annotated[int, Query(ge=0, le=2**31 - 1, description="entries to leave out")]


def json_answer(body: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON answer; moments leave as UTC with an offset."""
    raw = orjson.dumps(body, option=orjson.OPT_UTC_Z | orjson.OPT_NON_STR_KEYS)
    return Response(raw, status, headers, media_type="application/json")


def page(items: Sequence[Any], total: int, limit: int, offset: int) -> dict[str, Any]:
    """Return the shape of every list: items, total, limit, offset, next_offset."""
    following = offset + len(items)
    return {
        "items": list(items),
        "total": total,
        "limit": limit,
        "offset": offset,
        "next_offset": following if following < total else None,
    }


def make_app(title: str, version: str, keys: KeyRing, ids: IdSource) -> FastAPI:
    """Return an application with everything but its own paths."""
    app = FastAPI(title=title, version=version, docs_url=None, redoc_url=None)
    app.state.keys = keys
    tell_problems(app)
    app.add_middleware(_Edge, ids=ids)
    return app


class _Edge:
    """Gives each call an id, binds it to the logs, and bounds its body while it streams in."""

    def __init__(self, app: ASGIApp, ids: IdSource) -> None:
        self._app, self._ids = app, ids

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = request.headers.get("x-request-id", "")[:64] or str(self._ids.new())
        request.state.request_id = request_id
        announced = request.headers.get("content-length", "0")
        if announced.isdigit() and int(announced) > MAX_BODY_BYTES:
            answer = problem(TooLarge(limit=MAX_BODY_BYTES), request)
            await answer(scope, receive, send)
            return
        seen = 0

        async def bounded() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > MAX_BODY_BYTES:
                raise TooLarge(limit=MAX_BODY_BYTES)
            return message

        async def stamped(message: Message) -> None:
            if message["type"] == "http.response.start":
                message["headers"] = [
                    *message.get("headers", []),
                    (b"x-request-id", request_id.encode("latin-1", "replace")),
                ]
            await send(message)

        with bound(call_id=request_id):
            await self._app(scope, bounded, stamped)
