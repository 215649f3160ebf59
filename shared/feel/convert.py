"""Between JSON (or plain Python) and FEEL values.

Into FEEL: whole numbers and fractions become decimals (fractions through their shortest text, so
that 0.1 is 0.1), NaN and infinities become null, texts stay texts (a date in JSON is a text until
`date(…)` reads it), Python dates, times and durations become FEEL's.

Out of FEEL: whole numbers become int, others float (17 digits; ask for `decimals="text"` to keep
all 34), dates, times and durations their ISO text, ranges their FEEL text, functions null.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import date, datetime, time, timedelta
from decimal import Decimal
from typing import Literal

from .budget import DEFAULT_BUDGET
from .errors import FeelBudgetExceeded
from .numbers import format_number, number
from .temporal import (
    DaysDuration,
    FeelDate,
    FeelDateTime,
    FeelTime,
    MonthsDuration,
    from_datetime,
)
from .text import text_of
from .values import FeelFunction, FeelRange, FeelValue

MAX_JSON_DEPTH = 100
_UNCHANGED: frozenset[type] = frozenset(
    {
        type(None),
        bool,
        str,
        FeelDate,
        FeelTime,
        FeelDateTime,
        DaysDuration,
        MonthsDuration,
        FeelRange,
        FeelFunction,
    }
)
#: Beyond 10^308 JSON's readers end, and a number goes out as its text.
_JSON_DIGITS = 308
#: Whole numbers within these have no more digits than FEEL's, and need no rounding.
_EXACT = 10**33


def to_feel(value: object) -> FeelValue:
    """Return the FEEL value of a JSON or Python value; FEEL values are returned as they are.

    Raises TypeError for an object that has no counterpart, FeelBudgetExceeded for one that is
    nested deeper than a hundred levels or a number beyond FEEL's.
    """
    return _into(value, 0)  # type: ignore[return-value]


def _into(value: object, depth: int) -> object:
    kind = type(value)
    if kind in _UNCHANGED:
        return value
    if kind is int and -_EXACT < value < _EXACT:  # type: ignore[operator]
        return Decimal(value)  # type: ignore[arg-type]
    if isinstance(value, int | float | Decimal):
        # A truth is an int to Python, but of a kind above.
        return _number(value)
    if depth > MAX_JSON_DEPTH:
        raise FeelBudgetExceeded("depth", MAX_JSON_DEPTH)
    if isinstance(value, Mapping):
        return {str(key): _into(item, depth + 1) for key, item in value.items()}
    if isinstance(value, list | tuple | set | frozenset):
        return [_into(item, depth + 1) for item in value]
    return value if isinstance(value, str) else _temporal(value)


def _number(value: float | Decimal) -> Decimal | None:
    if isinstance(value, int):
        return number(value)
    if isinstance(value, float):
        return number(repr(value)) if math.isfinite(value) else None
    return number(value) if value.is_finite() else None


def _temporal(value: object) -> object:
    match value:
        case datetime():
            return from_datetime(value)
        case date():
            return FeelDate(value.year, value.month, value.day)
        case time():
            return from_datetime(datetime.combine(date(2000, 1, 1), value)).time
        case timedelta():
            return DaysDuration(value // timedelta(microseconds=1) * 1000)
    msg = f"{type(value).__name__} has no FEEL value"
    raise TypeError(msg)


def to_json(value: object, *, decimals: Literal["number", "text"] = "number") -> object:
    """Return a FEEL value as JSON holds it; refuse one larger than an evaluation may produce."""
    kind = type(value)
    if kind is str or kind is bool or value is None:
        return value
    if kind is list or kind is dict:
        return _Out(decimals).of(value, 0)
    return _scalar_out(value, decimals)


class _Out:
    """Lists and contexts on their way out, and how much may still be written."""

    __slots__ = ("_decimals", "_left")

    def __init__(self, decimals: str) -> None:
        self._decimals = decimals
        self._left = DEFAULT_BUDGET.size

    def of(self, value: object, depth: int) -> object:
        """Return a value within so many others."""
        self._left -= 1
        if self._left < 0 or depth > MAX_JSON_DEPTH:
            raise FeelBudgetExceeded("size", DEFAULT_BUDGET.size)
        if isinstance(value, list):
            return [self.of(item, depth + 1) for item in value]
        if isinstance(value, dict):
            return {key: self.of(item, depth + 1) for key, item in value.items()}
        return _scalar_out(value, self._decimals)


def _scalar_out(value: object, decimals: str) -> object:
    if value is None or type(value) is str or type(value) is bool:
        return value
    if isinstance(value, Decimal):
        if decimals == "text":
            return format_number(value)
        if value and value.adjusted() >= _JSON_DIGITS:
            return str(value)
        whole = int(value)
        return whole if whole == value else float(value)
    if isinstance(value, FeelFunction):
        return None
    return value if isinstance(value, str) else text_of(value, _free)


def _free(size: int) -> None:
    """Charge nothing: a scalar's text is short."""
