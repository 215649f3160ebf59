"""Whether a promise between teams or with a supplier can support the promise outside.

A part cannot take longer than the whole: an OLA or underpinning contract that falls due after the
promise outside leaves nobody time to keep it. Both are counted on their own calendars, from the
same moment, for every hour of two weeks and around every opening and closing in them: four office
hours are shorter than eight hours around the clock, but not on Friday evening.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache

from shared.business_time import Calendar, due, elapsed, open_between
from shared.targets.days import days_as_time
from shared.targets.rows import EVERY_REASON, Row

_SPAN, _STEP = timedelta(days=14), timedelta(hours=1)
_TICK = timedelta(seconds=1)
#: The words with which a stage begins that is a wait.
_WAITS = ("waiting", "waiting:")


@dataclass(frozen=True, slots=True)
class Promised:
    """A row on its calendar."""

    row: Row
    calendar: Calendar

    def due_from(self, start: datetime) -> datetime | None:
        """Return when it falls due if it begins at a moment; None: never in reach."""
        return _due(self.calendar, start, self.time_from(start))

    def time_from(self, start: datetime) -> timedelta:
        """Return the working time it has."""
        row = self.row
        if not row.days:
            return row.target
        return days_as_time(self.calendar, start, row.days, row.day_end)


@dataclass(frozen=True, slots=True)
class Shortfall:
    """How far a promise inside is from supporting one outside, at the worst moment found."""

    inside: Promised
    outside: Promised
    start: datetime
    inside_due: datetime | None
    outside_due: datetime
    #: The longest working time inside that would always fit; zero where its calendar is closed
    #: while the promise outside runs out.
    fitting: timedelta

    @property
    def late_by(self) -> timedelta | None:
        """How much later it falls due; None: it never does."""
        return None if self.inside_due is None else self.inside_due - self.outside_due


def shortfall(
    inside: Sequence[Promised], outside: Sequence[Promised], at: datetime
) -> Shortfall | None:
    """Return where the strictest inside falls due after the strictest outside; None: nowhere.

    `at` is where the two weeks begin.
    """
    worst: Shortfall | None = None
    fitting: timedelta | None = None
    for start in _starts([*inside, *outside], at):
        first = _strictest(inside, start)
        whole = _strictest(outside, start)
        whole_due = whole.due_from(start)
        if whole_due is None:
            continue
        part_due = first.due_from(start)
        room = elapsed(first.calendar, start, whole_due).time
        fitting = room if fitting is None else min(room, fitting)
        if part_due is not None and part_due <= whole_due:
            continue
        found = Shortfall(first, whole, start, part_due, whole_due, room)
        if worst is None or _later(found) > _later(worst):
            worst = found
    if worst is None or fitting is None:
        return None
    return Shortfall(
        worst.inside, worst.outside, worst.start, worst.inside_due, worst.outside_due, fitting
    )


def unsupported_pauses(inside: Row, outside: Row) -> frozenset[str]:
    """Return the reasons for which it stands still while the promise outside runs on."""
    if EVERY_REASON in outside.pauses_on or (inside.starts_on and is_wait(inside)):
        return frozenset()
    return inside.pauses_on - outside.pauses_on


def is_outside_time(inside: Row, outside: Row) -> bool:
    """Whether it is a stage that waits, for reasons for which the promise outside stands still."""
    if not is_wait(inside):
        return False
    reasons = {word.partition(":")[2] for word in inside.starts_on}
    return EVERY_REASON in outside.pauses_on or ("" not in reasons and reasons <= outside.pauses_on)


def is_wait(row: Row) -> bool:
    """Whether a row is about a stage that begins with a wait only."""
    return bool(row.starts_on) and all(
        word == _WAITS[0] or word.startswith(_WAITS[1]) for word in row.starts_on
    )


def _later(found: Shortfall) -> timedelta:
    return timedelta.max if found.late_by is None else found.late_by


def _strictest(promised: Sequence[Promised], start: datetime) -> Promised:
    if len(promised) == 1:
        return promised[0]
    known = [(one.due_from(start), one) for one in promised]
    falling = [(falls, one) for falls, one in known if falls is not None]
    return min(falling, key=lambda pair: pair[0])[1] if falling else promised[0]


def _starts(promised: Iterable[Promised], at: datetime) -> Sequence[datetime]:
    begin = at.replace(minute=0, second=0, microsecond=0)
    moments = {begin + _STEP * hour for hour in range(_SPAN // _STEP)}
    for calendar in {one.calendar for one in promised}:
        for period in open_between(calendar, begin, begin + _SPAN):
            edges = (period.start, period.end)
            moments.update(e + d for e in edges if e is not None for d in (-_TICK, timedelta()))
    return sorted(moment for moment in moments if moment >= begin)


@lru_cache(maxsize=20_000)
def _due(calendar: Calendar, start: datetime, target: timedelta) -> datetime | None:
    return due(calendar, start, target).due_at
