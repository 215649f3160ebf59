"""Whatever the engine would not execute as drawn is refused, with element, reason and remedy."""

import time

import pytest

from services.router.workflow import ProcessRefused, Report, check, compile_process
from services.router.workflow.rules import RULES

from .builders import (
    BEGIN,
    ERROR,
    LATE,
    SHIPPED,
    boundary,
    catch,
    ends,
    flow,
    io,
    job,
    message,
    node,
    path,
    rule,
    script,
    timer,
    user,
    xml,
    zeebe,
)


def between(element: str, name: str = "x", roots: str = "") -> bytes:
    return xml(BEGIN, element, ends("e"), path("begin", name, "e"), roots=roots)


def on_user(event: str) -> bytes:
    return xml(BEGIN, user("u"), event, ends("e", "e2"), path("begin", "u", "e"), path("x", "e2"))


def throwing(event: str, kind: str = "endEvent") -> bytes:
    return xml(BEGIN, node(kind, "x", event), path("begin", "x"))


LINK = '<bpmn:linkEventDefinition name="l"/>'
SIGNAL = '<bpmn:signalEventDefinition signalRef="s"/>'
COMPENSATE = "<bpmn:compensateEventDefinition/>"
CONDITIONAL = "<bpmn:conditionalEventDefinition/>"
STARTED = node("startEvent", "in") + ends("out") + path("in", "out")

REFUSED = {
    # what SpiffWorkflow would mis-execute without a word
    "link to nowhere": (throwing(LINK, "intermediateThrowEvent"), "p/x", "link-target"),
    "link that is entered": (between(catch("x", LINK)), "p/x", "link-connected"),
    "link at an end": (throwing(LINK), "p/x", "unsupported-event"),
    "compensation throw": (
        throwing(COMPENSATE, "intermediateThrowEvent"),
        "p/x",
        "unsupported-event",
    ),
    "compensation boundary": (on_user(boundary("x", "u", COMPENSATE)), "p/x", "unsupported-event"),
    "signal without a name": (throwing(SIGNAL), "p/x", "event-empty"),
    "condition that is empty": (between(catch("x", CONDITIONAL)), "p/x", "event-empty"),
    "condition at an end": (throwing(CONDITIONAL), "p/x", "unsupported-event"),
    "cancel": (throwing("<bpmn:cancelEventDefinition/>"), "p/x", "unsupported-event"),
    "message start": (
        xml(node("startEvent", "begin", message()), ends("e"), path("begin", "e")),
        "p/begin",
        "unsupported-event",
    ),
    "event sub-process without an event": (
        xml(
            BEGIN,
            ends("e"),
            path("begin", "e"),
            node("subProcess", "x", STARTED, triggeredByEvent="true"),
        ),
        "p/x",
        "event-scope-start",
    ),
    "event sub-process in the flow": (
        between(node("subProcess", "x", STARTED, triggeredByEvent="true")),
        "p/x",
        "event-scope-connected",
    ),
    # elements not executed
    "complex gateway": (between(node("complexGateway", "x")), "p/x", "unsupported-element"),
    "call of nothing": (
        between(node("callActivity", "x", calledElement="q")),
        "p/x",
        "process-unknown",
    ),
    "call by expression": (
        between(node("callActivity", "x", calledElement="=which")),
        "p/x",
        "call-fixed",
    ),
    "call of itself": (
        between(node("callActivity", "x", calledElement="p")),
        "p/x",
        "call-cycle",
    ),
    "transaction": (between(node("transaction", "x", STARTED)), "p/x", "unsupported-element"),
    "ad-hoc": (between(node("adHocSubProcess", "x")), "p/x", "unsupported-element"),
    "data store": (
        xml(BEGIN, ends("e"), path("begin", "e"), node("dataStoreReference", "x")),
        "p/x",
        "unsupported-element",
    ),
    "multi-instance over nothing": (
        between(user("x", inner="<bpmn:multiInstanceLoopCharacteristics/>")),
        "p/x",
        "loop-collection",
    ),
    "multi-instance by number": (
        between(
            user(
                "x",
                inner="<bpmn:multiInstanceLoopCharacteristics><bpmn:loopCardinality>3"
                "</bpmn:loopCardinality></bpmn:multiInstanceLoopCharacteristics>",
            )
        ),
        "p/x",
        "unsupported-element",
    ),
    "loop marker": (
        between(user("x", inner="<bpmn:standardLoopCharacteristics/>")),
        "p/x",
        "unsupported-element",
    ),
    "data inputs": (
        between(user("x", inner="<bpmn:ioSpecification/>")),
        "p/x",
        "unsupported-element",
    ),
    "compensation task": (
        between(node("userTask", "x", isForCompensation="true")),
        "p/x",
        "unsupported-element",
    ),
    "parallel event gateway": (
        xml(
            BEGIN,
            node("eventBasedGateway", "x", eventGatewayType="Parallel"),
            catch("a", message()),
            catch("b", timer("PT1H")),
            path("begin", "x", "a"),
            path("x", "b"),
        ),
        "p/x",
        "unsupported-element",
    ),
    "unknown element": (between(node("choreographyTask", "x")), "p/x", "unsupported-element"),
    "two event definitions": (
        between(catch("x", message() + timer("PT1H"))),
        "p/x",
        "event-several",
    ),
    # other engines' dialects
    "camunda 7 attribute": (
        between('<bpmn:userTask id="x" camunda:formRefVersion="3"/>'),
        "p/x",
        "foreign-dialect",
    ),
    "camunda 7 class": (
        between('<bpmn:serviceTask id="x" camunda:class="com.example.Send"/>'),
        "p/x",
        "camunda7-code",
    ),
    "camunda 7 listener": (
        between(node("userTask", "x", zeebe('<camunda:taskListener class="a.B" event="create"/>'))),
        "p/x",
        "camunda7-code",
    ),
    "camunda 7 extension": (
        between(node("userTask", "x", zeebe("<camunda:formData/>"))),
        "p/x",
        "foreign-dialect",
    ),
    "juel condition": (
        xml(
            BEGIN,
            node("exclusiveGateway", "g", default="d"),
            ends("e", "e2"),
            path("begin", "g"),
            flow("g", "e", "${rules.decide(x)}"),
            flow("g", "e2", "", "d"),
        ),
        "p/f_g_e",
        "juel-not-translatable",
    ),
    "python script": (
        between(node("scriptTask", "x", "<bpmn:script>import os</bpmn:script>")),
        "p/x",
        "script-not-feel",
    ),
    "unknown extension": (
        between(node("userTask", "x", zeebe("<zeebe:taskListeners/>"))),
        "p/x",
        "unknown-extension",
    ),
    "extension on the wrong element": (
        between(node("userTask", "x", zeebe('<zeebe:taskDefinition type="a"/>'))),
        "p/x",
        "unknown-extension",
    ),
    "unknown extension attribute": (
        between(node("serviceTask", "x", zeebe('<zeebe:taskDefinition type="a" color="b"/>'))),
        "p/x",
        "unknown-attribute",
    ),
    "input mapping on a timer": (
        between(node("intermediateCatchEvent", "x", zeebe(io({"a": "=b"})) + timer("PT1H"))),
        "p/x",
        "mapping-misplaced",
    ),
    "extension of an event": (
        between(
            catch(
                "x",
                '<bpmn:messageEventDefinition messageRef="M_ping">'
                + zeebe('<zeebe:taskDefinition type="a"/>')
                + "</bpmn:messageEventDefinition>",
            )
        ),
        "p/x",
        "unknown-extension",
    ),
    "an id longer than tables hold": (
        between(user("x" * 100), "x" * 100),
        "p/" + "x" * 100,
        "id-too-long",
    ),
    # shape
    "two starts": (
        xml(BEGIN, node("startEvent", "x"), ends("e"), path("begin", "e"), path("x", "e")),
        "p",
        "start-count",
    ),
    "no start inside": (
        between(node("subProcess", "x", ends("o"))),
        "p/x",
        "start-count",
    ),
    "flow to nowhere": (
        xml(BEGIN, user("u"), path("begin", "u"), flow("u", "gone")),
        "p/f_u_gone",
        "flow-dangling",
    ),
    "flow out of a sub-process": (
        xml(
            BEGIN,
            node("subProcess", "x", node("startEvent", "in")),
            ends("e"),
            path("begin", "x", "e"),
            flow("in", "e"),
        ),
        "p/f_in_e",
        "flow-crosses-scope",
    ),
    "implicit split": (
        xml(BEGIN, user("x"), ends("e", "e2"), path("begin", "x", "e"), path("x", "e2")),
        "p/x",
        "implicit-split",
    ),
    "unreachable": (
        xml(BEGIN, user("x"), ends("e"), path("begin", "e"), path("x", "e")),
        "p/x",
        "unreachable",
    ),
    "into the start": (
        xml(BEGIN, user("u"), path("begin", "u", "begin")),
        "p/begin",
        "start-entered",
    ),
    "out of an end": (
        xml(BEGIN, ends("x"), user("u"), path("begin", "x", "u")),
        "p/x",
        "end-left",
    ),
    "no condition": (
        xml(
            BEGIN,
            node("exclusiveGateway", "g", default="d"),
            ends("e", "e2"),
            path("begin", "g", "e"),
            flow("g", "e2", "", "d"),
        ),
        "p/g/f_g_e",
        "condition-missing",
    ),
    "condition on a task's flow": (
        xml(BEGIN, ends("e"), flow("begin", "e", "=x")),
        "p/begin/f_begin_e",
        "condition-misplaced",
    ),
    "condition on the default flow": (
        xml(
            BEGIN,
            node("exclusiveGateway", "g", default="d"),
            ends("e", "e2"),
            path("begin", "g"),
            flow("g", "e", "=x"),
            flow("g", "e2", "=y", "d"),
        ),
        "p/g/d",
        "condition-misplaced",
    ),
    "condition without a sign": (
        xml(
            BEGIN,
            node("exclusiveGateway", "g", default="d"),
            ends("e", "e2"),
            path("begin", "g"),
            flow("g", "e", "x > 1"),
            flow("g", "e2", "", "d"),
        ),
        "p/g/f_g_e",
        "feel-sign-missing",
    ),
    "default of another": (
        xml(
            BEGIN, node("exclusiveGateway", "x", default="nope"), ends("e"), path("begin", "x", "e")
        ),
        "p/x",
        "default-unknown",
    ),
    "race to a task": (
        xml(
            BEGIN,
            node("eventBasedGateway", "g"),
            catch("a", message()),
            user("x"),
            path("begin", "g", "a"),
            path("g", "x"),
        ),
        "p/x",
        "race-target",
    ),
    "race of one": (
        xml(BEGIN, node("eventBasedGateway", "x"), catch("a", message()), path("begin", "x", "a")),
        "p/x",
        "race-alone",
    ),
    "spinning loop": (
        xml(
            BEGIN,
            node("exclusiveGateway", "x"),
            script("s", "=1", "v"),
            node("exclusiveGateway", "g", default="d"),
            ends("e"),
            path("begin", "x", "s", "g"),
            flow("g", "x", "=v = 1"),
            flow("g", "e", "", "d"),
        ),
        "p/x",
        "loop-without-wait",
    ),
    "spinning loop through an empty sub-process": (
        xml(
            BEGIN,
            node("subProcess", "x", STARTED),
            node("exclusiveGateway", "g", default="d"),
            ends("e"),
            path("begin", "x", "g"),
            flow("g", "x", "=v = 1"),
            flow("g", "e", "", "d"),
        ),
        "p/x",
        "loop-without-wait",
    ),
    "loop into a join": (
        xml(
            BEGIN,
            node("parallelGateway", "x"),
            user("u"),
            node("exclusiveGateway", "g", default="d"),
            ends("e"),
            path("begin", "x", "u", "g"),
            flow("g", "x", "=again"),
            flow("g", "e", "", "d"),
        ),
        "p/x",
        "loop-into-join",
    ),
    "same flow twice into a join": (
        xml(
            BEGIN,
            node("parallelGateway", "g"),
            node("parallelGateway", "x"),
            ends("e"),
            path("begin", "g", "x", "e"),
            flow("g", "x", "", "second"),
        ),
        "p/x",
        "flow-twice",
    ),
    "boundary on a gateway": (
        xml(
            BEGIN,
            node("exclusiveGateway", "g"),
            boundary("x", "g", message()),
            ends("e"),
            path("begin", "g", "e"),
        ),
        "p/x",
        "attached-to",
    ),
    "boundary on a passing task": (
        xml(
            BEGIN,
            script("s", "=1", "v"),
            boundary("x", "s", message()),
            ends("e"),
            path("begin", "s", "e"),
        ),
        "p/x",
        "attached-to-passing",
    ),
    # what elements say
    "error beside the work": (
        xml(
            BEGIN,
            job("j"),
            boundary("x", "j", ERROR, interrupts=False),
            ends("e"),
            path("begin", "j", "e"),
        ),
        "p/x",
        "error-not-interrupting",
    ),
    "error on a user task": (on_user(boundary("x", "u", ERROR)), "p/x", "never-thrown"),
    "escalation on a job": (
        xml(BEGIN, job("j"), boundary("x", "j", LATE), ends("e"), path("begin", "j", "e")),
        "p/x",
        "never-thrown",
    ),
    "error without a code": (
        throwing("<bpmn:errorEventDefinition/>"),
        "p/x",
        "event-empty",
    ),
    "message without a name": (
        between(catch("x", "<bpmn:messageEventDefinition/>")),
        "p/x",
        "event-empty",
    ),
    "message named by an expression": (
        between(catch("x", message("M_feel")), roots='<bpmn:message id="M_feel" name="=a"/>'),
        "p/x",
        "event-name-feel",
    ),
    "timer without time": (
        between(catch("x", "<bpmn:timerEventDefinition/>")),
        "p/x",
        "timer-empty",
    ),
    "timer in words": (between(catch("x", timer("soon"))), "p/x", "timer-invalid"),
    "timer into the past": (between(catch("x", timer("-PT1H"))), "p/x", "timer-invalid"),
    "date nobody can place": (
        between(catch("x", timer("2026-01-01T09:00:00", "timeDate"))),
        "p/x",
        "timer-invalid",
    ),
    "cron": (
        on_user(boundary("x", "u", timer("0 0 9 * * *", "timeCycle"), interrupts=False)),
        "p/x",
        "timer-invalid",
    ),
    "cycle faster than a second": (
        on_user(boundary("x", "u", timer("R/PT0S", "timeCycle"), interrupts=False)),
        "p/x",
        "timer-invalid",
    ),
    "interrupting cycle": (
        on_user(boundary("x", "u", timer("R3/PT1H", "timeCycle"))),
        "p/x",
        "cycle-misplaced",
    ),
    "broken timer expression": (between(catch("x", timer("=1 +"))), "p/x", "feel-invalid"),
    "broken script": (between(script("x", "=for", "v")), "p/x", "feel-invalid"),
    "broken groups": (between(user("x", "=[")), "p/x", "feel-invalid"),
    "service without a type": (between(node("serviceTask", "x")), "p/x", "work-missing"),
    "rule without a decision": (
        between(node("businessRuleTask", "x")),
        "p/x",
        "work-missing",
    ),
    "decision chosen at run time": (between(rule("x", "=d", "v")), "p/x", "event-name-feel"),
    "result without a name": (between(rule("x", "d", "")), "p/x", "result-variable-missing"),
    "odd mapping target": (
        between(job("x", extra=io(outputs={"a-b c": "=1"}))),
        "p/x",
        "mapping-invalid",
    ),
    "odd retries": (
        between(node("serviceTask", "x", zeebe('<zeebe:taskDefinition type="a" retries="many"/>'))),
        "p/x",
        "retries-invalid",
    ),
    "job and decision at once": (
        between(
            node(
                "businessRuleTask",
                "x",
                zeebe('<zeebe:taskDefinition type="a"/><zeebe:calledDecision decisionId="d"/>'),
            )
        ),
        "p/x",
        "work-twice",
    ),
}


def broken(report: Report) -> set[tuple[str, str]]:
    return {(f.path, f.rule) for f in report.findings if f.severity == "error"}


@pytest.mark.parametrize("name", REFUSED)
def test_it_is_refused_with_the_element_the_reason_and_the_remedy(name: str) -> None:
    diagram, where, rule_ = REFUSED[name]

    report = check(diagram)

    assert report.verdict == "refused"
    assert (where, rule_) in broken(report)
    for finding in report.findings:
        assert set(finding.message) == set(finding.fix) == {"zh-CN", "en"}
        assert "{" not in finding.message["zh-CN"].replace("${", "")
    with pytest.raises(ProcessRefused) as refusal:
        compile_process(diagram, key="p", version=1, decisions=SHIPPED)
    assert (where, rule_) in {(f.path, f.rule) for f in refusal.value.findings}


@pytest.mark.parametrize(
    ("content", "rule_"),
    [
        (b"", "file-not-xml"),
        (b"<a><b></a>", "file-not-xml"),
        (b"<a/>", "file-not-bpmn"),
        (b'<!DOCTYPE a [<!ENTITY x "y">]><a>&x;</a>', "file-has-dtd"),
        (b'<!DOCTYPE a SYSTEM "file:///etc/passwd"><a/>', "file-has-dtd"),
        (b"<a>" + b" " * 2_000_001 + b"</a>", "file-too-big"),
        (xml(BEGIN, process='id="p" isExecutable="false"'), "process-count"),
    ],
)
def test_a_file_that_is_no_diagram_is_refused_as_a_whole(content: bytes, rule_: str) -> None:
    assert [f.rule for f in check(content, file="a.bpmn").findings] == [rule_]


def test_a_bomb_of_entities_is_refused_at_once() -> None:
    entities = "".join(
        f'<!ENTITY l{n} "{f"&l{n - 1};" * 10}">' if n else '<!ENTITY l0 "lol">' for n in range(10)
    )
    began = time.process_time()

    report = check(f"<!DOCTYPE a [{entities}]><a>&l9;</a>".encode())

    assert report.verdict == "refused"
    assert time.process_time() - began < 1


def chain(length: int) -> bytes:
    names = [f"n{n}" for n in range(length)]
    tasks = "".join(script(name, "=1", "v") for name in names)
    return xml(BEGIN, tasks, ends("e"), path("begin", *names, "e"))


def test_a_diagram_larger_than_a_person_can_read_is_refused() -> None:
    assert ("p", "too-many-nodes") in broken(check(chain(399)))
    assert check(chain(398)).is_ok


def test_a_diagram_with_thousands_of_flows_is_not_looked_at_any_further() -> None:
    flows = "".join(flow("begin", "e", "", f"f{n}") for n in range(3_000))

    assert broken(check(xml(BEGIN, ends("e"), flows))) == {("p", "too-many-flows")}


def test_sub_processes_may_not_nest_without_end() -> None:
    inner = ""
    for n in range(11):
        start = node("startEvent", f"in{n}")
        inner = node("subProcess", f"s{n}", start + inner)

    assert any(rule_ == "too-deep" for _, rule_ in broken(check(xml(BEGIN, inner))))


def test_what_is_only_doubtful_is_told_but_not_refused() -> None:
    diagram = xml(
        BEGIN,
        node("task", "t"),
        node("exclusiveGateway", "g"),
        user("u"),
        ends("e"),
        node("dataObjectReference", "d"),
        path("begin", "t", "g"),
        flow("g", "u", "=a = 1"),
        flow("g", "e", "=a = 2"),
    )

    report = check(diagram)

    assert report.is_ok
    assert {f.rule for f in report.findings} == {
        "passes-at-once",
        "no-default",
        "dead-end",
        "drawn-only",
    }


def test_known_decisions_are_looked_up_when_given() -> None:
    diagram = xml(BEGIN, rule("r", "d", "v"), ends("e"), path("begin", "r", "e"))

    assert check(diagram).is_ok
    assert check(diagram, decisions=("d",)).is_ok
    assert ("p/r", "decision-unknown") in broken(check(diagram, decisions=("other",)))


def test_everything_wrong_is_told_at_once() -> None:
    diagram = xml(
        BEGIN,
        user("a", "=["),
        node("serviceTask", "b"),
        catch("c", timer("soon")),
        ends("e"),
        path("begin", "a", "b", "c", "e"),
    )

    assert broken(check(diagram)) == {
        ("p/a", "feel-invalid"),
        ("p/b", "work-missing"),
        ("p/c", "timer-invalid"),
    }


def test_every_rule_has_its_sentences_in_both_languages() -> None:
    for told in RULES.values():
        assert all((told.zh, told.en, told.zh_fix, told.en_fix))


def test_marks_of_element_templates_and_of_the_modeller_are_no_fault() -> None:
    told = (
        '<bpmn:serviceTask id="x" zeebe:modelerTemplate="levee.notify"'
        ' zeebe:modelerTemplateVersion="1" zeebe:modelerTemplateIcon="data:image/svg+xml,x">'
        + zeebe(
            '<zeebe:taskDefinition type="notify"/>',
            io({"text": "你好"}),
            '<zeebe:taskHeaders><zeebe:header key="resultVariable" value="r"/></zeebe:taskHeaders>',
            '<zeebe:properties><zeebe:property name="a" value="b"/></zeebe:properties>',
        )
        + "</bpmn:serviceTask>"
    )

    assert check(between(told)).findings == ()


def test_what_was_released_under_older_rules_runs_on() -> None:
    old = between(node("intermediateCatchEvent", "x", zeebe(io({"a": "=b"})) + message()))

    with pytest.raises(ProcessRefused):
        compile_process(old, key="p", version=1, decisions=SHIPPED)
    assert compile_process(old, key="p", version=1, decisions=SHIPPED, is_released=True).messages
    wrong = between(node("complexGateway", "x"))
    with pytest.raises(ProcessRefused):
        compile_process(wrong, key="p", version=1, decisions=SHIPPED, is_released=True)
