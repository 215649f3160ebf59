"""Functions of working time, beside the standard: what passes while a calendar is open.

Null without calendars to ask, for a calendar nobody knows, and for a moment without a zone.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.feel.temporal import (
    DaysDuration,
    FeelDateTime,
    from_datetime,
    to_datetime,
)

from .registry import Functions

if TYPE_CHECKING:
    from shared.feel.budget import Run

FUNCTIONS = Functions()
#: What one look into a calendar costs beside other steps; a year of windows is looked through.
_STEPS = 500


@FUNCTIONS.define("working time between(from: date and time, to: date and time, calendar: string)")
def working_time_between(
    run: Run, start: FeelDateTime, end: FeelDateTime, calendar: str
) -> DaysDuration | None:
    """Return the working time from one moment to another by a calendar."""
    run.charge(_STEPS)
    first, last = to_datetime(start), to_datetime(end)
    if run.working is None or first is None or last is None:
        return None
    found = run.working.between(calendar, first, last)
    return None if found is None else DaysDuration(found // timedelta(microseconds=1) * 1_000)


@FUNCTIONS.define("add working time(from: date and time, time: days duration, calendar: string)")
def add_working_time(
    run: Run, start: FeelDateTime, time: DaysDuration, calendar: str
) -> FeelDateTime | None:
    """Return when so much working time has passed since a moment, in UTC."""
    run.charge(_STEPS)
    first = to_datetime(start)
    if run.working is None or first is None:
        return None
    try:
        target = timedelta(microseconds=time.nanoseconds // 1_000)
    except OverflowError:
        return None
    found = run.working.after(calendar, first, target)
    return None if found is None else from_datetime(found)
