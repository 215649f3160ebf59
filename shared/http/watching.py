"""Counts, times and traces the answers of an API by route template, never by what callers typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.observability import bound
from shared.observability.traces import Edge, coming_from, read
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

    from shared.observability.traces import Tracer

#: Hears of an answer: method, route template, status, seconds until it began.
Answered = Callable[[str, str, int, float], None]

#: Anybody may send any word as a method; only these become labels.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_monotonic = SystemTime().monotonic


class Watched:
    """Tells `answered` what became of each call, and its caller's trace to what it calls."""

    def __init__(
        self,
        app: ASGIApp,
        answered: Answered,
        prefix: str = "",
        tracer: Callable[[], Tracer | None] = lambda: None,
    ) -> None:
        self._app, self._answered, self._prefix, self._tracer = app, answered, prefix, tracer

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call; one whose caller left before an answer is not counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s, told = _monotonic(), ("", "", 0)

        async def sent(message: Message) -> None:
            nonlocal told
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "OTHER"
                route = _route(scope).removeprefix(self._prefix)
                told = (method, route, message["status"])
                self._answered(*told, _monotonic() - began_s)
            await send(message)

        traceparent = _traceparent(scope)
        if traceparent is None and self._tracer() is None:
            await self._app(scope, receive, sent)
            return
        edge = Edge(read(traceparent), is_served=True)
        with coming_from(edge), bound(**_told(edge)):
            try:
                await self._app(scope, receive, sent)
            finally:
                self._record(edge, *told)

    def _record(self, edge: Edge, method: str, route: str, status: int) -> None:
        """Hand over the span of a call that changed something in a sampled trace."""
        span, tracer = edge.span, self._tracer()
        if span is None or tracer is None:
            return
        span.name = f"{method} {route}"
        span.attributes |= {
            "http.request.method": method,
            "http.route": route,
            "http.response.status_code": status,
        }
        span.error = str(status) if status >= 500 else None
        span.ended_at = tracer.now()
        tracer.export([span])


def _route(scope: Scope) -> str:
    """Return the template of what answered, with or without the service's prefix."""
    known: str | None = getattr(scope.get("route"), "path", None)
    if known is None and "endpoint" in scope and not scope.get("path_params"):
        # A route of starlette's own leaves only this; without parameters its path is its template.
        known = scope["path"]
    return known or "unmatched"


def _traceparent(scope: Scope) -> str | None:
    for name, value in scope["headers"]:
        if name == b"traceparent":
            return str(value.decode("latin-1"))
    return None


def _told(edge: Edge) -> dict[str, str]:
    return {} if edge.caller is None else {"trace_id": f"{edge.caller.trace_id:032x}"}
