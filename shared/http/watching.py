"""Counts and times the answers of an API, by route template: never by what callers typed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from shared.time_source import SystemTime

if TYPE_CHECKING:
    from starlette.types import ASGIApp, Message, Receive, Scope, Send

#: Hears of an answer: method, route template, status, seconds until it began.
Answered = Callable[[str, str, int, float], None]

#: Anybody may send any word as a method; only these become labels.
_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})
_monotonic = SystemTime().monotonic


class Watched:
    """Tells `answered` what became of each call."""

    def __init__(self, app: ASGIApp, answered: Answered, prefix: str = "") -> None:
        self._app, self._answered, self._prefix = app, answered, prefix

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Handle one call; one whose caller left before an answer is not counted."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began_s = _monotonic()

        async def sent(message: Message) -> None:
            if message["type"] == "http.response.start":
                method = scope["method"] if scope["method"] in _METHODS else "OTHER"
                route = getattr(scope.get("route"), "path", "unmatched").removeprefix(self._prefix)
                self._answered(method, route, message["status"], _monotonic() - began_s)
            await send(message)

        await self._app(scope, receive, sent)
