"""FEEL's types: which values belong to a type as written after `instance of`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .values import FeelFunction, FeelRange, kind_of

if TYPE_CHECKING:
    from collections.abc import Callable

    from .syntax import TypeName

#: The names a type may have, as FEEL, DMN's typeRef and older modellers spell them.
SPELLINGS = {
    "number": "number",
    "string": "string",
    "boolean": "boolean",
    "date": "date",
    "time": "time",
    "date and time": "date and time",
    "dateTime": "date and time",
    "days and time duration": "days and time duration",
    "dayTimeDuration": "days and time duration",
    "years and months duration": "years and months duration",
    "yearMonthDuration": "years and months duration",
    "list": "list",
    "context": "context",
    "range": "range",
    "function": "function",
    "integer": "number",
    "long": "number",
    "double": "number",
}


def conforms(value: object, kind: TypeName, charge: Callable[[int], None]) -> bool:
    """Return whether a value is of a type, elements and fields included."""
    if kind.name == "Any":
        return value is not None
    if kind.name in ("null", "Null"):
        return value is None
    if SPELLINGS.get(kind.name) != kind_of(value):
        return False
    return _parts_conform(value, kind, charge)


def coerced(value: object, kind: TypeName, charge: Callable[[int], None]) -> object:
    """Return a value as a type takes it, null if it does not.

    A list of one fits where its element is wanted, and the other way round.
    """
    if value is None or conforms(value, kind, charge):
        return value
    if isinstance(value, list) and len(value) == 1 and conforms(value[0], kind, charge):
        return value[0]
    if kind.name == "list" and conforms([value], kind, charge):
        return [value]
    return None


def _parts_conform(value: object, kind: TypeName, charge: Callable[[int], None]) -> bool:
    if isinstance(value, list) and kind.parts:
        charge(len(value))
        return all(item is None or conforms(item, kind.parts[0], charge) for item in value)
    if isinstance(value, dict):
        return all(
            name in value and (value[name] is None or conforms(value[name], part, charge))
            for name, part in kind.fields
        )
    if isinstance(value, FeelRange) and kind.parts:
        ends = [end for end in (value.start, value.end) if end is not None]
        return all(conforms(end, kind.parts[0], charge) for end in ends)
    if isinstance(value, FeelFunction) and kind.parts:
        return len(value.parameters) == len(kind.parts) - 1
    return True
