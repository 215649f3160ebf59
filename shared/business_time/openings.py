"""When a calendar is open, opens and closes."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from itertools import islice

from shared.business_time.answers import Moment, Period
from shared.business_time.calendar import Calendar
from shared.business_time.codes import NoAnswer
from shared.business_time.errors import EndBeforeStart
from shared.business_time.instants import FIRST, LAST, from_instant, to_instant
from shared.business_time.searching import Timeline
from shared.business_time.spans import Span
from shared.business_time.timeline import timeline


def is_open(calendar: Calendar, at: datetime) -> bool:
    """Return whether `at` lies inside open time, openings included, closings not."""
    line, instant = timeline(calendar), to_instant(at)
    return line.opening_from(instant) == instant


def is_covered(calendar: Calendar, at: datetime) -> bool:
    """Return whether the holidays around `at` are known; if not, answers are provisional."""
    line, instant = timeline(calendar), to_instant(at)
    return line.known_from <= instant < line.known_until


def open_at_or_after(calendar: Calendar, at: datetime) -> Moment:
    """Return the first open instant at or after `at`: `at` itself while open."""
    line = timeline(calendar)
    return _forward(line, line.opening_from(to_instant(at)))


def open_at_or_before(calendar: Calendar, at: datetime) -> Moment:
    """Return `at` while open, else the last closing before; at an opening, the one before it."""
    line, instant = timeline(calendar), to_instant(at)
    span = line.span_before(instant)
    return _backward(line, None if span is None else min(span[1], instant))


def next_opening(calendar: Calendar, at: datetime) -> Moment:
    """Return the first opening strictly after `at`."""
    line, instant = timeline(calendar), to_instant(at)
    span = line.span_after(instant)
    if span is not None and span[0] <= instant:
        span = line.span_after(span[1]) if span[1] < LAST else None
    return _forward(line, None if span is None else span[0])


def next_closing(calendar: Calendar, at: datetime) -> Moment:
    """Return the first closing strictly after `at`."""
    line = timeline(calendar)
    span = line.span_after(to_instant(at))
    return _forward(line, None if span is None or span[1] >= LAST else span[1])


def open_periods(calendar: Calendar, start: datetime, take: int) -> list[Period]:
    """Return the first `take` open periods from `start` on, the first one cut at `start`."""
    line, instant = timeline(calendar), to_instant(start, "start")
    return [_period((max(s, instant), e)) for s, e in islice(_spans_from(line, instant), take)]


def open_periods_before(calendar: Calendar, end: datetime, take: int) -> list[Period]:
    """Return the last `take` open periods before `end`, latest first, the first cut at `end`."""
    line, instant = timeline(calendar), to_instant(end, "end")
    return [_period((s, min(e, instant))) for s, e in islice(_spans_before(line, instant), take)]


def open_between(calendar: Calendar, start: datetime, end: datetime) -> list[Period]:
    """Return the open periods of [start, end), cut to it."""
    line, low, high = timeline(calendar), to_instant(start, "start"), to_instant(end, "end")
    if high < low:
        raise EndBeforeStart(start=start.isoformat(), end=end.isoformat())
    periods: list[Period] = []
    for opened, closed in _spans_from(line, low):
        if opened >= high:
            break
        periods.append(_period((max(opened, low), min(closed, high))))
    return periods


def _spans_from(line: Timeline, instant: int) -> Iterator[Span]:
    span = line.span_after(instant)
    while span is not None:
        yield span
        span = line.span_after(span[1]) if span[1] < LAST else None


def _spans_before(line: Timeline, instant: int) -> Iterator[Span]:
    span = line.span_before(instant)
    while span is not None:
        yield span
        span = line.span_before(span[0]) if span[0] > FIRST else None


def _period(span: Span) -> Period:
    return Period(from_instant(span[0]), None if span[1] >= LAST else from_instant(span[1]))


def _forward(line: Timeline, instant: int | None) -> Moment:
    if instant is None:
        is_over = line.ends_at < LAST
        reason = NoAnswer.CALENDAR_ENDED if is_over else NoAnswer.NOTHING_WITHIN_HORIZON
        return Moment(None, is_provisional=line.known_until < LAST, reason=reason)
    is_provisional = instant >= line.known_until or instant < line.known_from
    return Moment(from_instant(instant), is_provisional)


def _backward(line: Timeline, instant: int | None) -> Moment:
    if instant is None:
        reason = (
            NoAnswer.CALENDAR_ENDED if line.opens_at > FIRST else NoAnswer.NOTHING_WITHIN_HORIZON
        )
        return Moment(None, is_provisional=line.known_from > FIRST, reason=reason)
    is_provisional = instant > line.known_until or instant < line.known_from
    return Moment(from_instant(instant), is_provisional)
