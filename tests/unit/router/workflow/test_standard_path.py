"""The standard path, walked through with the state stored and loaded after every step."""

from datetime import timedelta

import pytest

from services.router.workflow import CompiledProcess, check

from .builders import NOW, Walk, folder, request, shipped

ANY_TIME = ["cancelled", "handed_over", "resolved", "responded", "waiting_ended", "waiting_started"]
AFTERWARDS = ["closed", "confirmed", "reopened"]


@pytest.fixture(scope="module")
def process() -> CompiledProcess:
    return shipped("standard-path")


@pytest.fixture
def walk(process: CompiledProcess) -> Walk:
    return Walk(process, request())


def test_a_decision_that_does_not_exist_is_named(process: CompiledProcess) -> None:
    class Without:
        decisions = staticmethod(lambda: ["priority"])
        process = staticmethod(folder().process)

    report = check(folder().process("standard-path") or b"", around=Without())

    assert [(f.path, f.rule) for f in report.findings] == [
        ("standard-path/choose_team", "decision-unknown")
    ]
    assert process.decisions == ("priority", "team")


def test_a_request_gets_priority_and_team_and_waits_for_a_person(walk: Walk) -> None:
    (task,) = walk.step.user_tasks

    assert (task.element_id, task.candidate_groups, task.form) == (
        "handle",
        ("it-service-desk",),
        "handle",
    )
    assert task.names == {"zh-CN": "处理请求", "en": "Handle request"}
    assert walk.step.data["priority"] == "P2"
    assert walk.step.data["team"] == "it-service-desk"
    assert [d.decision_id for d in walk.step.decisions] == ["priority", "team"]
    assert walk.step.completed == ("received", "set_priority", "choose_team")
    assert walk.active == ["handle"]
    assert list(walk.step.messages_awaited) == ANY_TIME


def test_what_may_come_at_any_time_may_come_again_and_again(walk: Walk) -> None:
    for _ in range(3):
        for name in ("responded", "handed_over", "waiting_started", "waiting_ended"):
            step = walk.say(name, by="li.na")
            assert step.active == ("handle",)
            assert step.user_tasks_gone == ()
            assert list(step.messages_awaited) == ANY_TIME
    assert walk.step.data["responded"] == {"by": "li.na"}


def test_completing_the_task_leads_to_the_wait_for_confirmation(walk: Walk) -> None:
    step = walk.complete("handle", resolution="solved")

    assert step.data["handle"] == {"resolution": "solved"}
    assert step.user_tasks_gone == ()
    assert list(step.messages_awaited) == AFTERWARDS
    (timer,) = step.timers
    assert (timer.element_id, timer.due_at) == ("confirmation:on_time", NOW + timedelta(days=5))


def test_resolved_from_outside_takes_the_task_away(walk: Walk) -> None:
    number = walk.task("handle")

    step = walk.say("resolved", resolution="solved")

    assert step.user_tasks_gone == (number,)
    assert list(step.messages_awaited) == AFTERWARDS


@pytest.mark.parametrize("name", ["confirmed", "closed"])
def test_either_word_ends_the_wait_for_the_other_and_for_time(walk: Walk, name: str) -> None:
    number = walk.complete("handle").timers[0].task_id

    step = walk.say(name)

    assert step.is_ended
    assert step.data["outcome"] == name
    assert step.completed[-1] == "closed"
    assert step.timers_gone == (number,)
    assert step.messages_awaited == ()


def test_five_days_without_a_word_close_it(walk: Walk) -> None:
    walk.complete("handle")

    assert walk.later(days=4, hours=23, minutes=59) is None
    step = walk.later(minutes=1)

    assert step is not None
    assert step.is_ended
    assert step.completed[0] == "confirmation:on_time"
    assert step.data["outcome"] == "time"


def test_a_reopened_request_is_handled_again_as_often_as_needed(walk: Walk) -> None:
    seen = {walk.task("handle")}
    for round_ in range(50):
        walk.complete("handle", round=round_)
        step = walk.say("reopened", reason="again")
        assert [t.element_id for t in step.user_tasks] == ["handle"]
        seen.add(walk.task("handle"))

    assert len(seen) == 51
    assert len(walk.stored) < 2_000
    walk.complete("handle")
    assert walk.say("confirmed").is_ended


def test_a_request_that_was_handed_over_comes_back_to_its_new_team(walk: Walk) -> None:
    walk.say("handed_over", to_team="it-infrastructure")
    walk.say("handed_over")
    walk.complete("handle")

    (task,) = walk.say("reopened").user_tasks

    assert task.candidate_groups == ("it-infrastructure",)


def test_it_can_be_cancelled_while_it_is_handled(walk: Walk) -> None:
    step = walk.say("cancelled", reason="withdrawn")

    assert step.is_ended
    assert step.completed[-1] == "ended_cancelled"


def test_what_the_diagram_does_not_wait_for_changes_nothing(walk: Walk) -> None:
    assert walk.ignores("confirmed")
    assert walk.ignores("no such message")

    walk.complete("handle")
    assert walk.ignores("responded")
    walk.say("confirmed")
    assert walk.ignores("reopened")


def test_every_element_has_its_type_and_name_for_the_board(process: CompiledProcess) -> None:
    assert process.elements["handle"] == {"type": "userTask", "name": "处理请求 / Handle request"}
    assert process.elements["confirmation:await_confirmation"]["type"] == "eventBasedGateway"
    assert set(process.messages) == {*ANY_TIME, *AFTERWARDS}
