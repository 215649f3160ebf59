"""Which rules of a table match: through an index where cells allow it, one by one elsewhere."""

from __future__ import annotations

from decimal import Overflow
from functools import cached_property
from itertools import compress, islice
from typing import TYPE_CHECKING, TypeAlias

from shared.feel import FeelBudgetExceeded
from shared.feel.codegen.rows import Cell, Rows
from shared.feel.numbers import MAX_NUMBER
from shared.feel.sharing import UNASKED, all_pass

from .cuts import cuts_of
from .index import ColumnIndex

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from shared.feel import Run, UnaryTests
    from shared.feel.codegen.rows import Row

    from .cuts import Cuts
    from .frame import Variables
    from .table import Rule

    #: A cell to be asked: its column, its compiled test, and where its answer is kept, -1 for not.
    Asked: TypeAlias = tuple[int, UnaryTests, int]

#: Rules of a stretch. The bits of all stretches of an index together grow with the square of
#: this, and only in proportion to the number of stretches.
STRETCH = 1024
#: Fewer rules with cells to be asked are not worth a function of their own.
ROWS = 24
_FEW = 12
_TRUTHS = bytes.maketrans(b"01", b"\0\1")


class Matcher:
    """Finds the matching rules of a table."""

    def __init__(self, rules: Sequence[Rule]) -> None:
        """Look at every cell once; cells of the same text are one."""
        known: dict[UnaryTests, Cuts | None] = {}
        for rule in rules:
            for _, test in rule.tests:
                if test not in known:
                    known[test] = cuts_of(test)
        slots = _slots(rules, known)
        self._count = len(slots)
        self._stretches = [
            _Stretch(rules[at : at + STRETCH], known, slots) for at in range(0, len(rules), STRETCH)
        ]

    def certain(self, values: Sequence[object], only_first: bool) -> list[Rule] | None:
        """Return the matching rules, None when the index alone cannot tell."""
        if len(self._stretches) == 1:
            return self._stretches[0].certain(values, only_first)
        matched: list[Rule] = []
        for stretch in self._stretches:
            found = stretch.certain(values, only_first)
            if found is None:
                return None
            matched += found
            if matched and only_first:
                break
        return matched

    def matched(
        self, run: Run, scope: Variables, values: Sequence[object], only_first: bool
    ) -> list[Rule]:
        """Return the rules that match the inputs, in their order, or the first of them alone."""
        answers: list[object] = [UNASKED] * self._count
        matched: list[Rule] = []
        try:
            for stretch in self._stretches:
                found = stretch.certain(values, only_first)
                if found is None:
                    found = stretch.asked(run, scope, values, answers, only_first)
                matched += found
                if matched and only_first:
                    break
        except RecursionError as error:
            raise FeelBudgetExceeded("depth", "stack") from error
        except Overflow as error:
            raise FeelBudgetExceeded("number", MAX_NUMBER) from error
        return matched


def _slots(
    rules: Sequence[Rule], known: dict[UnaryTests, Cuts | None]
) -> dict[tuple[int, UnaryTests], int]:
    """Return a number for each cell that a column has more than once and no index answers."""
    seen: set[tuple[int, UnaryTests]] = set()
    slots: dict[tuple[int, UnaryTests], int] = {}
    for rule in rules:
        for cell in rule.tests:
            if known[cell[1]] is not None:
                continue
            if cell in seen:
                slots.setdefault(cell, len(slots))
            seen.add(cell)
    return slots


class _Stretch:
    """Some rules of a table that follow one another."""

    def __init__(
        self,
        rules: Sequence[Rule],
        known: dict[UnaryTests, Cuts | None],
        slots: dict[tuple[int, UnaryTests], int],
    ) -> None:
        self._rules = tuple(rules)
        self._all = (1 << len(self._rules)) - 1
        cells: dict[int, dict[int, Cuts]] = {}
        #: By rule: the cells no index answers for.
        self._open: list[tuple[Asked, ...]] = []
        for at, rule in enumerate(rules):
            left: list[Asked] = []
            for column, test in rule.tests:
                cuts = known[test]
                if cuts is None:
                    left.append((column, test, slots.get((column, test), -1)))
                else:
                    cells.setdefault(column, {})[at] = cuts
            self._open.append(tuple(left))
        self._undecided = sum(1 << at for at, left in enumerate(self._open) if left)
        self._columns = [
            (column, ColumnIndex([by_rule.get(at) for at in range(len(rules))]))
            for column, by_rule in sorted(cells.items())
        ]

    @cached_property
    def _whole(self) -> list[tuple[Asked, ...]]:
        """By rule: all cells, for inputs of a kind an index does not know."""
        return [tuple((column, test, -1) for column, test in rule.tests) for rule in self._rules]

    @cached_property
    def _rows(self) -> Rows | None:
        """The cells no index answers for as one function, made when they are first asked."""
        if self._undecided.bit_count() < ROWS:
            return None
        return Rows(
            [
                [
                    Cell(column, test.function, at, test.tree, test.known)
                    for column, test, at in left
                ]
                for left in self._open
            ]
        )

    def _possible(self, values: Sequence[object]) -> int:
        """Return the rules whose indexed cells accept the inputs; -1 for a kind unknown to it."""
        possible = self._all
        for column, index in self._columns:
            found = index.rules_for(values[column])
            if found is None:
                return -1
            possible &= found
        return possible

    def certain(self, values: Sequence[object], only_first: bool) -> list[Rule] | None:
        """Return the rules that match (or the first alone), None when a cell must be asked."""
        possible = self._possible(values)
        if only_first and possible > 0:
            possible &= -possible
        if possible < 0 or possible & self._undecided:
            return None
        if not possible & (possible - 1):
            return [self._rules[possible.bit_length() - 1]] if possible else []
        return [self._rules[at] for at in _places(possible)]

    def asked(
        self,
        run: Run,
        scope: Variables,
        values: Sequence[object],
        answers: list[object],
        only_first: bool,
    ) -> list[Rule]:
        """Ask the cells of every possible rule, one after the other."""
        possible, left, rows = self._possible(values), self._open, self._rows
        if possible < 0:
            possible, left, rows = self._all, self._whole, None
        run.charge(possible.bit_count())
        if rows is None:
            found = _passing(left, possible, run, scope, values, answers)
        else:
            chosen = rows.rows if possible == self._all else _chosen(rows.rows, possible)
            found = rows.passing(run, scope, chosen, values, answers)
        if only_first:
            found = islice(found, 1)
        return [self._rules[at] for at in found]


def _passing(
    left: Sequence[tuple[Asked, ...]],
    possible: int,
    run: Run,
    scope: Variables,
    values: Sequence[object],
    answers: list[object],
) -> Iterator[int]:
    for at in _places(possible):
        cells = [(column, test.function, place) for column, test, place in left[at]]
        if all_pass(run, scope, values, answers, cells):
            yield at


def _chosen(rows: Sequence[Row], bits: int) -> Iterable[Row]:
    """Return the rows whose bits are set, the lowest first."""
    if bits.bit_count() > _FEW:
        return compress(rows, _truths(bits))
    return [rows[at] for at in _places(bits)]


def _places(bits: int) -> Iterable[int]:
    """Return which bits are set, the lowest first."""
    if bits.bit_count() > _FEW:
        truths = _truths(bits)
        return compress(range(len(truths)), truths)
    found = []
    while bits:
        lowest = bits & -bits
        found.append(lowest.bit_length() - 1)
        bits ^= lowest
    return found


def _truths(bits: int) -> bytes:
    """Return a byte for each bit, the lowest first."""
    return bin(bits)[:1:-1].encode().translate(_TRUTHS)
