"""The pages: the board, lists, one request; made on the server, live with a little script."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

import jinja2
from fastapi import APIRouter, Request
from fastapi.responses import RedirectResponse, Response

from services.insight.api.access import admit, forget, is_from_here, remember
from services.insight.api.asked import scope_of
from services.insight.api.drawing import draw
from services.insight.api.sharing import Shared
from services.insight.api.viewer import Viewer, viewer_of
from services.insight.api.viewer import remember as remember_wishes
from services.insight.domain.definitions import DEFINITIONS
from services.insight.domain.rules import Window
from services.insight.store.reading import Filters
from shared.errors import Forbidden, LeveeError, NotFound, Unauthorized, Unavailable
from shared.http.problems import status_of
from shared.vocabulary import Priority, RequestState

if TYPE_CHECKING:
    from services.insight.api.access import Access
    from services.insight.api.desk import Desk
    from services.insight.api.words import Voice
    from services.insight.domain.board import Board, Scope

_HERE = Path(__file__).parent
#: Nothing but our own files; no inline script or style, no frames, no foreign form targets.
_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; script-src 'self'; "
    "img-src 'self'; connect-src 'self'; form-action 'self'; base-uri 'none'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
    "Vary": "Accept-Language, Cookie",
}
_STATIC = {
    "board.css": "text/css; charset=utf-8",
    "board.js": "text/javascript; charset=utf-8",
    "icon.svg": "image/svg+xml",
}
_PAGE_SIZE = 50
_TIMELINE_SIZE = 200
_URGENT, _RECENT = 12, 8
_OFFSET_MAX = 2**31 - 1
_DUE_MAX_MIN = 10_080
#: A key is some sixty characters; a form that is longer is no key.
_FORM_MAX = 4096
_HOME = "/insight/"

Make = Callable[[Request, Viewer], Awaitable[Response]]


@dataclass(frozen=True, slots=True)
class _Shown:
    """What the board's page shows, in no language yet."""

    board: Board
    urgent: list[dict[str, Any]]
    escalations: list[dict[str, Any]]
    domains: list[str]


class Pages:
    """Makes pages."""

    def __init__(self, desk: Desk, access: Access, due_soon_min: int) -> None:
        """Prepare the templates; everything they print is escaped."""
        self._desk, self._access, self._due_soon_min = desk, access, due_soon_min
        # Everybody who looks at a board fetches it when they are told that it changed.
        self._boards: Shared[Scope, _Shown] = Shared(self._read_board)
        self._templates = jinja2.Environment(
            loader=jinja2.FileSystemLoader(_HERE / "templates"),
            autoescape=True,
            undefined=jinja2.StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def serve(self, request: Request, make: Make) -> Response:
        """Let whoever may look have the page; tell everybody else what to do."""
        viewer = viewer_of(request, self._desk.zone)
        try:
            self._access.check(request)
            answer = await make(request, viewer)
        except (Unauthorized, Forbidden) as error:
            answer = await self.door(viewer, error)
        except (NotFound, Unavailable) as error:
            told = error.sentence(viewer.language)
            answer = await self._show("fault.html", viewer, status_of(error), told=told)
        remember_wishes(answer, viewer)
        return answer

    async def door(self, viewer: Viewer, error: LeveeError) -> Response:
        """Say how to come in."""
        return await self._show(
            "door.html",
            viewer,
            status_of(error),
            is_refused=isinstance(error, Forbidden),
            came_from=viewer.link(),
        )

    async def board(self, request: Request, viewer: Viewer) -> Response:
        """Show the board."""
        return await self._board("board.html", viewer)

    async def board_part(self, request: Request, viewer: Viewer) -> Response:
        """Show what changes of the board, for the script to put in its place."""
        return await self._board("board_part.html", viewer)

    async def _board(self, template: str, viewer: Viewer) -> Response:
        within = viewer.number("due", self._due_soon_min, _DUE_MAX_MIN) or self._due_soon_min
        scope = scope_of(viewer.text("team"), viewer.text("domain"), viewer.window(), within)
        told = await self._boards.ask(scope)
        return await self._show(
            template,
            viewer,
            board=told.board,
            within_min=within,
            drawings={figures.metric: draw(figures) for figures in told.board.metrics},
            urgent=told.urgent,
            escalations=told.escalations,
            domains=sorted({*told.domains, scope.domain or ""} - {""}),
            windows=[window.value for window in Window],
        )

    async def _read_board(self, scope: Scope) -> _Shown:
        return _Shown(
            await self._desk.board(scope),
            await self._desk.most_urgent(scope, _URGENT),
            await self._desk.recent_escalations(scope, _RECENT),
            await self._desk.domains(),
        )

    async def requests(self, request: Request, viewer: Viewer) -> Response:
        """Show a list of requests."""
        state, priority = viewer.text("state"), viewer.text("priority")
        offset = viewer.number("offset", 0, _OFFSET_MAX)
        filters = Filters(
            state=state if state in set(RequestState) else None,
            team=viewer.text("team") or None,
            domain=viewer.text("domain") or None,
            priority=priority if priority in set(Priority) else None,
            q=viewer.text("q") or None,
            is_overdue=True if viewer.text("overdue") else None,
        )
        items, total = await self._desk.requests(filters, _PAGE_SIZE, offset)
        return await self._show(
            "requests.html",
            viewer,
            items=items,
            total=total,
            offset=offset,
            size=_PAGE_SIZE,
            filters=filters,
            states=[entry.value for entry in RequestState],
            priorities=[entry.value for entry in Priority],
        )

    async def request(self, request: Request, viewer: Viewer) -> Response:
        """Show one request."""
        reference = str(request.path_params["reference"])[:200].replace("\x00", "")
        found = await self._desk.request(reference)
        offset = viewer.number("offset", 0, _OFFSET_MAX)
        voice = await self._desk.voice(viewer.language, viewer.zone)
        lines, total = await self._desk.timeline(found["id"], _TIMELINE_SIZE, offset, voice)
        return await self._show(
            "request.html",
            viewer,
            voice=voice,
            request=found,
            lines=lines,
            total=total,
            offset=offset,
            size=_TIMELINE_SIZE,
        )

    async def figures(self, request: Request, viewer: Viewer) -> Response:
        """Show what each figure means."""
        return await self._show("figures.html", viewer, definitions=DEFINITIONS)

    async def enter(self, request: Request) -> Response:
        """Take a key from the form, and let the browser keep it."""
        viewer = viewer_of(request, self._desk.zone)
        body = await request.body()
        form = parse_qs(body[:_FORM_MAX].decode("utf-8", "replace"))
        key = form.get("key", [""])[0].strip()
        try:
            if not is_from_here(request):
                raise Unauthorized
            admit(request, key)
        except (Unauthorized, Forbidden) as error:
            return await self.door(viewer, error)
        answer = RedirectResponse(_own_path(form.get("next", [""])[0]), 303, _HEADERS)
        remember(answer, request, key)
        return answer

    async def leave(self, request: Request) -> Response:
        """Let the browser forget the key."""
        answer = RedirectResponse(_HOME, 303, _HEADERS)
        if is_from_here(request):
            forget(answer)
        return answer

    async def _show(
        self,
        template: str,
        viewer: Viewer,
        status: int = 200,
        *,
        voice: Voice | None = None,
        **shown: Any,
    ) -> Response:
        if voice is None:
            voice = await self._voice(viewer, status)
        text = self._templates.get_template(template).render(
            v=voice,
            viewer=viewer,
            t=voice.pick,
            link=viewer.link,
            now=self._desk.now(),
            **shown,
        )
        return Response(text, status, _HEADERS, media_type="text/html; charset=utf-8")

    async def _voice(self, viewer: Viewer, status: int) -> Voice:
        if status != 200:
            # Names are for those who may look, and a database that is away has none.
            return self._desk.plain_voice(viewer.language, viewer.zone)
        return await self._desk.voice(viewer.language, viewer.zone)


def _own_path(asked: str) -> str:
    """Return a path of these pages; anything else would send the viewer to strangers."""
    is_own = asked.startswith(_HOME) and "\\" not in asked and asked.isprintable()
    return asked if is_own else _HOME


def page_routes(desk: Desk, access: Access, due_soon_min: int) -> APIRouter:
    """Return the pages' paths."""
    pages = Pages(desk, access, due_soon_min)
    files = {name: (_HERE / "static" / name).read_bytes() for name in _STATIC}
    routes = APIRouter(include_in_schema=False)

    def add(path: str, make: Make) -> None:
        async def show(request: Request) -> Response:
            return await pages.serve(request, make)

        routes.add_api_route(path, show, methods=["GET"])

    add("/", pages.board)
    add("/board", pages.board_part)
    add("/requests", pages.requests)
    add("/requests/{reference}", pages.request)
    add("/figures", pages.figures)

    @routes.post("/enter")
    async def enter(request: Request) -> Response:
        return await pages.enter(request)

    @routes.post("/leave")
    async def leave(request: Request) -> Response:
        return await pages.leave(request)

    @routes.get("/static/{name}")
    async def static(name: str) -> Response:
        if name not in files:
            raise NotFound
        headers = {"Cache-Control": "no-cache", "X-Content-Type-Options": "nosniff"}
        return Response(files[name], 200, headers, media_type=_STATIC[name])

    return routes
