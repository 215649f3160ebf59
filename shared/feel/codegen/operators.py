"""Logic, comparison and calculation, answered on the spot for texts, numbers and truths.

What is written out gives the answer of the function it stands before (`lt`, `add`, …), for the
types it asks for; all else goes to that function.
"""

from __future__ import annotations

import ast
from decimal import Decimal
from typing import TYPE_CHECKING

from shared.feel import pyast
from shared.feel.arithmetic import negate
from shared.feel.budget import Run

from .operands import Slot

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.feel.syntax import Node

    from .code import Code
    from .operands import Operand

_ARITHMETIC = {"+": "add", "-": "sub", "*": "mul", "/": "div", "**": "pow"}
#: Operations on two numbers whose only failure is a number too large.
_EXACT = {"+": "number_add", "-": "number_sub", "*": "number_mul"}
_SIGNS: dict[str, Callable[[], ast.cmpop]] = {
    "eq": ast.Eq,
    "ne": ast.NotEq,
    "lt": ast.Lt,
    "le": ast.LtE,
    "gt": ast.Gt,
    "ge": ast.GtE,
}
#: Kinds of which Python's own comparison is FEEL's.
PLAIN: frozenset[type] = frozenset({str, Decimal})
_EQUATABLE: frozenset[type] = frozenset({str, Decimal, bool})
_MOSTLY: frozenset[type] = frozenset({Decimal})
#: More conditions than these are left to a function.
_MAX_CHAIN = 8


def _both(code: Code, tree: Node) -> ast.expr:
    """A conjunction; what comes after the first is evaluated only if it matters."""
    return _chain(code, tree, decisive=False)


def _either(code: Code, tree: Node) -> ast.expr:
    """A disjunction."""
    return _chain(code, tree, decisive=True)


def _chain(code: Code, tree: Node, *, decisive: bool) -> ast.expr:
    if not code.is_inlined(tree) or len(tree.parts) > _MAX_CHAIN:
        first = code.of(tree.parts[0])
        others = [code.nested([], lambda part=part: code.of(part)) for part in tree.parts[1:]]  # type: ignore[misc]
        return pyast.call("any_of" if decisive else "all_of", first, *others)
    operands = [code.operand(part) for part in tree.parts]
    undecided = [pyast.is_(operand.again, not decisive) for operand in operands]
    result: ast.expr = ast.IfExp(
        ast.BoolOp(ast.And(), undecided), ast.Constant(not decisive), ast.Constant(None)
    )
    for operand in reversed(operands):
        result = ast.IfExp(pyast.is_(operand.first, decisive), ast.Constant(decisive), result)
    return result


def _compare(code: Code, tree: Node) -> ast.expr:
    """A comparison."""
    return compared(code, tree, str(tree.value), *map(code.operand, tree.parts))


def compared(code: Code, tree: Node, comparison: str, left: Operand, right: Operand) -> ast.expr:
    """Return the comparison of two operands."""
    slow = pyast.call(comparison, pyast.name("s"), left.again, right.again)
    plainly = pyast.call(comparison, pyast.name("s"), left.first, right.first)
    if not code.is_inlined(tree):
        return plainly
    fast = ast.Compare(left.again, [_SIGNS[comparison]()], [right.again])
    known = left.kind or right.kind
    if known is None:
        kinds = _EQUATABLE if comparison in ("eq", "ne") else PLAIN
        return ast.IfExp(_are_alike(code, left, right, kinds), fast, slow)
    kinds = frozenset({known})
    if not kinds <= PLAIN:
        return plainly
    return code.chosen([(left, kinds), (right, kinds)], fast, slow) or plainly


def _are_alike(code: Code, left: Operand, right: Operand, kinds: frozenset[type]) -> ast.expr:
    """Return the question whether two operands are of one type, and that one of these."""
    is_same = ast.Compare(
        pyast.call("type", left.first), [ast.Is()], [pyast.call("type", right.first)]
    )
    again = code.has_type(left._replace(first=left.again), kinds)
    return ast.BoolOp(ast.And(), [is_same, again])


def _between(code: Code, tree: Node) -> ast.expr:
    """Between, both ends included."""
    value, low, high = operands = [code.operand(part) for part in tree.parts]
    slow = pyast.call("between", pyast.name("s"), *(operand.again for operand in operands))
    plainly = pyast.call("between", pyast.name("s"), *(operand.first for operand in operands))
    if not code.is_inlined(tree):
        return plainly
    kinds = frozenset({low.kind or high.kind or Decimal})
    fast = ast.Compare(low.again, [ast.LtE(), ast.LtE()], [value.again, high.again])
    if not kinds <= PLAIN:
        return plainly
    return code.chosen([(operand, kinds) for operand in operands], fast, slow) or plainly


def _arithmetic(code: Code, tree: Node) -> ast.expr:
    """A sum, difference, product, quotient or power; a long chain takes no stack."""
    if code.is_inlined(tree):
        return _calculated(code, tree, str(tree.value))
    chain: list[Node] = []
    while tree.kind == "arithmetic":
        chain.append(tree)
        tree = tree.parts[0]
    result = code.of(tree)
    for link in reversed(chain):
        right = code.of(link.parts[1])
        result = pyast.call(_ARITHMETIC[str(link.value)], pyast.name("s"), result, right)
    return result


def _calculated(code: Code, tree: Node, sign: str) -> ast.expr:
    left, right = (code.operand(part) for part in tree.parts)
    function, exact, kinds = _ARITHMETIC[sign], _EXACT.get(sign), _MOSTLY
    plainly = pyast.call(function, pyast.name("s"), left.first, right.first)
    if exact is None:
        return plainly
    slow = pyast.call(function, pyast.name("s"), left.again, right.again)
    fast = pyast.call(exact, left.again, right.again)
    if sign == "+" and str in (left.kind, right.kind):
        kinds = frozenset({str})
        fast = pyast.call("text_add", pyast.name("s"), left.again, right.again)
    return code.chosen([(left, kinds), (right, kinds)], fast, slow) or plainly


def _negate(code: Code, tree: Node) -> ast.expr:
    """A minus; of a number written out it is part of the number."""
    times = 0
    while tree.kind == "negate":
        times += 1
        tree = tree.parts[0]
    if tree.kind == "literal" and not isinstance(tree.value, Slot):
        value: object = tree.value
        for _ in range(times):
            value = negate(Run(), value)
        return code.constant(value)
    result = code.of(tree)
    for _ in range(times):
        result = pyast.call("neg", pyast.name("s"), result)
    return result


def _instance_of(code: Code, tree: Node) -> ast.expr:
    """A question for a type."""
    value = code.of(tree.parts[0])
    return pyast.call("is_instance", pyast.name("s"), value, code.constant(tree.value))


def _conditional(code: Code, tree: Node) -> ast.expr:
    """If, then, else: whatever is not true takes the else, which may go on and on."""
    chain: list[tuple[ast.expr, ast.expr]] = []
    while tree.kind == "conditional":
        chain.append((code.of(tree.parts[0]), code.of(tree.parts[1])))
        tree = tree.parts[2]
    result = code.of(tree)
    for condition, yes in reversed(chain):
        result = ast.IfExp(pyast.is_(condition, True), yes, result)
    return result


EMITTERS: dict[str, Callable[[Code, Node], ast.expr]] = {
    "both": _both,
    "either": _either,
    "compare": _compare,
    "between": _between,
    "arithmetic": _arithmetic,
    "negate": _negate,
    "instance_of": _instance_of,
    "conditional": _conditional,
}
