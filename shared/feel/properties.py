"""What stands behind the dot: entries of contexts, parts of dates, times, durations and ranges."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .temporal import (
    DAY_S,
    NANO,
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
)
from .values import FeelRange

if TYPE_CHECKING:
    from collections.abc import Callable

    from .budget import Run


def _date(date: FeelDate, name: str) -> object:
    if name in ("year", "month", "day", "weekday"):
        return Decimal(getattr(date, name))
    return None


def _time(time: FeelTime, name: str, offset_s: int | None) -> object:
    if name in ("hour", "minute"):
        return Decimal(getattr(time, name))
    if name == "second":
        return Decimal(time.second) + Decimal(time.nanosecond) / NANO
    if name == "time offset":
        return None if offset_s is None else DaysDuration(offset_s * NANO)
    return time.zone if name == "timezone" else None


def _moment(moment: FeelDateTime, name: str) -> object:
    if name in ("year", "month", "day", "weekday"):
        return _date(moment.date, name)
    if name == "date":
        return moment.date
    if name == "time":
        return moment.time
    return _time(moment.time, name, moment.offset_s)


def _days(duration: DaysDuration, name: str) -> object:
    sign = -1 if duration.nanoseconds < 0 else 1
    seconds, nano = divmod(abs(duration.nanoseconds), NANO)
    if name == "seconds":
        return sign * (Decimal(seconds % 60) + Decimal(nano) / NANO)
    found = {
        "days": seconds // DAY_S,
        "hours": seconds // 3600 % 24,
        "minutes": seconds // 60 % 60,
    }.get(name)
    return None if found is None else Decimal(sign * found)


def _months(duration: MonthsDuration, name: str) -> object:
    sign = -1 if duration.months < 0 else 1
    years, months = divmod(abs(duration.months), 12)
    found = {"years": years, "months": months}.get(name)
    return None if found is None else Decimal(sign * found)


def _range(value: FeelRange, name: str) -> object:
    return {
        "start": value.start,
        "end": value.end,
        "start included": value.start_included,
        "end included": value.end_included,
    }.get(name)


_OF: dict[type, Callable[..., object]] = {
    FeelDate: _date,
    FeelDateTime: _moment,
    DaysDuration: _days,
    MonthsDuration: _months,
    FeelRange: _range,
}


def property_of(run: Run, value: object, name: str) -> object:
    """Return a named part of a value; of a list, that part of every element; else null."""
    if isinstance(value, dict):
        return value.get(name)
    if isinstance(value, list):
        run.charge(len(value))
        run.allocate(len(value))
        return [property_of(run, item, name) for item in value]
    if isinstance(value, FeelTime):
        return _time(value, name, value.offset_on())
    found = _OF.get(type(value))
    return found(value, name) if found else None
