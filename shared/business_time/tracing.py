"""Where the days of a written-out calendar come from: a source it was pinned from, found again.

What was pinned lists every holiday, and no longer says which source they are from. Twenty years of
holidays with their names are nobody's coincidence: a calendar that lists all days of a source, for
all the years it says it knows, was made from that source.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import date

from shared.business_time.calendar import Calendar
from shared.business_time.coverage import UNSETTLED
from shared.business_time.holiday_data import SOURCES, HolidaySource, holiday_source


def traced(calendar: Calendar) -> Calendar:
    """Return a calendar that names its source again, its own days kept beside; else itself.

    Days of the last 31 that it knew may differ from what the source says now: a year's notice may
    still have changed those.
    """
    members = tuple(traced(member) for member in calendar.members)
    if members != calendar.members:
        calendar = replace(calendar, members=members)
    if calendar.source_key is None:
        for key in SOURCES:
            source = holiday_source(key)
            if _is_from(calendar, source):
                return _unwritten(calendar, source)
    return calendar


def _is_from(calendar: Calendar, source: HolidaySource) -> bool:
    until = calendar.covered_until
    if calendar.covered_from != source.covered_from or until is None:
        return False
    if until > source.covered_until or (until.month, until.day) != (12, 31):
        return False
    settled = until - UNSETTLED
    listed = {*_listed(calendar)}
    wanted = {(day, kind) for day, kind in _said(source) if day <= settled}
    return bool(wanted) and wanted <= listed


def _listed(calendar: Calendar) -> list[tuple[date, str]]:
    off = [(holiday.day, "off") for holiday in calendar.holidays]
    return [*off, *((made_up.day, "on") for made_up in calendar.make_up_days)]


def _said(source: HolidaySource) -> list[tuple[date, str]]:
    off = [(holiday.day, "off") for holiday in source.holidays]
    return [*off, *((made_up.day, "on") for made_up in source.make_up_days)]


def _unwritten(calendar: Calendar, source: HolidaySource) -> Calendar:
    holidays, make_up_days = set(source.holidays), set(source.make_up_days)
    return replace(
        calendar,
        source_key=source.key,
        holidays=tuple(day for day in calendar.holidays if day not in holidays),
        make_up_days=tuple(day for day in calendar.make_up_days if day not in make_up_days),
        covered_from=None,
        covered_until=None,
    )
