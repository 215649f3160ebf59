"""Files of decisions that are refused, with every problem named where it stands."""

from __future__ import annotations

import pytest

from shared.decisions import DecisionsRefused, load_decisions
from shared.errors import Finding
from tests.unit.decisions.dmn import Table, decision, file, literal, model


def findings_of(*elements: str) -> tuple[Finding, ...]:
    with pytest.raises(DecisionsRefused) as refused:
        model(*elements)
    return refused.value.findings


def test_a_broken_cell_is_named_by_table_rule_and_column() -> None:
    rows = (('"a"', "1"), ('"b" "c"', "2"), ("< <", "foo(1)"))
    table = Table(("category",), ("n",), rows)

    found = findings_of(decision("routing", table.xml()))

    assert [(f.path, f.rule) for f in found] == [
        ("test.dmn / routing / rule 2 / input 1 'category'", "feel-syntax"),
        ("test.dmn / routing / rule 3 / input 1 'category'", "feel-syntax"),
        ("test.dmn / routing / rule 3 / output 1 'n'", "feel-unknown-function"),
    ]
    assert all(f.message["zh-CN"] and f.message["en"] for f in found)


def test_all_problems_are_told_at_once() -> None:
    found = findings_of(decision("a", literal("1 +")), decision("b", literal("lenght(x)")))

    assert {f.path for f in found} == {"test.dmn / a", "test.dmn / b"}


BROKEN = {
    "hit-policy": decision("d", Table(("a",), ("b",), (("1", "2"),), hit_policy="NONSENSE").xml()),
    "aggregation": decision(
        "d", Table(("a",), ("b", "c"), (("1", "2", "3"),), "COLLECT", "SUM").xml()
    ),
    "no-priorities": decision("d", Table(("a",), ("b",), (("1", "2"),), "PRIORITY").xml()),
    "rule-width": decision("d", Table(("a", "b"), ("c",), (("1", "2"),)).xml()),
    "no-output": decision("d", Table(("a",), (), (("1",),)).xml()),
    "no-logic": decision("d", ""),
    "missing-requirement": decision("d", literal("1"), needs=("gone",)),
    "circular-requirement": decision("d", literal("1"), needs=("e",))
    + decision("e", literal("1"), needs=("d",)),
    "not-feel": decision(
        "d", '<literalExpression expressionLanguage="juel"><text>${a}</text></literalExpression>'
    ),
    "external-function": """<decision id="d" name="d"><functionDefinition kind="Java">
    <literalExpression><text>{class: "java.lang.Runtime"}</text></literalExpression>
    </functionDefinition></decision>""",
    "import": '<import name="x" namespace="y" importType="z"/>' + decision("d", literal("1")),
    "no-decision": '<inputData id="i" name="i"/>',
    "feel-budget-exceeded": decision("d", literal("(" * 100 + "1" + ")" * 100)),
}


@pytest.mark.parametrize(("rule", "xml"), BROKEN.items())
def test_what_cannot_work_is_refused_before_anybody_uses_it(rule: str, xml: str) -> None:
    assert rule in {finding.rule for finding in findings_of(xml)}


UNREADABLE = {
    "xml": b"<definitions",
    "dtd": b'<!DOCTYPE d [<!ENTITY x "y">]><definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">&x;</definitions>',
    "not-dmn": b'<definitions xmlns="http://www.omg.org/spec/BPMN/20100524/MODEL"/>',
    "too-large": b" " * 8_000_001,
}


@pytest.mark.parametrize(("rule", "xml"), UNREADABLE.items())
def test_what_is_no_dmn_is_refused(rule: str, xml: bytes) -> None:
    with pytest.raises(DecisionsRefused) as refused:
        load_decisions(xml, file="x.dmn")

    assert [finding.rule for finding in refused.value.findings] == [rule]


def test_entities_cannot_be_used_to_read_files_or_to_explode() -> None:
    bomb = b"""<!DOCTYPE d [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">
    <!ENTITY f SYSTEM "file:///etc/passwd">]>
    <definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/">&f;&b;</definitions>"""

    with pytest.raises(DecisionsRefused):
        load_decisions(bomb)


def test_comments_in_a_table_are_no_part_of_it() -> None:
    table = Table(("a",), ("b",), (("1", "2"),)).xml().replace("<rule", "<!-- why --><rule")
    table = table.replace("<text>1", "<text><!-- only -->1")

    assert model(decision("d", table)).evaluate("d", {"a": 1}).result == 2


def test_loaded_leniently_a_broken_expression_is_null_and_stays_on_record() -> None:
    xml = file(decision("good", literal("1")), decision("bad", literal("1 +")))

    lenient = load_decisions(xml, is_strict=False)

    assert lenient.evaluate("good", {}).result == 1
    assert lenient.evaluate("bad", {}).result is None
    assert [finding.rule for finding in lenient.findings] == ["feel-incomplete"]


def test_a_call_that_is_always_null_is_a_warning_and_no_refusal() -> None:
    found = model(decision("d", literal('upper case("a", "b")'))).findings

    assert [(f.rule, f.severity) for f in found] == [("feel-arguments", "warning")]
