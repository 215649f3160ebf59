"""Calls: of built-in functions, chosen by their signature when the text is compiled, and others."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from shared.feel import pyast
from shared.feel.builtins import BUILTINS
from shared.feel.errors import FeelSyntaxError
from shared.feel.suggestions import unknown_function

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from shared.feel.builtins import Builtin
    from shared.feel.syntax import Node

    from .code import Code

#: A call with more arguments asks too many questions to be faster that way.
_MAX_ARGUMENTS = 4


def _call(code: Code, tree: Node) -> ast.expr:
    """A call of a built-in function, or of a function value."""
    function, *arguments = tree.parts
    names = tree.value if isinstance(tree.value, tuple) else ()
    if function.kind == "name":
        name = str(function.value)
        is_own = code.variables.is_bound(name) or name in code.known.texts
        if name in BUILTINS and not is_own:
            return _builtin(code, tree, BUILTINS[name])
        if name not in BUILTINS and not is_own:
            raise unknown_function(name, function.at, (*BUILTINS, *code.known.texts))
    values: ast.expr = ast.Tuple(code.all(arguments), ast.Load())
    own, given = code.of(function), code.constant(names)
    if function.kind == "name" and str(function.value) in BUILTINS:
        # A variable named like a function (date, count, …) hides it only if it is one itself.
        variable = code.variables.fresh()
        values = ast.NamedExpr(ast.Name(variable, ast.Store()), values)
        builtin = BUILTINS[str(function.value)]
        lazy = code.nested([], lambda: _with_values(code, tree, builtin, variable))
        return pyast.call("call_own", pyast.name("s"), own, values, given, lazy)
    return pyast.call("call", pyast.name("s"), own, values, given)


def _with_values(code: Code, tree: Node, builtin: Builtin, variable: str) -> ast.expr:
    """Return a call with arguments that a variable holds."""
    values: list[ast.expr] = [
        ast.Subscript(pyast.name(variable), ast.Constant(at), ast.Load())
        for at in range(len(tree.parts) - 1)
    ]
    return _placed(code, tree, builtin, values)


def _builtin(code: Code, tree: Node, builtin: Builtin) -> ast.expr:
    chosen = _chosen(code, tree, builtin, tree.parts[1:])
    return chosen or _placed(code, tree, builtin, code.all(tree.parts[1:]))


def _placed(code: Code, tree: Node, builtin: Builtin, values: Sequence[ast.expr]) -> ast.expr:
    """Return a call with arguments in the order of its parameters."""
    names = tree.value if isinstance(tree.value, tuple) else ()
    order = builtin.positions(names) if names else range(len(values))
    if order is None or not (names or builtin.takes(len(values))):
        return _never(code, tree, builtin.name)
    placed = [ast.Constant(None) if at is None else values[at] for at in order]
    return _called(code, builtin, placed)


def _called(code: Code, builtin: Builtin, values: Sequence[ast.expr]) -> ast.expr:
    """Return a call that looks for a signature when it runs."""
    tuple_of = ast.Tuple(list(values), ast.Load())
    return pyast.call("called", pyast.name("s"), code.constant(builtin), tuple_of)


def _chosen(code: Code, tree: Node, builtin: Builtin, arguments: Sequence[Node]) -> ast.expr | None:
    """Return a call of what computes the first signature, for arguments that are of its types.

    Others are fitted, or find another signature, or give null, when it runs.
    """
    signature = None if tree.value else builtin.signature_for(len(arguments))
    if signature is None or not code.is_inlined(tree) or not 0 < len(arguments) <= _MAX_ARGUMENTS:
        return None
    if builtin.name == "not":
        return _negation(code, arguments[0])
    parameters = signature.parameters
    if any(parameter.is_rest for parameter in parameters):
        return None
    operands = [code.operand(argument) for argument in arguments]
    again = [operand.again for operand in operands]
    missing = [ast.Constant(None)] * (len(parameters) - len(operands))
    if builtin.direct is not None:
        fast = ast.Call(code.constant(builtin.direct), [*again, *missing], [])
    else:
        computed = [pyast.name("s"), *again, *missing]
        fast = ast.Call(code.constant(builtin.compute), computed, [])
    typed = [
        (operand, parameter.types) for operand, parameter in zip(operands, parameters, strict=False)
    ]
    slow = _called(code, builtin, again)
    return code.chosen(typed, fast, slow) or _called(code, builtin, [one.first for one in operands])


def _negation(code: Code, argument: Node) -> ast.expr:
    """The opposite of a truth; null of all else."""
    value = code.operand(argument)
    is_truth = code.has_type(value, frozenset({bool}))
    return ast.IfExp(is_truth, ast.UnaryOp(ast.Not(), value.again), ast.Constant(None))


def _never(code: Code, tree: Node, name: str) -> ast.expr:
    """A call that can only be null; the standard allows it, a warning tells."""
    message = {
        "zh-CN": f"函数 {name} 没有这样的参数，结果恒为 null。",
        "en": f"{name} takes no such arguments; this is always null.",
    }
    code.warnings.append(FeelSyntaxError("arguments", tree.at, message))
    return ast.Constant(None)


EMITTERS: dict[str, Callable[[Code, Node], ast.expr]] = {"call": _call}
