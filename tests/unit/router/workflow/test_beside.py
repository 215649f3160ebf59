"""Event sub-processes, signals, conditions and links: what happens beside the main flow."""

from __future__ import annotations

import pytest

from services.router.workflow import check

from .builders import (
    BEGIN,
    ERROR,
    LATE,
    Walk,
    boundary,
    catch,
    ends,
    flow,
    job,
    message,
    node,
    path,
    script,
    timer,
    user,
    xml,
)

SIGNAL = '<bpmn:signalEventDefinition signalRef="S_stop"/>'
STOP = '<bpmn:signal id="S_stop" name="stop"/>'


def condition(text: str) -> str:
    return (
        "<bpmn:conditionalEventDefinition><bpmn:condition>"
        f"{text}</bpmn:condition></bpmn:conditionalEventDefinition>"
    )


def beside(name: str, event: str, *inside: str, interrupts: bool = True) -> str:
    """Draw an event sub-process: its start, a user task, an end."""
    start = node(
        "startEvent", f"{name}_on", event, isInterrupting="true" if interrupts else "false"
    )
    body = inside or (user(f"{name}_task"), path(f"{name}_on", f"{name}_task", f"{name}_end"))
    return node(
        "subProcess", name, start + "".join(body) + ends(f"{name}_end"), triggeredByEvent="true"
    )


def main(*parts: str) -> bytes:
    return xml(BEGIN, user("u"), ends("e"), path("begin", "u", "e"), *parts, roots=STOP)


# -- event sub-processes


def test_an_interrupting_event_sub_process_takes_the_place_of_the_main_flow() -> None:
    walk = Walk(main(beside("x", message())))

    assert walk.active == ["u"]
    assert walk.step.messages_awaited == ("ping",)
    step = walk.say("ping", why="now")

    assert walk.active == ["x", "x_task"]
    assert len(step.user_tasks_gone) == 1
    assert step.messages_awaited == ()
    assert step.data == {"ping": {"why": "now"}}
    assert walk.complete("x_task").is_ended


def test_one_that_does_not_interrupt_may_begin_again_and_again_while_the_scope_runs() -> None:
    walk = Walk(main(beside("x", message(), interrupts=False)))

    walk.say("ping")
    walk.say("ping")
    assert walk.active == ["u", "x", "x", "x_task", "x_task"]
    walk.complete("u")
    assert not walk.step.is_ended
    walk.complete("x_task")

    assert walk.complete("x_task").is_ended


def test_a_process_does_not_wait_for_an_event_sub_process_that_never_began() -> None:
    walk = Walk(main(beside("x", timer("PT8H")), beside("y", message("M_pong"))))

    step = walk.complete("u")

    assert step.is_ended
    assert len(step.timers_gone) == 1
    assert step.messages_awaited == ()


def test_a_timer_begins_it_once_and_a_cycle_as_often_as_it_says() -> None:
    once = Walk(main(beside("x", timer("PT8H"))))
    once.later(hours=30)
    assert once.active == ["x", "x_task"]

    often = Walk(main(beside("x", timer("R2/PT1H", "timeCycle"), interrupts=False)))
    often.later(hours=5)
    assert often.active == ["u", "x", "x", "x_task", "x_task"]


def test_an_error_nobody_else_catches_begins_it() -> None:
    drawn = xml(BEGIN, job("j"), ends("e"), path("begin", "j", "e"), beside("x", ERROR))
    walk = Walk(drawn)

    walk.fail("j", "NO_STOCK")

    assert walk.active == ["x", "x_task"]
    assert walk.complete("x_task").is_ended


def test_an_error_in_a_sub_process_is_caught_by_its_own_event_sub_process_first() -> None:
    inner = node("startEvent", "in") + job("j") + ends("out") + path("in", "j", "out")
    drawn = xml(
        BEGIN,
        node("subProcess", "s", inner + beside("x", ERROR)),
        boundary("b", "s", ERROR),
        ends("e", "e2"),
        path("begin", "s", "e"),
        path("b", "e2"),
    )
    walk = Walk(drawn)

    walk.fail("j", "NO_STOCK")
    assert walk.active == ["s", "x", "x_task"]

    assert walk.complete("x_task").completed[-2:] == ("s", "e")


def test_an_escalation_begins_it_and_the_thrower_goes_on_unless_interrupted() -> None:
    throws = node("intermediateThrowEvent", "t", LATE)

    def drawn(interrupts: bool) -> bytes:
        return xml(
            BEGIN,
            throws,
            user("u"),
            ends("e"),
            path("begin", "t", "u", "e"),
            beside("x", LATE, interrupts=interrupts),
        )

    assert Walk(drawn(False)).active == ["u", "x", "x_task"]
    assert Walk(drawn(True)).active == ["x", "x_task"]
    assert Walk(drawn(True)).step.escalations[0].is_handled


def test_what_an_event_sub_process_throws_itself_does_not_begin_it_once_more() -> None:
    throws = node("intermediateThrowEvent", "again", LATE)
    start = node("startEvent", "x_on", LATE, isInterrupting="false")
    inside = start + throws + ends("x_end") + path("x_on", "again", "x_end")
    drawn = xml(
        BEGIN,
        node("intermediateThrowEvent", "t", LATE),
        user("u"),
        ends("e"),
        path("begin", "t", "u", "e"),
        node("subProcess", "x", inside, triggeredByEvent="true"),
    )
    walk = Walk(drawn)

    assert walk.active == ["u"]
    assert [(e.element_id, e.is_handled) for e in walk.step.escalations] == [
        ("t", True),
        ("again", False),
    ]


def test_terminate_ends_what_listens_too() -> None:
    drawn = xml(
        BEGIN,
        user("u"),
        node("endEvent", "e", "<bpmn:terminateEventDefinition/>"),
        path("begin", "u", "e"),
        beside("x", message(), interrupts=False),
    )
    walk = Walk(drawn)
    walk.say("ping")

    assert walk.complete("u").is_ended


# -- signals


def test_a_signal_reaches_all_who_wait_for_it_and_says_that_no_other_request_hears_it() -> None:
    drawn = xml(
        BEGIN,
        node("parallelGateway", "s"),
        user("a"),
        boundary("ba", "a", SIGNAL),
        catch("c", SIGNAL),
        user("go"),
        node("intermediateThrowEvent", "t", SIGNAL),
        ends("e", "e2", "e3", "e4"),
        path("begin", "s", "a", "e"),
        path("ba", "e2"),
        path("s", "c", "e3"),
        path("s", "go", "t", "e4"),
        roots=STOP,
    )
    assert {f.rule for f in check(drawn).findings} == {"signal-inside"}
    walk = Walk(drawn)

    step = walk.complete("go")

    assert step.is_ended
    assert sorted(step.completed) == ["ba", "c", "e2", "e3", "e4", "go", "t"]


def test_a_signal_at_an_end_begins_an_event_sub_process() -> None:
    drawn = xml(
        BEGIN,
        user("u"),
        node("endEvent", "e", SIGNAL),
        path("begin", "u", "e"),
        beside("x", SIGNAL, interrupts=False),
        roots=STOP,
    )
    walk = Walk(drawn)

    walk.complete("u")

    assert walk.active == ["x", "x_task"]
    assert walk.complete("x_task").is_ended


def test_a_signal_nobody_waits_for_is_no_incident() -> None:
    drawn = xml(BEGIN, node("endEvent", "e", SIGNAL), path("begin", "e"), roots=STOP)

    step = Walk(drawn).step

    assert (step.is_ended, step.incident) == (True, None)


# -- conditions


def test_a_condition_goes_off_when_the_variables_come_to_fulfil_it() -> None:
    drawn = xml(
        BEGIN,
        node("parallelGateway", "s"),
        catch("c", condition("=n &gt; 1")),
        user("u"),
        script("set", "=u.n", "n"),
        ends("e", "e2"),
        path("begin", "s", "c", "e"),
        path("s", "u", "set", "e2"),
    )
    walk = Walk(drawn)
    assert walk.active == ["c", "u"]

    assert walk.complete("u", n=2).is_ended


def test_a_condition_that_holds_already_goes_off_at_once() -> None:
    drawn = xml(BEGIN, catch("c", condition("=n = 1")), ends("e"), path("begin", "c", "e"))

    assert Walk(drawn, {"n": 1}).step.is_ended
    assert not Walk(drawn, {"n": 2}).step.is_ended


def measured(walk: Walk, load: int) -> None:
    walk.do(lambda i: i.resume(walk.now, {"load": load}))


def test_a_condition_that_does_not_interrupt_goes_off_each_time_it_becomes_true() -> None:
    drawn = xml(
        BEGIN,
        user("u"),
        boundary("b", "u", condition("=load &gt; 9"), interrupts=False),
        user("alarm"),
        ends("e", "e2"),
        path("begin", "u", "e"),
        path("b", "alarm", "e2"),
    )
    walk = Walk(drawn, {"load": 1})

    for load, alarms in ((10, 1), (11, 1), (2, 1), (12, 2)):
        measured(walk, load)
        assert walk.active.count("alarm") == alarms


# -- links

LINK = '<bpmn:linkEventDefinition name="{}"/>'


def test_a_link_goes_on_where_its_other_end_is() -> None:
    drawn = xml(
        BEGIN,
        node("exclusiveGateway", "g", default="d"),
        node("intermediateThrowEvent", "t1", LINK.format("on")),
        node("intermediateThrowEvent", "t2", LINK.format("on")),
        catch("c", LINK.format("on")),
        user("u"),
        ends("e"),
        path("begin", "g"),
        flow("g", "t1", "=n = 1"),
        flow("g", "t2", "", "d"),
        path("c", "u", "e"),
    )

    for n in (1, 2):
        walk = Walk(drawn, {"n": n})
        assert walk.step.completed == ("begin", "g", f"t{n}", "c")
        assert walk.complete("u").is_ended


def test_a_loop_by_links_needs_a_wait_like_any_other() -> None:
    drawn = xml(
        BEGIN,
        node("exclusiveGateway", "g"),
        node("intermediateThrowEvent", "t", LINK.format("back")),
        catch("c", LINK.format("back")),
        path("begin", "g", "t"),
        path("c", "g"),
    )

    assert "loop-without-wait" in {f.rule for f in check(drawn).findings}


@pytest.mark.parametrize("count", [0, 2])
def test_a_link_needs_exactly_one_other_end(count: int) -> None:
    others = "".join(
        catch(f"c{n}", LINK.format("on")) + ends(f"e{n}") + path(f"c{n}", f"e{n}")
        for n in range(count)
    )
    drawn = xml(
        BEGIN, node("intermediateThrowEvent", "t", LINK.format("on")), path("begin", "t"), others
    )

    assert "link-target" in {f.rule for f in check(drawn).findings}
