"""Working days: dates that have open time of their own, counted and stepped over.

A date is a working day when a window starts on it that breaks do not close again; the end of
last night's shift does not make one. For a combination of calendars: when anything is open
between its local midnights.
"""

from __future__ import annotations

from datetime import date, datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from shared.business_time.answers import Due, Moment, WorkingDay, WorkingDays
from shared.business_time.calendar import Calendar
from shared.business_time.checks import FIRST_YEAR, LAST_YEAR
from shared.business_time.codes import NoAnswer
from shared.business_time.errors import InstantOutOfRange
from shared.business_time.instants import (
    FIRST,
    LAST,
    from_instant,
    local_date,
    to_instant,
    to_microseconds,
    wall_instant,
)
from shared.business_time.searching import HORIZON_YEARS, Timeline
from shared.business_time.spans import Span
from shared.business_time.timeline import WeeklyTimeline, timeline

_DAY = timedelta(days=1)

#: The last and first dates a search can stand on, one year inside what instants support.
_FIRST_DATE, _LAST_DATE = date(FIRST_YEAR, 1, 2), date(LAST_YEAR, 12, 30)


class DayEnd(StrEnum):
    """What "in three working days" means on the third one."""

    SAME_TIME = "same_time"
    END_OF_DAY = "end_of_day"


def is_working_day(calendar: Calendar, day: date) -> bool:
    """Return whether `day` (in the calendar's zone) has open time of its own."""
    return bool(_open_on(calendar, timeline(calendar), _checked(day)))


def working_day_at_or_after(calendar: Calendar, day: date) -> WorkingDay:
    """Return `day` if it is a working day, else the next one."""
    return _step(calendar, _checked(day) - _DAY, 1)


def working_day_at_or_before(calendar: Calendar, day: date) -> WorkingDay:
    """Return `day` if it is a working day, else the last one before."""
    return _step(calendar, _checked(day) + _DAY, -1)


def add_working_days(calendar: Calendar, day: date, days: int) -> WorkingDay:
    """Return the date `days` working days after `day` (before it when negative).

    `day` itself is never counted, working day or not: one working day after a Saturday and
    one after the Friday before it are both Monday. Zero days returns `day` as it is.
    """
    start = _checked(day)
    if days == 0:
        return WorkingDay(start, _is_unknown(calendar, start, start))
    return _step(calendar, start, days)


def working_days_between(calendar: Calendar, start: date, end: date) -> WorkingDays:
    """Return the number of working days in (start, end]; negative when end lies before start."""
    first, last = sorted((_checked(start), _checked(end)))
    line = timeline(calendar)
    count = sum(
        1
        for ordinal in range(first.toordinal() + 1, last.toordinal() + 1)
        if _open_on(calendar, line, date.fromordinal(ordinal))
    )
    return WorkingDays(count if start <= end else -count, _is_unknown(calendar, first, last))


def add_working_days_at(calendar: Calendar, at: datetime, days: int) -> Moment:
    """Return the instant `days` working days from `at` with the clock on the wall unchanged."""
    instant = to_instant(at)
    zone = ZoneInfo(calendar.zone)
    start = local_date(instant, zone)
    moved = add_working_days(calendar, start, days)
    if moved.day is None:
        return Moment(None, moved.is_provisional, moved.reason)
    if days == 0:
        return Moment(from_instant(instant), moved.is_provisional)
    wall = from_instant(instant).astimezone(zone).replace(tzinfo=None)
    since_midnight = wall - datetime.combine(start, datetime.min.time())
    microsecond = to_microseconds(since_midnight) % 1_000_000
    second = to_microseconds(since_midnight) // 1_000_000
    kept = wall_instant(moved.day, second, zone) + microsecond
    return Moment(from_instant(kept), moved.is_provisional)


def due_in_working_days(
    calendar: Calendar, start: datetime, days: int, ends: DayEnd = DayEnd.SAME_TIME
) -> Due:
    """Return when a promise of `days` (> 0) working days given at `start` falls due.

    SAME_TIME: at the same time of the last day; when that is closed, at the next opening.
    END_OF_DAY: at the last closing that belongs to the last day.
    """
    line = timeline(calendar)
    moved = add_working_days_at(calendar, start, max(days, 1))
    if moved.at is None:
        return Due(None, None, moved.is_provisional, moved.reason)
    instant = to_instant(moved.at)
    if ends is DayEnd.END_OF_DAY:
        day = local_date(instant, ZoneInfo(calendar.zone))
        instant = max(end for _, end in _open_on(calendar, line, day))
    return _due(line, instant, moved.is_provisional)


def _due(line: Timeline, instant: int, is_provisional: bool) -> Due:
    resumed = line.opening_from(instant)
    before = line.span_before(instant)
    is_at_work = before is not None and before[1] >= instant
    due_at = instant if is_at_work or resumed is None else resumed
    is_unknown = is_provisional or (resumed is not None and resumed >= line.known_until)
    breaches_after = None if resumed is None else from_instant(resumed)
    return Due(from_instant(due_at), breaches_after, is_unknown)


def _open_on(calendar: Calendar, line: Timeline, day: date) -> list[Span]:
    if isinstance(line, WeeklyTimeline):
        return line.open_on(day)
    zone = ZoneInfo(calendar.zone)
    low, high = wall_instant(day, 0, zone), wall_instant(day + _DAY, 0, zone)
    span = line.span_after(low) if low < high else None
    if span is None or span[0] >= high:
        return []
    last = line.span_before(high) or span
    return [(max(last[0], low), min(last[1], high))]


def _step(calendar: Calendar, start: date, days: int) -> WorkingDay:
    line = timeline(calendar)
    step, left = (_DAY, days) if days > 0 else (-_DAY, -days)
    day = start
    for _ in range(HORIZON_YEARS * 366):
        day += step
        if not _FIRST_DATE <= day <= _LAST_DATE:
            break
        if _open_on(calendar, line, day):
            left -= 1
        if left == 0:
            return WorkingDay(day, _is_unknown(calendar, *sorted((start, day))))
    return _no_day(line, abs(days), left, is_forward=days > 0)


def _no_day(line: Timeline, days: int, left: int, is_forward: bool) -> WorkingDay:
    is_over = line.ends_at < LAST if is_forward else line.opens_at > FIRST
    if is_over:
        reason = NoAnswer.CALENDAR_ENDED
    elif left == days:
        reason = NoAnswer.NOTHING_WITHIN_HORIZON
    else:
        reason = NoAnswer.TARGET_BEYOND_HORIZON
    is_unknown = line.known_until < LAST if is_forward else line.known_from > FIRST
    return WorkingDay(None, is_unknown, reason)


def _is_unknown(calendar: Calendar, first: date, last: date) -> bool:
    line, zone = timeline(calendar), ZoneInfo(calendar.zone)
    return (
        wall_instant(first, 0, zone) < line.known_from
        or wall_instant(last, 0, zone) >= line.known_until
    )


def _checked(day: date) -> date:
    # A datetime is a date to Python, but its zone would be lost here without a word.
    if isinstance(day, datetime) or not _FIRST_DATE <= day <= _LAST_DATE:
        raise InstantOutOfRange(name="day", value=day.isoformat())
    return day
