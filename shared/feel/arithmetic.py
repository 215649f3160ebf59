"""Sums, products and powers over numbers, texts, dates, times and durations (DMN 1.3, table 45).

An operation that has no meaning for its operands is null.
"""

from __future__ import annotations

from decimal import ROUND_DOWN, Decimal
from typing import TYPE_CHECKING

from .errors import FeelBudgetExceeded
from .numbers import NUMBERS, SERIES_STEPS, calculated, power
from .temporal import (
    DAY_S,
    NANO,
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
    date_at,
    moved_by_months,
    moved_by_ns,
    time_at,
)

if TYPE_CHECKING:
    from .budget import Run

_MIDNIGHT = FeelTime(0, 0, 0)
#: Durations stay within what FEEL's years can hold: 10^19 seconds, 10^11 months.
MAX_DURATION_NS, MAX_DURATION_MONTHS = 10**28, 10**11


def days_duration(nanoseconds: int) -> DaysDuration:
    """Return a duration, refusing one longer than the calendar."""
    if abs(nanoseconds) > MAX_DURATION_NS:
        raise FeelBudgetExceeded("duration", "10^19 s")
    return DaysDuration(nanoseconds)


def months_duration(months: int) -> MonthsDuration:
    """Return a duration, refusing one longer than the calendar."""
    if abs(months) > MAX_DURATION_MONTHS:
        raise FeelBudgetExceeded("duration", "10^11 months")
    return MonthsDuration(months)


def add(run: Run, left: object, right: object) -> object:
    """Return left + right."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return calculated(NUMBERS.add, left, right)
    if isinstance(left, str) and isinstance(right, str):
        return joined(run, left, right)
    if isinstance(right, DaysDuration | MonthsDuration):
        return _shifted(left, right, 1)
    if isinstance(left, DaysDuration | MonthsDuration):
        return _shifted(right, left, 1)
    return None


def joined(run: Run, left: str, right: str) -> str:
    """Return two texts as one."""
    run.allocate(len(left) + len(right))
    return left + right


def subtract(run: Run, left: object, right: object) -> object:
    """Return left - right."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return calculated(NUMBERS.subtract, left, right)
    if isinstance(right, DaysDuration | MonthsDuration):
        return _shifted(left, right, -1)
    if isinstance(left, FeelTime) and isinstance(right, FeelTime):
        return _time_between(left, right)
    return _between(left, right)


def _shifted(value: object, by: DaysDuration | MonthsDuration, sign: int) -> object:
    if isinstance(by, MonthsDuration):
        return _shifted_by_months(value, sign * by.months)
    nanoseconds = sign * by.nanoseconds
    match value:
        case DaysDuration():
            return days_duration(value.nanoseconds + nanoseconds)
        case FeelDateTime():
            return moved_by_ns(value, nanoseconds)
        case FeelDate():
            moved = value.number * DAY_S * NANO + nanoseconds
            return date_at(moved // (DAY_S * NANO))
        case FeelTime():
            moved = value.local_s * NANO + value.nanosecond + nanoseconds
            return time_at(moved % (DAY_S * NANO), value.offset_s, value.zone)
    return None


def _shifted_by_months(value: object, months: int) -> object:
    match value:
        case MonthsDuration():
            return months_duration(value.months + months)
        case FeelDate():
            return moved_by_months(value, months)
        case FeelDateTime():
            date = moved_by_months(value.date, months)
            return FeelDateTime(date, value.time) if date else None
    return None


def _time_between(left: FeelTime, right: FeelTime) -> DaysDuration | None:
    if left.is_local != right.is_local:
        return None
    seconds = left.local_s - (left.offset_on() or 0) - right.local_s + (right.offset_on() or 0)
    return DaysDuration(seconds * NANO + left.nanosecond - right.nanosecond)


def _between(left: object, right: object) -> DaysDuration | None:
    """Subtract moments; a day counts as its midnight in the other's zone, or in none."""
    if not isinstance(left, FeelDate | FeelDateTime):
        return None
    if not isinstance(right, FeelDate | FeelDateTime):
        return None
    first = left if isinstance(left, FeelDateTime) else FeelDateTime(left, _midnight(right))
    second = right if isinstance(right, FeelDateTime) else FeelDateTime(right, _midnight(left))
    if first.time.is_local != second.time.is_local:
        return None
    return days_duration(first.instant_ns - second.instant_ns)


def _midnight(beside: FeelDate | FeelDateTime) -> FeelTime:
    if isinstance(beside, FeelDate) or beside.time.is_local:
        return _MIDNIGHT
    # DMN 1.3, 10.3.2.3.6: a day compared with a moment is that day's midnight in UTC.
    return FeelTime(0, 0, 0, offset_s=0)


def multiply(run: Run, left: object, right: object) -> object:
    """Return left * right."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return calculated(NUMBERS.multiply, left, right)
    if isinstance(left, Decimal):
        left, right = right, left
    return _scaled(left, right) if isinstance(right, Decimal) else None


def _scaled(value: object, by: Decimal) -> object:
    match value:
        case DaysDuration():
            scaled = calculated(NUMBERS.multiply, Decimal(value.nanoseconds), by)
            return None if scaled is None else days_duration(_rounded(scaled, MAX_DURATION_NS))
        case MonthsDuration():
            scaled = calculated(NUMBERS.multiply, Decimal(value.months), by)
            if scaled is None:
                return None
            return months_duration(_rounded(scaled, MAX_DURATION_MONTHS))
    return None


def _rounded(value: Decimal, limit: int) -> int:
    """Drop the fraction, without writing out a number far beyond the limit."""
    if abs(value) > limit:
        return limit + 1
    return int(value.to_integral_value(ROUND_DOWN))


def divide(run: Run, left: object, right: object) -> object:
    """Return left / right; division by zero is null."""
    if isinstance(right, Decimal):
        if isinstance(left, Decimal):
            return calculated(NUMBERS.divide, left, right) if right else None
        inverse = calculated(NUMBERS.divide, Decimal(1), right) if right else None
        return _divided(left, right) if inverse is not None else None
    if isinstance(left, DaysDuration) and isinstance(right, DaysDuration):
        return _ratio(left.nanoseconds, right.nanoseconds)
    if isinstance(left, MonthsDuration) and isinstance(right, MonthsDuration):
        return _ratio(left.months, right.months)
    return None


def _divided(value: object, by: Decimal) -> object:
    match value:
        case DaysDuration():
            quotient = calculated(NUMBERS.divide, Decimal(value.nanoseconds), by)
            return None if quotient is None else days_duration(_rounded(quotient, MAX_DURATION_NS))
        case MonthsDuration():
            quotient = calculated(NUMBERS.divide, Decimal(value.months), by)
            if quotient is None:
                return None
            return months_duration(_rounded(quotient, MAX_DURATION_MONTHS))
    return None


def _ratio(left: int, right: int) -> Decimal | None:
    return calculated(NUMBERS.divide, Decimal(left), Decimal(right)) if right else None


def raise_to(run: Run, left: object, right: object) -> object:
    """Return left ** right."""
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        # A power of small whole numbers is a few products; any other takes logarithms.
        run.charge(1 if abs(right) <= 16 and right == right.to_integral_value() else SERIES_STEPS)
        return power(left, right)
    return None


def negate(run: Run, value: object) -> object:
    """Return -value."""
    match value:
        case Decimal():
            return NUMBERS.minus(value)
        case DaysDuration():
            return DaysDuration(-value.nanoseconds)
        case MonthsDuration():
            return MonthsDuration(-value.months)
    return None
