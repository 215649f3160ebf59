"""The cells of decision tables."""

from __future__ import annotations

from decimal import Decimal

import pytest

from shared.feel import FeelDate, compile_unary_tests

CASES = [
    ('"a","b"', "a", True),
    ('"a","b"', "c", False),
    ('"a","b"', None, False),
    ("[1..5]", 3, True),
    ("]1..5]", 1, False),
    ("(1..5)", 5, False),
    ("[1..5[", 5, False),
    ('not("a")', "b", True),
    ('not("a","b")', "b", False),
    ("not([1..5])", 6, True),
    ("not(1..5)", 3, False),
    ("not([1..5])", None, None),
    ("< 5", 3, True),
    ("< 5", None, None),
    ("< 5", "x", None),
    (">= 5, = 1", 1, True),
    ("-", 9, True),
    ("", 9, True),
    ("null", None, True),
    ("not(null)", None, False),
    ("true", True, True),
    ("false", True, False),
    ("? > 3 and ? < 9", 7, True),
    ('contains(?, "x")', "axb", True),
    ('not(contains(?, "x"))', "axb", False),
    ('["a","b"]', "a", True),
    ("[[1..2],[5..6]]", 5, True),
    ('date("2026-01-01")', FeelDate(2026, 1, 1), True),
    ('> @"2026-01-01"', FeelDate(2026, 1, 2), True),
    ("customer.tier", "gold", True),
    ('customer.tier = "gold"', 5, True),
    ("limit", 10, True),
    ("< limit", 9, True),
    ("-5", -5, True),
    ('"laptop, 15 inch", "x"', "laptop, 15 inch", True),
]


@pytest.mark.parametrize(("text", "value", "expected"), CASES)
def test_a_cell_accepts_what_it_names(text: str, value: object, expected: bool | None) -> None:
    given = {"customer": {"tier": "gold"}, "limit": 10}

    assert compile_unary_tests(text).matches(value, given) is expected


def test_a_cell_names_the_variables_it_takes_from_outside() -> None:
    assert compile_unary_tests("< limit * factor, ? = base").names == {"limit", "factor", "base"}


@pytest.mark.parametrize("value", [None, "false", "no", Decimal(0), [], {}])
def test_a_truth_written_out_is_what_the_input_must_be(value: object) -> None:
    for text in ("true", "false", "true, false", "= true"):
        assert compile_unary_tests(text).matches(value, {}) is not True, text
    assert compile_unary_tests("false").matches(False, {}) is True
    assert compile_unary_tests("not(true)").matches(False, {}) is True
