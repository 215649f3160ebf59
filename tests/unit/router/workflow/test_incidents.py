"""Whatever fails while tokens move becomes an incident: named, harmless, and tried again."""

from typing import Any

import pytest

from services.router.workflow import start
from shared.errors import Invalid

from .builders import (
    BEGIN,
    INSTANCE,
    NOW,
    Tables,
    Walk,
    boundary,
    catch,
    compiled,
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


def choosing() -> bytes:
    return xml(
        BEGIN,
        user("u"),
        node("exclusiveGateway", "g"),
        ends("e", "e2"),
        path("begin", "u", "g"),
        flow("g", "e", "=amount > 10"),
        flow("g", "e2", "=amount < 5"),
    )


def test_a_condition_that_is_neither_true_nor_false_stops_before_the_gateway() -> None:
    walk = Walk(choosing())

    step = walk.complete("u", ok=True)

    assert step.is_applied
    assert step.incident is not None
    assert (step.incident.element_id, step.incident.code) == ("g", "expression-failed")
    assert step.incident.inputs["expression"] == "amount > 10"
    assert step.data == {"u": {"ok": True}}
    assert step.active == ("g",)
    assert walk.instance.stuck() == ("g",)


def test_what_was_stuck_goes_on_when_it_is_tried_again_with_better_data() -> None:
    walk = Walk(choosing())
    walk.complete("u")

    again = walk.do(lambda i: i.resume(NOW))
    assert again is not None
    assert again.incident is not None
    step = walk.do(lambda i: i.resume(NOW, {"amount": 20}))

    assert step is not None
    assert step.is_ended
    assert step.completed == ("g", "e")
    assert walk.instance.stuck() == ()


def test_when_no_flow_holds_the_inputs_are_shown() -> None:
    walk = Walk(choosing(), {"amount": 7})

    step = walk.complete("u")

    assert step.incident is not None
    assert (step.incident.code, step.incident.inputs) == ("no-flow-taken", {"amount": 7})


def test_a_decision_that_cannot_be_taken_stops_before_the_rule() -> None:
    diagram = xml(
        BEGIN, rule("r", "gone", "v", io({"x": "=a"})), ends("e"), path("begin", "r", "e")
    )

    walk = Walk(diagram, {"a": 1}, Tables())

    assert walk.step.incident is not None
    assert (walk.step.incident.element_id, walk.step.incident.code) == ("r", "decision-failed")
    assert walk.step.incident.inputs == {"x": 1, "decision": "gone"}
    assert "gone" in walk.step.incident.detail


def test_a_decision_can_be_taken_later_when_its_table_is_there() -> None:
    tables = Tables()
    diagram = xml(BEGIN, rule("r", "late", "v"), ends("e"), path("begin", "r", "e"))
    walk = Walk(diagram, {}, tables)
    tables.tables["late"] = lambda i: "yes"

    step = walk.do(lambda i: i.resume(NOW))

    assert step is not None
    assert (step.is_ended, step.data) == (True, {"v": "yes"})


@pytest.mark.parametrize("groups", ["=nobody", "=5", "=[1, 2]", '=for i in 1..900 return "x"'])
def test_a_task_nobody_could_see_is_not_opened(groups: str) -> None:
    walk = Walk(xml(BEGIN, user("u", groups), ends("e"), path("begin", "u", "e")))

    assert walk.step.user_tasks == ()
    assert walk.step.incident is not None
    assert walk.step.incident.code == "assignment-invalid"


@pytest.mark.parametrize("text", ["=later", "=5", '="soon"', '=duration("-PT1H")', '="P9999Y"'])
def test_a_timer_without_a_time_is_not_armed(text: str) -> None:
    walk = Walk(xml(BEGIN, catch("c", timer(text)), ends("e"), path("begin", "c", "e")))

    assert walk.step.timers == ()
    assert walk.step.incident is not None
    assert (walk.step.incident.element_id, walk.step.incident.code) == ("c", "timer-invalid")


def test_other_branches_go_on_while_one_is_stuck() -> None:
    walk = Walk(
        xml(
            BEGIN,
            node("parallelGateway", "g"),
            catch("c", timer("=later")),
            user("u"),
            user("v"),
            ends("e", "e2"),
            path("begin", "g", "c", "e"),
            path("g", "u", "v", "e2"),
        )
    )
    walk.complete("u")
    walk.complete("v")
    assert walk.active == ["c"]

    walk.do(lambda i: i.resume(NOW, {"later": "PT1H"}))
    assert walk.later(hours=1) is not None
    assert walk.step.is_ended


def test_an_incident_goes_when_the_work_around_it_ends() -> None:
    walk = Walk(
        xml(
            BEGIN,
            user("u"),
            boundary("t", "u", timer("=later")),
            ends("e", "e2"),
            path("begin", "u", "e"),
            path("t", "e2"),
        )
    )
    assert walk.instance.stuck() == ("t",)

    assert walk.complete("u").is_ended
    assert walk.instance.stuck() == ()


def test_a_join_that_can_never_be_complete_is_told_once() -> None:
    walk = Walk(
        xml(
            BEGIN,
            node("exclusiveGateway", "g", default="to_b"),
            user("a"),
            user("b"),
            node("parallelGateway", "join"),
            ends("e"),
            path("begin", "g"),
            flow("g", "a", "=true"),
            flow("g", "b", "", "to_b"),
            path("a", "join", "e"),
            path("b", "join"),
        )
    )

    step = walk.complete("a")

    assert step.incident is not None
    assert (step.incident.element_id, step.incident.code) == ("join", "waits-for-ever")
    assert walk.instance.stuck() == ("join",)
    again = walk.do(lambda i: i.resume(NOW, {"x": 1}))
    assert again is not None
    assert again.incidents == ()
    cancelled = walk.do(lambda i: i.cancel(NOW))
    assert cancelled is not None
    assert cancelled.is_ended


def test_data_larger_than_a_process_needs_is_refused_and_leaves_no_trace() -> None:
    walk = Walk(xml(BEGIN, user("u"), ends("e"), path("begin", "u", "e")), {"a": 1})
    before = walk.stored

    step = walk.complete("u", document="x" * 70_000)

    assert step.incident is not None
    assert (step.is_applied, step.incident.code) == (False, "data-too-large")
    assert step.incident.inputs["largest"] == ["u", "a"]
    assert walk.stored == before
    assert walk.complete("u", document="x" * 60_000).is_ended


def test_an_instance_does_not_begin_with_too_much_data() -> None:
    process = compiled(xml(BEGIN, user("u"), ends("e"), path("begin", "u", "e")))

    _, step = start(process, instance_id=INSTANCE, data={"a": "x" * 70_000}, now=NOW)

    assert (step.is_applied, step.user_tasks) == (False, ())
    assert step.incident is not None
    assert step.incident.code == "data-too-large"


def test_a_result_that_is_no_json_is_the_callers_fault() -> None:
    walk = Walk(xml(BEGIN, user("u"), ends("e"), path("begin", "u", "e")))
    number = walk.task("u")
    result: dict[str, Any] = {"when": object()}

    with pytest.raises(Invalid):
        walk.instance.complete_user_task(number, result, NOW)


def test_a_number_too_large_for_json_is_an_incident() -> None:
    walk = Walk(
        xml(
            BEGIN, user("u"), script("s", "=10 ** 30", "n"), ends("e"), path("begin", "u", "s", "e")
        )
    )
    before = walk.stored

    step = walk.complete("u")

    assert step.incident is not None
    assert (step.is_applied, step.incident.code) == (False, "data-not-json")
    assert walk.stored == before


def test_an_expression_that_asks_for_too_much_is_stopped() -> None:
    walk = Walk(
        xml(
            BEGIN,
            script("s", "=count(for a in 1..10000, b in 1..10000 return a)", "n"),
            ends("e"),
            path("begin", "s", "e"),
        )
    )

    assert walk.step.incident is not None
    assert (walk.step.incident.element_id, walk.step.incident.code) == ("s", "expression-failed")


def test_a_result_whose_mapping_fails_leaves_the_task_open() -> None:
    mapping = io(outputs={"n": "=count(for a in 1..10000, b in 1..10000 return a)"})
    walk = Walk(xml(BEGIN, job("j", extra=mapping), ends("e"), path("begin", "j", "e")))

    step = walk.done("j")

    assert not step.is_applied
    assert step.incident is not None
    assert (step.incident.element_id, step.incident.code) == ("j", "expression-failed")


def test_a_message_whose_mapping_fails_is_kept_and_tried_again() -> None:
    mapped = zeebe(io(outputs={"n": "=count(for a in 1..k, b in 1..k return a)"}))
    walk = Walk(
        xml(BEGIN, catch("c", mapped + message()), ends("e"), path("begin", "c", "e")),
        {"k": 10_000},
    )
    step = walk.say("ping", text="hi")
    assert step.incident is not None
    assert walk.instance.stuck() == ("c",)

    after = walk.do(lambda i: i.resume(NOW, {"k": 3}))

    assert after is not None
    assert (after.is_ended, after.data["n"]) == (True, 9)
