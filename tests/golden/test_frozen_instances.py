"""Instances stored by a released version load, are what they were, and finish, for ever."""

from __future__ import annotations

import pytest

from services.router.workflow import CompiledProcess, compile_process, load
from tests.golden.freeze import SCOPES, SCOPES_V1, STANDARD_PATH_V1, STATES, WAITING, WAITING_V1
from tests.unit.router.workflow.builders import INSTANCE, NOW, SHIPPED, Walk, request


@pytest.fixture(scope="module")
def process() -> CompiledProcess:
    drawing = (STANDARD_PATH_V1 / "process.bpmn").read_bytes()
    return compile_process(drawing, key="standard-path", version=1, decisions=SHIPPED)


def thawed(process: CompiledProcess, name: str) -> Walk:
    walk = Walk(process, request())
    walk.stored = (STANDARD_PATH_V1 / f"{name}.state.json").read_bytes()
    return walk


@pytest.mark.parametrize("name", STATES)
def test_a_frozen_instance_loads_and_is_what_it_was(process: CompiledProcess, name: str) -> None:
    walk = thawed(process, name)

    instance = load(process, walk.stored)

    assert instance.instance_id == INSTANCE
    assert instance.data["request"] == request()["request"]
    assert instance.data["team"] == "it-service-desk"
    assert instance.is_ended == (name == "closed")


@pytest.mark.parametrize("name", [name for name in STATES if name != "closed"])
def test_a_frozen_instance_finishes(process: CompiledProcess, name: str) -> None:
    walk = thawed(process, name)

    if name.startswith("handled"):
        assert not walk.ignores("responded")
        walk.complete("handle", resolution="solved")
    walk.later(days=6)

    assert walk.step.is_ended
    assert walk.step.completed == ("on_time", "closed_by_time")


@pytest.mark.parametrize("name", [name for name in STATES if name.startswith("awaiting")])
def test_a_frozen_timer_keeps_its_moment(process: CompiledProcess, name: str) -> None:
    (timer,) = thawed(process, name).instance.open_timers()

    assert (timer.due_at - NOW).days == 5


def answer(walk: Walk, number: int) -> None:
    walk.do(lambda i: i.complete_user_task(number, {"ok": "yes"}, walk.now))


@pytest.mark.parametrize("name", SCOPES)
def test_a_frozen_instance_with_scopes_goes_on_where_it_was(name: str) -> None:
    drawing = (SCOPES_V1 / "process.bpmn").read_bytes()
    process = compile_process(drawing, key="scopes", version=1, decisions=SHIPPED)
    walk = Walk(process, {"people": ["an", "bo"]})
    walk.stored = (SCOPES_V1 / f"{name}.state.json").read_bytes()

    assert "crew" not in walk.instance.data
    while tasks := walk.instance.open_user_tasks():
        answer(walk, tasks[0].task_id)

    assert walk.step.is_ended
    assert walk.step.data["result"] == ["yes", "yes"]


@pytest.mark.parametrize("name", WAITING)
def test_a_frozen_instance_that_waits_for_others_says_for_what(name: str) -> None:
    drawing = (WAITING_V1 / "process.bpmn").read_bytes()
    process = compile_process(drawing, key="standard-path", version=1, decisions=SHIPPED)
    walk = Walk(process, request())
    walk.stored = (WAITING_V1 / f"{name}.state.json").read_bytes()
    instance = walk.instance

    for number in instance.open_jobs:
        assert instance.ask_again(number, NOW, {}).is_applied
    jobs = [instance.renewed(number) for number in instance.open_jobs]
    waits = [wait.message for wait in instance.open_waits()]

    assert ([job.type for job in jobs if job], waits) == WAITING[name]
    if name == "at-a-job":
        assert jobs[0] is not None
        assert (jobs[0].variables, jobs[0].headers) == ({"item": "desk"}, {"site": "sh"})
