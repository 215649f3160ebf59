"""Paths that ask and change nothing: what if, who held it, credits, working time for portals."""

from __future__ import annotations

from datetime import datetime, timedelta
from decimal import Decimal
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.clock.domain.clocks import Clock, standing
from services.clock.domain.credits import Band, credit_of
from services.clock.domain.editions import told_version
from services.clock.domain.holding import holders
from services.clock.domain.supposing import Difference, Supposition, Wait, differences
from services.clock.domain.targets import CalendarMissing
from services.clock.store import ClockWork, Shelf, count_kept, read_ledger
from shared.business_time import Calendar, DayEnd, due, elapsed, explain, explain_due, ledger
from shared.consuming import Runtime
from shared.errors import Invalid, NotFound
from shared.http.auth import Caller, needs
from shared.http.kit import json_answer
from shared.http.references import Reference
from shared.targets.cells import has_bare_days, read_target
from shared.targets.days import days_as_time
from shared.vocabulary import Priority

Name = Annotated[str, Field(min_length=1, max_length=100)]
_LANGUAGES = ("zh-CN", "en")
#: Longest span of one question about elapsed working time: it is laid out day by day.
_LONGEST = timedelta(days=3660)


class NoSuchCalendar(NotFound):
    """There is no calendar {key}."""

    zh: ClassVar[str] = "没有日历 {key}。"


class NoSuchClock(NotFound):
    """Request {request_id} has no clock {clock}."""

    zh: ClassVar[str] = "请求 {request_id} 没有计时 {clock}。"


class SpanUnusable(Invalid):
    """{reason}."""

    zh: ClassVar[str] = "{reason}。"


class TargetUnusable(Invalid):
    """{target!r} is no target: write working time above zero such as PT8H, or "3 working days".

    A bare day means nothing: a working day has as many hours as its calendar says.
    """

    zh: ClassVar[str] = (
        "{target!r} 不是有效目标：请写大于零的工作时长（如 PT8H），或“3 working days”/“3个工作日”；"
        "单独的“天”没有确定含义。"
    )


class _Asked(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WaitSupposed(_Asked):
    """A wait to suppose; without `until` it lasts."""

    reason: Name
    since: AwareDatetime
    until: AwareDatetime | None = None


class WhatIf(_Asked):
    """What to suppose of one request."""

    priority: Priority | None = None
    #: From when the priority would hold; now when absent.
    priority_at: AwareDatetime | None = None
    waits: Annotated[tuple[WaitSupposed, ...], Field(max_length=20)] = ()
    without_waits: Annotated[tuple[Name, ...], Field(max_length=20)] = ()


class BandAsked(_Asked):
    """Attainment below `below_percent` gives back `credit_percent` of the fee."""

    below_percent: Decimal
    credit_percent: Decimal


class CreditsAsked(_Asked):
    """Whose promises, of which period, at what price."""

    clock: Annotated[str, Field(max_length=100)] = "resolution"
    since: AwareDatetime
    until: AwareDatetime
    bands: Annotated[tuple[BandAsked, ...], Field(min_length=1, max_length=20)]
    cap_percent: Decimal = Decimal(100)
    fee: Annotated[Decimal | None, Field(ge=0)] = None


def asking(runtime: Runtime[ClockWork], shelf: Shelf) -> APIRouter:
    """Return these paths below /v1."""
    router = APIRouter(prefix="/v1", tags=["clocks"])
    _add_requests(router, runtime, shelf)
    _add_credits(router, runtime)
    _add_calendars(router, runtime, shelf)
    return router


def _add_requests(router: APIRouter, runtime: Runtime[ClockWork], shelf: Shelf) -> None:
    @router.post("/requests/{reference}/what-if", summary="When it would be due if …")
    async def ask_what_if(
        reference: Reference, body: WhatIf, caller: Annotated[Caller, needs("work:read")]
    ) -> Response:
        for wait in body.waits:
            if wait.until is not None and wait.until < wait.since:
                raise SpanUnusable(reason=f"waits: {wait.until.isoformat()} is before its start")
        known, library = await read_ledger(runtime.database, shelf, reference)
        now = runtime.time.now()
        supposition = Supposition(
            body.priority,
            body.priority_at,
            tuple(Wait(w.reason, w.since, w.until) for w in body.waits),
            frozenset(body.without_waits),
        )
        found = differences(known, supposition, now, library)
        told = [_difference(one, now) for one in found]
        return json_answer({"request_id": known.request_id, "at": now, "clocks": told})

    @router.get("/requests/{reference}/holders", summary="Who held it for how much of the time")
    async def get_holders(
        reference: Reference,
        caller: Annotated[Caller, needs("work:read")],
        clock: Annotated[str, Query(max_length=100)] = "resolution",
    ) -> Response:
        known, library = await read_ledger(runtime.database, shelf, reference)
        now = runtime.time.now()
        found = standing(known, now, library)
        wanted = next((c for c in (found.clocks if found else ()) if c.key == clock), None)
        if found is None or wanted is None:
            raise NoSuchClock(request_id=str(reference), clock=clock)
        held = [
            {"holder": h.holder, "who": h.who, "team": h.team, "time_s": h.time.total_seconds()}
            for h in holders(wanted, found.story, now)
        ]
        return json_answer(
            {"request_id": known.request_id, "clock": clock, "at": now, "held": held}
        )


def _add_credits(router: APIRouter, runtime: Runtime[ClockWork]) -> None:
    @router.post("/service-credits", summary="What an agreement gives back for a period")
    async def ask_credits(
        body: CreditsAsked, caller: Annotated[Caller, needs("board:read")]
    ) -> Response:
        if body.until <= body.since:
            raise SpanUnusable(reason="until must be after since")
        bands = [Band(band.below_percent, band.credit_percent) for band in body.bands]
        kept, broken = await count_kept(runtime.database, body.clock, body.since, body.until)
        found = credit_of(kept, broken, bands, body.cap_percent, body.fee)
        told = {
            "clock": body.clock,
            "since": body.since,
            "until": body.until,
            "kept": found.kept,
            "broken": found.broken,
            "attainment_percent": _number(found.attainment_percent),
            "credit_percent": _number(found.credit_percent),
            "amount": _number(found.amount),
            "is_capped": found.is_capped,
        }
        return json_answer(told)


def _add_calendars(router: APIRouter, runtime: Runtime[ClockWork], shelf: Shelf) -> None:
    async def find(key: str) -> Calendar:
        async with runtime.database.reading() as connection:
            library = await shelf.look(connection)
        try:
            return library.calendar(key, None)
        except CalendarMissing:
            raise NoSuchCalendar(key=key) from None

    @router.get("/calendars/{key}/due", summary="Promised by: start plus working time")
    async def get_due(
        key: Annotated[str, Field(max_length=100)],
        target: Annotated[
            str, Query(max_length=40, description="ISO 8601, such as PT8H; or 3 working days")
        ],
        caller: Annotated[Caller, needs("work:read")],
        start: AwareDatetime | None = None,
    ) -> Response:
        span, days, day_end = _target(target)
        calendar, begun = await find(key), start or runtime.time.now()
        if days:
            span = days_as_time(calendar, begun, days, day_end)
        answer = due(calendar, begun, span)
        words = {lang: explain_due(answer, calendar.zone, lang) for lang in _LANGUAGES}
        return json_answer(
            {
                "calendar": key,
                **told_version(calendar.version),
                "start": begun,
                "target_s": span.total_seconds(),
                "due_at": answer.due_at,
                "breaches_after": answer.breaches_after,
                "no_due_reason": answer.reason.value if answer.reason is not None else None,
                "is_provisional": answer.is_provisional,
                "sentence": words,
            }
        )

    @router.get("/calendars/{key}/elapsed", summary="Working time between two moments")
    async def get_elapsed(
        key: Annotated[str, Field(max_length=100)],
        start: AwareDatetime,
        end: AwareDatetime,
        caller: Annotated[Caller, needs("work:read")],
    ) -> Response:
        if not timedelta() <= end - start <= _LONGEST:
            raise SpanUnusable(reason="end must not be before start, nor ten years after it")
        calendar = await find(key)
        answer, told = elapsed(calendar, start, end), ledger(calendar, start, end)
        return json_answer(
            {
                "calendar": key,
                **told_version(calendar.version),
                "start": start,
                "end": end,
                "elapsed_s": answer.time.total_seconds(),
                "is_provisional": answer.is_provisional,
                "intervals": told.as_json(),
                "sentences": {lang: [*explain(told, lang)] for lang in _LANGUAGES},
            }
        )


def _target(text: str) -> tuple[timedelta, int, DayEnd]:
    """Read a span; raise `TargetUnusable` with how to say it."""
    try:
        found = read_target(text)
    except ValueError:
        raise TargetUnusable(target=text) from None
    if has_bare_days(text):
        raise TargetUnusable(target=text)
    return found


def _difference(one: Difference, now: datetime) -> dict[str, Any]:
    return {"clock": one.key, "is": _side(one.now, now), "would_be": _side(one.then, now)}


def _side(clock: Clock | None, now: datetime) -> dict[str, Any] | None:
    if clock is None:
        return None
    return {
        "target_s": clock.target.time.total_seconds(),
        "state": clock.state_at(now).value,
        "elapsed_s": clock.elapsed_at(now).total_seconds(),
        "remaining_s": clock.remaining_at(now).total_seconds(),
        "due_at": clock.due_at,
        "is_breached": clock.is_breached_at(now),
        "is_breached_by_rebase": clock.is_breached_by_rebase(),
        "explanation": clock.target.explanation(),
    }


def _number(value: Decimal | None) -> float | None:
    return None if value is None else float(value)
