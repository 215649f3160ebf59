"""Values that stand for all others: one in each stretch over which no cell of a column changes.

Cells compare inputs with constants. Between two neighbouring constants every cell answers alike,
so it is enough to ask each cell about the constants and one value in every gap between them.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from functools import cmp_to_key
from typing import TYPE_CHECKING

from shared.feel import Budget, Expression, FeelDate, FeelDateTime, Run
from shared.feel.arithmetic import add, divide, subtract
from shared.feel.errors import FeelBudgetExceeded
from shared.feel.names import KnownNames
from shared.feel.scope import ValueScope
from shared.feel.temporal import NANO, DaysDuration, FeelTime, MonthsDuration
from shared.feel.text import text_of
from shared.feel.values import FeelFunction, compared, hash_key, kind_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from shared.feel import UnaryTests
    from shared.feel.syntax import Node

#: Stands for any text the table does not mention.
OTHER_TEXT = "\N{HORIZONTAL ELLIPSIS}"
#: What a constant of a cell may cost while a table is checked: there may be thousands of them.
_CONSTANT = Budget(steps=10_000, size=50_000)
_DAY = DaysDuration(86_400 * NANO)
_STEPS: dict[type, object] = {
    Decimal: Decimal(1),
    FeelDate: _DAY,
    FeelDateTime: _DAY,
    FeelTime: DaysDuration(60 * NANO),
    DaysDuration: DaysDuration(3600 * NANO),
    MonthsDuration: MonthsDuration(1),
}


@dataclass(frozen=True, slots=True)
class Sample:
    """A value to ask, how people read the stretch it stands for, and whether it lies between
    two neighbouring whole numbers."""

    value: object
    label: str
    is_between_integers: bool = False


def constants_in(test: UnaryTests) -> Iterator[object]:
    """Yield the constants a cell compares its input with."""
    waiting = list(test.tree.parts)
    while waiting:
        part = waiting.pop()
        value = _constant(part)
        if isinstance(value, FeelFunction):
            continue
        if value is not None:
            yield from value if isinstance(value, list) else (value,)
        elif part.kind != "input":
            waiting += part.parts


def _constant(tree: Node) -> object:
    """Return what a part without variables or input evaluates to, None if it has any."""
    if tree.kind in ("range", "open_range", "tests", "compared_test"):
        return None
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        if part.kind in ("input", "tests", "compared_test"):
            return None
        waiting += part.parts
    compiled = Expression.compiled("", tree, KnownNames(()))
    if compiled.names:
        return None
    try:
        return compiled.run(Run(budget=_CONSTANT), ValueScope({}))
    except FeelBudgetExceeded:
        return None


def is_ordering(test: UnaryTests) -> bool:
    """Return whether a cell asks what comes before or after, not only what is equal."""
    waiting = list(test.tree.parts)
    while waiting:
        part = waiting.pop()
        if part.kind in ("range", "open_range", "between", "compared_test", "compare"):
            return True
        waiting += part.parts
    return False


def samples(
    constants: Iterable[object], allowed: tuple[object, ...] = (), *, is_ordered: bool = False
) -> list[Sample]:
    """Return samples for a column whose cells mention these constants, all of one kind.

    `allowed` are the only values the input may have, when they are listed. With `is_ordered`
    there is one in each stretch between texts, which else one text stands for.
    """
    if allowed:
        return [Sample(value, _shown(value)) for value in allowed]
    distinct = _distinct(constants)
    if not distinct:
        return []
    kind = kind_of(distinct[0])
    if kind == "boolean":
        return [Sample(value, _shown(value)) for value in (True, False)]
    if kind == "string" and is_ordered and all(isinstance(value, str) for value in distinct):
        return list(_text_stretches([str(value) for value in distinct]))
    if kind == "string":
        found = [Sample(value, _shown(value)) for value in distinct]
        return [*found, Sample(OTHER_TEXT, OTHER_TEXT)]
    if type(distinct[0]) not in _STEPS or len({type(value) for value in distinct}) > 1:
        return [Sample(value, _shown(value)) for value in distinct]
    return list(_stretches(distinct))


def _distinct(constants: Iterable[object]) -> list[object]:
    found: dict[object, object] = {}
    for value in constants:
        key = hash_key(value)
        found.setdefault(("other", len(found)) if key is None else key, value)
    values = list(found.values())
    if values and all(compared(value, values[0]) is not None for value in values):
        return sorted(values, key=cmp_to_key(lambda a, b: compared(a, b) or 0))
    return values


def _stretches(ordered: list[object]) -> Iterator[Sample]:
    run, step = Run(), _STEPS[type(ordered[0])]
    first, last = ordered[0], ordered[-1]
    yield Sample(subtract(run, first, step), f"< {_shown(first)}")
    for at, value in enumerate(ordered):
        yield Sample(value, _shown(value))
        if at + 1 < len(ordered):
            following = ordered[at + 1]
            middle = _middle(run, value, following)
            if middle is not None:
                label = f"{_shown(value)} < … < {_shown(following)}"
                yield Sample(middle, label, _are_neighbours(value, following))
    yield Sample(add(run, last, step), f"> {_shown(last)}")


def _text_stretches(ordered: list[str]) -> Iterator[Sample]:
    if ordered[0]:
        yield Sample("", f"< {_shown(ordered[0])}")
    for at, text in enumerate(ordered):
        yield Sample(text, _shown(text))
        # The very next text; the one after it may be it already.
        following = ordered[at + 1] if at + 1 < len(ordered) else None
        label = f"{_shown(text)} < …" + ("" if following is None else f" < {_shown(following)}")
        if text + "\0" != following:
            yield Sample(text + "\0", label)


def _middle(run: Run, low: object, high: object) -> object:
    """Return a value between two, None when there is none (two days in a row)."""
    if isinstance(low, FeelDate) and isinstance(high, FeelDate):
        return add(run, low, _DAY) if high.number - low.number > 1 else None
    if isinstance(low, MonthsDuration) and isinstance(high, MonthsDuration):
        has_room = high.months - low.months > 1
        return MonthsDuration(low.months + 1) if has_room else None
    half = divide(run, subtract(run, high, low), Decimal(2))
    return add(run, low, half)


def _are_neighbours(low: object, high: object) -> bool:
    if not (isinstance(low, Decimal) and isinstance(high, Decimal)):
        return False
    return high - low == 1 and low == low.to_integral_value()


def _shown(value: object) -> str:
    text = text_of(value, lambda size: None)
    return f'"{text}"' if isinstance(value, str) else text
