"""From a syntax tree to a Python code object that can do nothing but call this package.

The generated code holds no attribute access, no import, no subscript of anything but its own
constants, and no name except those in `_GLOBALS`, its parameters and FEEL's own variables (`v0`,
`v1`, …). Its parameters: `s` the Run, `c` the scope that answers names, `q` the value tested, `k`
the constants.
"""

from __future__ import annotations

import ast
from types import CodeType, FunctionType
from typing import TYPE_CHECKING, TypeAlias

from . import arithmetic, operations
from .budget import Run
from .builtins import BUILTINS
from .errors import FeelSyntaxError
from .properties import property_of
from .suggestions import unknown_function

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from .names import KnownNames
    from .syntax import Node

#: All that generated code can reach.
_GLOBALS: dict[str, object] = {
    "__builtins__": {},
    "add": arithmetic.add,
    "sub": arithmetic.subtract,
    "mul": arithmetic.multiply,
    "div": arithmetic.divide,
    "pow": arithmetic.raise_to,
    "neg": arithmetic.negate,
    "all_of": operations.all_of,
    "any_of": operations.any_of,
    **operations.COMPARISONS,
    "between": operations.between,
    "contained": operations.contained,
    "tested": operations.tested,
    "within": operations.within,
    "passes_any": operations.passes_any,
    "negated": operations.negated,
    "make_range": operations.make_range,
    "open_range": operations.open_range,
    "is_instance": operations.is_instance,
    "loop": operations.loop,
    "some": operations.some,
    "every": operations.every,
    "steps": operations.steps,
    "at_index": operations.at_index,
    "filtered": operations.filtered,
    "has_entry": operations.has_entry,
    "entry": operations.entry,
    "make_function": operations.make_function,
    "call": operations.call,
    "property_of": property_of,
    "looked_up": lambda scope, name: scope.get(name),
    "walked": lambda run, scope, names: scope.walk(run, names),
    "looked_up_or": lambda scope, name, default: scope.get(name, default),
    "called": lambda run, builtin, arguments: builtin(run, arguments),
}
_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow"}

#: One level of names: FEEL names to Python ones, or the one variable of a filter's element.
_Scope: TypeAlias = "dict[str, str] | str"


class Code:
    """Compiles one syntax tree; `names` are the variables it takes from outside."""

    def __init__(self, known: KnownNames) -> None:
        """Compile with these names known besides the built-in ones."""
        self._known = known
        self._scopes: list[_Scope] = []
        self._constants: list[object] = []
        self._count = 0
        self.names: set[str] = set()
        self.warnings: list[FeelSyntaxError] = []

    def function(self, tree: Node) -> FunctionType:
        """Return the compiled tree, a function of (s, c, q)."""
        body = self._of(tree)
        code = _code_object(body)
        return FunctionType(code, _GLOBALS, "feel", (tuple(self._constants),))

    def _of(self, tree: Node) -> ast.expr:
        return _EMITTERS[tree.kind](self, tree)

    def _all(self, trees: Iterable[Node]) -> list[ast.expr]:
        return [self._of(tree) for tree in trees]

    def _constant(self, value: object) -> ast.expr:
        if value is None or isinstance(value, bool | str):
            return ast.Constant(value)
        self._constants.append(value)
        return ast.Subscript(_name("k"), ast.Constant(len(self._constants) - 1), ast.Load())

    def _variable(self) -> str:
        self._count += 1
        return f"v{self._count}"

    # -- leaves ----------------------------------------------------------------------------------

    def literal(self, tree: Node) -> ast.expr:
        """A constant."""
        return self._constant(tree.value)

    def input(self, tree: Node) -> ast.expr:
        """The value under test."""
        return _name("q")

    def name(self, tree: Node) -> ast.expr:
        """A variable: of a loop or function, of a filter's element, or from outside."""
        return self._resolved(str(tree.value), len(self._scopes))

    def _resolved(self, name: str, level: int) -> ast.expr:
        for at in range(level - 1, -1, -1):
            scope = self._scopes[at]
            if isinstance(scope, str):
                return self._of_element(scope, name, at)
            if name in scope:
                return _name(scope[name])
        return self._free(name)

    def _of_element(self, element: str, name: str, level: int) -> ast.expr:
        if name == "item":
            return _name(element)
        key = ast.Constant(name)
        return ast.IfExp(
            test=_call("has_entry", _name(element), key),
            body=_call("entry", _name(element), key),
            orelse=self._resolved(name, level),
        )

    def _free(self, name: str) -> ast.expr:
        builtin = BUILTINS.get(name)
        if builtin is None:
            self.names.add(name)
            return _call("looked_up", _name("c"), ast.Constant(name))
        default = self._constant(builtin.as_function())
        return _call("looked_up_or", _name("c"), ast.Constant(name), default)

    def _is_variable(self, name: str) -> bool:
        return any(isinstance(scope, dict) and name in scope for scope in self._scopes)

    def _is_local(self, name: str) -> bool:
        """Whether a name may mean something within the expression: in a filter, any may."""
        return self._is_variable(name) or any(isinstance(scope, str) for scope in self._scopes)

    # -- operators -------------------------------------------------------------------------------

    def both(self, tree: Node) -> ast.expr:
        """A conjunction; what comes after the first is evaluated only if it matters."""
        first, *others = self._all(tree.parts)
        return _call("all_of", first, *(_lambda([], other) for other in others))

    def either(self, tree: Node) -> ast.expr:
        """A disjunction."""
        first, *others = self._all(tree.parts)
        return _call("any_of", first, *(_lambda([], other) for other in others))

    def compare(self, tree: Node) -> ast.expr:
        """A comparison."""
        return _call(str(tree.value), _name("s"), *self._all(tree.parts))

    def between(self, tree: Node) -> ast.expr:
        """Between, both ends included."""
        return _call("between", _name("s"), *self._all(tree.parts))

    def arithmetic(self, tree: Node) -> ast.expr:
        """A sum, difference, product, quotient or power."""
        return _call(_ARITHMETIC[str(tree.value)], _name("s"), *self._all(tree.parts))

    def negate(self, tree: Node) -> ast.expr:
        """A minus; of a number written out it is part of the number."""
        if tree.parts[0].kind == "literal":
            return self._constant(arithmetic.negate(Run(), tree.parts[0].value))
        return _call("neg", _name("s"), *self._all(tree.parts))

    def instance_of(self, tree: Node) -> ast.expr:
        """A question for a type."""
        value = self._of(tree.parts[0])
        return _call("is_instance", _name("s"), value, self._constant(tree.value))

    def conditional(self, tree: Node) -> ast.expr:
        """If, then, else: whatever is not true takes the else."""
        condition, yes, no = self._all(tree.parts)
        return ast.IfExp(_is_true(condition), yes, no)

    # -- tests -----------------------------------------------------------------------------------

    def in_test(self, tree: Node) -> ast.expr:
        """`x in test`."""
        return self._with_input(tree.parts[0], lambda: self._test(tree.parts[1], is_plain=True))

    def in_tests(self, tree: Node) -> ast.expr:
        """`x in (test, test)`."""
        return self._with_input(
            tree.parts[0],
            lambda: _call(
                "passes_any", *(self._test(t, is_plain=True) for t in tree.parts[1].parts)
            ),
        )

    def _with_input(self, value: Node, tests: Callable[[], ast.expr]) -> ast.expr:
        """Evaluate a value once and let tests see it as `q`."""
        computed = self._of(value)
        return ast.Call(_lambda(["q"], tests()), [computed], [])

    def any_test(self, tree: Node) -> ast.expr:
        """Unary tests: one of them passes."""
        tests = [self._test(test) for test in tree.parts[0].parts]
        return tests[0] if len(tests) == 1 else _call("passes_any", *tests)

    def no_test(self, tree: Node) -> ast.expr:
        """Unary tests: none of them passes."""
        return _call("negated", self.any_test(tree))

    def not_in_range(self, tree: Node) -> ast.expr:
        """Unary tests: outside of a range."""
        return _call("negated", self._test(tree.parts[0]))

    def _test(self, tree: Node, *, is_plain: bool = False) -> ast.expr:
        if tree.kind == "compared_test":
            return _call(str(tree.value), _name("s"), _name("q"), self._of(tree.parts[0]))
        test = self._of(tree)
        if _mentions_input(tree):
            return ast.IfExp(_is_true(test), ast.Constant(True), ast.Constant(False))
        if tree.kind in ("range", "open_range"):
            return _call("within", _name("q"), test)
        return _call("contained" if is_plain else "tested", _name("s"), _name("q"), test)

    # -- structures ------------------------------------------------------------------------------

    def range(self, tree: Node) -> ast.expr:
        """A range."""
        included = tree.value if isinstance(tree.value, tuple) else (True, True)
        flags = (ast.Constant(bool(flag)) for flag in included)
        return _call("make_range", *self._all(tree.parts), *flags)

    def open_range(self, tree: Node) -> ast.expr:
        """A range with one bound."""
        return _call("open_range", ast.Constant(str(tree.value)), *self._all(tree.parts))

    def list(self, tree: Node) -> ast.expr:
        """A list."""
        return ast.List(self._all(tree.parts), ast.Load())

    def context(self, tree: Node) -> ast.expr:
        """A context; each entry sees those before it."""
        scope: dict[str, str] = {}
        self._scopes.append(scope)
        bound: list[ast.expr] = []
        keys: list[ast.expr | None] = []
        values: list[ast.expr] = []
        for entry in tree.parts:
            value, variable = self._of(entry.parts[0]), self._variable()
            bound.append(ast.NamedExpr(ast.Name(variable, ast.Store()), value))
            scope[str(entry.value)] = variable
            keys.append(ast.Constant(str(entry.value)))
            values.append(_name(variable))
        self._scopes.pop()
        made = ast.Tuple([*bound, ast.Dict(keys, values)], ast.Load())
        return ast.Subscript(made, ast.Constant(len(bound)), ast.Load())

    def path(self, tree: Node) -> ast.expr:
        """A property; a chain from an outside variable is walked in one step."""
        names: list[str] = [str(tree.value)]
        base = tree.parts[0]
        while base.kind == "path":
            names.insert(0, str(base.value))
            base = base.parts[0]
        is_outside = base.kind == "name" and not self._is_local(str(base.value))
        if is_outside and str(base.value) not in BUILTINS:
            self.names.add(str(base.value))
            whole = self._constant((str(base.value), *names))
            return _call("walked", _name("s"), _name("c"), whole)
        value = self._of(tree.parts[0])
        return _call("property_of", _name("s"), value, ast.Constant(str(tree.value)))

    def filter(self, tree: Node) -> ast.expr:
        """Elements under a condition, or the one at an index."""
        values, condition = tree.parts
        if _is_number(condition):
            return _call("at_index", self._of(values), self._of(condition))
        source, element = self._of(values), self._variable()
        self._scopes.append(element)
        body = self._of(condition)
        self._scopes.pop()
        weight = ast.Constant(condition.weight)
        return _call("filtered", _name("s"), weight, source, _lambda([element], body))

    # -- loops -----------------------------------------------------------------------------------

    def _loop(self, tree: Node, *extra: str) -> tuple[ast.expr, ast.expr, ast.expr, bool]:
        variables: list[str] = []
        domains: list[ast.expr] = []
        scope: dict[str, str] = {}
        self._scopes.append(scope)
        for iterator in tree.parts[:-1]:
            ends = self._all(iterator.parts)
            domain = ends[0] if len(ends) == 1 else _call("steps", *ends)
            domains.append(_lambda(list(variables), domain))
            variables.append(self._variable())
            scope[str(iterator.value)] = variables[-1]
        uses_extra = bool(extra) and extra[0] not in scope and _mentions(tree.parts[-1], extra[0])
        if uses_extra:
            variables.append(self._variable())
            scope[extra[0]] = variables[-1]
        body = self._of(tree.parts[-1])
        self._scopes.pop()
        weight = ast.Constant(tree.parts[-1].weight)
        return weight, ast.Tuple(domains, ast.Load()), _lambda(variables, body), uses_extra

    def loop(self, tree: Node) -> ast.expr:
        """For … return; `partial` is the list so far."""
        weight, domains, body, uses_partial = self._loop(tree, "partial")
        return _call("loop", _name("s"), weight, domains, body, ast.Constant(uses_partial))

    def quantified(self, tree: Node) -> ast.expr:
        """Some or every … satisfies."""
        weight, domains, body, _ = self._loop(tree)
        return _call(str(tree.value), _name("s"), weight, domains, body)

    # -- functions -------------------------------------------------------------------------------

    def literal_function(self, tree: Node) -> ast.expr:
        """A function written out."""
        parameters = tree.value if isinstance(tree.value, tuple) else ()
        scope = {name: self._variable() for name, _ in parameters}
        self._scopes.append(scope)
        body = self._of(tree.parts[0])
        self._scopes.pop()
        names = self._constant(tuple(name for name, _ in parameters))
        types = self._constant(tuple(kind for _, kind in parameters))
        return _call("make_function", names, types, _lambda(list(scope.values()), body))

    def call(self, tree: Node) -> ast.expr:
        """A call of a built-in function, or of a function value."""
        function, *arguments = tree.parts
        names = tree.value if isinstance(tree.value, tuple) else ()
        if function.kind == "name":
            name = str(function.value)
            is_own = self._is_variable(name) or name in self._known.texts
            if name in BUILTINS and not is_own:
                return self._builtin(tree, name, arguments, names)
            if name not in BUILTINS and not is_own:
                raise unknown_function(name, function.at, (*BUILTINS, *self._known.texts))
        values = ast.Tuple(self._all(arguments), ast.Load())
        return _call("call", _name("s"), self._of(function), values, self._constant(names))

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
        return _call("called", _name("s"), self._constant(builtin), tuple_of)

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


def _name(text: str) -> ast.Name:
    return ast.Name(text, ast.Load())


def _call(function: str, *arguments: ast.expr) -> ast.Call:
    return ast.Call(_name(function), list(arguments), [])


def _is_true(value: ast.expr) -> ast.Compare:
    return ast.Compare(value, [ast.Is()], [ast.Constant(True)])


def _arguments(names: Sequence[str]) -> ast.arguments:
    return ast.arguments(
        posonlyargs=[],
        args=[ast.arg(name) for name in names],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )


def _lambda(parameters: Sequence[str], body: ast.expr) -> ast.Lambda:
    return ast.Lambda(_arguments(parameters), body)


def _code_object(body: ast.expr) -> CodeType:
    """Compile `lambda s, c, q, k: body` and take the lambda's code out of the module."""
    tree = ast.Expression(_lambda(["s", "c", "q", "k"], body))
    outer = compile(ast.fix_missing_locations(tree), "<feel>", "eval")
    return next(constant for constant in outer.co_consts if isinstance(constant, CodeType))


def _is_number(tree: Node) -> bool:
    if tree.kind == "negate":
        return _is_number(tree.parts[0])
    return tree.kind == "literal" and not isinstance(tree.value, bool | str | None)


def _mentions_input(tree: Node) -> bool:
    return tree.kind == "input" or any(_mentions_input(part) for part in tree.parts)


def _mentions(tree: Node, name: str) -> bool:
    if tree.kind == "name" and tree.value == name:
        return True
    return any(_mentions(part, name) for part in tree.parts)
