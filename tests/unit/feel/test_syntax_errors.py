"""What people read when FEEL does not understand them: what, where, and how to mend it."""

from __future__ import annotations

import pytest

from shared.errors import Invalid
from shared.feel import FeelSyntaxError, compile_expression, compile_unary_tests

MISTAKES = [
    ("amount grater than 5", "unknown-name", 0, None),
    ("a == 5", "unexpected-character", 2, "="),
    ("a && b", "unexpected-character", 2, "and"),
    ("a，b", "unexpected-character", 1, ","),
    ("（a）", "unexpected-character", 0, "("),
    ("“a”", "unexpected-character", 0, '"'),
    ("'a'", "unexpected-character", 0, '"'),
    ("a ≥ 5", "unexpected-character", 2, ">="),
    ("${amount}", "unexpected-character", 0, "="),
    ('"abc', "unexpected-character", 0, '"'),
    ("(a", "unbalanced-bracket", 0, None),
    ("a)", "unbalanced-bracket", 1, None),
    ("a +", "incomplete", 3, None),
    ("if a then b", "incomplete", 11, None),
    ("", "empty", 0, None),
    ('strng length("a")', "unknown-name", 0, "string length"),
    ('startsWith("a", "b")', "unknown-function", 0, "starts with"),
    ('1 + len("a")', "unknown-function", 4, "string length"),
    ("{a: 1, a: 2}", "duplicate-key", 7, None),
    ('@"tomorrow"', "temporal-literal", 0, "2026"),
    ("1 2", "syntax", 2, None),
    ("for x return x", "syntax", 6, None),
]


@pytest.mark.parametrize(("text", "rule", "position", "remedy"), MISTAKES)
def test_a_mistake_is_told_with_its_place_and_a_remedy(
    text: str, rule: str, position: int, remedy: str | None
) -> None:
    with pytest.raises(FeelSyntaxError) as refused:
        compile_expression(text)

    error = refused.value
    assert (error.rule, error.position) == (rule, position)
    assert error.message["zh-CN"]
    assert error.message["en"]
    assert remedy is None or remedy in error.fix["en"]
    assert remedy is None or remedy in error.fix["zh-CN"]


def test_a_syntax_error_is_invalid_input_with_a_finding() -> None:
    with pytest.raises(Invalid) as refused:
        compile_unary_tests("< < 5")

    assert refused.value.code == "feel-syntax-error"
    assert [finding.rule for finding in refused.value.findings] == ["syntax"]
    assert "< 5" in refused.value.sentence("zh-CN")


def test_names_with_spaces_need_to_be_known() -> None:
    with pytest.raises(FeelSyntaxError):
        compile_expression("Monthly Salary * 12")

    assert compile_expression("Monthly Salary * 12", names=["Monthly Salary"]).names == {
        "Monthly Salary"
    }
