"""Decision tables: what each hit policy makes of the rules that match."""

from __future__ import annotations

import pytest

from shared.decisions import HitPolicyViolated
from shared.feel import FeelBudgetExceeded
from tests.unit.decisions.dmn import Table, decision, model, table_model

LANES = Table(
    inputs=("category: string", "amount: number", "tier"),
    outputs=("lane: string", "sla"),
    rows=(
        ('"laptop","phone"', "< 5000", "-", '"green"', '"PT4H"'),
        ('"laptop","phone"', ">= 5000", "-", '"standard"', '"PT8H"'),
        ('not("laptop","phone")', "[1..100]", '"gold"', '"green"', '"PT1H"'),
    ),
)


def discounts(hit_policy: str, aggregation: str = "") -> Table:
    return Table(
        inputs=("amount",),
        outputs=("rate",),
        rows=(("> 100", "5"), ("> 10", "3"), ("> 1", "3")),
        hit_policy=hit_policy,
        aggregation=aggregation,
        output_values={"rate": "3, 5"},
    )


def test_several_outputs_are_a_context_and_nothing_matched_is_null() -> None:
    lanes = table_model(LANES)

    answer = lanes.evaluate("routing", {"category": "phone", "amount": 5000, "tier": "gold"})

    assert answer.result == {"lane": "standard", "sla": "PT8H"}
    assert lanes.evaluate("routing", {"category": "desk", "amount": 500}).result is None


def test_a_decision_is_found_by_id_and_by_name() -> None:
    xml = decision("routing", LANES.xml()).replace('name="routing"', 'name="线路"')
    lanes = model(xml)
    given = {"category": "phone", "amount": 1}

    assert lanes.evaluate("routing", given).result == lanes.evaluate("线路", given).result


@pytest.mark.parametrize(
    ("hit_policy", "aggregation", "amount", "expected"),
    [
        ("FIRST", "", 500, 5),
        ("FIRST", "", 50, 3),
        ("PRIORITY", "", 500, 3),
        ("RULE ORDER", "", 500, [5, 3, 3]),
        ("OUTPUT ORDER", "", 500, [3, 3, 5]),
        ("COLLECT", "", 50, [3, 3]),
        ("COLLECT", "SUM", 500, 11),
        ("COLLECT", "MIN", 500, 3),
        ("COLLECT", "MAX", 500, 5),
        ("COLLECT", "COUNT", 500, 3),
        ("COLLECT", "", 0, []),
        ("RULE ORDER", "", 0, []),
        ("COLLECT", "COUNT", 0, 0),
        ("COLLECT", "SUM", 0, None),
        ("FIRST", "", 0, None),
        ("ANY", "", 50, 3),
        ("UNIQUE", "", 5, 3),
    ],
)
def test_a_hit_policy_decides_what_comes_of_the_matches(
    hit_policy: str, aggregation: str, amount: int, expected: object
) -> None:
    rates = table_model(discounts(hit_policy, aggregation))

    assert rates.evaluate("routing", {"amount": amount}).result == expected


@pytest.mark.parametrize(("hit_policy", "amount"), [("UNIQUE", 50), ("ANY", 500)])
def test_a_table_that_breaks_its_own_hit_policy_is_refused_with_its_rules(
    hit_policy: str, amount: int
) -> None:
    rates = table_model(discounts(hit_policy))

    with pytest.raises(HitPolicyViolated) as refused:
        rates.evaluate("routing", {"amount": amount})

    assert refused.value.params["policy"] == hit_policy
    assert "1, 2" in str(refused.value.params["rules"]) or hit_policy == "UNIQUE"
    assert "routing" in refused.value.sentence("zh-CN")


def test_default_outputs_answer_where_no_rule_does() -> None:
    table = Table(("a",), ("x", "y"), (("1", "1", "2"),), defaults={"x": '"none"'})

    assert table_model(table).evaluate("routing", {"a": 2}).result == {"x": "none", "y": None}


def test_outputs_may_be_computed_and_empty_ones_are_null() -> None:
    table = Table(("a",), ("x", "y"), (("> 0", "a * 2", ""),))

    assert table_model(table).evaluate("routing", {"a": 2}).result == {"x": 4, "y": None}


def test_a_text_is_read_as_a_date_where_the_column_asks_for_one() -> None:
    table = Table(("due: date",), ("late",), (('< date("2026-11-05")', "true"),))

    assert table_model(table).evaluate("routing", {"due": "2026-11-04"}).result is True


def test_several_outputs_are_ranked_from_left_to_right() -> None:
    table = Table(
        ("a",),
        ("status", "rate"),
        (("> 0", '"ok"', '"low"'), ("> 0", '"ok"', '"high"'), ("> 1", '"bad"', '"low"')),
        hit_policy="PRIORITY",
        output_values={"status": '"bad","ok"', "rate": '"high","low"'},
    )
    ranked = table_model(table)

    assert ranked.evaluate("routing", {"a": 1}).result == {"status": "ok", "rate": "high"}
    assert ranked.evaluate("routing", {"a": 2}).result == {"status": "bad", "rate": "low"}


def test_an_explanation_says_which_rules_matched_which_inputs_and_what_came_out() -> None:
    answer = table_model(LANES).evaluate("routing", {"category": "phone", "amount": 9, "tier": "x"})

    assert answer.explanation == (
        {
            "decision": "routing",
            "name": "routing",
            "kind": "decisionTable",
            "hit_policy": "UNIQUE",
            "matched_rules": [1],
            "rule_ids": ["rule1"],
            "inputs": {"category": "phone", "amount": 9, "tier": "x"},
            "outputs": {"lane": "green", "sla": "PT4H"},
        },
    )


def test_a_cell_cannot_run_for_ever() -> None:
    table = Table(("a",), ("x",), (("some i in 1..1000000000 satisfies i < 0", "1"),))

    with pytest.raises(FeelBudgetExceeded):
        table_model(table).evaluate("routing", {"a": 1})


@pytest.mark.parametrize("vip", [None, "false", "no", 0, []])
def test_a_missing_truth_is_not_a_true_one(vip: object) -> None:
    rows = (("true", '"P1"'), ("-", '"P4"'))
    untyped = table_model(Table(("vip",), ("priority: string",), rows, "FIRST"))
    typed = table_model(Table(("vip: boolean",), ("priority: string",), rows, "FIRST"))

    assert untyped.evaluate("routing", {"vip": vip}).result == "P4"
    assert typed.evaluate("routing", {"vip": vip}).result == "P4"
    assert typed.evaluate("routing", {}).result == "P4"
    assert typed.evaluate("routing", {"vip": True}).result == "P1"
