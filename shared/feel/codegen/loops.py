"""Filters, loops, quantified conditions, and functions written out."""

from __future__ import annotations

import ast
from functools import partial
from typing import TYPE_CHECKING

from shared.feel import pyast

from .operands import literal_type
from .tests import within

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.feel.syntax import Node

    from .code import Code


def _filter(code: Code, tree: Node) -> ast.expr:
    """Elements under a condition, or the one at an index."""
    values, condition = tree.parts
    if _is_number(condition):
        return pyast.call("at_index", code.of(values), code.of(condition))
    source, element = code.of(values), code.variables.fresh()
    code.variables.enter(element)
    kept = code.nested([element], lambda: code.of(condition))
    code.variables.leave()
    return pyast.call("filtered", pyast.name("s"), ast.Constant(condition.weight), source, kept)


def _rounds(code: Code, tree: Node, *extra: str) -> tuple[ast.expr, ast.expr, ast.expr, bool]:
    """Return the weight of a loop's body, its domains, the body, and whether it uses `extra`."""
    variables: list[str] = []
    domains: list[ast.expr] = []
    scope: dict[str, str] = {}
    code.variables.enter(scope)
    for iterator in tree.parts[:-1]:
        domains.append(code.nested(list(variables), partial(_domain, code, iterator.parts)))
        variables.append(code.variables.fresh())
        scope[str(iterator.value)] = variables[-1]
    body = tree.parts[-1]
    uses_extra = bool(extra) and extra[0] not in scope and _mentions(body, extra[0])
    if uses_extra:
        variables.append(code.variables.fresh())
        scope[extra[0]] = variables[-1]
    made = code.nested(variables, lambda: code.of(body))
    code.variables.leave()
    return ast.Constant(body.weight), ast.Tuple(domains, ast.Load()), made, uses_extra


def _domain(code: Code, ends: tuple[Node, ...]) -> ast.expr:
    return code.of(ends[0]) if len(ends) == 1 else pyast.call("steps", *code.all(ends))


def _loop(code: Code, tree: Node) -> ast.expr:
    """For … return; `partial` is the list so far."""
    weight, domains, body, uses_partial = _rounds(code, tree, "partial")
    return pyast.call("loop", pyast.name("s"), weight, domains, body, ast.Constant(uses_partial))


def _quantified(code: Code, tree: Node) -> ast.expr:
    """Some or every … satisfies."""
    weight, domains, body, _ = _rounds(code, tree)
    return pyast.call(str(tree.value), pyast.name("s"), weight, domains, body)


def _function(code: Code, tree: Node) -> ast.expr:
    """A function written out."""
    parameters = tree.value if isinstance(tree.value, tuple) else ()
    scope = {name: code.variables.fresh() for name, _ in parameters}
    code.variables.enter(scope)
    body = code.nested(list(scope.values()), lambda: code.of(tree.parts[0]))
    code.variables.leave()
    names = code.constant(tuple(name for name, _ in parameters))
    types = code.constant(tuple(kind for _, kind in parameters))
    return pyast.call("make_function", names, types, body)


def _is_number(tree: Node) -> bool:
    """Return whether an index is written out; other constants are conditions."""
    if tree.kind == "negate":
        return _is_number(tree.parts[0])
    kind = literal_type(tree)
    return kind is not None and not issubclass(kind, bool | str | type(None))


def _mentions(tree: Node, name: str) -> bool:
    return any(part.kind == "name" and part.value == name for part in within(tree))


EMITTERS: dict[str, Callable[[Code, Node], ast.expr]] = {
    "filter": _filter,
    "loop": _loop,
    "quantified": _quantified,
    "function": _function,
}
