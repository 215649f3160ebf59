"""Unary tests, as the cells of a table hold them, and `x in test`."""

from __future__ import annotations

import ast
from decimal import Decimal
from typing import TYPE_CHECKING

from shared.feel import pyast

from .operands import literal_type
from .operators import PLAIN, compared

if TYPE_CHECKING:
    from collections.abc import Callable

    from shared.feel.syntax import Node

    from .code import Code


def _in_test(code: Code, tree: Node) -> ast.expr:
    """`x in test`."""
    return code.with_input(tree, lambda: _test(code, tree.parts[1], is_plain=True))


def _in_tests(code: Code, tree: Node) -> ast.expr:
    """`x in (test, test)`."""
    return code.with_input(
        tree,
        lambda: pyast.call(
            "passes_any", *(_test(code, test, is_plain=True) for test in tree.parts[1].parts)
        ),
    )


def _any_test(code: Code, tree: Node) -> ast.expr:
    """Unary tests: one of them passes."""
    tests = [_test(code, test) for test in tree.parts[0].parts]
    return tests[0] if len(tests) == 1 else pyast.call("passes_any", *tests)


def _no_test(code: Code, tree: Node) -> ast.expr:
    """Unary tests: none of them passes."""
    return pyast.call("negated", _any_test(code, tree))


def _not_in_range(code: Code, tree: Node) -> ast.expr:
    """Unary tests: outside of a range."""
    return pyast.call("negated", _test(code, tree.parts[0]))


def _test(code: Code, tree: Node, *, is_plain: bool = False) -> ast.expr:
    if tree.kind == "compared_test":
        operand = code.operand(tree.parts[0])
        return compared(code, tree, str(tree.value), code.input_operand(), operand)
    if mentions_input(tree):
        # A truth about the input: what is not true of it counts as false.
        return ast.IfExp(pyast.is_(code.of(tree), True), ast.Constant(True), ast.Constant(False))
    if tree.kind == "range":
        return _within(code, tree)
    if tree.kind == "open_range":
        return pyast.call("within", code.input(), code.of(tree))
    # A truth written out is what the input must be; a computed one may stand for itself.
    ask = "contained" if is_plain or tree.kind == "literal" else "tested"
    slow = pyast.call(ask, pyast.name("s"), code.input(), code.of(tree))
    kind = literal_type(tree)
    if kind in PLAIN and code.is_inlined(tree):
        value = code.of(tree)
        fast = ast.Compare(code.input(), [ast.Eq()], [value])
        return code.chosen([(code.input_operand(), frozenset({kind}))], fast, slow) or slow
    return slow


def _within(code: Code, tree: Node) -> ast.expr:
    """Within a range written out."""
    if not code.is_inlined(tree):
        return pyast.call("within", code.input(), code.of(tree))
    low, high = (code.operand(part) for part in tree.parts)
    included = included_ends(tree)
    flags = [ast.Constant(flag) for flag in included]
    made = pyast.call("make_range", low.again, high.again, *flags)
    slow = pyast.call("within", code.input(), made)
    kinds = frozenset({low.kind or high.kind or Decimal})
    signs: list[ast.cmpop] = [ast.LtE() if flag else ast.Lt() for flag in included]
    fast = ast.Compare(low.again, signs, [code.input(), high.again])
    operands = [(low, kinds), (high, kinds), (code.input_operand(), kinds)]
    chosen = code.chosen(operands, fast, slow) if kinds <= PLAIN else None
    if chosen is not None:
        return chosen
    return pyast.call(
        "within", code.input(), pyast.call("make_range", low.first, high.first, *flags)
    )


def included_ends(tree: Node) -> tuple[bool, bool]:
    """Return whether each end of a range belongs to it."""
    start, end = tree.value if isinstance(tree.value, tuple) else (True, True)
    return bool(start), bool(end)


def mentions_input(tree: Node) -> bool:
    """Return whether the value under test is named in a part."""
    return any(part.kind == "input" for part in within(tree))


def within(tree: Node) -> list[Node]:
    """Return a part and everything in it."""
    found, waiting = [], [tree]
    while waiting:
        part = waiting.pop()
        found.append(part)
        waiting += part.parts
    return found


EMITTERS: dict[str, Callable[[Code, Node], ast.expr]] = {
    "in_test": _in_test,
    "in_tests": _in_tests,
    "any_test": _any_test,
    "no_test": _no_test,
    "not_in_range": _not_in_range,
}
