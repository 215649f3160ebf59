"""What is odd about a table is found before anybody depends on it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.decisions import HitPolicyViolated, check_model
from shared.errors import Finding
from tests.unit.decisions.dmn import Table, decision, model


def odd(table: Table) -> list[Finding]:
    return list(check_model(model(decision("routing", table.xml()))))


def rules_of(findings: list[Finding]) -> list[tuple[str, str]]:
    return [(finding.rule, finding.severity) for finding in findings]


def test_a_complete_table_without_overlaps_has_nothing_odd() -> None:
    rows = (("< 5", '"a"', "1"), (">= 5", '"a"', "2"), ("-", 'not("a")', "3"))

    assert odd(Table(("n: number", "t: string"), ("x",), rows)) == []


def test_rules_of_a_unique_table_that_overlap_are_named_with_an_example() -> None:
    found = odd(Table(("n",), ("x",), (("<= 5", "1"), (">= 5", "2"))))

    assert rules_of(found) == [("overlap", "error")]
    assert found[0].path.endswith("rules 1 and 2")
    assert "n 5" in found[0].message["en"]


def test_rules_of_an_any_table_may_overlap_where_they_agree() -> None:
    agreeing = (("<= 5", "1"), (">= 5", "1"))
    disagreeing = (("<= 5", "1"), (">= 5", "2"))

    assert odd(Table(("n",), ("x",), agreeing, hit_policy="ANY")) == []
    assert rules_of(odd(Table(("n",), ("x",), disagreeing, hit_policy="ANY"))) == [
        ("overlap", "error")
    ]


def test_inputs_no_rule_covers_are_warned_of() -> None:
    found = odd(Table(("n", "t"), ("x",), (("< 5", "-", "1"), ("> 5", '"a"', "2"))))

    told = " ".join(finding.message["en"] for finding in found)
    assert {rule for rule, _ in rules_of(found)} == {"gap"}
    assert "n 5" in told


def test_a_default_output_leaves_no_gap() -> None:
    assert odd(Table(("n",), ("x",), (("< 5", "1"),), defaults={"x": "0"})) == []


def test_a_gap_between_neighbouring_whole_numbers_is_only_mentioned() -> None:
    rows = (("<= 5", "1"), (">= 6", "2"))

    assert rules_of(odd(Table(("n",), ("x",), rows))) == [("gap", "info")]


def test_a_rule_behind_a_wider_one_is_unreachable() -> None:
    rows = (("> 1", "1"), ("> 5", "2"), ("-", "3"))

    found = odd(Table(("n",), ("x",), rows, hit_policy="FIRST"))

    assert rules_of(found) == [("unreachable", "warning")]
    assert found[0].path.endswith("rule 2")


def test_a_cell_of_a_type_the_column_cannot_have_is_an_error() -> None:
    found = odd(Table(("n: number",), ("x: string",), (('"five"', "5"),)))

    assert rules_of(found) == [("wrong-type", "error"), ("wrong-type", "warning")]


def test_cells_of_several_types_in_one_column_are_warned_of() -> None:
    rows = (("5", "1"), ('"five"', "2"))

    assert ("mixed-types", "warning") in rules_of(odd(Table(("n",), ("x",), rows)))


def test_dates_are_cut_like_numbers() -> None:
    rows = (('< date("2026-01-01")', "1"), ('> date("2026-01-01")', "2"))

    found = odd(Table(("d: date",), ("x",), rows))

    assert rules_of(found) == [("gap", "warning")]
    assert "2026-01-01" in found[0].message["zh-CN"]


def test_a_table_that_compares_with_variables_is_said_to_be_unchecked() -> None:
    assert rules_of(odd(Table(("n",), ("x",), (("> limit", "1"),)))) == [("unchecked", "info")]


def test_a_table_too_large_to_check_says_so() -> None:
    rows = tuple(
        (*(f"[{(n * k) % 7}..{(n * k) % 11 + 7}]" for k in range(1, 9)), "1") for n in range(40)
    )
    columns = tuple(f"c{k}" for k in range(1, 9))

    assert ("unchecked", "info") in rules_of(odd(Table(columns, ("x",), rows)))


_cell = st.sampled_from(["< 3", "[3..5]", "]5..9[", ">= 9", "-", "1", "not(4)", "7"])


@settings(max_examples=80, deadline=None)
@given(
    st.lists(st.tuples(_cell, _cell), min_size=1, max_size=4),
    st.integers(-1, 11),
    st.integers(-1, 11),
)
def test_a_table_without_findings_always_has_exactly_one_match(
    cells: list[tuple[str, str]], a: int, b: int
) -> None:
    rows = tuple((*row, str(n)) for n, row in enumerate(cells, start=1))
    asked = model(decision("routing", Table(("a", "b"), ("n",), rows).xml()))
    rules = {finding.rule for finding in check_model(asked)}

    try:
        answer = asked.evaluate("routing", {"a": a, "b": b}).result
    except HitPolicyViolated:
        assert "overlap" in rules
        return
    assert answer is not None or "gap" in rules


def test_a_violated_hit_policy_was_foretold() -> None:
    asked = model(decision("routing", Table(("a",), ("n",), (("> 1", "1"), ("> 2", "2"))).xml()))

    assert [finding.rule for finding in check_model(asked)][:1] == ["overlap"]
    with pytest.raises(HitPolicyViolated):
        asked.evaluate("routing", {"a": 3})
