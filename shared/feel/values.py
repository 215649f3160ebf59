"""What FEEL values are in Python, and when two of them are equal or ordered.

null is None; booleans and strings are Python's; numbers are Decimal; lists are list and contexts
are dict, neither ever changed in place; the rest are the classes of this package.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias, Union

from .temporal import DaysDuration, FeelDate, FeelDateTime, FeelTime, MonthsDuration

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from .budget import Run

FeelValue: TypeAlias = Union[
    bool,
    Decimal,
    str,
    FeelDate,
    FeelTime,
    FeelDateTime,
    DaysDuration,
    MonthsDuration,
    "FeelRange",
    "FeelFunction",
    list["FeelValue"],
    dict[str, "FeelValue"],
    None,
]


@dataclass(frozen=True, slots=True)
class FeelRange:
    """A range between two values; an end that is None with `is_open_*` set has no bound."""

    start: object
    end: object
    start_included: bool = True
    end_included: bool = True

    def includes(self, value: object) -> bool | None:
        """Return whether a value lies within; null when it cannot be compared with the ends."""
        low = True if self.start is None else compared(value, self.start)
        high = True if self.end is None else compared(value, self.end)
        if low is None or high is None or value is None:
            return None
        above = low is True or low > 0 or (self.start_included and low == 0)
        below = high is True or high < 0 or (self.end_included and high == 0)
        return above and below


@dataclass(frozen=True, slots=True, eq=False)
class FeelFunction:
    """A function as a value: the names of its parameters and what computes it."""

    parameters: tuple[str, ...]
    invoke: Callable[[Run, tuple[object, ...]], object]
    name: str = "function"
    is_builtin: bool = False


_KINDS: dict[type, str] = {
    bool: "boolean",
    Decimal: "number",
    str: "string",
    FeelDate: "date",
    FeelTime: "time",
    FeelDateTime: "date and time",
    DaysDuration: "days and time duration",
    MonthsDuration: "years and months duration",
    list: "list",
    dict: "context",
    FeelRange: "range",
    FeelFunction: "function",
    type(None): "null",
}

#: The other way round: the Python type of a FEEL type.
TYPES: dict[str, type] = {name: kind for kind, name in _KINDS.items()}


def kind_of(value: object) -> str:
    """Return the FEEL type's name of a value."""
    return _KINDS.get(type(value), "unknown")


def _time_key(time: FeelTime) -> int:
    return (time.local_s - (time.offset_on() or 0)) * 1_000_000_000 + time.nanosecond


def order_key(value: object) -> Decimal | int | str | None:
    """Return what orders values of one kind, None for values without an order."""
    match value:
        case bool():
            return None
        case Decimal() | str():
            return value
        case FeelDate():
            return value.number
        case FeelTime():
            return _time_key(value)
        case FeelDateTime():
            return value.instant_ns
        case DaysDuration():
            return value.nanoseconds
        case MonthsDuration():
            return value.months
    return None


def is_local(value: object) -> bool:
    """Return whether a value is a time, or a moment, without offset or zone."""
    time = value.time if isinstance(value, FeelDateTime) else value
    return isinstance(time, FeelTime) and time.is_local


def compared(left: object, right: object) -> int | None:
    """Return -1, 0 or 1 as left is before, equal to or after right; null if they have no order.

    A local time cannot be compared with one that has a zone (DMN 1.3, table 42).
    """
    if isinstance(left, Decimal) and isinstance(right, Decimal):
        return (left > right) - (left < right)
    if isinstance(left, str) and isinstance(right, str):
        return (left > right) - (left < right)
    if type(left) is not type(right) or is_local(left) != is_local(right):
        return None
    a, b = order_key(left), order_key(right)
    if isinstance(a, int) and isinstance(b, int):
        return (a > b) - (a < b)
    return None


def equal(left: object, right: object, charge: Callable[[int], None]) -> bool | None:
    """Return whether two values are equal; null for two kinds that are never compared."""
    if left is None or right is None:
        return left is right
    kind = type(left)
    if kind is not type(right) or kind is FeelFunction:
        return None
    if kind is str or kind is Decimal:
        return left == right
    if isinstance(left, list) and isinstance(right, list):
        return _equal_lists(left, right, charge)
    if isinstance(left, dict) and isinstance(right, dict):
        return _equal_contexts(left, right, charge)
    if isinstance(left, FeelRange) and isinstance(right, FeelRange):
        return _equal_ranges(left, right, charge)
    if isinstance(left, bool):
        return left is right
    return order_key(left) == order_key(right) and is_local(left) == is_local(right)


def _equal_lists(
    left: list[object], right: list[object], charge: Callable[[int], None]
) -> bool | None:
    if len(left) != len(right):
        return False
    charge(2 * len(left))
    return _all_equal(equal(a, b, charge) for a, b in zip(left, right, strict=True))


def _equal_contexts(
    left: dict[str, object], right: dict[str, object], charge: Callable[[int], None]
) -> bool | None:
    if left.keys() != right.keys():
        return False
    charge(len(left))
    return _all_equal(equal(value, right[key], charge) for key, value in left.items())


def _equal_ranges(left: FeelRange, right: FeelRange, charge: Callable[[int], None]) -> bool | None:
    if (left.start_included, left.end_included) != (right.start_included, right.end_included):
        return False
    pairs = ((left.start, right.start), (left.end, right.end))
    return _all_equal(equal(a, b, charge) for a, b in pairs)


def _all_equal(answers: Iterable[bool | None]) -> bool | None:
    result: bool | None = True
    for answer in answers:
        if answer is False:
            return False
        if answer is None:
            result = None
    return result


def hash_key(value: object) -> object:
    """Return something hashable that is the same for equal scalar values; None for the others."""
    if isinstance(value, bool | str | FeelDate):
        return (type(value), value)
    key = order_key(value)
    return None if key is None else (type(value), key, is_local(value))
