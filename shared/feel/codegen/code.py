"""What the code of all constructs shares: constants, variables, the input, and operands.

The generated code holds no attribute access, no import, no subscript of anything but what it is
given, and no name except those in `runtime.GLOBALS`, its parameters and numbered variables (`v1`,
`v2`, …). Parameters of an expression: `s` the Run, `c` the scope that answers names, `q` the value
under test, `k` the constants.
"""

from __future__ import annotations

import ast
from decimal import Decimal
from types import FunctionType
from typing import TYPE_CHECKING

from shared.feel import pyast
from shared.feel.runtime import GLOBALS
from shared.feel.variables import Variables

from . import calls, loops, operators, structures, tests
from .operands import Operand, Slot, literal_type

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shared.feel.errors import FeelSyntaxError
    from shared.feel.names import KnownNames
    from shared.feel.syntax import Node

    Emitter = Callable[["Code", Node], ast.expr]

_EMITTERS: dict[str, Emitter] = {
    **structures.EMITTERS,
    **operators.EMITTERS,
    **tests.EMITTERS,
    **loops.EMITTERS,
    **calls.EMITTERS,
}
#: Higher trees call functions for every operation: Python's compiler nests only so deep.
_MAX_HEIGHT = 40
_TYPE_NAMES: dict[type, str] = {str: "str", Decimal: "number", bool: "bool"}


class Code:
    """Compiles one syntax tree; `names` are the variables it takes from outside."""

    def __init__(self, known: KnownNames, *, is_inlined: bool = True) -> None:
        """Compile with these names known besides the built-in ones.

        `is_inlined` answers frequent operations on texts and numbers without a call; the answers
        are the same.
        """
        self.constants: list[object] = []
        self.know(known)
        self.warnings: list[FeelSyntaxError] = []
        self.input_name = "q"
        self._is_inlined = is_inlined
        #: How many functions within the whole stand around what is compiled now.
        self._nested = 0

    def know(self, known: KnownNames) -> None:
        """Take what follows as a text over these names."""
        self.known = known
        self.variables = Variables(known, self.constant)

    def function(self, tree: Node) -> FunctionType:
        """Return the compiled tree, a function of (s, c, q)."""
        body = self.of(tree)
        code = pyast.code_object(body)
        return FunctionType(code, GLOBALS, "feel", (tuple(self.constants),))

    @property
    def names(self) -> frozenset[str]:
        """The variables it takes from outside."""
        return frozenset(self.variables.free)

    # -- parts -----------------------------------------------------------------------------------

    def of(self, tree: Node) -> ast.expr:
        """Return the code of a part."""
        return _EMITTERS[tree.kind](self, tree)

    def all(self, trees: Iterable[Node]) -> list[ast.expr]:
        """Return the code of several parts."""
        return [self.of(tree) for tree in trees]

    def constant(self, value: object) -> ast.expr:
        """Return the code of a value known now."""
        if isinstance(value, Slot):
            return pyast.name(f"p{value.number}")
        if value is None or isinstance(value, bool | str):
            return ast.Constant(value)
        self.constants.append(value)
        return ast.Subscript(pyast.name("k"), ast.Constant(len(self.constants) - 1), ast.Load())

    def input(self) -> ast.expr:
        """Return the code of the value under test."""
        return pyast.name(self.input_name)

    def nested(self, parameters: Sequence[str], body: Callable[[], ast.expr]) -> ast.expr:
        """Return a function within the whole."""
        self._nested += 1
        made = pyast.function(parameters, body())
        self._nested -= 1
        return made

    def with_input(self, tree: Node, tests: Callable[[], ast.expr]) -> ast.expr:
        """Evaluate the first part of `tree` and let tests see it as the value under test."""
        value, outer = self.of(tree.parts[0]), self.input_name
        if not self.is_inlined(tree):
            self.input_name = "q"
            made: ast.expr = ast.Call(self.nested(["q"], tests), [value], [])
        else:
            self.input_name = self.variables.fresh()
            bound = ast.NamedExpr(ast.Name(self.input_name, ast.Store()), value)
            both = ast.Tuple([bound, tests()], ast.Load())
            made = ast.Subscript(both, ast.Constant(1), ast.Load())
        self.input_name = outer
        return made

    # -- operands --------------------------------------------------------------------------------

    def is_inlined(self, tree: Node) -> bool:
        """Return whether an operation is written out for the kinds of value it mostly has."""
        return self._is_inlined and tree.height <= _MAX_HEIGHT

    def operand(self, tree: Node) -> Operand:
        """Return a part, prepared to be looked at and then used."""
        code, kind = self.of(tree), literal_type(tree)
        if isinstance(code, ast.Name | ast.Constant | ast.Subscript):
            return Operand(code, code, kind, is_light=True)
        variable = self.variables.fresh()
        first = ast.NamedExpr(ast.Name(variable, ast.Store()), code)
        return Operand(first, pyast.name(variable), kind, is_light=False)

    def input_operand(self) -> Operand:
        """Return the value under test."""
        return Operand(self.input(), self.input(), None, is_light=True)

    def has_type(self, operand: Operand, kinds: frozenset[type]) -> ast.expr:
        """Return the question whether an operand is of one of these types."""
        asked = pyast.call("type", operand.first)
        if len(kinds) == 1:
            (kind,) = kinds
            name = _TYPE_NAMES.get(kind)
            wanted = self.constant(kind) if name is None else pyast.name(name)
            return ast.Compare(asked, [ast.Is()], [wanted])
        return ast.Compare(asked, [ast.In()], [self.constant(kinds)])

    def chosen(
        self,
        operands: Sequence[tuple[Operand, frozenset[type] | None]],
        fast: ast.expr,
        slow: ast.expr,
    ) -> ast.expr | None:
        """Return `fast` where every operand is of its types (None: of any), else `slow`.

        Both use the operands' `again`. None where that would not evaluate each operand once, in
        its turn.
        """
        checks = [
            (operand, self.has_type(operand, kinds))
            for operand, kinds in operands
            if kinds is not None and operand.kind not in kinds
        ]
        asked = [operand for operand, _ in checks]
        heavy = [operand for operand, _ in operands if not operand.is_light]
        if not {id(operand) for operand in heavy} <= {id(operand) for operand in asked}:
            return None
        if not checks:
            return fast
        # One that evaluates something comes before those that do not; several are all asked.
        if len(heavy) < 2:
            checks.sort(key=lambda check: check[0].is_light)
        test = checks[0][1]
        for _, check in checks[1:]:
            if len(heavy) < 2:
                test = ast.BoolOp(ast.And(), [test, check])
            else:
                test = ast.BinOp(test, ast.BitAnd(), check)
        return ast.IfExp(test, fast, slow)
