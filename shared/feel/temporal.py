"""FEEL's dates, times and durations as plain values, with the zones they were written with.

Seconds are whole numbers beside nanoseconds; offsets are seconds east of UTC. A time has an
offset, a named zone (IANA), or neither: then it is local, and not comparable with one that has.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .calendar import add_months, date_of, day_number, is_date

DAY_S = 86_400
NANO = 1_000_000_000
_ZONE_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_+\-]*(/[A-Za-z0-9_+\-]+){0,2}")
# A named zone needs a day to have an offset; a bare time has none, so it takes this one.
_REFERENCE_DAY = day_number(2000, 1, 1)


@lru_cache(maxsize=1024)
def zone_of(name: str) -> ZoneInfo | None:
    """Return the IANA zone of that name, or None; only names, never paths, reach the zone files."""
    if len(name) > 64 or not _ZONE_NAME.fullmatch(name):
        return None
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError):
        return None


def zone_offset_s(zone: str, local_s: int) -> int | None:
    """Return a zone's offset at a local moment (seconds since 1970 on its own wall clock)."""
    info = zone_of(zone)
    if info is None:
        return None
    # Beyond Python's years the rules of the nearest year that it knows are as good as any.
    local_s = min(max(local_s, -62_000_000_000), 253_300_000_000)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=local_s)
    offset = moment.replace(tzinfo=info).utcoffset()
    return None if offset is None else int(offset.total_seconds())


@dataclass(frozen=True, slots=True)
class FeelDate:
    """A day; its years go beyond Python's."""

    year: int
    month: int
    day: int

    @property
    def number(self) -> int:
        """Days since 1970-01-01."""
        return day_number(self.year, self.month, self.day)

    @property
    def weekday(self) -> int:
        """1 for Monday to 7 for Sunday (ISO 8601)."""
        return (self.number + 3) % 7 + 1


@dataclass(frozen=True, slots=True)
class FeelTime:
    """A time of day, to the nanosecond."""

    hour: int
    minute: int
    second: int
    nanosecond: int = 0
    offset_s: int | None = None
    zone: str | None = None

    @property
    def local_s(self) -> int:
        """Seconds since midnight on its own clock."""
        return self.hour * 3600 + self.minute * 60 + self.second

    @property
    def is_local(self) -> bool:
        """Whether it says neither offset nor zone."""
        return self.offset_s is None and self.zone is None

    def offset_on(self, day: int = _REFERENCE_DAY) -> int | None:
        """Return the offset in seconds on a day (days since 1970), None for a local time."""
        if self.zone is not None:
            return zone_offset_s(self.zone, day * DAY_S + self.local_s)
        return self.offset_s


@dataclass(frozen=True, slots=True)
class FeelDateTime:
    """A day and a time of it."""

    date: FeelDate
    time: FeelTime

    @property
    def offset_s(self) -> int | None:
        """Seconds east of UTC at this moment; None when local."""
        return self.time.offset_on(self.date.number)

    @property
    def local_s(self) -> int:
        """Seconds since 1970 on its own wall clock."""
        return self.date.number * DAY_S + self.time.local_s

    @property
    def instant_ns(self) -> int:
        """Nanoseconds since 1970 in UTC; a local moment counts as if it were UTC."""
        return (self.local_s - (self.offset_s or 0)) * NANO + self.time.nanosecond


@dataclass(frozen=True, slots=True)
class DaysDuration:
    """A days and time duration, in nanoseconds."""

    nanoseconds: int


@dataclass(frozen=True, slots=True)
class MonthsDuration:
    """A years and months duration, in months."""

    months: int


def date_at(number: int) -> FeelDate | None:
    """Return the day `number` days after 1970-01-01, None beyond FEEL's years."""
    year, month, day = date_of(number)
    return FeelDate(year, month, day) if is_date(year, month, day) else None


def moved_by_months(date: FeelDate, months: int) -> FeelDate | None:
    """Return the day `months` later (or earlier), None beyond FEEL's years."""
    year, month, day = add_months(date.year, date.month, date.day, months)
    return FeelDate(year, month, day) if is_date(year, month, day) else None


def time_at(nanoseconds: int, offset_s: int | None = None, zone: str | None = None) -> FeelTime:
    """Return the time of day that many nanoseconds after midnight, turning over at a day."""
    seconds, nano = divmod(nanoseconds, NANO)
    minutes, second = divmod(seconds % DAY_S, 60)
    hour, minute = divmod(minutes, 60)
    return FeelTime(hour, minute, second, nano, offset_s, zone)


def moved_by_ns(moment: FeelDateTime, nanoseconds: int) -> FeelDateTime | None:
    """Return the moment that much later on the same wall clock; zones keep their name.

    In a named zone the duration is elapsed time: an hour over the change to summer time is an
    hour, not two on the clock.
    """
    offset, time = moment.offset_s, moment.time
    target = moment.local_s * NANO + time.nanosecond + nanoseconds
    if time.zone is not None and offset is not None:
        target += (_offset_after(time.zone, target - offset * NANO) - offset) * NANO
    date = date_at(target // (DAY_S * NANO))
    if date is None:
        return None
    return FeelDateTime(date, time_at(target, time.offset_s, time.zone))


def _offset_after(zone: str, utc_ns: int) -> int:
    info = zone_of(zone)
    seconds = min(max(utc_ns // NANO, -62_000_000_000), 253_300_000_000)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=seconds)
    offset = moment.astimezone(info).utcoffset() if info else None
    return 0 if offset is None else int(offset.total_seconds())


def from_datetime(moment: datetime) -> FeelDateTime:
    """Take over a Python moment; a ZoneInfo keeps its name, other zones become an offset."""
    offset, zone = moment.utcoffset(), getattr(moment.tzinfo, "key", None)
    time = FeelTime(
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond * 1000,
        None if offset is None or zone else int(offset.total_seconds()),
        zone if isinstance(zone, str) else None,
    )
    return FeelDateTime(FeelDate(moment.year, moment.month, moment.day), time)


def to_datetime(moment: FeelDateTime) -> datetime | None:
    """Return the Python moment in UTC; None when it is local or outside the years 1 to 9999."""
    if moment.offset_s is None or not 1 <= moment.date.year <= 9999:
        return None
    try:
        return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(microseconds=moment.instant_ns // 1000)
    except OverflowError:
        return None
