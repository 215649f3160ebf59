"""FEEL values as text, as string() writes them."""

from __future__ import annotations

from decimal import Decimal
from typing import TYPE_CHECKING

from .numbers import format_number
from .temporal import DaysDuration, FeelDate, FeelDateTime, FeelTime, MonthsDuration
from .temporal_text import format_date, format_date_time, format_duration, format_time
from .values import FeelFunction, FeelRange

if TYPE_CHECKING:
    from collections.abc import Callable


def text_of(value: object, allocate: Callable[[int], None]) -> str:
    """Return a value's text; a text is itself, within lists and contexts it is quoted."""
    text = value if isinstance(value, str) else _written(value, allocate)
    allocate(len(text))
    return text


def _scalar(value: object) -> str | None:
    match value:
        case None:
            return "null"
        case bool():
            return "true" if value else "false"
        case Decimal():
            return format_number(value)
        case FeelDate():
            return format_date(value)
        case FeelTime():
            return format_time(value)
        case FeelDateTime():
            return format_date_time(value)
    return None


def _written(value: object, allocate: Callable[[int], None]) -> str:
    found = _scalar(value)
    if found is not None:
        return found
    match value:
        case DaysDuration() | MonthsDuration():
            return format_duration(value)
        case FeelRange():
            return _range(value, allocate)
        case list():
            return "[" + ", ".join(_quoted(item, allocate) for item in value) + "]"
        case dict():
            entries = (f"{_key(key)}: {_quoted(v, allocate)}" for key, v in value.items())
            return "{" + ", ".join(entries) + "}"
        case FeelFunction():
            return f"function({', '.join(value.parameters)})"
    return str(value)


def _range(value: FeelRange, allocate: Callable[[int], None]) -> str:
    opening, closing = "[" if value.start_included else "(", "]" if value.end_included else ")"
    start = "" if value.start is None else _quoted(value.start, allocate)
    end = "" if value.end is None else _quoted(value.end, allocate)
    return f"{opening}{start}..{end}{closing}"


def _key(key: str) -> str:
    return key if key.replace(" ", "").isidentifier() else _escaped(key)


def _escaped(text: str) -> str:
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def _quoted(value: object, allocate: Callable[[int], None]) -> str:
    if isinstance(value, str):
        allocate(len(value))
        return _escaped(value)
    return text_of(value, allocate)
