"""Who may look: a key with the scope board:read, or anybody where pages are open.

A browser carries the key in a cookie no script can read and no other site can send. Open pages
hold for named hosts only: a page of a foreign site whose name is made to point at this address
would otherwise read through the viewer's browser.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

# FastAPI looks at the annotations of dependencies when the application starts.
from fastapi import Request

from shared.errors import Forbidden, LeveeError, Unauthorized
from shared.http.auth import Caller

if TYPE_CHECKING:
    from fastapi.responses import Response

    from shared.http.auth import KeyRing

SCOPE = "board:read"
COOKIE = "levee_key"
#: A working day: whoever looks in the morning need not enter the key again before the evening.
_COOKIE_S = 12 * 3600
_ANYBODY = Caller("open", "open pages", frozenset({SCOPE}))


@dataclass(frozen=True, slots=True)
class Access:
    """The door."""

    is_open: bool = False
    open_hosts: frozenset[str] = frozenset()

    async def __call__(self, request: Request) -> Caller:
        """Return who looks; raise `Unauthorized` or `Forbidden`."""
        return self.check(request)

    def check(self, request: Request) -> Caller:
        """Return who looks; raise `Unauthorized` or `Forbidden`."""
        token = _token(request)
        if not token and self._is_open_for(request):
            return _ANYBODY
        if not token:
            raise Unauthorized
        try:
            return admit(request, token)
        except LeveeError:
            if self._is_open_for(request):
                return _ANYBODY
            raise

    def _is_open_for(self, request: Request) -> bool:
        if not self.is_open:
            return False
        host = request.headers.get("host", "").strip().lower()
        # An IPv6 address stands in brackets; what follows the last colon otherwise is a port.
        name = host.partition("]")[0] + "]" if host.startswith("[") else host.partition(":")[0]
        return "*" in self.open_hosts or name in self.open_hosts


def admit(request: Request, token: str) -> Caller:
    """Return who holds this key; raise `Unauthorized` or `Forbidden`."""
    ring: KeyRing = request.app.state.keys
    caller = ring.caller(token)
    if not caller.may(SCOPE):
        raise Forbidden(scope=SCOPE)
    return caller


def is_from_here(request: Request) -> bool:
    """Whether a form was sent from one of our own pages (or not by a browser at all)."""
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site in ("same-origin", "none")
    origin = request.headers.get("origin")
    return origin is None or origin.partition("://")[2] == request.headers.get("host")


def remember(response: Response, request: Request, token: str) -> None:
    """Let the browser keep the key."""
    response.set_cookie(
        COOKIE,
        token,
        max_age=_COOKIE_S,
        path="/",
        httponly=True,
        samesite="strict",
        secure=request.url.scheme == "https",
    )


def forget(response: Response) -> None:
    """Let the browser forget the key."""
    response.delete_cookie(COOKIE, path="/", httponly=True, samesite="strict")


def _token(request: Request) -> str:
    kind, _, token = request.headers.get("authorization", "").partition(" ")
    if kind.lower() == "bearer" and token.strip():
        return token.strip()
    return request.cookies.get(COOKIE, "")
