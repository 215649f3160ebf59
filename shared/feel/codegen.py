"""From a syntax tree to a Python code object that can do nothing but call this package.

The generated code holds no attribute access, no import, no subscript of anything but its own
constants, and no name except those in `runtime.GLOBALS`, its parameters and FEEL's own variables
(`v1`, `v2`, …). Its parameters: `s` the Run, `c` the scope that answers names, `q` the value under
test, `k` the constants.
"""

from __future__ import annotations

import ast
from types import FunctionType
from typing import TYPE_CHECKING

from . import pyast
from .arithmetic import negate
from .budget import Run
from .builtins import BUILTINS
from .errors import FeelSyntaxError
from .runtime import GLOBALS
from .suggestions import unknown_function
from .variables import Variables

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from .names import KnownNames
    from .syntax import Node

_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow"}


class Code:
    """Compiles one syntax tree; `names` are the variables it takes from outside."""

    def __init__(self, known: KnownNames) -> None:
        """Compile with these names known besides the built-in ones."""
        self._known = known
        self._constants: list[object] = []
        self._variables = Variables(known, self._constant)
        self.warnings: list[FeelSyntaxError] = []

    def function(self, tree: Node) -> FunctionType:
        """Return the compiled tree, a function of (s, c, q)."""
        body = self._of(tree)
        code = pyast.code_object(body)
        return FunctionType(code, GLOBALS, "feel", (tuple(self._constants),))

    def _of(self, tree: Node) -> ast.expr:
        return _EMITTERS[tree.kind](self, tree)

    def _all(self, trees: Iterable[Node]) -> list[ast.expr]:
        return [self._of(tree) for tree in trees]

    def _constant(self, value: object) -> ast.expr:
        if value is None or isinstance(value, bool | str):
            return ast.Constant(value)
        self._constants.append(value)
        return ast.Subscript(pyast.name("k"), ast.Constant(len(self._constants) - 1), ast.Load())

    @property
    def names(self) -> frozenset[str]:
        """The variables it takes from outside."""
        return frozenset(self._variables.free)

    # -- leaves ----------------------------------------------------------------------------------

    def literal(self, tree: Node) -> ast.expr:
        """A constant."""
        return self._constant(tree.value)

    def input(self, tree: Node) -> ast.expr:
        """The value under test."""
        return pyast.name("q")

    def name(self, tree: Node) -> ast.expr:
        """A variable: of a loop or function, of a filter's element, or from outside."""
        return self._variables.resolved(str(tree.value))

    # -- operators -------------------------------------------------------------------------------

    def both(self, tree: Node) -> ast.expr:
        """A conjunction; what comes after the first is evaluated only if it matters."""
        first, *others = self._all(tree.parts)
        return pyast.call("all_of", first, *(pyast.function([], other) for other in others))

    def either(self, tree: Node) -> ast.expr:
        """A disjunction."""
        first, *others = self._all(tree.parts)
        return pyast.call("any_of", first, *(pyast.function([], other) for other in others))

    def compare(self, tree: Node) -> ast.expr:
        """A comparison."""
        return pyast.call(str(tree.value), pyast.name("s"), *self._all(tree.parts))

    def between(self, tree: Node) -> ast.expr:
        """Between, both ends included."""
        return pyast.call("between", pyast.name("s"), *self._all(tree.parts))

    def arithmetic(self, tree: Node) -> ast.expr:
        """A sum, difference, product, quotient or power; a long chain takes no stack."""
        chain: list[Node] = []
        while tree.kind == "arithmetic":
            chain.append(tree)
            tree = tree.parts[0]
        result = self._of(tree)
        for link in reversed(chain):
            right = self._of(link.parts[1])
            result = pyast.call(_ARITHMETIC[str(link.value)], pyast.name("s"), result, right)
        return result

    def negate(self, tree: Node) -> ast.expr:
        """A minus; of a number written out it is part of the number."""
        times = 0
        while tree.kind == "negate":
            times += 1
            tree = tree.parts[0]
        if tree.kind == "literal":
            value: object = tree.value
            for _ in range(times):
                value = negate(Run(), value)
            return self._constant(value)
        result = self._of(tree)
        for _ in range(times):
            result = pyast.call("neg", pyast.name("s"), result)
        return result

    def instance_of(self, tree: Node) -> ast.expr:
        """A question for a type."""
        value = self._of(tree.parts[0])
        return pyast.call("is_instance", pyast.name("s"), value, self._constant(tree.value))

    def conditional(self, tree: Node) -> ast.expr:
        """If, then, else: whatever is not true takes the else, which may go on and on."""
        chain: list[tuple[ast.expr, ast.expr]] = []
        while tree.kind == "conditional":
            chain.append((self._of(tree.parts[0]), self._of(tree.parts[1])))
            tree = tree.parts[2]
        result = self._of(tree)
        for condition, yes in reversed(chain):
            result = ast.IfExp(pyast.is_true(condition), yes, result)
        return result

    # -- tests -----------------------------------------------------------------------------------

    def in_test(self, tree: Node) -> ast.expr:
        """`x in test`."""
        return self._with_input(tree.parts[0], lambda: self._test(tree.parts[1], is_plain=True))

    def in_tests(self, tree: Node) -> ast.expr:
        """`x in (test, test)`."""
        return self._with_input(
            tree.parts[0],
            lambda: pyast.call(
                "passes_any", *(self._test(t, is_plain=True) for t in tree.parts[1].parts)
            ),
        )

    def _with_input(self, value: Node, tests: Callable[[], ast.expr]) -> ast.expr:
        """Evaluate a value once and let tests see it as `q`."""
        computed = self._of(value)
        return ast.Call(pyast.function(["q"], tests()), [computed], [])

    def any_test(self, tree: Node) -> ast.expr:
        """Unary tests: one of them passes."""
        tests = [self._test(test) for test in tree.parts[0].parts]
        return tests[0] if len(tests) == 1 else pyast.call("passes_any", *tests)

    def no_test(self, tree: Node) -> ast.expr:
        """Unary tests: none of them passes."""
        return pyast.call("negated", self.any_test(tree))

    def not_in_range(self, tree: Node) -> ast.expr:
        """Unary tests: outside of a range."""
        return pyast.call("negated", self._test(tree.parts[0]))

    def _test(self, tree: Node, *, is_plain: bool = False) -> ast.expr:
        if tree.kind == "compared_test":
            return pyast.call(
                str(tree.value), pyast.name("s"), pyast.name("q"), self._of(tree.parts[0])
            )
        test = self._of(tree)
        if _mentions_input(tree):
            return ast.IfExp(pyast.is_true(test), ast.Constant(True), ast.Constant(False))
        if tree.kind in ("range", "open_range"):
            return pyast.call("within", pyast.name("q"), test)
        # A truth written out is what the input must be; a computed one may stand for itself.
        ask = "contained" if is_plain or tree.kind == "literal" else "tested"
        return pyast.call(ask, pyast.name("s"), pyast.name("q"), test)

    # -- structures ------------------------------------------------------------------------------

    def range(self, tree: Node) -> ast.expr:
        """A range."""
        included = tree.value if isinstance(tree.value, tuple) else (True, True)
        flags = (ast.Constant(bool(flag)) for flag in included)
        return pyast.call("make_range", *self._all(tree.parts), *flags)

    def open_range(self, tree: Node) -> ast.expr:
        """A range with one bound."""
        return pyast.call("open_range", ast.Constant(str(tree.value)), *self._all(tree.parts))

    def list(self, tree: Node) -> ast.expr:
        """A list."""
        return ast.List(self._all(tree.parts), ast.Load())

    def context(self, tree: Node) -> ast.expr:
        """A context; each entry sees those before it."""
        scope: dict[str, str] = {}
        self._variables.enter(scope)
        bound: list[ast.expr] = []
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for entry in tree.parts:
            value, variable = self._of(entry.parts[0]), self._variables.fresh()
            bound.append(ast.NamedExpr(ast.Name(variable, ast.Store()), value))
            scope[str(entry.value)] = variable
            keys.append(ast.Constant(str(entry.value)))
            values.append(pyast.name(variable))
        self._variables.leave()
        made = ast.Tuple([*bound, ast.Dict(keys, values)], ast.Load())
        return ast.Subscript(made, ast.Constant(len(bound)), ast.Load())

    def path(self, tree: Node) -> ast.expr:
        """A property; a chain from an outside variable is walked in one step."""
        names: list[str] = []
        while tree.kind == "path":
            names.insert(0, str(tree.value))
            tree = tree.parts[0]
        first = str(tree.value)
        if tree.kind == "name" and self._variables.is_outside(first):
            self._variables.free.add(first)
            whole = self._constant((first, *names))
            return pyast.call("walked", pyast.name("s"), pyast.name("c"), whole)
        result = self._of(tree)
        for name in names:
            result = pyast.call("property_of", pyast.name("s"), result, ast.Constant(name))
        return result

    def filter(self, tree: Node) -> ast.expr:
        """Elements under a condition, or the one at an index."""
        values, condition = tree.parts
        if _is_number(condition):
            return pyast.call("at_index", self._of(values), self._of(condition))
        source, element = self._of(values), self._variables.fresh()
        self._variables.enter(element)
        body = self._of(condition)
        self._variables.leave()
        weight = ast.Constant(condition.weight)
        return pyast.call(
            "filtered", pyast.name("s"), weight, source, pyast.function([element], body)
        )

    # -- loops -----------------------------------------------------------------------------------

    def _loop(self, tree: Node, *extra: str) -> tuple[ast.expr, ast.expr, ast.expr, bool]:
        variables: list[str] = []
        domains: list[ast.expr] = []
        scope: dict[str, str] = {}
        self._variables.enter(scope)
        for iterator in tree.parts[:-1]:
            ends = self._all(iterator.parts)
            domain = ends[0] if len(ends) == 1 else pyast.call("steps", *ends)
            domains.append(pyast.function(list(variables), domain))
            variables.append(self._variables.fresh())
            scope[str(iterator.value)] = variables[-1]
        uses_extra = bool(extra) and extra[0] not in scope and _mentions(tree.parts[-1], extra[0])
        if uses_extra:
            variables.append(self._variables.fresh())
            scope[extra[0]] = variables[-1]
        body = self._of(tree.parts[-1])
        self._variables.leave()
        weight = ast.Constant(tree.parts[-1].weight)
        return weight, ast.Tuple(domains, ast.Load()), pyast.function(variables, body), uses_extra

    def loop(self, tree: Node) -> ast.expr:
        """For … return; `partial` is the list so far."""
        weight, domains, body, uses_partial = self._loop(tree, "partial")
        return pyast.call(
            "loop", pyast.name("s"), weight, domains, body, ast.Constant(uses_partial)
        )

    def quantified(self, tree: Node) -> ast.expr:
        """Some or every … satisfies."""
        weight, domains, body, _ = self._loop(tree)
        return pyast.call(str(tree.value), pyast.name("s"), weight, domains, body)

    # -- functions -------------------------------------------------------------------------------

    def literal_function(self, tree: Node) -> ast.expr:
        """A function written out."""
        parameters = tree.value if isinstance(tree.value, tuple) else ()
        scope = {name: self._variables.fresh() for name, _ in parameters}
        self._variables.enter(scope)
        body = self._of(tree.parts[0])
        self._variables.leave()
        names = self._constant(tuple(name for name, _ in parameters))
        types = self._constant(tuple(kind for _, kind in parameters))
        return pyast.call("make_function", names, types, pyast.function(list(scope.values()), body))

    def call(self, tree: Node) -> ast.expr:
        """A call of a built-in function, or of a function value."""
        function, *arguments = tree.parts
        names = tree.value if isinstance(tree.value, tuple) else ()
        if function.kind == "name":
            name = str(function.value)
            is_own = self._variables.is_bound(name) or name in self._known.texts
            if name in BUILTINS and not is_own:
                return self._builtin(tree, name, arguments, names)
            if name not in BUILTINS and not is_own:
                raise unknown_function(name, function.at, (*BUILTINS, *self._known.texts))
        values = ast.Tuple(self._all(arguments), ast.Load())
        if function.kind == "name" and str(function.value) in BUILTINS:
            # A variable named like a function (date, count, …) hides it only if it is one itself.
            own, builtin = (
                self._of(function),
                self._builtin(tree, str(function.value), arguments, names),
            )
            lazy = pyast.function([], builtin)
            return pyast.call("call_own", pyast.name("s"), own, values, self._constant(names), lazy)
        return pyast.call(
            "call", pyast.name("s"), self._of(function), values, self._constant(names)
        )

    def _builtin(
        self, tree: Node, name: str, arguments: Sequence[Node], names: tuple[str, ...]
    ) -> ast.expr:
        builtin = BUILTINS[name]
        values = self._all(arguments)
        if names:
            order = builtin.positions(names)
            if order is None:
                return self._never(tree, name)
            values = [ast.Constant(None) if at is None else values[at] for at in order]
        elif not builtin.takes(len(values)):
            return self._never(tree, name)
        tuple_of = ast.Tuple(values, ast.Load())
        return pyast.call("called", pyast.name("s"), self._constant(builtin), tuple_of)

    def _never(self, tree: Node, name: str) -> ast.expr:
        """A call that can only be null; the standard allows it, a warning tells."""
        message = {
            "zh-CN": f"函数 {name} 没有这样的参数，结果恒为 null。",
            "en": f"{name} takes no such arguments; this is always null.",
        }
        self.warnings.append(FeelSyntaxError("arguments", tree.at, message))
        return ast.Constant(None)


_EMITTERS: dict[str, Callable[[Code, Node], ast.expr]] = {
    "literal": Code.literal,
    "input": Code.input,
    "name": Code.name,
    "both": Code.both,
    "either": Code.either,
    "compare": Code.compare,
    "between": Code.between,
    "arithmetic": Code.arithmetic,
    "negate": Code.negate,
    "instance_of": Code.instance_of,
    "conditional": Code.conditional,
    "in_test": Code.in_test,
    "in_tests": Code.in_tests,
    "any_test": Code.any_test,
    "no_test": Code.no_test,
    "not_in_range": Code.not_in_range,
    "range": Code.range,
    "open_range": Code.open_range,
    "list": Code.list,
    "context": Code.context,
    "path": Code.path,
    "filter": Code.filter,
    "loop": Code.loop,
    "quantified": Code.quantified,
    "function": Code.literal_function,
    "call": Code.call,
}


def _is_number(tree: Node) -> bool:
    if tree.kind == "negate":
        return _is_number(tree.parts[0])
    return tree.kind == "literal" and not isinstance(tree.value, bool | str | None)


def _mentions_input(tree: Node) -> bool:
    return any(part.kind == "input" for part in _within(tree))


def _mentions(tree: Node, name: str) -> bool:
    return any(part.kind == "name" and part.value == name for part in _within(tree))


def _within(tree: Node) -> Iterator[Node]:
    waiting = [tree]
    while waiting:
        part = waiting.pop()
        yield part
        waiting += part.parts
