"""A calendar expanded into instants, year by year and on demand.

Windows are laid out by local date and turned into UTC spans once; afterwards nothing looks at
wall time any more. Expansions are remembered in two bounded caches.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from shared.business_time.calendar import Calendar, Kind
from shared.business_time.checks import FIRST_YEAR, LAST_YEAR
from shared.business_time.days import Days
from shared.business_time.instants import wall_instant, year_bounds
from shared.business_time.searching import AlwaysTimeline, Timeline
from shared.business_time.spans import Span, clipped, intersected, merged, subtracted

#: A calendar is some kilobytes of day tables; organisations have tens of them, versions included.
_CALENDARS_KEPT = 512

#: Dates a calendar remembers the open time of: promises in working days ask for the same ones.
_DATES_KEPT = 4_000

_DAY = timedelta(days=1)

# The widest offsets are -12:00 and +14:00 and a night shift runs into the next date, so the
# windows of a UTC year start on local dates at most two days outside it.
_MARGIN = timedelta(days=3)


class WeeklyTimeline(Timeline):
    """Windows per weekday with the dates that differ."""

    def __init__(self, calendar: Calendar) -> None:
        self.days = Days(calendar)
        self.zone = ZoneInfo(calendar.zone)
        self._open_on: dict[date, list[Span]] = {}
        _set_validity(self, calendar)
        if calendar.known_from is not None:
            self.known_from = wall_instant(calendar.known_from, 0, self.zone)
        if calendar.known_until is not None:
            self.known_until = _midnight_after(calendar.known_until, self.zone)

    def spans(self, year: int) -> list[Span]:
        """Return the windows of all dates that can reach into the year, less their breaks."""
        low, high = year_bounds(year)
        first, last = date(year, 1, 1) - _MARGIN, date(year, 12, 31) + _MARGIN
        opened: list[Span] = []
        broken: list[Span] = []
        for day in _dates(first, last):
            opened += self.windows(day)
            broken += self.breaks(day)
        return clipped(subtracted(merged(opened), merged(broken)), low, high)

    def is_open_in(self, year: int) -> bool:
        """Return whether a date of the year has open time; stops at the first, mostly soon."""
        return any(self.open_on(day) for day in _dates(date(year, 1, 1), date(year, 12, 31)))

    def open_on(self, day: date) -> list[Span]:
        """Return the open time that belongs to `day`: its windows less its breaks."""
        found = self._open_on.get(day)
        if found is None:
            windows = self.windows(day)
            found = subtracted(merged(windows), merged(self.breaks(day))) if windows else []
            if len(self._open_on) >= _DATES_KEPT:
                self._open_on.clear()
            self._open_on[day] = found
        return found

    def windows(self, day: date) -> list[Span]:
        """Return the windows that belong to `day`, breaks not yet taken out."""
        windows = self.days.plan(day).windows
        if not windows or not self.has_date(day):
            return []
        return [
            (wall_instant(day, w.start_s, self.zone), wall_instant(day, w.end_s, self.zone))
            for w in windows
        ]

    def breaks(self, day: date) -> list[Span]:
        """Return the breaks of `day`; they cut whatever is open then, also last night's shift."""
        return [
            (wall_instant(day, b.start_s, self.zone), wall_instant(day, b.end_s, self.zone))
            for b in self.days.plan(day).breaks
        ]

    def has_date(self, day: date) -> bool:
        """Return whether the zone has this date: Pacific/Apia had no 2011-12-30."""
        return wall_instant(day, 0, self.zone) < wall_instant(day + _DAY, 0, self.zone)


class CombinedTimeline(Timeline):
    """Several timelines taken together; each keeps its own zone."""

    def __init__(self, calendar: Calendar) -> None:
        self.members = tuple(timeline(member) for member in calendar.members)
        self._combine = _COMBINE[calendar.kind]
        _set_validity(self, calendar)
        self._low, self._high = self.opens_at, self.ends_at
        self._take_over_validity(calendar.kind)
        # Within reach of one member's ignorance the whole is provisional.
        self.known_from = max(member.known_from for member in self.members)
        self.known_until = min(member.known_until for member in self.members)

    def spans(self, year: int) -> list[Span]:
        """Return the members' spans, combined and clipped to the combination's validity."""
        result = self.members[0].chunk(year).spans
        for member in self.members[1:]:
            result = self._combine(result, member.chunk(year).spans)
        return clipped(result, self._low, self._high)

    def _take_over_validity(self, kind: Kind) -> None:
        # Only to say why nothing is open; the members' own spans already keep to their validity.
        opens = [member.opens_at for member in self.members]
        ends = [member.ends_at for member in self.members]
        if kind is Kind.MINUS:
            opens, ends = opens[:1], ends[:1]
        is_union = kind is Kind.UNION
        self.opens_at = max(self.opens_at, min(opens) if is_union else max(opens))
        self.ends_at = min(self.ends_at, max(ends) if is_union else min(ends))


def _joined(left: list[Span], right: list[Span]) -> list[Span]:
    return merged([*left, *right])


_COMBINE: dict[Kind, Callable[[list[Span], list[Span]], list[Span]]] = {
    Kind.UNION: _joined,
    Kind.INTERSECTION: intersected,
    Kind.MINUS: subtracted,
}


@lru_cache(maxsize=_CALENDARS_KEPT)
def timeline(calendar: Calendar) -> Timeline:
    """Return the timeline of a calendar, from the cache."""
    if calendar.kind is Kind.ALWAYS:
        line = AlwaysTimeline()
        _set_validity(line, calendar)
        return line
    if calendar.kind is Kind.WEEKLY:
        return WeeklyTimeline(calendar)
    return CombinedTimeline(calendar)


def _set_validity(of: Timeline, calendar: Calendar) -> None:
    zone = ZoneInfo(calendar.zone)
    if calendar.valid_from is not None:
        of.opens_at = wall_instant(calendar.valid_from, 0, zone)
    if calendar.valid_until is not None:
        of.ends_at = _midnight_after(calendar.valid_until, zone)


def _midnight_after(day: date, zone: ZoneInfo) -> int:
    return wall_instant(day + _DAY, 0, zone)


def _dates(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += _DAY


def has_open_time(calendar: Calendar) -> bool:
    """Return whether the calendar ever opens: asked once, before it is accepted.

    A week repeats, so one ordinary year shows whether it opens at all; only special dates,
    validity and new zone rules can change that, so their years are looked at too.
    """
    line = timeline(calendar)
    return any(line.is_open_in(year) for year in _telling_years(calendar))


#: Years under today's zone rules and under older ones: calendars of two zones may share hours
#: under the one and not under the other (Morocco has been at +01:00 since 2018).
_ORDINARY_YEARS = (2001, 2030)


def _telling_years(calendar: Calendar) -> list[int]:
    years = set(_ORDINARY_YEARS)
    for part in _parts(calendar):
        # What is taken away (minus) opens the rest of the line on its own days off.
        years |= {holiday.day.year for holiday in part.holidays}
        years |= {made_up.day.year for made_up in part.make_up_days}
        years |= {exception.day.year for exception in part.exceptions}
        for bound in (part.valid_from, part.valid_until):
            # The year inside the bound and, for a bound at its edge, the next one inside.
            years |= {bound.year - 1, bound.year, bound.year + 1} if bound else set()
        if part.source is not None:
            years |= {holiday.day.year for holiday in part.source.holidays}
    return sorted(year for year in years if FIRST_YEAR <= year <= LAST_YEAR)


def _parts(calendar: Calendar) -> Iterator[Calendar]:
    yield calendar
    for member in calendar.members:
        yield from _parts(member)
