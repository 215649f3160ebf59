"""What every API of ours has: limits, request ids, problem+json, pages."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Annotated, Any

import orjson
from fastapi import FastAPI, Query, Request
from fastapi.responses import Response
from starlette.requests import ClientDisconnect

from shared.errors import LeveeError
from shared.http.problems import Malformed, NoSuchPath, TooLarge, problem, tell_problems
from shared.http.watching import Watched
from shared.observability import bound

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from shared.http.auth import KeyRing
    from shared.http.watching import Answered
    from shared.id_source import IdSource
    from shared.observability.traces import Tracer

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


def make_app(
    title: str,
    version: str,
    keys: KeyRing,
    ids: IdSource,
    *,
    prefix: str = "",
    answered: Answered | None = None,
    tracer: Callable[[], Tracer | None] = lambda: None,
    large: Mapping[str, int] | None = None,
    closed: Callable[[str], LeveeError | None] = lambda _: None,
) -> FastAPI:
    """Return an application with everything but its own paths.

    Its OpenAPI description is at `<prefix>/openapi.json`. `answered` hears of every answer:
    method, route template, status, seconds until it began. `tracer` returns what makes spans, if
    anything does. `large` are the paths below the prefix whose bodies may have more bytes than
    `MAX_BODY_BYTES`, and how many. `closed` tells why a path is not served now, if it is not.
    """
    app = FastAPI(
        title=title,
        version=version,
        docs_url=None,
        redoc_url=None,
        openapi_url=f"{prefix}/openapi.json",
    )
    app.state.keys = keys
    tell_problems(app)
    limits = {f"{prefix}{path}": limit for path, limit in (large or {}).items()}
    app.add_middleware(_Edge, ids=ids, limits=limits, closed=closed)
    if answered is not None:
        app.add_middleware(Watched, answered=answered, prefix=prefix, tracer=tracer)
    return app


class _Edge:
    """Gives each call an id, binds it to the logs, and reads its body, up to the limit."""

    def __init__(
        self,
        app: ASGIApp,
        ids: IdSource,
        limits: Mapping[str, int],
        closed: Callable[[str], LeveeError | None],
    ) -> None:
        self._app, self._ids, self._limits, self._closed = app, ids, limits, closed

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        request = Request(scope)
        request_id = _safe_id(request.headers.get("x-request-id", "")) or str(self._ids.new())
        request.state.request_id = request_id
        stamped = _stamped(send, request_id)
        with bound(call_id=request_id):
            try:
                if (reason := self._closed(scope["path"])) is not None:
                    raise reason
                limit = self._limits.get(scope["path"], MAX_BODY_BYTES)
                body = await _body(request, receive, limit)
                _check(request, body)
            except ClientDisconnect:
                return
            except LeveeError as error:
                await problem(error, request)(scope, receive, stamped)
                return
            await self._app(scope, _replayed(body, receive), stamped)


async def _body(request: Request, receive: Receive, limit: int) -> bytes:
    """Return the body; raise `TooLarge` as soon as it is known to be."""
    announced = request.headers.get("content-length", "")
    if announced.isdigit() and int(announced) > limit:
        raise TooLarge(limit=limit)
    if not announced and "transfer-encoding" not in request.headers:
        return b""
    read = bytearray()
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientDisconnect
        read += message.get("body", b"")
        if len(read) > limit:
            raise TooLarge(limit=limit)
        if not message.get("more_body"):
            return bytes(read)


def _check(request: Request, body: bytes) -> None:
    """Refuse text that no database of ours keeps: NUL characters and halves of characters."""
    if "\x00" in request.scope["path"]:
        raise NoSuchPath(path=request.url.path)
    if b"%00" in request.scope.get("query_string", b""):
        raise Malformed(reason="a NUL character in the address")
    if "json" not in request.headers.get("content-type", "json"):
        return
    if b"\\u" not in body:
        return
    if _NUL.search(body):
        raise Malformed(reason="a NUL character (\\u0000)")
    if _SURROGATE.search(body):
        try:
            orjson.loads(body)  # unlike Python's own reader it refuses a half of a pair
        except orjson.JSONDecodeError as error:
            raise Malformed(reason=str(error)) from error


#: An escaped NUL: an odd number of backslashes before it.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")
_SURROGATE = re.compile(rb"\\u[dD][89a-fA-F]")


def _replayed(body: bytes, receive: Receive) -> Receive:
    """Give the application the body that was read, then whatever comes after it."""
    is_given = False

    async def replay() -> Message:
        nonlocal is_given
        if is_given:
            return await receive()
        is_given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return replay


def _stamped(send: Send, request_id: str) -> Send:
    """Add the call's id to its answer."""
    stamp = (b"x-request-id", request_id.encode("latin-1", "replace"))

    async def stamped(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = [pair for pair in message.get("headers", []) if pair[0] != stamp[0]]
            message["headers"] = [*headers, stamp]
        await send(message)

    return stamped


def _safe_id(given: str) -> str:
    """Return the caller's own id as far as it may stand in a log line."""
    return "".join(c for c in given[:64] if c.isascii() and (c.isalnum() or c in "-_.:/"))
