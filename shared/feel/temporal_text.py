"""Dates, times and durations as text (ISO 8601 as FEEL restricts it), both ways."""

from __future__ import annotations

import re

from .calendar import is_date
from .temporal import (
    DAY_S,
    NANO,
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
    zone_of,
)

_DATE = re.compile(r"(-?(?:[1-9][0-9]{4,8}|[0-9]{4}))-([0-9]{2})-([0-9]{2})")
_TIME = re.compile(
    r"([0-9]{2}):([0-9]{2}):([0-9]{2})(?:\.([0-9]{1,18}))?"
    r"(?:(Z|z)|([+-])([0-9]{2}):([0-9]{2})(?::([0-9]{2}))?|@([A-Za-z0-9_/+\-]{1,64}))?"
)
_MONTHS = re.compile(r"(-?)P(?:([0-9]{1,12})Y)?(?:([0-9]{1,12})M)?")
_DAYS = re.compile(
    r"(-?)P(?:([0-9]{1,15})D)?"
    r"(T(?:([0-9]{1,15})H)?(?:([0-9]{1,15})M)?(?:([0-9]{1,15})(?:\.([0-9]{0,18}))?S)?)?"
)
# ISO 8601 has no offset beyond 18 hours; java.time and the conformance cases agree.
MAX_OFFSET_S = 18 * 3600


def _nano(fraction: str | None) -> int:
    return int((fraction or "0").ljust(9, "0")[:9])


def parse_date(text: str) -> FeelDate | None:
    """Read `2026-11-05`; None for anything else, also for days that do not exist."""
    found = _DATE.fullmatch(text)
    if not found:
        return None
    year, month, day = (int(part) for part in found.groups())
    return FeelDate(year, month, day) if is_date(year, month, day) else None


def parse_time(text: str) -> FeelTime | None:
    """Read `09:30:00`, with `Z`, `+08:00` or `@Asia/Shanghai` after it, or None."""
    found = _TIME.fullmatch(text)
    if not found:
        return None
    hour, minute, second = (int(part) for part in found.group(1, 2, 3))
    zone = found[10]
    if hour > 23 or minute > 59 or second > 59 or (zone and zone_of(zone) is None):
        return None
    offset = _offset(found)
    if offset is not None and abs(offset) > MAX_OFFSET_S:
        return None
    return FeelTime(hour, minute, second, _nano(found[4]), offset, zone)


def _offset(found: re.Match[str]) -> int | None:
    if found[5]:
        return 0
    if not found[6]:
        return None
    if int(found[8]) > 59 or int(found[9] or 0) > 59:
        return MAX_OFFSET_S + 1
    seconds = int(found[7]) * 3600 + int(found[8]) * 60 + int(found[9] or 0)
    return -seconds if found[6] == "-" else seconds


def parse_date_time(text: str) -> FeelDateTime | None:
    """Read `2026-11-05T09:30:00+08:00`; a day alone is its midnight, local."""
    day, separator, clock = text.partition("T")
    date = parse_date(day)
    time = parse_time(clock) if separator else None
    if date is None or (separator and time is None):
        return None
    return FeelDateTime(date, time or FeelTime(0, 0, 0))


def parse_duration(text: str) -> DaysDuration | MonthsDuration | None:
    """Read `P1Y2M` or `P1DT2H3M4.5S`, either negative; the two kinds do not mix."""
    months = _MONTHS.fullmatch(text)
    if months and (months[2] or months[3]):
        total = int(months[2] or 0) * 12 + int(months[3] or 0)
        return MonthsDuration(-total if months[1] else total)
    days = _DAYS.fullmatch(text)
    if not days or days[3] == "T" or not (days[2] or days[3]):
        return None
    seconds = int(days[2] or 0) * DAY_S + int(days[4] or 0) * 3600
    seconds += int(days[5] or 0) * 60 + int(days[6] or 0)
    nanoseconds = seconds * NANO + _nano(days[7])
    return DaysDuration(-nanoseconds if days[1] else nanoseconds)


def parse_temporal(text: str) -> object:
    """Read the inside of an at-literal (`@"…"`): date, time, date and time, or duration."""
    return (
        parse_date(text)
        or parse_time(text)
        or (parse_date_time(text) if "T" in text else None)
        or parse_duration(text)
    )


def format_date(date: FeelDate) -> str:
    """Write a day as ISO 8601 does."""
    sign = "-" if date.year < 0 else ""
    return f"{sign}{abs(date.year):04d}-{date.month:02d}-{date.day:02d}"


def _fraction(nanosecond: int) -> str:
    return f".{nanosecond:09d}".rstrip("0") if nanosecond else ""


def format_offset(seconds: int) -> str:
    """Write an offset as `Z` or `+08:00`."""
    if seconds == 0:
        return "Z"
    minutes, second = divmod(abs(seconds), 60)
    tail = f":{second:02d}" if second else ""
    return f"{'-' if seconds < 0 else '+'}{minutes // 60:02d}:{minutes % 60:02d}{tail}"


def format_time(time: FeelTime) -> str:
    """Write a time with the offset or zone it was written with."""
    text = f"{time.hour:02d}:{time.minute:02d}:{time.second:02d}{_fraction(time.nanosecond)}"
    if time.zone is not None:
        return f"{text}@{time.zone}"
    return text if time.offset_s is None else text + format_offset(time.offset_s)


def format_duration(duration: DaysDuration | MonthsDuration) -> str:
    """Write a duration in its canonical form: `P2Y2M`, `P1DT1H`, zero as `P0M` or `PT0S`."""
    if isinstance(duration, MonthsDuration):
        years, months = divmod(abs(duration.months), 12)
        text = (f"{years}Y" if years else "") + (f"{months}M" if months else "")
        return f"{'-' if duration.months < 0 else ''}P{text or '0M'}"
    seconds, nano = divmod(abs(duration.nanoseconds), NANO)
    days, seconds = divmod(seconds, DAY_S)
    hours, minutes, seconds = seconds // 3600, seconds // 60 % 60, seconds % 60
    clock = (f"{hours}H" if hours else "") + (f"{minutes}M" if minutes else "")
    clock += f"{seconds}{_fraction(nano)}S" if seconds or nano else ""
    text = (f"{days}D" if days else "") + (f"T{clock}" if clock else "")
    return f"{'-' if duration.nanoseconds < 0 else ''}P{text or 'T0S'}"


def format_date_time(moment: FeelDateTime) -> str:
    """Write a moment with the offset or zone it was written with."""
    return f"{format_date(moment.date)}T{format_time(moment.time)}"
