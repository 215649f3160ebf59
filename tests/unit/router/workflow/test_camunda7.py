"""Camunda 7 diagrams: what means the same is translated and told; the rest is refused."""

from __future__ import annotations

import pytest

from services.router.workflow import check
from services.router.workflow.juel import NotTranslatable, translate
from tests.harness.shared_data import shared_data

from .builders import (
    BEGIN,
    NOW,
    Tables,
    Walk,
    compiled,
    ends,
    flow,
    node,
    path,
    user,
    xml,
    zeebe,
)

TRANSLATED = {
    "plain text": "plain text",
    "${x > 5}": "=x > 5",
    "#{amount}": "=amount",
    "${valid == true}": "=valid = true",
    "${a eq 'x' and b ne \"y\"}": '=(a = "x") and (b != "y")',
    "${a + b * 2 >= 3 || !done}": "=((a + (b * 2)) >= 3) or not(done)",
    "${execution.hasVariable('X') && execution.getVariable('Y') > 1}": "=(X != null) and (Y > 1)",
    "${empty order.lines}": '=order.lines = null or order.lines = "" or order.lines = []',
    "${a ? 1 : -2}": "=if a then 1 else (-2)",
    "${n % 2}": "=modulo(n, 2)",
    "Order ${number} of ${who}": '="Order " + string(number) + " of " + string(who)',
    "${nrOfCompletedInstances >= 2}": "=numberOfCompletedInstances >= 2",
}


@pytest.mark.parametrize("juel", TRANSLATED)
def test_an_expression_that_means_the_same_in_feel_is_translated(juel: str) -> None:
    assert translate(juel) == TRANSLATED[juel]


@pytest.mark.parametrize(
    "juel",
    [
        "${bean.method(x)}",
        "${list[0]}",
        "${execution.processBusinessKey}",
        "${execution.getVariable(name)}",
        "${a = 1}",
        "${1 +}",
        "${}",
        "${((((((((((((((((((((((((((a))))))))))))))))))))))))))}",
        "${" + "a + " * 900 + "a}",
    ],
)
def test_what_is_program_code_or_no_expression_is_not(juel: str) -> None:
    with pytest.raises(NotTranslatable):
        translate(juel)


def c7(kind: str, name: str, inner: str = "", **attributes: str) -> str:
    told = "".join(f' camunda:{key}="{value}"' for key, value in attributes.items())
    return f'<bpmn:{kind} id="{name}"{told}>{inner}</bpmn:{kind}>'


def test_a_user_task_of_camunda_7_is_offered_and_dated_as_it_says() -> None:
    drawn = c7(
        "userTask",
        "u",
        zeebe(
            '<camunda:inputOutput><camunda:inputParameter name="shown">${amount}'
            "</camunda:inputParameter></camunda:inputOutput>"
        ),
        assignee="${owner}",
        candidateGroups="sales,${team}",
        formKey="embedded:deployment:form.html",
        dueDate="2026-02-01T09:00:00+08:00",
        priority="70",
        asyncBefore="true",
    )
    walk = Walk(
        xml(BEGIN, drawn, ends("e"), path("begin", "u", "e")),
        {"owner": "li.na", "team": "it", "amount": 3},
    )

    (task,) = walk.step.user_tasks
    assert (task.assignee, task.candidate_groups) == ("li.na", ("sales", "it"))
    assert (task.form, task.priority) == ("embedded:deployment:form.html", 70)
    assert task.variables == {"shown": 3}
    assert task.due_at is not None


def test_every_translation_is_told_at_its_element() -> None:
    drawn = xml(
        BEGIN,
        c7("userTask", "u", assignee="${owner}", asyncAfter="true"),
        ends("e"),
        path("begin", "u", "e"),
    )

    report = check(drawn)

    (told,) = report.findings
    assert (told.path, told.rule, told.severity) == ("p/u", "translated", "info")
    assert "=owner" in told.message["en"]
    assert "asyncAfter" in told.message["en"]
    assert report.is_ok


def test_conditions_external_tasks_and_decisions_of_camunda_7_run() -> None:
    drawn = xml(
        BEGIN,
        c7(
            "businessRuleTask",
            "r",
            decisionRef="d",
            resultVariable="way",
            mapDecisionResult="singleEntry",
        ),
        node("exclusiveGateway", "g", default="else"),
        c7("serviceTask", "j", type="external", topic="pay"),
        c7("serviceTask", "s", expression="${amount * 2}", resultVariable="twice"),
        ends("e", "e2"),
        path("begin", "r", "g"),
        flow("g", "s", "${way == 'pay' && amount > 5}"),
        flow("g", "e2", "", "else"),
        path("s", "j", "e"),
    )
    walk = Walk(compiled(drawn, Tables(d=lambda i: "pay")), {"amount": 6})

    assert walk.step.jobs[0].type == "pay"
    assert walk.step.data == {"amount": 6, "way": "pay", "twice": 12}


def test_rounds_and_calls_of_camunda_7_are_rounds_and_calls_here() -> None:
    loop = (
        '<bpmn:multiInstanceLoopCharacteristics camunda:collection="people"'
        ' camunda:elementVariable="who"><bpmn:completionCondition>'
        "${nrOfCompletedInstances >= 1}</bpmn:completionCondition>"
        "</bpmn:multiInstanceLoopCharacteristics>"
    ).replace(">=", "&gt;=")
    walk = Walk(
        xml(
            BEGIN, c7("userTask", "u", loop, assignee="${who}"), ends("e"), path("begin", "u", "e")
        ),
        {"people": ["an", "bo"]},
    )

    assert [task.assignee for task in walk.step.user_tasks] == ["an", "bo"]
    number = walk.step.user_tasks[1].task_id
    step = walk.do(lambda i: i.complete_user_task(number, {}, NOW))
    assert step is not None
    assert step.is_ended


def test_the_word_of_a_variable_in_no_expression_stays_a_word() -> None:
    assert check(xml(BEGIN, user("u", "${"), ends("e"), path("begin", "u", "e"))).findings


VERDICTS = {
    "camunda/camunda-bpm-examples/usertask/task-camunda-forms/src/main/resources/"
    "invoiceApproval.bpmn": ("ok", set()),
    "other/uk-home-office-hocs-workflow/COMP/COMP_REGISTRATION.bpmn": (
        "refused",
        {"camunda7-code"},
    ),
    "other/uk-home-office-hocs-workflow/COMP/COMP_SERVICE_TRIAGE.bpmn": (
        "refused",
        {"camunda7-code", "process-unknown"},
    ),
    "other/uk-home-office-hocs-workflow/FOI/FOI.bpmn": (
        "refused",
        {"camunda7-code", "juel-not-translatable", "process-unknown", "unreachable"},
    ),
}


@pytest.mark.parametrize("file", VERDICTS)
def test_a_diagram_of_others_gets_the_right_verdict(file: str) -> None:
    report = check((shared_data("models") / file).read_bytes())

    rules = {finding.rule for finding in report.findings if finding.severity == "error"}
    assert (report.verdict, rules) == VERDICTS[file]
