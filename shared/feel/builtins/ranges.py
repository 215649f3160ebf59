"""How points and ranges lie to one another (DMN 1.3, table 78), and ranges from text.

An end that is missing (an open range such as `(< 5)`) lies beyond everything. Where values cannot
be compared, the answer is null.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import wraps
from typing import TYPE_CHECKING

from shared.feel.numbers import number_or_null
from shared.feel.temporal_text import parse_temporal
from shared.feel.tokens import unescaped
from shared.feel.values import FeelRange, compared

from .registry import Functions

if TYPE_CHECKING:
    from shared.feel.budget import Run

FUNCTIONS = Functions()


class _Incomparable(Exception):
    """Two values have no order."""


def _cmp(left: object, right: object) -> int:
    order = compared(left, right)
    if order is None:
        raise _Incomparable
    return order


def _starts(a: FeelRange, b: FeelRange) -> int:
    """Order two starts: none comes first, and one inside its range before one outside."""
    if a.start is None or b.start is None:
        return (a.start is not None) - (b.start is not None)
    return _cmp(a.start, b.start) or (not a.start_included) - (not b.start_included)


def _ends(a: FeelRange, b: FeelRange) -> int:
    """Order two ends likewise; none is last."""
    if a.end is None or b.end is None:
        return (a.end is None) - (b.end is None)
    return _cmp(a.end, b.end) or a.end_included - b.end_included


def _end_to_start(a: FeelRange, b: FeelRange) -> int:
    """-1 if a ends before b starts, 0 if they touch in a common point, 1 if they overlap."""
    if a.end is None or b.start is None:
        return 1
    order = _cmp(a.end, b.start)
    if order:
        return order
    return 0 if a.end_included and b.start_included else -1


def _as_range(value: object) -> FeelRange:
    return value if isinstance(value, FeelRange) else FeelRange(value, value)


Question = Callable[[FeelRange, FeelRange], bool]


def _decided(question: Question) -> Callable[[Run, object, object], bool | None]:
    @wraps(question)
    def answer(run: Run, left: object, right: object) -> bool | None:
        if left is None or right is None:
            return None
        a, b = _as_range(left), _as_range(right)
        if not _is_sound(a) or not _is_sound(b):
            return None
        try:
            return question(a, b)
        except _Incomparable:
            return None

    return answer


def _is_sound(value: FeelRange) -> bool:
    ends = [end for end in (value.start, value.end) if end is not None]
    return all(compared(end, ends[0]) is not None for end in ends)


_BOTH_RANGES = "(range1: range, range2: range)"


def _signatures(name: str, *more: str) -> tuple[str, ...]:
    return tuple(f"{name}{signature}" for signature in (_BOTH_RANGES, *more))


@FUNCTIONS.define(
    *_signatures("before", "(point: any, range: range)", "(range: range, point: any)"),
    "before(point1: any, point2: any)",
)
@_decided
def before(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a ends before b starts."""
    return _end_to_start(a, b) < 0


@FUNCTIONS.define(
    *_signatures("after", "(point: any, range: range)", "(range: range, point: any)"),
    "after(point1: any, point2: any)",
)
@_decided
def after(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a starts after b ends."""
    return _end_to_start(b, a) < 0


@FUNCTIONS.define(*_signatures("meets"))
@_decided
def meets(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a ends in the very point in which b starts."""
    return _end_to_start(a, b) == 0


@FUNCTIONS.define(*_signatures("met by"))
@_decided
def met_by(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a starts in the very point in which b ends."""
    return _end_to_start(b, a) == 0


@FUNCTIONS.define(*_signatures("overlaps"))
@_decided
def overlaps(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a and b have a point in common."""
    return _end_to_start(a, b) >= 0 and _end_to_start(b, a) >= 0


@FUNCTIONS.define(*_signatures("overlaps before"))
@_decided
def overlaps_before(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a starts before b and ends within it."""
    return _starts(a, b) < 0 and _end_to_start(a, b) >= 0 and _ends(a, b) <= 0


@FUNCTIONS.define(*_signatures("overlaps after"))
@_decided
def overlaps_after(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a starts within b and ends after it."""
    return _starts(b, a) < 0 and _end_to_start(b, a) >= 0 and _ends(b, a) <= 0


@FUNCTIONS.define(*_signatures("finishes", "(point: any, range: range)"))
@_decided
def finishes(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a ends with b, having started no earlier."""
    return _ends(a, b) == 0 and _starts(a, b) >= 0


@FUNCTIONS.define(*_signatures("finished by", "(range: range, point: any)"))
@_decided
def finished_by(a: FeelRange, b: FeelRange) -> bool:
    """Return whether b ends with a, having started no earlier."""
    return _ends(a, b) == 0 and _starts(b, a) >= 0


@FUNCTIONS.define(*_signatures("includes", "(range: range, point: any)"))
@_decided
def includes(a: FeelRange, b: FeelRange) -> bool:
    """Return whether all of b lies within a."""
    return _starts(a, b) <= 0 and _ends(a, b) >= 0


@FUNCTIONS.define(*_signatures("during", "(point: any, range: range)"))
@_decided
def during(a: FeelRange, b: FeelRange) -> bool:
    """Return whether all of a lies within b."""
    return _starts(b, a) <= 0 and _ends(b, a) >= 0


@FUNCTIONS.define(*_signatures("starts", "(point: any, range: range)"))
@_decided
def starts(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a starts with b and ends no later."""
    return _starts(a, b) == 0 and _ends(a, b) <= 0


@FUNCTIONS.define(*_signatures("started by", "(range: range, point: any)"))
@_decided
def started_by(a: FeelRange, b: FeelRange) -> bool:
    """Return whether b starts with a and ends no later."""
    return _starts(a, b) == 0 and _ends(b, a) <= 0


@FUNCTIONS.define(*_signatures("coincides"), "coincides(point1: any, point2: any)")
@_decided
def coincides(a: FeelRange, b: FeelRange) -> bool:
    """Return whether a and b are the same."""
    return _starts(a, b) == 0 and _ends(a, b) == 0


_RANGE = re.compile(r"\s*([\[\](])\s*(.*?)\s*\.\.\s*(.*?)\s*([\[\])])\s*", re.DOTALL)
_WRAPPED = re.compile(r'(?:date|time|date and time|duration)\s*\(\s*("(?:[^"\\]|\\.)*")\s*\)')


@FUNCTIONS.define("range(from: string)")
def range_of(run: Run, text: str) -> FeelRange | None:
    """Read a range such as `[1..5)` between literals; an end left out is open."""
    run.charge(len(text))
    found = _RANGE.fullmatch(text) if len(text) <= 1000 else None
    if found is None:
        return None
    ends = [_literal(found[2]), _literal(found[3])]
    is_missing = [not found[2], not found[3]]
    if any(e is None and not gone for e, gone in zip(ends, is_missing, strict=True)):
        return None
    opening, closing = found[1] == "[", found[4] == "]"
    if all(is_missing) or (is_missing[0] and opening) or (is_missing[1] and closing):
        return None
    if not any(is_missing) and (compared(ends[0], ends[1]) or 0) > 0:
        return None
    if not any(is_missing) and compared(ends[0], ends[1]) is None:
        return None
    return FeelRange(ends[0], ends[1], opening, closing)


def _literal(text: str) -> object:
    wrapped = _WRAPPED.fullmatch(text)
    if wrapped:
        return parse_temporal(unescaped(wrapped[1]))
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return unescaped(text)
    if len(text) > 3 and text.startswith('@"') and text.endswith('"'):
        return parse_temporal(unescaped(text))
    return number_or_null(text) if text else None
