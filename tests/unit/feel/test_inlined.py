"""What is written out for texts and numbers answers, and costs, as the functions it stands for."""

from __future__ import annotations

from datetime import date
from decimal import Decimal
from itertools import product
from typing import Any

import pytest
from hypothesis import example, given, settings

from shared.feel import (
    Budget,
    Expression,
    FeelBudgetExceeded,
    FeelSyntaxError,
    Run,
    UnaryTests,
    compile_expression,
    compile_unary_tests,
    to_feel,
)
from shared.feel.codegen import Code
from shared.feel.scope import JsonScope, ValueScope
from tests.unit.feel.cells import NAMES, budgets, cells, contexts, expressions, outcome, values


def _plain(compiled: Expression | UnaryTests) -> Any:
    """Return the same without anything written out."""
    return type(compiled)(
        compiled.text, compiled.tree, Code(compiled.known, is_inlined=False).function(compiled.tree)
    )


def _check(
    compiled: Expression | UnaryTests, value: Any, context: dict[str, Any], budget: Budget
) -> None:
    plain, asked = _plain(compiled), to_feel(value)

    expected = outcome(lambda run, scope: plain.run(run, scope, asked), context, budget)
    found = outcome(lambda run, scope: compiled.run(run, scope, asked), context, budget)
    assert found == expected


@settings(max_examples=400, deadline=None)
@given(cells, values, contexts, budgets)
@example("[?..count]", 1, {"count": 2}, Budget())
@example('? + 1 < a * 2 and starts with("ab", b)', 1, {"a": 4, "b": "a"}, Budget())
@example("(a and b) = true", 1, {"a": None, "b": 3}, Budget())
@example("a * ? > 1", 10**34, {"a": 1e300}, Budget())
@example("contains(?, a)", "x" * 40, {"a": "y"}, Budget(steps=1))
def test_a_cell_with_operations_written_out_answers_the_same(
    text: str, value: Any, context: dict[str, Any], budget: Budget
) -> None:
    try:
        test = compile_unary_tests(text, names=NAMES - {"count"})
    except (FeelSyntaxError, FeelBudgetExceeded):
        return
    _check(test, value, context, budget)


@settings(max_examples=200, deadline=None)
@given(expressions, contexts, budgets)
def test_an_expression_with_operations_written_out_answers_the_same(
    text: str, context: dict[str, Any], budget: Budget
) -> None:
    try:
        expression = compile_expression(text.replace("?", "a"), names=NAMES)
    except (FeelSyntaxError, FeelBudgetExceeded):
        return
    _check(expression, None, context, budget)


_TEMPLATES = [
    *(f"? {sign} {{c}}" for sign in ("=", "!=", "<", "<=", ">", ">=", "+", "-", "*", "/")),
    *(f"{{c}} {sign} ?" for sign in ("<", "<=", ">", ">=", "=", "!=")),
    *(f"? {sign} a" for sign in ("=", "!=", "<", "<=", ">", ">=", "+", "and", "or")),
    "? between {c} and a", "{c} between a and ?", "[{c}..a]", "]a..{c}[", "(? or a) = {c}",
    "not(?) = {c}", "{c}", "> {c}", "not({c})", "starts with(?, {c})", "ends with(a, ?)",
    "contains(?, a)", "modulo(?, a) = {c}", "substring(?, a) = {c}", "date(?) = a",
    "(? and a and ?) = {c}",
]  # fmt: skip
_CONSTANTS = ['"a"', '""', "0", "2.5", "true", "null", 'date("2026-11-05")', "[1]"]
_VALUES: list[Any] = [
    None, True, False, 0, 2.5, Decimal("2.50"), -1, 10**34, "a", "", "ab", ["a"], [0], [],
    {"a": 1}, date(2026, 11, 5), date(2026, 11, 6), "2026-11-05",
]  # fmt: skip


@pytest.mark.parametrize("template", _TEMPLATES)
def test_every_pair_of_values_gets_the_same_answer(template: str) -> None:
    for constant in _CONSTANTS if "{c}" in template else [""]:
        test = compile_unary_tests(template.format(c=constant), names=NAMES)
        plain = _plain(test)
        for value, other in product(map(to_feel, _VALUES), repeat=2):
            scope = ValueScope({"a": other})
            found, expected = (one.run(Run(), scope, value) for one in (test, plain))
            assert (type(found), found) == (type(expected), expected), (test, value, other)


@pytest.mark.parametrize("text", ["a * a", "[a * a]", "(function(x) x * x)(a)", "a + a * a"])
def test_a_number_too_large_is_refused_wherever_it_comes_up(text: str) -> None:
    expression = compile_expression(text)

    with pytest.raises(FeelBudgetExceeded, match=r"1E\+6144"):
        expression.run(Run(), JsonScope({"a": 10**4000}))


def test_a_function_that_is_called_from_outside_refuses_a_number_too_large() -> None:
    function: Any = compile_expression("function(x) x * x").run(Run(), JsonScope({}))

    with pytest.raises(FeelBudgetExceeded, match=r"1E\+6144"):
        function.invoke(Run(), (to_feel(10**4000),))
