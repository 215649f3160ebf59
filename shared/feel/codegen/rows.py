"""One function for the cells of many rules, that yields the rules all of whose cells pass.

Rules whose cells are of the same shapes share one piece of code, which their constants are handed
to. A part of a cell that is the same for all of them (a variable, `string length(?)`) is evaluated
when it is first asked for, and what that cost is charged again for every further use. Otherwise
the cells are evaluated as one after the other would be: rule by rule, up to the first that does
not pass.

Parameters of the code: `s` the Run, `c` the scope, `r` the rows to go through, `a` answers of
cells that occur several times, `k` the constants, and the input of each column that has cells.
A row is the number of its code, what it yields, and its constants.
"""

from __future__ import annotations

import ast
from decimal import Decimal
from functools import partial
from types import FunctionType
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

from shared.feel import pyast
from shared.feel.names import KnownNames
from shared.feel.runtime import GLOBALS

from .code import Code
from .operands import Slot
from .shapes import Shape
from .tests import mentions_input, within

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from shared.feel.budget import Run
    from shared.feel.syntax import Node

    from .operands import Operand
    from .shapes import Key

    #: A row of the function: number of its code, what it yields, its constants.
    Row: TypeAlias = tuple[int, int, tuple[object, ...]]

#: Rules of rarer shapes are asked cell by cell: each shape takes about a millisecond to compile.
_MAX_SHAPES = 32
#: What is worth remembering when all rules have it in common.
_LASTING = frozenset({"name", "path", "call", "arithmetic", "negate", "filter", "conditional",
                      "both", "either", "compare", "between", "in_test", "in_tests",
                      "quantified", "loop"})  # fmt: skip


class Cell(NamedTuple):
    """A cell: its column, its own function, and what that was compiled from.

    `place` is where its answer is kept because the column has it several times, -1 for not.
    """

    column: int
    function: Callable[..., object]
    place: int
    tree: Node
    known: KnownNames


class Rows:
    """The rules of a stretch as rows, and the function that goes through them."""

    def __init__(self, rules: Sequence[Sequence[Cell]]) -> None:
        """Take what is to be asked of each rule."""
        self._columns = sorted({cell.column for rule in rules for cell in rule})
        taken = [_Rule(rule) for rule in rules]
        by_key: dict[Key, list[_Rule]] = {}
        for rule in taken:
            if rule.key is not None:
                by_key.setdefault(rule.key, []).append(rule)
        frequent = sorted(by_key.values(), key=len, reverse=True)[:_MAX_SHAPES]
        shapes = [_RuleShape(alike) for alike in frequent]
        numbers = {alike[0].key: number for number, alike in enumerate(frequent)}
        #: By rule.
        self.rows: list[Row] = []
        for at, rule in enumerate(taken):
            number = -1 if rule.key is None else numbers.get(rule.key, -1)
            own = rule.asked() if number < 0 else shapes[number].own(rule.constants)
            self.rows.append((number, at, own))
        has_rare = any(number < 0 for number, _, _ in self.rows)
        self._function = _RowsCode(self._columns).rows_function(shapes, has_rare=has_rare)

    def passing(
        self,
        run: Run,
        scope: object,
        rows: Iterable[Row],
        values: Sequence[object],
        answers: list[object],
    ) -> Iterator[int]:
        """Yield the rules among `rows` whose cells all pass; `values` are the inputs by column."""
        inputs = [values[column] for column in self._columns]
        found: Iterator[int] = self._function(run, scope, rows, values, answers, *inputs)
        return found


class _Rule:
    """A rule's cells taken apart.

    `key` is None when its cells know different names, so that they are asked one by one.
    """

    def __init__(self, cells: Sequence[Cell]) -> None:
        known = {cell.known.texts: cell.known for cell in cells if cell.known.texts}
        self.cells = cells
        self.known = next(iter(known.values()), KnownNames(()))
        self.shapes = [Shape(cell.tree, self.known.texts) for cell in cells]
        kept = [cell.place for cell in cells if cell.place >= 0]
        #: The places of answers that are kept, then the constants of the cells, one by one.
        self.constants = (*kept, *(value for shape in self.shapes for value in shape.constants))
        keys = [(c.column, c.place >= 0, s.key) for c, s in zip(cells, self.shapes, strict=True)]
        self.key: Key | None = (self.known.texts, *keys) if len(known) < 2 else None

    def asked(self) -> tuple[object, ...]:
        """Return what it takes to ask the cells one by one."""
        return tuple((cell.column, cell.function, cell.place) for cell in self.cells)


class _RuleShape:
    """What rules of one shape have in common; constants that are the same in all belong to it."""

    def __init__(self, rules: Sequence[_Rule]) -> None:
        first = rules[0]
        self.known = first.known
        at, kept = 0, sum(cell.place >= 0 for cell in first.cells)
        columns = list(zip(*(rule.constants for rule in rules), strict=True))
        self._own = [n for n, values in enumerate(columns) if n < kept or not _are_same(values)]
        slots = {n: Slot(number, type(columns[n][0])) for number, n in enumerate(self._own)}
        given = [slots.get(n, values[0]) for n, values in enumerate(columns)]
        #: By cell: its column, its tree, and the slot of the place its answer is kept at, or -1.
        self.cells: list[tuple[int, Node, int]] = []
        places = iter(range(kept))
        for cell, shape in zip(first.cells, first.shapes, strict=True):
            at, begin = at + len(shape.constants), at
            tree = shape.tree(given[kept + begin : kept + at])
            self.cells.append((cell.column, tree, next(places) if cell.place >= 0 else -1))

    @property
    def count(self) -> int:
        """How many constants a row has."""
        return len(self._own)

    def own(self, constants: Sequence[object]) -> tuple[object, ...]:
        """Return the constants of a rule which others do not have."""
        return tuple([constants[at] for at in self._own])


def _are_same(values: Sequence[object]) -> bool:
    """Return whether values are one and the same; 1.0 and 1 are two."""
    first = values[0]
    return isinstance(first, str | Decimal) and all(
        value == first and str(value) == str(first) for value in values
    )


class _RowsCode(Code):
    """Compiles the cells of all shapes into one function."""

    def __init__(self, columns: Sequence[int]) -> None:
        super().__init__(KnownNames(()))
        self._inputs = [f"q{column}" for column in columns]
        self._beginning: dict[str, ast.expr] = {}
        self._lasting: dict[object, int] = {}

    def rows_function(self, shapes: Sequence[_RuleShape], *, has_rare: bool) -> FunctionType:
        """Return the function: of run, scope, rows, values, answers and the inputs."""
        branches = [self._branch(shape) for shape in shapes]
        if has_rare:
            asked = pyast.call("all_pass", *map(pyast.name, ("s", "c", "x", "a", "p")))
            branches.insert(0, [ast.If(asked, [_yield()], [])])
        chosen = _choice(branches, -1 if has_rare else 0)
        row = ast.Tuple([ast.Name(name, ast.Store()) for name in ("n", "at", "p")], ast.Store())
        through = ast.For(row, pyast.name("r"), chosen, [])
        beginning = [pyast.assigned(name, value) for name, value in self._beginning.items()]
        parameters = ["s", "c", "r", "x", "a", *self._inputs, "k"]
        code = pyast.generator_code(parameters, [*beginning, through])
        return FunctionType(code, GLOBALS, "feel", (tuple(self.constants),))

    def _branch(self, shape: _RuleShape) -> list[ast.stmt]:
        """Return what is done with a row of a shape."""
        self.know(shape.known)
        tests = [self._cell(*cell) for cell in shape.cells]
        passes = (
            ast.BoolOp(ast.And(), tests) if len(tests) > 1 else (tests or [ast.Constant(True)])[0]
        )
        done: list[ast.stmt] = [ast.If(passes, [_yield()], [])]
        if shape.count:
            slots: list[ast.expr] = [ast.Name(f"p{at}", ast.Store()) for at in range(shape.count)]
            done.insert(0, ast.Assign([ast.Tuple(slots, ast.Store())], pyast.name("p")))
        return done

    def _cell(self, column: int, tree: Node, place: int) -> ast.expr:
        self.input_name = f"q{column}"
        answer = self.of(tree)
        if place >= 0:
            slot = pyast.name(f"p{place}")
            known = ast.Subscript(pyast.name("a"), slot, ast.Load())
            kept = pyast.call("keep", pyast.name("a"), slot, answer)
            answer = ast.IfExp(_is_unasked(known), kept, known)
        return pyast.is_(answer, True)

    def of(self, tree: Node) -> ast.expr:
        """Return the code of a part, remembered if it is the same for all rows."""
        if self._nested or tree.kind not in _LASTING or not self._is_lasting(tree):
            return super().of(tree)
        key = (self.known.texts, self.input_name if mentions_input(tree) else "", _same(tree))
        number = self._lasting.setdefault(key, len(self._lasting))
        value, is_free = f"m{number}", f"f{number}"
        self._beginning[value] = pyast.name("unasked")
        if tree.kind == "name":
            found = ast.NamedExpr(ast.Name(value, ast.Store()), super().of(tree))
            return ast.IfExp(_is_unasked(pyast.name(value)), found, pyast.name(value))
        self._beginning[is_free] = ast.Constant(False)
        evaluated = self.nested([], partial(super().of, tree))
        remembered = ast.NamedExpr(
            ast.Name(value, ast.Store()), pyast.call("remember", pyast.name("s"), evaluated)
        )
        kind = ast.Compare(pyast.call("type", remembered), [ast.IsNot()], [pyast.name("Paid")])
        paid = pyast.call("pay", pyast.name("s"), pyast.name(value))
        first = ast.IfExp(
            ast.NamedExpr(ast.Name(is_free, ast.Store()), kind), pyast.name(value), paid
        )
        later = ast.IfExp(_is_unasked(pyast.name(value)), first, paid)
        return ast.IfExp(pyast.name(is_free), pyast.name(value), later)

    def _is_lasting(self, tree: Node) -> bool:
        if not self.variables.is_outermost or any(
            isinstance(part.value, Slot) for part in within(tree)
        ):
            return False
        return self.input_name in self._inputs or not mentions_input(tree)

    def has_type(self, operand: Operand, kinds: frozenset[type]) -> ast.expr:
        """Return the question for a type; of an input it is asked once."""
        asked = super().has_type(operand, kinds)
        value = operand.first.id if isinstance(operand.first, ast.Name) else ""
        if self._nested or value not in self._inputs or len(kinds) > 1:
            return asked
        (kind,) = kinds
        name = f"{value}_{kind.__name__}"
        self._beginning[name] = asked
        return pyast.name(name)


def _is_unasked(value: ast.expr) -> ast.expr:
    return ast.Compare(value, [ast.Is()], [pyast.name("unasked")])


def _yield() -> ast.stmt:
    return ast.Expr(ast.Yield(pyast.name("at")))


def _choice(branches: Sequence[list[ast.stmt]], first: int) -> list[ast.stmt]:
    """Return a choice among branches by `n`, which counts them from `first`."""
    if len(branches) < 2:
        return branches[0] if branches else [ast.Pass()]
    half = len(branches) // 2
    is_lower = ast.Compare(pyast.name("n"), [ast.Lt()], [ast.Constant(first + half)])
    lower, upper = _choice(branches[:half], first), _choice(branches[half:], first + half)
    return [ast.If(is_lower, lower, upper)]


def _same(tree: Node) -> Key:
    """Return what two parts that mean the same have in common."""
    return (tree.kind, type(tree.value), repr(tree.value), *map(_same, tree.parts))
