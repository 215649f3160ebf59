"""Decisions that need others, functions, services, and boxed logic."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from shared.decisions import DecisionNotFound, InputUnreadable, load_decisions
from tests.unit.decisions.dmn import Table, decision, file, literal, model

SCORE = decision("score", literal("if amount > 100 then 2 else 1"))
LANE = decision(
    "lane",
    Table(("score",), ("path",), (("1", '"green"'), ("2", '"slow"'))).xml(),
    needs=("score",),
)


def test_required_decisions_are_evaluated_first_and_explained_in_order() -> None:
    answer = model(LANE, SCORE).evaluate("lane", {"amount": 500})

    assert answer.result == "slow"
    assert [entry["decision"] for entry in answer.explanation] == ["score", "lane"]
    assert answer.explanation[0]["inputs"] == {"amount": 500}


def test_a_decision_needed_twice_is_evaluated_once() -> None:
    top = decision("top", literal("a + b"), needs=("a", "b"))
    a = decision("a", literal("score"), needs=("score",))
    b = decision("b", literal("score"), needs=("score",))

    answer = model(top, a, b, SCORE).evaluate("top", {"amount": 1})

    assert answer.result == 2
    assert [entry["decision"] for entry in answer.explanation].count("score") == 1


def test_a_model_tells_what_each_decision_needs_from_outside() -> None:
    data = '<inputData id="amount" name="amount"><variable name="amount"/></inputData>'
    drawn = decision("drawn", literal("amount + rate"), inputs=("amount",))

    summaries = {s.id: s.inputs for s in model(LANE, SCORE, data, drawn).decisions}

    assert summaries == {"lane": ("amount",), "score": ("amount",), "drawn": ("amount", "rate")}


def test_names_with_spaces_are_known_from_the_model() -> None:
    data = '<inputData id="m" name="Monthly Salary"/>'
    yearly = '<decision id="y" name="Yearly"><informationRequirement><requiredInput href="#m"/>'
    yearly += "</informationRequirement>" + literal("Monthly Salary * 12") + "</decision>"

    assert model(data, yearly).evaluate("Yearly", {"Monthly Salary": 10}).result == 120


def test_chinese_names_need_no_declaration() -> None:
    table = Table(("工单.金额",), ("线路",), (("> 100", '"绿色通道"'),))

    found = model(decision("路由", table.xml())).evaluate("路由", {"工单": {"金额": 200}})

    assert found.result == "绿色通道"


FACTORIAL = """<businessKnowledgeModel id="fact" name="fact"><variable name="fact"/>
<encapsulatedLogic><formalParameter name="n" typeRef="number"/><literalExpression>
<text>if n = 0 then 1 else n * fact(n - 1)</text></literalExpression></encapsulatedLogic>
<knowledgeRequirement><requiredKnowledge href="#fact"/></knowledgeRequirement>
</businessKnowledgeModel>"""


def test_a_business_knowledge_model_is_a_function_and_may_call_itself() -> None:
    asked = decision("asked", literal("fact(n)"), knows=("fact",))

    assert model(asked, FACTORIAL).evaluate("asked", {"n": 5}).result == 120
    assert model(asked, FACTORIAL).evaluate("fact", {"n": 4}).result == 24


def test_an_invocation_binds_parameters_by_name() -> None:
    logic = f"""<invocation>{literal("fact")}<binding><parameter name="n"/>{literal("1 + 2")}
    </binding></invocation>"""

    assert (
        model(decision("asked", logic, knows=("fact",)), FACTORIAL).evaluate("asked", {}).result
        == 6
    )


def test_a_function_does_not_see_the_variables_of_its_caller() -> None:
    function = """<businessKnowledgeModel id="f" name="f"><encapsulatedLogic>
    <literalExpression><text>secret</text></literalExpression></encapsulatedLogic>
    </businessKnowledgeModel>"""

    asked = decision("asked", literal("f()"), knows=("f",))

    assert model(asked, function).evaluate("asked", {"secret": 1}).result is None


def test_a_context_shows_each_entry_to_the_next_and_may_have_a_result() -> None:
    entries = f"""<contextEntry><variable name="base"/>{literal("2")}</contextEntry>
    <contextEntry><variable name="double it"/>{literal("base * 2")}</contextEntry>"""
    result = f"<contextEntry>{literal('double it + 1')}</contextEntry>"

    both = model(
        decision("plain", f"<context>{entries}</context>"),
        decision("final", f"<context>{entries}{result}</context>"),
    )

    assert both.evaluate("plain", {}).result == {"base": 2, "double it": 4}
    assert both.evaluate("final", {}).result == 5


BOXED = {
    f"<list>{literal('1')}{literal('a')}</list>": [1, 5],
    f"""<relation><column name="x"/><column name="y"/><row>{literal("1")}{literal("2")}</row>
    </relation>""": [{"x": 1, "y": 2}],
    f"""<conditional><if>{literal("a > 1")}</if><then>{literal("1")}</then>
    <else>{literal("2")}</else></conditional>""": 1,
    f"<filter><in>{literal('[1, 9]')}</in><match>{literal('item > a')}</match></filter>": [9],
    f"""<for iteratorVariable="i"><in>{literal("1..3")}</in>
    <return>{literal("i * a")}</return></for>""": None,
    f"""<for iteratorVariable="i"><in>{literal("[1, 2]")}</in>
    <return>{literal("i * a")}</return></for>""": [5, 10],
    f"""<some iteratorVariable="i"><in>{literal("[1, 9]")}</in>
    <satisfies>{literal("i > a")}</satisfies></some>""": True,
    f"""<every iteratorVariable="i"><in>{literal("[1, 9]")}</in>
    <satisfies>{literal("i > a")}</satisfies></every>""": False,
}


@pytest.mark.parametrize(("logic", "expected"), [(k, v) for k, v in BOXED.items() if v is not None])
def test_boxed_logic_means_what_its_feel_counterpart_means(logic: str, expected: object) -> None:
    assert model(decision("d", logic)).evaluate("d", {"a": 5}).result == expected


SERVICE = """<decisionService id="svc" name="Service"><outputDecision href="#lane"/>
<encapsulatedDecision href="#lane"/><inputDecision href="#score"/></decisionService>"""


def test_a_service_takes_its_input_decisions_as_given() -> None:
    both = model(LANE, SCORE, SERVICE)

    assert both.evaluate("Service", {"score": 2}).result == "slow"
    asked = decision("asked", literal("Service(score: 1)"), knows=("svc",))
    assert model(LANE, SCORE, SERVICE, asked).evaluate("asked", {}).result == "green"


TYPES = """<itemDefinition name="tPerson"><itemComponent name="born"><typeRef>date</typeRef>
</itemComponent><itemComponent name="tier"><typeRef>string</typeRef><allowedValues>
<text>"gold","silver"</text></allowedValues></itemComponent></itemDefinition>
<inputData id="p" name="person"><variable name="person" typeRef="tPerson"/></inputData>"""


def test_an_input_is_fitted_to_its_type_and_null_where_it_does_not_fit() -> None:
    asked = decision("asked", literal("person.born.year"), inputs=("p",))
    typed = model(TYPES, asked)

    fitting = typed.evaluate("asked", {"person": {"born": "1999-05-01", "tier": "gold"}})
    unfit = typed.evaluate("asked", {"person": {"born": "1999-05-01", "tier": "tin"}})

    assert fitting.result == 1999
    assert unfit.result is None
    assert unfit.explanation[0]["notes"] == ["person: not of type tPerson"]


def test_a_result_which_is_not_of_its_declared_type_is_null_and_noted() -> None:
    answer = model(decision("d", literal('"x"'), kind="number")).evaluate("d", {})

    assert answer.result is None
    assert "not of type number" in str(answer.explanation[0]["notes"])


def test_a_list_of_one_fits_where_its_element_is_wanted() -> None:
    assert model(decision("d", literal("[5]"), kind="number")).evaluate("d", {}).result == 5


def test_now_is_the_moment_given() -> None:
    moment = datetime(2026, 11, 5, 9, 30, tzinfo=UTC)

    answer = model(decision("d", literal("now().hour"))).evaluate("d", {}, now=moment)

    assert answer.result == 9


def test_an_unknown_decision_is_told_with_those_there_are() -> None:
    with pytest.raises(DecisionNotFound) as refused:
        model(SCORE).evaluate("skore", {})

    assert "score" in refused.value.sentence("en")


def test_an_input_that_is_no_json_is_refused_by_name() -> None:
    with pytest.raises(InputUnreadable) as refused:
        model(SCORE).evaluate("score", {"amount": object()})

    assert "amount" in refused.value.sentence("zh-CN")


@pytest.mark.parametrize(
    "space",
    [
        "http://www.omg.org/spec/DMN/20151101/dmn.xsd",
        "http://www.omg.org/spec/DMN/20180521/MODEL/",
        "https://www.omg.org/spec/DMN/20191111/MODEL/",
        "https://www.omg.org/spec/DMN/20211108/MODEL/",
        "https://www.omg.org/spec/DMN/20230324/MODEL/",
    ],
)
def test_every_version_of_dmn_that_modellers_write_is_read(space: str) -> None:
    assert load_decisions(file(SCORE, space=space)).evaluate("score", {"amount": 1}).result == 1
