"""What a function costs is charged: none makes a worker hang or flood."""

from __future__ import annotations

import pytest

from shared.feel import FeelBudgetExceeded, compile_expression

LONG = "9" * 60_000


@pytest.mark.parametrize(
    "text",
    [
        "for i in 1..20000 return substring(x, 2)",
        'for i in 1..20000 return substring after(x, "9")',
        'for i in 1..20000 return substring before(x + "a", "a")',
        "for i in 1..20000 return 1.23 ** 99.87",
        "for i in 1..20000 return exp(i / 7)",
        "for i in 1..20000 return log(i)",
        "for i in 1..20000 return sqrt(i + 0.1)",
        'for d in @"0001-01-01"..@"9999-12-31" return d',
    ],
)
def test_dear_work_is_refused(text: str) -> None:
    with pytest.raises(FeelBudgetExceeded):
        compile_expression(text).evaluate({"x": LONG})


def test_a_text_too_long_for_a_number_is_none_at_once() -> None:
    found = compile_expression("for i in 1..5000 return number(x)").evaluate({"x": LONG})

    assert found == [None] * 5000


def test_honest_powers_cost_little() -> None:
    found = compile_expression("sum(for i in 1..20000 return i ** 2) > 0").evaluate({})

    assert found is True
