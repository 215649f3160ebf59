"""FEEL numbers: IEEE 754 decimal128, 34 digits, exponents within ±6,144."""

from __future__ import annotations

from decimal import (
    ROUND_HALF_EVEN,
    Clamped,
    Context,
    Decimal,
    DivisionByZero,
    InvalidOperation,
    Overflow,
)
from typing import TYPE_CHECKING

from .errors import FeelBudgetExceeded

if TYPE_CHECKING:
    from collections.abc import Callable

#: DMN 1.3, 10.3.2.3.1: FEEL numbers are based on IEEE 754-2008 decimal128.
NUMBERS = Context(
    prec=34,
    rounding=ROUND_HALF_EVEN,
    Emin=-6143,
    Emax=6144,
    traps=[Overflow, InvalidOperation, DivisionByZero],
)
NUMBERS.traps[Clamped] = False
#: Fractions of the library's mathematics that hold in one evaluation: a power of huge operands
#: is refused before it is tried.
MAX_EXPONENT = 100_000

#: What a logarithm, an exponential or a fractional power is charged: they take 100 to 500 µs, a
#: step of a loop about half a microsecond.
SERIES_STEPS = 100

#: What a refused number is larger than.
MAX_NUMBER = "1E+6144"
ZERO, ONE = Decimal(0), Decimal(1)


def number(value: int | str | Decimal) -> Decimal:
    """Return the FEEL number nearest to a value; refuse one too large, raise on no number."""
    try:
        return NUMBERS.create_decimal(value)
    except Overflow as error:
        raise FeelBudgetExceeded("number", MAX_NUMBER) from error


def number_or_null(text: str) -> Decimal | None:
    """Return the number a text states, None when it states none."""
    try:
        found = number(text)
    except InvalidOperation:
        return None
    return found if found.is_finite() else None


def calculated(
    operation: Callable[[Decimal, Decimal], Decimal], left: Decimal, right: Decimal
) -> Decimal | None:
    """Apply an operation of `NUMBERS`; undefined results are null, too large ones refused."""
    try:
        return operation(left, right)
    except Overflow as error:
        raise FeelBudgetExceeded("number", MAX_NUMBER) from error
    except (InvalidOperation, DivisionByZero):
        return None


def power(left: Decimal, right: Decimal) -> Decimal | None:
    """Return left ** right; 9 ** 9 ** 9 is refused instead of computed."""
    if abs(right) > MAX_EXPONENT and left not in (ZERO, ONE, -ONE):
        raise FeelBudgetExceeded("exponent", MAX_EXPONENT)
    found = calculated(NUMBERS.power, left, right)
    # 0 to a negative power is infinite, which is no number of FEEL.
    return found if found is None or found.is_finite() else None


def integer(value: object) -> int | None:
    """Return a number's whole part if it fits a machine word, None for all else."""
    if not isinstance(value, Decimal) or abs(value) >= 10**18:
        return None
    return int(value)


def whole(value: object) -> int | None:
    """Return a number that is whole as an int, None for all else."""
    found = integer(value)
    return found if found is not None and found == value else None


def format_number(value: Decimal) -> str:
    """Write a number in plain digits, without an exponent or trailing zeros of a fraction."""
    text = format(value, "f")
    if "." in text:
        text = text.rstrip("0").rstrip(".")
    return "0" if text in ("-0", "") else text
