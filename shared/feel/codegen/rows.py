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
from collections import Counter
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
        shaped = [_Rule(rule) for rule in rules]
        counts = Counter(rule.key for rule in shaped if rule.key is not None)
        numbers = {key: at for at, (key, _) in enumerate(counts.most_common(_MAX_SHAPES))}
        examples = {rule.key: rule for rule in shaped if rule.key in numbers}
        #: By rule.
        self.rows: list[Row] = []
        for at, (rule, cells) in enumerate(zip(shaped, rules, strict=True)):
            number = -1 if rule.key is None else numbers.get(rule.key, -1)
            asked = tuple((cell.column, cell.function, cell.place) for cell in cells)
            self.rows.append((number, at, asked if number < 0 else rule.constants))
        code = _RowsCode(self._columns)
        has_rare = any(number < 0 for number, _, _ in self.rows)
        self._function = code.rows_function([examples[key] for key in numbers], has_rare=has_rare)

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
        self.known = next(iter(known.values()), KnownNames(()))
        constants: list[object] = []
        keys: list[Key] = []
        #: By cell: its column and shape, and the slot of the place its answer is kept at.
        self.cells: list[tuple[int, Shape, int]] = []
        for cell in cells:
            place = -1
            if cell.place >= 0:
                place = len(constants)
                constants.append(cell.place)
            shape = Shape(cell.tree, self.known.texts, len(constants))
            constants += shape.constants
            self.cells.append((cell.column, shape, place))
            keys.append((cell.column, place >= 0, shape.key))
        self.key: Key | None = (self.known.texts, *keys) if len(known) < 2 else None
        self.constants = tuple(constants)


class _RowsCode(Code):
    """Compiles the cells of all shapes into one function."""

    def __init__(self, columns: Sequence[int]) -> None:
        super().__init__(KnownNames(()))
        self._columns = columns
        self._beginning: dict[str, ast.expr] = {}
        self._lasting: dict[object, int] = {}

    def rows_function(self, shapes: Sequence[_Rule], *, has_rare: bool) -> FunctionType:
        """Return the function: of run, scope, rows, values, answers and the inputs."""
        branches = [self._branch(shape) for shape in shapes]
        if has_rare:
            asked = pyast.call("all_pass", *map(pyast.name, ("s", "c", "x", "a", "p")))
            branches.insert(0, [ast.If(asked, [_yield()], [])])
        chosen = _choice(branches, -1 if has_rare else 0)
        row = ast.Tuple([ast.Name(name, ast.Store()) for name in ("n", "at", "p")], ast.Store())
        through = ast.For(row, pyast.name("r"), chosen, [])
        beginning = [pyast.assigned(name, value) for name, value in self._beginning.items()]
        parameters = ["s", "c", "r", "x", "a", *map(_input_name, self._columns), "k"]
        code = pyast.generator_code(parameters, [*beginning, through])
        return FunctionType(code, GLOBALS, "feel", (tuple(self.constants),))

    def _branch(self, shape: _Rule) -> list[ast.stmt]:
        """Return what is done with a row of a shape."""
        self.know(shape.known)
        tests = [self._cell(*cell) for cell in shape.cells]
        passes = (
            ast.BoolOp(ast.And(), tests) if len(tests) > 1 else (tests or [ast.Constant(True)])[0]
        )
        done: list[ast.stmt] = [ast.If(passes, [_yield()], [])]
        if shape.constants:
            slots: list[ast.expr] = [
                ast.Name(f"p{at}", ast.Store()) for at in range(len(shape.constants))
            ]
            done.insert(0, ast.Assign([ast.Tuple(slots, ast.Store())], pyast.name("p")))
        return done

    def _cell(self, column: int, shape: Shape, place: int) -> ast.expr:
        self.input_name = _input_name(column)
        answer = self.of(shape.tree)
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
        return self.variables.is_outermost and not any(
            isinstance(part.value, Slot) for part in within(tree)
        )

    def has_type(self, operand: Operand, kinds: frozenset[type]) -> ast.expr:
        """Return the question for a type; of an input it is asked once."""
        asked = super().has_type(operand, kinds)
        is_input = isinstance(operand.first, ast.Name) and operand.first.id == self.input_name
        if self._nested or not is_input or len(kinds) > 1:
            return asked
        (kind,) = kinds
        name = f"{self.input_name}_{kind.__name__}"
        self._beginning[name] = asked
        return pyast.name(name)


def _input_name(column: int) -> str:
    return f"q{column}"


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
    return (tree.kind, type(tree.value), tree.value, *map(_same, tree.parts))
