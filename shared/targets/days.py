"""Working days as the working time they come to."""

from __future__ import annotations

from datetime import datetime, timedelta
from functools import lru_cache

from shared.business_time import Calendar, DayEnd, due_in_working_days, elapsed
from shared.targets.rows import LONGEST


@lru_cache(maxsize=4096)
def days_as_time(calendar: Calendar, started_at: datetime, days: int, end: DayEnd) -> timedelta:
    """Return the working time from a moment to the n-th working day after it.

    Pauses then move the due moment by the working time they took, as for any other target.
    Where the calendar does not reach that far it is the longest promise there is.
    """
    at = due_in_working_days(calendar, started_at, days, end).due_at
    time = elapsed(calendar, started_at, at).time if at is not None else LONGEST
    return max(time, timedelta(microseconds=1))
