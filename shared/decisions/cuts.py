"""Where along the values of its input a cell can change its answer: at the constants it names.

A cell that only compares its input with constants gives one answer for each of them, and one in
every gap between two neighbours. What it gives is found by asking the cell itself about a value
of each stretch, so that an index built from it cannot know better than the cell.
"""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal
from typing import TYPE_CHECKING, TypeAlias

from shared.feel import (
    DaysDuration,
    Expression,
    FeelBudgetExceeded,
    FeelDate,
    FeelDateTime,
    FeelRange,
    MonthsDuration,
    Run,
)
from shared.feel.arithmetic import negate
from shared.feel.names import KnownNames
from shared.feel.numbers import NUMBERS
from shared.feel.scope import ValueScope
from shared.feel.temporal import DAY_S, NANO, date_at, time_at
from shared.feel.values import is_local, order_key

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shared.feel import UnaryTests
    from shared.feel.syntax import Node

#: A kind of value that has an order, and whether it is without a zone.
Axis: TypeAlias = tuple[type, bool]
NUMBERS_AXIS: Axis = (Decimal, False)
_ORDERED = (Decimal, FeelDate, FeelDateTime, DaysDuration, MonthsDuration)
_CONSTANT = frozenset({"literal", "negate", "arithmetic", "list", "call"})
#: Functions whose answer depends on nothing but their arguments, as cells write constants.
_READING = frozenset({"date", "time", "date and time", "duration", "number", "string"})
#: Constants of a cell that is more than a list of texts. A cell is asked about each of them and
#: each gap, and looks through all of them each time.
_MAX_CONSTANTS = 16
_NO_NAMES, _NO_SCOPE = KnownNames(()), ValueScope({})


class _Uncut(Exception):
    """The cell does more than compare its input with constants."""


@dataclass(frozen=True, slots=True)
class Cuts:
    """What a cell accepts.

    `fixed` answers for null, true and false, `texts` for the texts it names and `other_text` for
    all others. `axes` holds the constants of an ordered kind in their order, and the answers
    below the first, at it, between it and the next, and so on: one more than twice as many.
    """

    test: UnaryTests
    fixed: Mapping[bool | None, bool]
    texts: Mapping[str, bool]
    other_text: bool
    axes: Mapping[Axis, tuple[Sequence[Decimal | int], Sequence[bool]]]

    def accepts(self, axis: Axis, key: Decimal | int) -> bool:
        """Ask the cell about a value of an ordered kind."""
        return _accepts(self.test, _value(axis, key))


def texts_of(test: UnaryTests | None) -> frozenset[str] | None:
    """Return the texts a cell accepts when it is nothing but texts, else None."""
    if test is None or test.tree.kind != "any_test":
        return None
    cells = test.tree.parts[0].parts
    texts = [cell.value for cell in cells if cell.kind == "literal" and isinstance(cell.value, str)]
    return frozenset(texts) if len(texts) == len(cells) else None


def cuts_of(test: UnaryTests) -> Cuts | None:
    """Return what a cell accepts, None for one that does more than compare with constants."""
    if test.names:
        return None
    reader = _Reader()
    try:
        reader.cell(test.tree)
        return _asked(test, reader)
    except (_Uncut, FeelBudgetExceeded):
        return None


def _asked(test: UnaryTests, reader: _Reader) -> Cuts:
    count = len(reader.texts) + sum(map(len, reader.keys.values()))
    if texts_of(test) is not None:
        # As "a","b": one may have thousands, and there is nothing to ask.
        texts = dict.fromkeys(reader.texts, True)
    elif count > _MAX_CONSTANTS:
        raise _Uncut
    else:
        texts = {text: _accepts(test, text) for text in reader.texts}
    other_text = max(reader.texts, key=len, default="") + "\0"
    axes = {}
    for axis, keys in reader.keys.items():
        ordered = sorted(keys)
        axes[axis] = (ordered, [_accepts(test, value) for value in _stretches(axis, ordered)])
    fixed = {value: _accepts(test, value) for value in (None, True, False)}
    return Cuts(test, fixed, texts, _accepts(test, other_text), axes)


class _Reader:
    """Collects the constants a cell compares its input with; raises _Uncut for all else."""

    def __init__(self) -> None:
        self.texts: set[str] = set()
        self.keys: dict[Axis, set[Decimal | int]] = {}

    def cell(self, tree: Node) -> None:
        """Read a whole cell."""
        if tree.kind == "not_in_range":
            self._test(tree.parts[0])
            return
        tests = tree.parts[0].parts if tree.kind in ("any_test", "no_test") else (tree,)
        for test in tests:
            self._test(test)

    def _test(self, tree: Node) -> None:
        if tree.kind == "compared_test":
            self._compared(str(tree.value), _constant(tree.parts[0]))
        elif tree.kind in ("range", "open_range"):
            for end in tree.parts:
                self._ordered(_constant(end))
        elif _mentions_input(tree):
            self._condition(tree)
        else:
            self._member(_constant(tree))

    def _condition(self, tree: Node) -> None:
        """Read a truth about the input, `? > 3 and ? != 5`."""
        if tree.kind in ("both", "either"):
            for part in tree.parts:
                self._condition(part)
        elif tree.kind == "call" and _is_negation(tree):
            self._condition(tree.parts[1])
        elif tree.kind == "input":
            return
        elif tree.parts and tree.parts[0].kind == "input":
            self._compared_input(tree)
        else:
            raise _Uncut

    def _compared_input(self, tree: Node) -> None:
        """Read a comparison with the input on its left."""
        others = tree.parts[1:]
        if tree.kind == "compare":
            self._compared(str(tree.value), _constant(others[0]))
        elif tree.kind == "between":
            for end in others:
                self._ordered(_constant(end))
        elif tree.kind == "in_test":
            self._test(others[0])
        elif tree.kind == "in_tests":
            for test in others[0].parts:
                self._test(test)
        else:
            raise _Uncut

    def _compared(self, comparison: str, constant: object) -> None:
        if comparison in ("eq", "ne"):
            self._member(constant)
        else:
            self._ordered(constant)

    def _ordered(self, constant: object) -> None:
        """Note a bound. Texts have an order, but are looked up by what they are."""
        if isinstance(constant, str):
            raise _Uncut
        if isinstance(constant, _ORDERED):
            self._key(constant)

    def _member(self, constant: object) -> None:
        """Note what the input may be equal to, or within."""
        if isinstance(constant, list):
            for item in constant:
                self._member(item)
        elif isinstance(constant, FeelRange):
            self._ordered(constant.start)
            self._ordered(constant.end)
        elif isinstance(constant, str):
            self.texts.add(constant)
        elif isinstance(constant, _ORDERED):
            self._key(constant)

    def _key(self, constant: object) -> None:
        key = order_key(constant)
        assert isinstance(key, int | Decimal)
        self.keys.setdefault((type(constant), is_local(constant)), set()).add(key)


def _mentions_input(tree: Node) -> bool:
    return tree.kind == "input" or any(map(_mentions_input, tree.parts))


def _is_negation(tree: Node) -> bool:
    function = tree.parts[0]
    return (function.kind, function.value) == ("name", "not") and len(tree.parts) == 2


def _constant(tree: Node) -> object:
    """Return what a part is that names nothing but itself."""
    if tree.kind == "literal":
        return tree.value
    if tree.kind == "negate" and tree.parts[0].kind == "literal":
        return negate(Run(), tree.parts[0].value)
    _check_constant(tree)
    return Expression.compiled("", tree, _NO_NAMES).run(Run(), _NO_SCOPE)


def _check_constant(tree: Node) -> None:
    if tree.kind not in _CONSTANT:
        raise _Uncut
    parts: Iterable[Node] = tree.parts
    if tree.kind == "call":
        function, *parts = tree.parts
        if function.kind != "name" or function.value not in _READING:
            raise _Uncut
    for part in parts:
        _check_constant(part)


def _stretches(axis: Axis, keys: Sequence[Decimal | int]) -> Iterable[object]:
    """Yield a value of each stretch: below the first key, at it, in the gap after it, and so on.

    Where there is no value between two neighbours, any will do.
    """
    yield _value(axis, _beside(axis, keys[0], -1))
    for key in keys:
        yield _value(axis, key)
        yield _value(axis, _beside(axis, key, 1))


def _beside(axis: Axis, key: Decimal | int, side: int) -> Decimal | int:
    if isinstance(key, int):
        return key + side
    return NUMBERS.next_plus(key) if side > 0 else NUMBERS.next_minus(key)


def _value(axis: Axis, key: Decimal | int) -> object:
    """Return a value of an ordered kind; null for one beyond FEEL's years."""
    kind, has_no_zone = axis
    if isinstance(key, Decimal):
        return key
    if kind is FeelDate:
        return date_at(key)
    if kind is FeelDateTime:
        date = date_at(key // (DAY_S * NANO))
        time = time_at(key % (DAY_S * NANO), None if has_no_zone else 0)
        return None if date is None else FeelDateTime(date, time)
    return kind(key)


def _accepts(test: UnaryTests, value: object) -> bool:
    return test.run(Run(), _NO_SCOPE, value) is True
