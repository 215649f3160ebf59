"""The few pieces of Python syntax that generated code is made of."""

from __future__ import annotations

import ast
from types import CodeType
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from collections.abc import Sequence


_Tree = TypeVar("_Tree", bound=ast.AST)


def name(text: str) -> ast.Name:
    """Return the use of a name."""
    return ast.Name(text, ast.Load())


def call(function: str, *arguments: ast.expr) -> ast.Call:
    """Return a call of a name."""
    return ast.Call(name(function), list(arguments), [])


def is_(value: ast.expr, truth: bool) -> ast.expr:
    """Return `value is True` (or False); of a constant the answer, as Python warns of asking."""
    if isinstance(value, ast.Constant):
        return ast.Constant(value.value is truth)
    return ast.Compare(value, [ast.Is()], [ast.Constant(truth)])


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


def _placed(tree: _Tree) -> _Tree:
    """Say that everything stands at the first character, which Python's compiler wants to know.

    `ast.fix_missing_locations` says the same, in five times the time: half of all compiling.
    """
    waiting: list[ast.AST] = [tree]
    while waiting:
        part = waiting.pop()
        part.lineno, part.col_offset = 1, 0  # type: ignore[attr-defined]
        for field in part._fields:
            value = getattr(part, field, None)
            if isinstance(value, ast.AST):
                waiting.append(value)
            elif isinstance(value, list):
                waiting += [item for item in value if isinstance(item, ast.AST)]
    return tree


def code_object(body: ast.expr) -> CodeType:
    """Compile `lambda s, c, q, k: body` and take the lambda's code out of the module."""
    tree = ast.Expression(function(["s", "c", "q", "k"], body))
    outer = compile(_placed(tree), "<feel>", "eval")
    return next(constant for constant in outer.co_consts if isinstance(constant, CodeType))


def assigned(target: str, value: ast.expr) -> ast.stmt:
    """Return an assignment to a name."""
    return ast.Assign([ast.Name(target, ast.Store())], value)


def generator_code(parameters: Sequence[str], body: list[ast.stmt]) -> CodeType:
    """Compile a function of several statements and take its code out of the module."""
    made = ast.FunctionDef("feel", _arguments(parameters), body, [])
    outer = compile(_placed(ast.Module([made], [])), "<feel>", "exec")
    return next(constant for constant in outer.co_consts if isinstance(constant, CodeType))
