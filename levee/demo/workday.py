"""Which day is played: the last one on which the office of the shipped calendar was open."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from levee.demo.plan import ZONE, moment
from levee.embedded import DEFINITIONS
from shared.business_time import Calendar, working_day_at_or_before
from shared.definitions.parsing import read_yaml

if TYPE_CHECKING:
    from datetime import date, datetime

_CALENDAR = DEFINITIONS / "calendars" / "office-cn.yaml"


def last_working_day(now: datetime) -> date:
    """Return the most recent working day whose 18:30 (Shanghai) lies before `now`."""
    calendar = Calendar.from_dict(read_yaml(_CALENDAR.read_text(encoding="utf-8"), _CALENDAR.name))
    day = now.astimezone(ZONE).date()
    if moment(day, 18, 30) > now:
        day -= timedelta(days=1)
    found = working_day_at_or_before(calendar, day).day
    # Every week of the shipped calendar has working days.
    return found or day
