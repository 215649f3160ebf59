"""What a check of a table finds at a missing input, and between texts."""

from __future__ import annotations

import pytest

from shared.decisions.checking.checks import check_model
from tests.unit.decisions.dmn import Table, table_model


def rules_of(kind: str, cells: tuple[str, ...], hit_policy: str = "UNIQUE") -> set[str]:
    rows = tuple((cell, str(number)) for number, cell in enumerate(cells))
    table = Table((f"x: {kind}",), ("o: number",), rows, hit_policy)
    return {finding.rule for finding in check_model(table_model(table))}


@pytest.mark.parametrize(
    ("kind", "cells", "hit_policy", "found"),
    [
        ("number", ("< 5", ">= 5", "null"), "FIRST", set()),
        ("number", ("< 5", ">= 5", "-"), "FIRST", set()),
        ("number", ("< 5", ">= 5"), "UNIQUE", set()),
        ("number", ("not(null)", "null"), "UNIQUE", set()),
        ("boolean", ("true", "false", "null"), "UNIQUE", set()),
        ("number", ("null", "null"), "UNIQUE", {"overlap", "gap"}),
        ("number", ("-", "null"), "UNIQUE", {"overlap"}),
        ("number", ("< 5", ">= 5", "-", "-"), "FIRST", {"unreachable"}),
        ("string", ('< "b"', "-"), "FIRST", set()),
        ("string", ('< "b"', '>= "b"'), "UNIQUE", set()),
        ("string", ('< "b"', '< "c"'), "UNIQUE", {"overlap", "gap"}),
        ("string", ('["a".."c"]', '["b".."d"]'), "UNIQUE", {"overlap", "gap"}),
        ("string", ('< "b"', '> "b"'), "UNIQUE", {"gap"}),
        ("string", ('"a"', 'not("a")'), "UNIQUE", set()),
    ],
)
def test_null_and_the_texts_between_are_asked_about(
    kind: str, cells: tuple[str, ...], hit_policy: str, found: set[str]
) -> None:
    assert rules_of(kind, cells, hit_policy) == found


def test_a_function_is_no_value_of_a_column() -> None:
    rows = (('contains(?, "a")', "1"), ("-", "2"))
    untyped = Table(("x",), ("o",), rows, "FIRST")
    told = [finding.message["en"] for finding in check_model(table_model(untyped))]

    assert not any("function" in text for text in told)
