"""What XML allows and modellers write is read as it is meant; what would be passed over is told."""

from __future__ import annotations

import pytest

from services.router.workflow import ProcessRefused, Report, check, compile_process

from .builders import (
    BEGIN,
    ERROR,
    LATE,
    SHIPPED,
    Walk,
    boundary,
    ends,
    flow,
    job,
    node,
    path,
    request,
    rule,
    script,
    timer,
    user,
    xml,
    zeebe,
)

FLOWABLE = 'xmlns:flowable="http://flowable.org/bpmn"'
ROUNDS = (
    '<bpmn:multiInstanceLoopCharacteristics isSequential="{}"><bpmn:extensionElements>'
    '<zeebe:loopCharacteristics inputCollection="=[1,2]" inputElement="i"/>'
    "</bpmn:extensionElements></bpmn:multiInstanceLoopCharacteristics>"
)


def broken(report: Report) -> set[tuple[str, str]]:
    return {(f.path, f.rule) for f in report.findings if f.severity == "error"}


def compiles_as_released(diagram: bytes) -> None:
    with pytest.raises(ProcessRefused):
        compile_process(diagram, key="p", version=1, decisions=SHIPPED)
    assert compile_process(diagram, key="p", version=1, decisions=SHIPPED, is_released=True).net


# -- truths


@pytest.mark.parametrize(("said", "is_ended"), [("1", True), ("true", True), ("0", False)])
def test_an_event_interrupts_when_xml_says_so_in_either_way(said: str, is_ended: bool) -> None:
    event = node("boundaryEvent", "b", timer("PT1H"), attachedToRef="u", cancelActivity=said)
    diagram = xml(
        BEGIN, user("u"), event, ends("e", "e2"), path("begin", "u", "e"), path("b", "e2")
    )
    walk = Walk(diagram)

    walk.later(hours=2)

    assert walk.step.is_ended is is_ended


@pytest.mark.parametrize(("said", "open_at_once"), [("1", 1), ("0", 2)])
def test_rounds_come_one_after_the_other_when_xml_says_so(said: str, open_at_once: int) -> None:
    rounds = user("u", inner=ROUNDS.format(said))

    walk = Walk(xml(BEGIN, rounds, ends("e"), path("begin", "u", "e")))

    assert len(walk.instance.open_user_tasks()) == open_at_once


def test_a_process_is_executable_and_a_sub_process_beside_it_in_either_way() -> None:
    inside = node("startEvent", "in", timer("PT1H"), isInterrupting="1") + ends("out")
    beside = node("subProcess", "s", inside + path("in", "out"), triggeredByEvent="1")
    diagram = xml(
        BEGIN,
        user("u"),
        beside,
        ends("e"),
        path("begin", "u", "e"),
        process='id="p" isExecutable="1"',
    )
    walk = Walk(diagram)

    walk.later(hours=2)

    assert walk.step.is_ended


@pytest.mark.parametrize("switch", ["isForCompensation", "instantiate"])
def test_what_is_not_executed_is_refused_in_either_way(switch: str) -> None:
    task = node("receiveTask", "x", messageRef="M_ping", **{switch: "1"})

    report = check(xml(BEGIN, task, ends("e"), path("begin", "x", "e")))

    assert ("p/x", "unsupported-element") in broken(report)


def test_a_truth_in_other_words_is_refused() -> None:
    event = node("boundaryEvent", "b", timer("PT1H"), attachedToRef="u", cancelActivity="no")
    diagram = xml(
        BEGIN, user("u"), event, ends("e", "e2"), path("begin", "u", "e"), path("b", "e2")
    )

    assert broken(check(diagram)) == {("p/b", "not-a-truth")}
    compiles_as_released(diagram)


# -- flows


def nameless(source: str, target: str, condition: str = "") -> str:
    return flow(source, target, condition).replace(f' id="f_{source}_{target}"', "")


def test_a_flow_needs_no_id() -> None:
    diagram = xml(
        BEGIN,
        node("exclusiveGateway", "g", default="other"),
        user("a"),
        user("b"),
        user("c"),
        ends("e"),
        nameless("begin", "g"),
        nameless("g", "a", "=x = 1"),
        nameless("g", "b", "=x = 2"),
        flow("g", "c", name="other"),
        *(nameless(task, "e") for task in "abc"),
    )

    taken = [Walk(diagram, {"x": x}).step.active for x in (1, 2, 3)]

    assert taken == [("a",), ("b",), ("c",)]


def test_flows_without_id_and_condition_leave_a_choice_open_and_are_refused() -> None:
    diagram = xml(
        BEGIN,
        node("exclusiveGateway", "g"),
        ends("a", "b"),
        path("begin", "g"),
        nameless("g", "a"),
        nameless("g", "b"),
    )

    assert {rule_ for _, rule_ in broken(check(diagram))} == {"condition-missing"}


def test_flows_of_one_id_are_refused() -> None:
    diagram = xml(
        BEGIN,
        node("exclusiveGateway", "g", default="x"),
        ends("a", "b"),
        path("begin", "g"),
        flow("g", "a", name="x"),
        flow("g", "b", name="x"),
    )

    assert ("p/x", "flow-id-twice") in broken(check(diagram))


# -- ids


@pytest.mark.parametrize("name", [":start", "u:armed", "a b", "1a", "a/b"])
def test_an_id_that_xml_would_not_take_is_refused(name: str) -> None:
    diagram = xml(
        BEGIN,
        user("u"),
        boundary("b", "u", timer("PT1H")),
        user(name),
        ends("e", "e2"),
        path("begin", "u", name, "e"),
        path("b", "e2"),
    )

    assert (f"p/{name}", "id-invalid") in broken(check(diagram))


def test_ids_of_letters_of_any_language_are_fine() -> None:
    assert check(xml(BEGIN, user("审批-1.a"), ends("e"), path("begin", "审批-1.a", "e"))).is_ok


@pytest.mark.parametrize("name", ["request", "team", "priority", "loopCounter"])
def test_no_answer_may_overwrite_a_variable_of_the_router(name: str) -> None:
    task = xml(BEGIN, user(name), ends("e"), path("begin", name, "e"))
    work = xml(BEGIN, job(name), ends("e"), path("begin", name, "e"))
    table = xml(BEGIN, rule(name, "d", "v"), ends("e"), path("begin", name, "e"))

    assert broken(check(task)) == broken(check(work)) == {(f"p/{name}", "id-reserved")}
    assert check(table).is_ok
    compiles_as_released(task)


# -- jobs in place of events


@pytest.mark.parametrize("event", [ERROR, LATE, "<bpmn:terminateEventDefinition/>", ""])
def test_a_job_does_not_take_the_place_of_an_event(event: str) -> None:
    told = zeebe('<zeebe:taskDefinition type="w"/>')
    diagram = xml(BEGIN, node("endEvent", "x", told + event), path("begin", "x"))

    assert ("p/x", "job-misplaced") in broken(check(diagram))


# -- what lies in a corner


def in_flow(inner: str, **attributes: str) -> bytes:
    drawn = node("sequenceFlow", "f", inner, sourceRef="begin", targetRef="u", **attributes)
    diagram = xml(BEGIN, user("u"), ends("e"), drawn, path("u", "e"))
    return diagram.replace(b'id="d"', f'{FLOWABLE} id="d"'.encode())


@pytest.mark.parametrize(
    ("diagram", "rule_"),
    [
        (in_flow(zeebe('<flowable:executionListener event="take"/>')), "foreign-dialect"),
        (in_flow(zeebe("<zeebe:executionListeners/>")), "unknown-extension"),
        (in_flow("<flowable:odd/>"), "foreign-dialect"),
        (in_flow("<bpmn:odd/>"), "unsupported-element"),
    ],
)
def test_nothing_in_a_flow_is_passed_over(diagram: bytes, rule_: str) -> None:
    assert ("p/f", rule_) in broken(check(diagram))
    compiles_as_released(diagram)
    assert not check(in_flow("", **{"flowable:skip": "x"})).is_ok


def test_nothing_in_a_lane_or_a_signal_is_passed_over() -> None:
    lanes = f'<bpmn:laneSet id="ls"><bpmn:lane id="l">{zeebe("<zeebe:taskHeaders/>")}</bpmn:lane>'
    signal = f'<bpmn:signal id="s" name="stop" {FLOWABLE} flowable:scope="global"/>'
    thrown = node("intermediateThrowEvent", "t", '<bpmn:signalEventDefinition signalRef="s"/>')

    report = check(
        xml(
            BEGIN,
            f"{lanes}</bpmn:laneSet>",
            thrown,
            ends("e"),
            path("begin", "t", "e"),
            roots=signal,
        )
    )

    assert broken(report) == {("p/ls", "unknown-extension"), ("p/t", "foreign-dialect")}


# -- faults that are no Stuck


def test_what_is_infinite_is_null() -> None:
    walk = Walk(xml(BEGIN, script("s", "=0 ** -1", "v"), ends("e"), path("begin", "s", "e")))

    assert (walk.step.is_ended, walk.step.data["v"]) == (True, None)


def test_a_cycle_beyond_all_calendars_has_fired_for_the_last_time() -> None:
    cycle = timer("R2/2026-01-06T00:00:00Z/P8000Y", "timeCycle")
    parts = (user("u"), boundary("b", "u", cycle, interrupts=False), ends("e", "e2"))
    walk = Walk(xml(BEGIN, *parts, path("begin", "u", "e"), path("b", "e2")))

    walk.later(days=3)

    assert (walk.step.active, walk.instance.open_timers()) == (("u",), ())


class Faulty:
    """A table whose evaluator has a defect."""

    def evaluate(self, decision_id: str, inputs: object, now: object) -> tuple[object, object]:
        raise KeyError(decision_id)


def test_any_other_fault_holds_the_token_as_an_incident() -> None:
    diagram = xml(BEGIN, rule("r", "d", "v"), ends("e"), path("begin", "r", "e"))
    process = compile_process(diagram, key="p", version=1, decisions=Faulty())

    step = Walk(process, request()).step

    assert step.is_applied
    assert step.incident is not None
    assert (step.incident.element_id, step.incident.code) == ("r", "engine-failed")
    assert "KeyError" in step.incident.detail


# -- twice, and cut


TWO_ROUNDS = user("x", inner=ROUNDS.format("false") * 2)
TIMES = (
    "<bpmn:timerEventDefinition><bpmn:timeDate>2026-02-01T00:00:00Z</bpmn:timeDate>"
    "<bpmn:timeDuration>PT1H</bpmn:timeDuration></bpmn:timerEventDefinition>"
)
CUT = (
    "<bpmn:conditionalEventDefinition><bpmn:condition>=a = 1<b/> and b = 2</bpmn:condition>"
    "</bpmn:conditionalEventDefinition>"
)


@pytest.mark.parametrize(
    ("element", "rule_"),
    [
        (node("userTask", "x", zeebe("<zeebe:ioMapping/>" * 2)), "twice"),
        (node("serviceTask", "x", zeebe('<zeebe:taskDefinition type="a"/>' * 2)), "twice"),
        (TWO_ROUNDS, "twice"),
        (node("intermediateCatchEvent", "x", TIMES), "twice"),
        (node("intermediateCatchEvent", "x", CUT), "text-cut"),
    ],
)
def test_what_is_said_twice_or_cut_is_refused(element: str, rule_: str) -> None:
    diagram = xml(BEGIN, element, ends("e"), path("begin", "x", "e"))

    assert broken(check(diagram)) == {("p/x", rule_)}
    compiles_as_released(diagram)


def test_two_messages_of_one_id_and_a_behaviour_of_rounds_are_refused() -> None:
    roots = '<bpmn:message id="m" name="a"/><bpmn:message id="m" name="b"/>'
    waits = node("receiveTask", "x", messageRef="m")
    odd = ROUNDS.format("false").replace("isSequential", 'behavior="One" isSequential')

    for element, rule_ in ((waits, "twice"), (user("x", inner=odd), "unsupported-element")):
        diagram = xml(BEGIN, element, ends("e"), path("begin", "x", "e"), roots=roots)
        assert broken(check(diagram)) == {("p/x", rule_)}


# -- loops that may be over at once


def looped(element: str) -> bytes:
    gate = node("exclusiveGateway", "g", default="f_g_e")
    way = path("begin", "x", "g", "e") + flow("g", "x", "=again")
    return xml(BEGIN, element, gate, ends("e"), way)


def test_a_loop_that_waits_no_time_is_refused_and_one_that_may_is_told() -> None:
    at_once = check(looped(node("intermediateCatchEvent", "x", timer("PT0S"))))
    later = check(looped(node("intermediateCatchEvent", "x", timer("PT1S"))))
    rounds = check(looped(user("x", inner=ROUNDS.format("false"))))
    true = CUT.replace("<b/> and b = 2", "")
    condition = check(looped(node("intermediateCatchEvent", "x", true)))

    assert {rule_ for _, rule_ in broken(at_once)} == {"loop-without-wait"}
    assert later.findings == ()
    assert rounds.is_ok
    assert {f.rule for f in rounds.findings} == {"loop-may-spin"}
    assert condition.is_ok
    assert {f.rule for f in condition.findings} == {"loop-may-spin"}


# -- an error for the caller


class Beside:
    """The processes a diagram may call."""

    def __init__(self, **processes: bytes) -> None:
        self.processes = processes

    def decisions(self) -> tuple[str, ...]:
        return ()

    def process(self, process_id: str) -> bytes | None:
        return self.processes.get(process_id)


def test_a_called_process_may_throw_its_caller_an_error() -> None:
    child = xml(
        BEGIN,
        node("endEvent", "bad", ERROR),
        path("begin", "bad"),
        process='id="c" isExecutable="1"',
    )
    call = node("callActivity", "call", calledElement="c")
    caught = (boundary("b", "call", ERROR), user("mend"), ends("e", "e2"))
    ways = path("begin", "call", "e") + path("b", "mend", "e2")
    around = Beside(c=child)

    report = check(child)
    process = compile_process(
        xml(BEGIN, call, *caught, ways), key="p", version=1, decisions=SHIPPED, around=around
    )

    assert report.is_ok
    assert {f.rule for f in report.findings} == {"error-uncaught"}
    assert Walk(process).step.active == ("mend",)


# -- what costs too much


def test_a_crowd_of_attributes_or_expressions_is_refused_at_once() -> None:
    crowd = " ".join(f'a{n}="1"' for n in range(20_000))
    long = "=[" + ",".join("1" * 9_000) + "]"
    scripts = [script(f"s{n}", long, "v") for n in range(13)]
    names = [f"s{n}" for n in range(13)]

    crowded = check(xml(BEGIN, f'<bpmn:userTask id="u" {crowd}/>'))
    wordy = check(xml(BEGIN, *scripts, ends("e"), path("begin", *names, "e")))

    assert {f.rule for f in crowded.findings} == {"too-many-attributes"}
    assert ("p", "feel-too-much") in broken(wordy)


def test_rounds_within_rounds_are_refused_before_they_are_opened() -> None:
    many = ROUNDS.format("false").replace("=[1,2]", "=for n in 1..600 return n")
    inner = node("startEvent", "in") + user("u", inner=many) + ends("out") + path("in", "u", "out")
    diagram = xml(BEGIN, node("subProcess", "s", inner + many), ends("e"), path("begin", "s", "e"))

    step = Walk(diagram).step

    assert not step.is_applied
    assert step.incident is not None
    assert step.incident.code == "too-many-moves"


def test_a_file_that_says_it_is_of_another_encoding_is_refused() -> None:
    diagram = xml(BEGIN, user("u"), ends("e"), path("begin", "u", "e"))
    other = b'<?xml version="1.0" encoding="ISO-8859-1"?>' + diagram
    same = b'<?xml version="1.0" encoding="utf-8"?>' + diagram

    assert broken(check(other)) == {("", "file-encoding")}
    assert check(same).is_ok
    compiles_as_released(other)


def test_a_finding_does_not_repeat_a_whole_text() -> None:
    report = check(xml(BEGIN, user("u", "${" + "x" * 100_000), ends("e"), path("begin", "u", "e")))

    assert {f.rule for f in report.findings} == {"juel-expression"}
    assert all(len(f.message["en"]) < 2_000 for f in report.findings)
