"""Functions that turn one kind of value into another: string, number, not, and defaults."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.feel.numbers import number_or_null
from shared.feel.text import text_of

from .registry import Functions

if TYPE_CHECKING:
    from shared.feel.budget import Run

FUNCTIONS = Functions()
#: Characters of a text that is read as a number.
_MAX_DIGITS = 1_000


@FUNCTIONS.define("string(from: any)")
def string(run: Run, value: object) -> str | None:
    """Return a value's text, null for null."""
    return None if value is None else text_of(value, run.allocate)


@FUNCTIONS.define(
    "number(from: string|number)",
    "number(from: string, grouping separator: string|null, decimal separator: string|null)",
)
def number(
    run: Run, text: object, grouping: str | None = None, decimal: str | None = None
) -> object:
    """Read a number; grouping is a space, comma or point, the decimal separator one of the last."""
    if not isinstance(text, str):
        return text
    # A number has 34 digits; with its grouping and zeros a text of this length states none.
    if len(text) > _MAX_DIGITS:
        return None
    run.charge(len(text) // 8)
    if grouping not in (None, " ", ",", ".") or decimal not in (None, ",", "."):
        return None
    if grouping is not None and grouping == decimal:
        return None
    plain = text.replace(grouping, "") if grouping else text
    plain = plain.replace(decimal, ".") if decimal else plain
    allowed = set("0123456789.-+eE")
    if not plain or set(plain) - allowed or plain.startswith("+"):
        return None
    return number_or_null(plain)


@FUNCTIONS.define("not(negand: any)")
def negation(run: Run, value: object) -> bool | None:
    """Return the opposite of a boolean, null of all else."""
    return not value if isinstance(value, bool) else None


@FUNCTIONS.define("is defined(value: any)")
def is_defined(run: Run, value: object) -> bool:
    """Return whether there is a value at all (an extension of Camunda's)."""
    return value is not None


@FUNCTIONS.define("get or else(value: any, default: any)")
def get_or_else(run: Run, value: object, default: object) -> object:
    """Return a value, or another in place of null (an extension of Camunda's)."""
    return default if value is None else value
