"""The desk: everything the API and the pages show, for callers in the same process as well."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import orjson

from services.insight.api.tales import tell
from services.insight.api.words import Voice
from services.insight.domain.board import Board, Scope
from services.insight.domain.rules import Window
from services.insight.store import reading
from services.insight.store.board import read_board
from services.insight.store.rows import at
from shared.errors import NotFound

if TYPE_CHECKING:
    from datetime import datetime
    from zoneinfo import ZoneInfo

    from services.insight.store.reading import Filters
    from shared.database.engine import Database
    from shared.time_source import TimeSource


class NoSuchRequest(NotFound):
    """Insight has heard of no request {reference}."""

    zh: ClassVar[str] = "看板尚未收到请求 {reference}。"


class Desk:
    """Reads the read model; changes nothing."""

    def __init__(self, database: Database, time: TimeSource, zone: ZoneInfo) -> None:
        """Read `database`; `zone` is the installation's, in which `today` begins."""
        self._database, self._time, self.zone = database, time, zone

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        return self._time.now()

    async def board(self, scope: Scope | None = None) -> Board:
        """Return the board as it is now. Raises `DatabaseUnavailable`."""
        async with self._database.reading() as connection:
            return await read_board(connection, scope or Scope(), self.now(), self.zone)

    async def counts(self) -> dict[str, Any]:
        """Return totals over everything heard, for reports."""
        board = await self.board(Scope(window=Window.ALL))
        async with self._database.reading() as connection:
            states = await reading.count_states(connection)
        told = board.escalations
        return {
            "requests": {"total": sum(states.values()), "by_state": states},
            "escalations": {
                "raised": told.raised,
                "acknowledged": told.acknowledged,
                "unanswered": told.unanswered,
                "nobody_answered": told.nobody_answered,
                "by_tier": {str(tier.tier): tier.reached for tier in told.by_tier},
            },
            "notifications": {
                "by_outcome": dict(board.notifications.by_outcome),
                "by_template": dict(board.notifications.by_template),
            },
        }

    async def requests(
        self, filters: Filters, limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of requests, least time left first, and the total."""
        async with self._database.reading() as connection:
            rows, total = await reading.list_requests(connection, filters, limit, offset)
        return [request_json(row) for row in rows], total

    async def most_urgent(self, scope: Scope, limit: int) -> list[dict[str, Any]]:
        """Return the open requests with the least time left, each with the clock that says so."""
        async with self._database.reading() as connection:
            rows = await reading.most_urgent(connection, scope.team, scope.domain, limit)
            clocks = await reading.clocks_of(connection, [row.id for row in rows])
        pressing: dict[str, Any] = {}
        for clock in clocks:
            known = pressing.get(clock.request_id)
            if clock.due_us is not None and (known is None or clock.due_us < known.due_us):
                pressing[clock.request_id] = clock
        return [
            {**request_json(row), "clock": clock_json(pressing[row.id])}
            for row in rows
            if row.id in pressing
        ]

    async def recent_escalations(self, scope: Scope, limit: int) -> list[dict[str, Any]]:
        """Return the latest escalations."""
        async with self._database.reading() as connection:
            rows = await reading.recent_escalations(connection, scope.team, scope.domain, limit)
        return [{**escalation_json(row), "number": row.number, "title": row.title} for row in rows]

    async def request(self, reference: str) -> dict[str, Any]:
        """Return one request with its clocks and escalations. Raises `NoSuchRequest`."""
        async with self._database.reading() as connection:
            row = await reading.find_request(connection, reference)
            if row is None:
                raise NoSuchRequest(reference=reference)
            clocks = await reading.clocks_of(connection, [row.id])
            escalations = await reading.escalations_of(connection, row.id)
        return {
            **request_json(row),
            "clocks": [clock_json(clock) for clock in clocks],
            "escalations": [escalation_json(entry) for entry in escalations],
        }

    async def timeline(
        self, reference: str, limit: int, offset: int, voice: Voice
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of a request's timeline, each line also in words. `NoSuchRequest`."""
        async with self._database.reading() as connection:
            row = await reading.find_request(connection, reference)
            if row is None:
                raise NoSuchRequest(reference=reference)
            rows, total = await reading.timeline_of(connection, row.id, limit, offset)
        return [_line(entry, voice) for entry in rows], total

    async def voice(self, language: str, zone: ZoneInfo | None = None) -> Voice:
        """Return the words of a viewer, with the names this house uses."""
        async with self._database.reading() as connection:
            names = await reading.all_names(connection)
        return Voice(language, zone or self.zone, names)

    def plain_voice(self, language: str, zone: ZoneInfo) -> Voice:
        """Return the words of a viewer without any names."""
        return Voice(language, zone)

    async def domains(self) -> list[str]:
        """Return the domains of open requests."""
        async with self._database.reading() as connection:
            return await reading.known_domains(connection)


def request_json(row: Any) -> dict[str, Any]:
    """Return a request as the API shows it."""
    return {
        "id": row.id,
        "number": row.number,
        "source": row.source,
        "external_id": row.external_id,
        "title": row.title,
        "request_type": row.request_type,
        "domain": row.domain,
        "organisation_unit": row.organisation_unit,
        "channel": row.channel,
        "priority": row.priority,
        "lane": row.lane,
        "team": row.team or None,
        "assignee": row.assignee,
        "state": row.state,
        "waiting_reason": row.waiting_reason,
        "is_open": row.is_open,
        "is_overdue": row.is_open and row.is_overdue,
        "is_triage": row.is_triage,
        "submitted_at": at(row.submitted_us),
        "resolved_at": at(row.resolved_us),
        "closed_at": at(row.closed_us),
        "due_at": at(row.urgent_us) if row.is_open else None,
        "handovers": row.handovers,
        "reopenings": row.reopenings,
        "rating": row.rating,
    }


def clock_json(row: Any) -> dict[str, Any]:
    """Return a clock as the API shows it."""
    return {
        "id": row.id,
        "metric": row.metric,
        "state": row.state,
        "is_breached": row.is_breached,
        "target_s": row.target_s,
        "due_at": at(row.due_us),
        "started_at": at(row.started_us),
        "met_at": at(row.met_us),
        "breached_at": at(row.breached_us),
        "elapsed_s": row.elapsed_s,
        "paused_s": row.paused_s,
        "pause_reason": row.pause_reason,
        "calendar": row.calendar,
        "calendar_version": row.calendar_version,
        "explanation": orjson.loads(row.explanation),
    }


def escalation_json(row: Any) -> dict[str, Any]:
    """Return an escalation as the API shows it."""
    return {
        "id": row.id,
        "request_id": row.request_id,
        "policy": row.policy,
        "priority": row.priority,
        "team": row.team or None,
        "trigger": {
            "kind": row.trigger,
            "metric": row.metric,
            "threshold_percent": row.threshold_percent,
        },
        "state": row.state,
        "tier": row.tier,
        "told": orjson.loads(row.told),
        "raised_at": at(row.raised_us),
        "next_at": at(row.next_us),
        "acknowledged_by": row.acknowledged_by,
        "acknowledged_at": at(row.acknowledged_us),
        "closed_at": at(row.closed_us),
        "close_reason": row.close_reason,
    }


def _line(row: Any, voice: Voice) -> dict[str, Any]:
    params = orjson.loads(row.params)
    return {
        "id": row.event_id,
        "type": row.type,
        "publisher": row.publisher,
        "occurred_at": at(row.occurred_us),
        "recorded_at": at(row.recorded_us),
        "actor": row.actor,
        "params": params,
        "sentence": tell(voice, row.type, params, row.actor),
    }
