"""The few pieces of Python syntax that generated code is made of."""

from __future__ import annotations

import ast
from types import CodeType
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence


def name(text: str) -> ast.Name:
    """Return the use of a name."""
    return ast.Name(text, ast.Load())


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """Return a call of a name."""
    return ast.Call(name(function), list(arguments), [])


def is_true(value: ast.expr) -> ast.expr:
    """Return `value is True`; of a constant the answer, as Python warns of such a question."""
    if isinstance(value, ast.Constant):
        return ast.Constant(value.value is True)
    return ast.Compare(value, [ast.Is()], [ast.Constant(True)])


def _arguments(names: Sequence[str]) -> ast.arguments:
    return ast.arguments(
        posonlyargs=[],
        args=[ast.arg(name) for name in names],
        kwonlyargs=[],
        kw_defaults=[],
        defaults=[],
    )


def function(parameters: Sequence[str], body: ast.expr) -> ast.Lambda:
    """Return a lambda."""
    return ast.Lambda(_arguments(parameters), body)


def code_object(body: ast.expr) -> CodeType:
    """Compile `lambda s, c, q, k: body` and take the lambda's code out of the module."""
    tree = ast.Expression(function(["s", "c", "q", "k"], body))
    outer = compile(ast.fix_missing_locations(tree), "<feel>", "eval")
    return next(constant for constant in outer.co_consts if isinstance(constant, CodeType))
