"""Functions of dates, times and durations."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from typing import TYPE_CHECKING

from shared.feel.calendar import day_number, days_in_month, is_date
from shared.feel.numbers import whole
from shared.feel.temporal import (
    NANO,
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
    from_datetime,
    zone_of,
)
from shared.feel.temporal_text import (
    MAX_OFFSET_S,
    parse_date,
    parse_date_time,
    parse_duration,
    parse_time,
)
from shared.feel.values import equal

from .registry import Functions

if TYPE_CHECKING:
    from shared.feel.budget import Run

FUNCTIONS = Functions()
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = [
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
]


@FUNCTIONS.define(
    "date(from: string|date|date and time)", "date(year: number, month: number, day: number)"
)
def date(
    run: Run, value: object, month: Decimal | None = None, day: Decimal | None = None
) -> FeelDate | None:
    """Return a day from text, from a moment, or from its three numbers."""
    match value:
        case str():
            return parse_date(value)
        case FeelDate():
            return value
        case FeelDateTime():
            return value.date
    return _date_of(value, month, day)


def _date_of(year: object, month: object, day: object) -> FeelDate | None:
    y, m, d = whole(year), whole(month), whole(day)
    if y is None or m is None or d is None or not is_date(y, m, d):
        return None
    return FeelDate(y, m, d)


@FUNCTIONS.define(
    "time(from: string|date|time|date and time)",
    "time(hour: number, minute: number, second: number, offset?: days duration|null)",
)
def time(
    run: Run,
    value: object,
    minute: Decimal | None = None,
    second: Decimal | None = None,
    offset: DaysDuration | None = None,
) -> FeelTime | None:
    """Return a time of day from text, from a moment, or from its numbers; a day is its midnight."""
    match value:
        case str():
            return parse_time(value)
        case FeelTime():
            return value
        case FeelDateTime():
            return value.time
        case FeelDate():
            return FeelTime(0, 0, 0, offset_s=0)
    return _time_of(value, minute, second, offset)


def _time_of(hours: object, minutes: object, second: object, offset: object) -> FeelTime | None:
    hour, minute = whole(hours), whole(minutes)
    if hour is None or minute is None or not isinstance(second, Decimal):
        return None
    if not (0 <= hour < 24 and 0 <= minute < 60 and 0 <= second < 60):
        return None
    offset_s = offset.nanoseconds // NANO if isinstance(offset, DaysDuration) else None
    if offset_s is not None and abs(offset_s) > MAX_OFFSET_S:
        return None
    nanosecond = int(second % 1 * NANO)
    return FeelTime(hour, minute, int(second), nanosecond, offset_s)


@FUNCTIONS.define(
    "date and time(from: string|date|date and time)",
    "date and time(date: date|date and time, time: time)",
    "date and time(date: date and time, timezone: string)",
    "date and time(year: number, month: number, day: number, hour: number, minute: number,"
    " second: number, offset?: any)",
)
def date_and_time(
    run: Run, value: object, second: object = None, *more: object
) -> FeelDateTime | None:
    """Return a moment from text, from a day and a time, or from its numbers."""
    if isinstance(value, Decimal):
        return _moment_of(value, second, *more)
    if isinstance(value, str):
        return parse_date_time(value)
    day = value.date if isinstance(value, FeelDateTime) else value
    if isinstance(second, FeelTime) and isinstance(day, FeelDate):
        return FeelDateTime(day, second)
    if isinstance(second, str):
        return _in_zone(value, second)
    if isinstance(value, FeelDate):
        return FeelDateTime(value, FeelTime(0, 0, 0))
    return value if isinstance(value, FeelDateTime) else None


def _moment_of(
    year: object,
    month: object = None,
    day: object = None,
    hour: object = None,
    minute: object = None,
    second: object = None,
    offset: object = None,
) -> FeelDateTime | None:
    found = _date_of(year, month, day)
    clock = _time_of(hour, minute, second, offset)
    if found is None or clock is None:
        return None
    moment = FeelDateTime(found, clock)
    return _in_zone(moment, offset) if isinstance(offset, str) else moment


def _in_zone(moment: object, zone: str) -> FeelDateTime | None:
    if not isinstance(moment, FeelDateTime) or zone_of(zone) is None:
        return None
    return FeelDateTime(moment.date, replace(moment.time, offset_s=None, zone=zone))


@FUNCTIONS.define("duration(from: string|days duration|months duration)")
def duration(run: Run, value: object) -> object:
    """Return a duration from text."""
    return parse_duration(value) if isinstance(value, str) else value


@FUNCTIONS.define("years and months duration(from: date|date and time, to: date|date and time)")
def years_and_months_duration(run: Run, start: object, end: object) -> MonthsDuration | None:
    """Return the whole months from one day to another."""
    first = start.date if isinstance(start, FeelDateTime) else start
    last = end.date if isinstance(end, FeelDateTime) else end
    if not isinstance(first, FeelDate) or not isinstance(last, FeelDate):
        return None
    months = (last.year - first.year) * 12 + last.month - first.month
    if months > 0 and last.day < first.day:
        months -= 1
    elif months < 0 and last.day > first.day:
        months += 1
    return MonthsDuration(months)


@FUNCTIONS.define("now()")
def now(run: Run) -> FeelDateTime | None:
    """Return the moment the evaluation was given, null when it was given none."""
    return None if run.now is None else from_datetime(run.now)


@FUNCTIONS.define("today()")
def today(run: Run) -> FeelDate | None:
    """Return the day of that moment, in its own zone."""
    return None if run.now is None else from_datetime(run.now).date


def _day(value: object) -> FeelDate:
    if isinstance(value, FeelDateTime):
        return value.date
    assert isinstance(value, FeelDate)  # the signature takes nothing else
    return value


@FUNCTIONS.define("day of week(date: date|date and time)")
def day_of_week(run: Run, value: object) -> str:
    """Return the day's English name."""
    return _DAYS[_day(value).weekday - 1]


@FUNCTIONS.define("month of year(date: date|date and time)")
def month_of_year(run: Run, value: object) -> str:
    """Return the month's English name."""
    return _MONTHS[_day(value).month - 1]


@FUNCTIONS.define("day of year(date: date|date and time)")
def day_of_year(run: Run, value: object) -> Decimal:
    """Return the day's number within its year."""
    day = _day(value)
    return Decimal(day.number - day_number(day.year, 1, 1) + 1)


@FUNCTIONS.define("week of year(date: date|date and time)")
def week_of_year(run: Run, value: object) -> Decimal:
    """Return the ISO 8601 week: that of the year its Thursday lies in."""
    day = _day(value)
    thursday = day.number - day.weekday + 4
    year = day.year
    if thursday < day_number(year, 1, 1):
        year -= 1
    elif thursday >= day_number(year + 1, 1, 1):
        year += 1
    return Decimal((thursday - day_number(year, 1, 1)) // 7 + 1)


@FUNCTIONS.define("last day of month(date: date|date and time)")
def last_day_of_month(run: Run, value: object) -> FeelDate:
    """Return the last day of a day's month (an extension of Camunda's)."""
    day = _day(value)
    return FeelDate(day.year, day.month, days_in_month(day.year, day.month))


@FUNCTIONS.define("is(value1: any, value2: any)")
def is_same(run: Run, left: object, right: object) -> bool | None:
    """Return whether two values are the same: of one kind, equal, and written in the same zone."""
    if type(left) is not type(right):
        return False
    if isinstance(left, FeelTime | FeelDateTime):
        return left == right
    return equal(left, right, run.charge) is True
