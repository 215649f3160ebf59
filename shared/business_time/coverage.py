"""How far a calendar's holidays are known, when somebody must see to more, and what adds to it.

The holidays of a year are published in its last weeks before. Until then everything beyond is
counted by the week alone and flagged provisional (facts/sla.md 3.5).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.business_time.calendar import Calendar
from shared.business_time.days import source_days
from shared.business_time.ledger import known_until
from shared.business_time.values import NO_LABEL, DayException, Window

#: So long before the end of known holidays somebody must see to next year's (issue 5).
ALARM_BEFORE = timedelta(days=60)

#: A year's notice may still make a weekend of the last days before it a working day (it did for
#: 2018-12-29): holidays of these days are taken as the newer calendar has them.
UNSETTLED = timedelta(days=31)


@dataclass(frozen=True, slots=True)
class Coverage:
    """How far a calendar's holidays are known, seen from a day; `until` None: needs none."""

    key: str
    until: date | None
    days_left: int | None

    @property
    def is_alarming(self) -> bool:
        """Whether somebody must see to the next year's holidays now."""
        return self.days_left is not None and self.days_left <= ALARM_BEFORE.days


def coverage(calendar: Calendar, today: date) -> Coverage:
    """Return how far the holidays of a calendar and its members are known."""
    until = covered_until(calendar)
    return Coverage(calendar.key, until, None if until is None else (until - today).days)


def covered_until(calendar: Calendar) -> date | None:
    """Return the last date whose holidays are known; None where nothing lies beyond it.

    That is so without holidays, and where the calendar itself ends before they do.
    """
    until, ends = known_until(calendar), calendar.valid_until
    return None if until is None or (ends is not None and ends <= until) else until


def alarm_at(calendar: Calendar) -> datetime | None:
    """Return when the alarm is due: the local midnight 60 days before the last known date."""
    until = covered_until(calendar)
    if until is None:
        return None
    day = until - ALARM_BEFORE
    return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(calendar.zone))


@lru_cache(maxsize=1024)
def extends(newer: Calendar, older: Calendar) -> bool:
    """Whether `newer` is `older` with more holidays known, and nothing else changed.

    Windows, zone, validity, exceptions and the holidays already known are the same, but for
    holidays of the last 31 days known before: the next year's notice may still move those.
    """
    until, further = known_until(older), known_until(newer)
    if until is None or further is None or further <= until:
        return False
    return _is_grown(newer, older)


def _is_grown(newer: Calendar, older: Calendar) -> bool:
    if _frame(newer) != _frame(older) or len(newer.members) != len(older.members):
        return False
    if not all(_is_grown(*pair) for pair in zip(newer.members, older.members, strict=True)):
        return False
    until = older.known_until
    if until is None or newer.known_until is None:
        # Nothing has to be known of it; then there is nothing either that may change.
        return newer.known_until is until and _special(newer) == _special(older)
    if newer.known_until < until:
        return False
    if not _begins_as_early(newer, older):
        return False
    settled = until - UNSETTLED
    if _up_to(_special(newer), settled) != _up_to(_special(older), settled):
        return False
    own, was = _excepted(newer), _excepted(older)
    # What a house has decided for a day itself, it may only add to where nothing was known.
    return all(own.get(day) == told for day, told in was.items()) and all(
        day in was or day > until for day in own
    )


def _frame(calendar: Calendar) -> tuple[object, ...]:
    """Return what has nothing to do with single days."""
    validity = (calendar.valid_from, calendar.valid_until)
    return (calendar.kind, calendar.zone, calendar.week, calendar.make_up_windows, *validity)


def _begins_as_early(newer: Calendar, older: Calendar) -> bool:
    if newer.known_from is None or older.known_from is None:
        return newer.known_from is None
    return newer.known_from <= older.known_from


def _special(calendar: Calendar) -> dict[date, tuple[Window, ...] | str]:
    """Return the holidays and make-up days, those of the source among them."""
    holidays, make_up_days = source_days(calendar)
    found: dict[date, tuple[Window, ...] | str] = {}
    for holiday in (*holidays, *calendar.holidays):
        found[holiday.day] = "closed"
    for made_up in (*make_up_days, *calendar.make_up_days):
        found[made_up.day] = made_up.windows or "as usual"
    return found


def _excepted(calendar: Calendar) -> dict[date, DayException]:
    return {told.day: replace(told, label=NO_LABEL) for told in calendar.exceptions}


def _up_to(days: Mapping[date, object], last: date) -> dict[date, object]:
    return {day: told for day, told in days.items() if day <= last}
