"""Functions of numbers."""

from __future__ import annotations

from decimal import (
    ROUND_CEILING,
    ROUND_DOWN,
    ROUND_FLOOR,
    ROUND_HALF_DOWN,
    ROUND_HALF_EVEN,
    ROUND_HALF_UP,
    ROUND_UP,
    Decimal,
    InvalidOperation,
    Overflow,
)
from typing import TYPE_CHECKING

from shared.feel.errors import FeelBudgetExceeded
from shared.feel.numbers import MAX_NUMBER, NUMBERS, SERIES_STEPS, calculated, whole
from shared.feel.temporal import DaysDuration, MonthsDuration

from .registry import Functions

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.feel.budget import Run

FUNCTIONS = Functions()


def _rounded(value: Decimal, scale: Decimal | None, mode: str) -> Decimal | None:
    """Round to `scale` digits after the point; null for a scale decimal128 does not have."""
    digits = 0 if scale is None else whole(scale)
    if digits is None or not -6111 <= digits <= 6176:
        return None
    if -int(value.as_tuple().exponent) <= digits:
        return value
    try:
        return value.quantize(Decimal(1).scaleb(-digits), mode, NUMBERS)
    except InvalidOperation:
        return None


@FUNCTIONS.define("decimal(n: number, scale: number)")
def decimal(run: Run, value: Decimal, scale: Decimal) -> Decimal | None:
    """Round to a number of digits after the point, halves to the even neighbour."""
    return _rounded(value, scale, ROUND_HALF_EVEN)


@FUNCTIONS.define("floor(n: number, scale?: number)")
def floor(run: Run, value: Decimal, scale: Decimal | None) -> Decimal | None:
    """Round down."""
    return _rounded(value, scale, ROUND_FLOOR)


@FUNCTIONS.define("ceiling(n: number, scale?: number)")
def ceiling(run: Run, value: Decimal, scale: Decimal | None) -> Decimal | None:
    """Round up."""
    return _rounded(value, scale, ROUND_CEILING)


@FUNCTIONS.define("round up(n: number, scale: number)")
def round_up(run: Run, value: Decimal, scale: Decimal) -> Decimal | None:
    """Round away from zero."""
    return _rounded(value, scale, ROUND_UP)


@FUNCTIONS.define("round down(n: number, scale: number)")
def round_down(run: Run, value: Decimal, scale: Decimal) -> Decimal | None:
    """Round towards zero."""
    return _rounded(value, scale, ROUND_DOWN)


@FUNCTIONS.define("round half up(n: number, scale: number)")
def round_half_up(run: Run, value: Decimal, scale: Decimal) -> Decimal | None:
    """Round to the nearest, halves away from zero."""
    return _rounded(value, scale, ROUND_HALF_UP)


@FUNCTIONS.define("round half down(n: number, scale: number)")
def round_half_down(run: Run, value: Decimal, scale: Decimal) -> Decimal | None:
    """Round to the nearest, halves towards zero."""
    return _rounded(value, scale, ROUND_HALF_DOWN)


@FUNCTIONS.define("abs(n: number|days duration|months duration)")
def absolute(run: Run, value: object) -> object:
    """Return a number or duration without its sign."""
    match value:
        case DaysDuration():
            return DaysDuration(abs(value.nanoseconds))
        case MonthsDuration():
            return MonthsDuration(abs(value.months))
        case Decimal():
            return abs(value)
    return None


@FUNCTIONS.define("modulo(dividend: number, divisor: number)")
def modulo(run: Run, dividend: Decimal, divisor: Decimal) -> Decimal | None:
    """Return dividend - divisor * floor(dividend / divisor): its sign is the divisor's."""
    if not divisor:
        return None
    remainder = calculated(NUMBERS.remainder, dividend, divisor)
    if remainder is None:
        return None
    if remainder and remainder.is_signed() != divisor.is_signed():
        remainder = NUMBERS.add(remainder, divisor)
    return remainder


def _defined(run: Run, function: Callable[[Decimal], Decimal], value: Decimal) -> Decimal | None:
    run.charge(SERIES_STEPS)
    try:
        return function(value)
    except Overflow as error:
        raise FeelBudgetExceeded("number", MAX_NUMBER) from error
    except InvalidOperation:
        return None


@FUNCTIONS.define("sqrt(number: number)")
def square_root(run: Run, value: Decimal) -> Decimal | None:
    """Return the square root, null of a negative number."""
    return _defined(run, NUMBERS.sqrt, value) if value >= 0 else None


@FUNCTIONS.define("log(number: number)")
def logarithm(run: Run, value: Decimal) -> Decimal | None:
    """Return the natural logarithm, null of zero or less."""
    return _defined(run, NUMBERS.ln, value) if value > 0 else None


@FUNCTIONS.define("exp(number: number)")
def exponential(run: Run, value: Decimal) -> Decimal | None:
    """Return e to a power."""
    return _defined(run, NUMBERS.exp, value)


@FUNCTIONS.define("odd(number: number)")
def odd(run: Run, value: Decimal) -> bool:
    """Return whether a number is odd; a fraction is neither odd nor even."""
    return calculated(NUMBERS.remainder, value, Decimal(2)) in (1, -1)


@FUNCTIONS.define("even(number: number)")
def even(run: Run, value: Decimal) -> bool:
    """Return whether a number is even."""
    return calculated(NUMBERS.remainder, value, Decimal(2)) == 0
