"""Constants, variables, ranges, lists, contexts and paths."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from shared.feel import pyast

from .tests import included_ends

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.feel.syntax import Node

    from .code import Code


def _literal(code: Code, tree: Node) -> ast.expr:
    """A constant."""
    return code.constant(tree.value)


def _input(code: Code, tree: Node) -> ast.expr:
    """The value under test."""
    return code.input()


def _name(code: Code, tree: Node) -> ast.expr:
    """A variable: of a loop or function, of a filter's element, or from outside."""
    return code.variables.resolved(str(tree.value))


def _range(code: Code, tree: Node) -> ast.expr:
    """A range."""
    flags = (ast.Constant(flag) for flag in included_ends(tree))
    return pyast.call("make_range", *code.all(tree.parts), *flags)


def _open_range(code: Code, tree: Node) -> ast.expr:
    """A range with one bound."""
    return pyast.call("open_range", ast.Constant(str(tree.value)), *code.all(tree.parts))


def _list(code: Code, tree: Node) -> ast.expr:
    """A list."""
    return ast.List(code.all(tree.parts), ast.Load())


def _context(code: Code, tree: Node) -> ast.expr:
    """A context; each entry sees those before it."""
    scope: dict[str, str] = {}
    code.variables.enter(scope)
    bound: list[ast.expr] = []
    keys: list[ast.expr | None] = []
    values: list[ast.expr] = []
    for entry in tree.parts:
        value, variable = code.of(entry.parts[0]), code.variables.fresh()
        bound.append(ast.NamedExpr(ast.Name(variable, ast.Store()), value))
        scope[str(entry.value)] = variable
        keys.append(ast.Constant(str(entry.value)))
        values.append(pyast.name(variable))
    code.variables.leave()
    made = ast.Tuple([*bound, ast.Dict(keys, values)], ast.Load())
    return ast.Subscript(made, ast.Constant(len(bound)), ast.Load())


def _path(code: Code, tree: Node) -> ast.expr:
    """A property; a chain from an outside variable is walked in one step."""
    names: list[str] = []
    while tree.kind == "path":
        names.insert(0, str(tree.value))
        tree = tree.parts[0]
    first = str(tree.value)
    if tree.kind == "name" and code.variables.is_outside(first):
        code.variables.free.add(first)
        whole = code.constant((first, *names))
        return pyast.call("walked", pyast.name("s"), pyast.name("c"), whole)
    result = code.of(tree)
    for name in names:
        result = pyast.call("property_of", pyast.name("s"), result, ast.Constant(name))
    return result


EMITTERS: dict[str, Callable[[Code, Node], ast.expr]] = {
    "literal": _literal,
    "input": _input,
    "name": _name,
    "range": _range,
    "open_range": _open_range,
    "list": _list,
    "context": _context,
    "path": _path,
}
