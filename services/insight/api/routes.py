"""Insight's read API under /insight/v1."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Annotated, Any

from fastapi import APIRouter, Depends, Request
from fastapi.responses import Response, StreamingResponse

from services.insight.api.asked import Within, Word, scope_of
from services.insight.domain.definitions import DEFINITIONS
from services.insight.domain.rules import Window
from services.insight.store.reading import Filters
from shared.http.auth import Caller
from shared.http.kit import Limit, Offset, json_answer, page
from shared.http.problems import language_of
from shared.service import STOPPING
from shared.vocabulary import Priority, RequestState

if TYPE_CHECKING:
    from services.insight.api.access import Access
    from services.insight.api.desk import Desk
    from services.insight.api.live import Live
    from services.insight.api.words import Voice
    from services.insight.domain.board import Board


def routes(desk: Desk, live: Live, access: Access, due_soon_min: int) -> APIRouter:
    """Return insight's paths under /v1."""
    api = APIRouter(prefix="/v1")
    looks: Any = Depends(access)
    _add_board(api, desk, looks, due_soon_min)
    _add_requests(api, desk, looks)
    _add_live(api, live, looks, due_soon_min)
    return api


def _add_board(api: APIRouter, desk: Desk, looks: Any, due_soon_min: int) -> None:
    @api.get("/board", tags=["board"], summary="Every figure of the board, as it is now")
    async def board(
        request: Request,
        caller: Caller = looks,
        team: Word | None = None,
        domain: Word | None = None,
        window: Window = Window.MONTH,
        due_within_min: Within = due_soon_min,
        lang: Word | None = None,
    ) -> Response:
        found = await desk.board(scope_of(team, domain, window, due_within_min))
        return json_answer(board_json(found, await desk.voice(language_of(request))))

    @api.get("/figures", tags=["board"], summary="What each figure means")
    async def figures(caller: Caller = looks) -> Response:
        told = [
            {
                "key": d.key,
                "name": {"zh-CN": d.zh, "en": d.en},
                "meaning": {"zh-CN": d.meaning_zh, "en": d.meaning_en},
            }
            for d in DEFINITIONS
        ]
        return json_answer({"items": told})


def _add_requests(api: APIRouter, desk: Desk, looks: Any) -> None:
    @api.get("/requests", tags=["requests"], summary="Requests, least time left first")
    async def list_requests(
        caller: Caller = looks,
        state: RequestState | None = None,
        team: Word | None = None,
        domain: Word | None = None,
        priority: Priority | None = None,
        q: Annotated[Word | None, "number, external id or part of a title"] = None,
        overdue: bool | None = None,
        open: bool | None = None,
        limit: Limit = 50,
        offset: Offset = 0,
    ) -> Response:
        filters = Filters(
            state=state.value if state else None,
            team=team or None,
            domain=domain or None,
            priority=priority.value if priority else None,
            q=q or None,
            is_overdue=overdue,
            is_open=open,
        )
        items, total = await desk.requests(filters, limit, offset)
        return json_answer(page(items, total, limit, offset))

    @api.get("/requests/{reference}", tags=["requests"], summary="One request with its promises")
    async def one_request(reference: str, caller: Caller = looks) -> Response:
        return json_answer(await desk.request(reference[:200].replace("\x00", "")))

    @api.get("/requests/{reference}/timeline", tags=["requests"], summary="What happened to it")
    async def timeline(
        request: Request,
        reference: str,
        caller: Caller = looks,
        limit: Limit = 100,
        offset: Offset = 0,
        lang: Word | None = None,
    ) -> Response:
        voice = await desk.voice(language_of(request))
        reference = reference[:200].replace("\x00", "")
        items, total = await desk.timeline(reference, limit, offset, voice)
        return json_answer(page(items, total, limit, offset))


def _add_live(api: APIRouter, live: Live, looks: Any, due_soon_min: int) -> None:
    @api.get(
        "/live",
        tags=["board"],
        summary="Changes of the board as server-sent events",
        response_class=StreamingResponse,
        responses={200: {"content": {"text/event-stream": {}}}},
    )
    async def changes(
        request: Request,
        caller: Caller = looks,
        team: Word | None = None,
        domain: Word | None = None,
        window: Window = Window.MONTH,
        due_within_min: Within = due_soon_min,
    ) -> StreamingResponse:
        stopping = request.scope.get(STOPPING)
        live.close_when(stopping if isinstance(stopping, asyncio.Event) else None)
        live.must_have_room()
        told = live.stream(
            scope_of(team, domain, window, due_within_min), request.headers.get("last-event-id")
        )
        return StreamingResponse(
            told,
            media_type="text/event-stream",
            # A proxy that buffers would keep changes to itself.
            headers={"Cache-Control": "no-store", "X-Accel-Buffering": "no"},
        )


def board_json(board: Board, voice: Voice) -> dict[str, Any]:
    """Return the board as the API shows it; teams also by name."""
    scope = board.scope
    return {
        "at": board.at,
        "team": scope.team,
        "domain": scope.domain,
        "window": scope.window,
        "due_within_min": int(scope.due_within.total_seconds() // 60),
        "counts": board.counts,
        "by_priority": board.by_priority,
        "teams": [
            {
                "team": entry.team,
                "name": voice.name("team", entry.team),
                "light": entry.light,
                "reason": entry.reason,
                "reason_text": voice.label(entry.reason),
                "counts": entry.counts,
                "unanswered": entry.unanswered,
                "attainment": entry.attainment,
            }
            for entry in board.teams
        ],
        "metrics": {entry.metric: entry for entry in board.metrics},
        "escalations": board.escalations,
        "notifications": board.notifications,
        "incidents": board.incidents_open,
        "set_aside": {
            "notifications": board.notifications.set_aside,
            "messages": board.messages_set_aside,
        },
    }
