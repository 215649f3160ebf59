"""Sub-processes, called processes and multi-instances: what goes in, what comes out, what ends."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import orjson
import pytest

from services.router.workflow import Known, Stored, check, compile_process

from .builders import (
    BEGIN,
    ERROR,
    SHIPPED,
    Walk,
    boundary,
    ends,
    io,
    job,
    node,
    path,
    script,
    timer,
    user,
    xml,
    zeebe,
)


class Others(Known):
    """Processes that can be called."""

    def __init__(self, **processes: bytes) -> None:
        super().__init__()
        self.processes = processes

    def process(self, process_id: str) -> bytes | None:
        return self.processes.get(process_id)


def rounds(collection: str, enough: str = "", sequential: bool = False, **said: str) -> str:
    told = "".join(f' {key}="{value}"' for key, value in said.items())
    inner = zeebe(f'<zeebe:loopCharacteristics inputCollection="{collection}"{told}/>')
    if enough:
        inner += f"<bpmn:completionCondition>{enough}</bpmn:completionCondition>"
    is_sequential = "true" if sequential else "false"
    return node("multiInstanceLoopCharacteristics", "mi", inner, isSequential=is_sequential)


def sub(name: str, *inside: str, extra: str = "", said: str = "") -> str:
    start, end = node("startEvent", f"{name}_in"), ends(f"{name}_out")
    return node(
        "subProcess", name, (zeebe(said) if said else "") + extra + start + end + "".join(inside)
    )


def call(name: str, called: str, extra: str = "", **said: str) -> str:
    told = "".join(f' {key}="{value}"' for key, value in said.items())
    return node(
        "callActivity", name, zeebe(f'<zeebe:calledElement processId="{called}"{told}/>', extra)
    )


def calling(drawn: bytes, data: Mapping[str, object] | None = None, **processes: bytes) -> Walk:
    around = Others(**processes)
    assert check(drawn, around=around).is_ok, check(drawn, around=around)
    process = compile_process(drawn, key="p", version=1, decisions=SHIPPED, around=around)
    return Walk(process, data)


def process(name: str, *parts: str) -> bytes:
    return xml(BEGIN, ends("e"), *parts, process=f'id="{name}" isExecutable="true"')


# -- input and output mappings


def test_a_user_task_sees_what_its_input_mappings_say_and_nobody_else_does() -> None:
    drawn = user(
        "u",
        "=[crew]",
        extra=io(
            {"crew": '=team + "-night"', "shown.title": "=request"}, {"verdict": "=answer + crew"}
        ),
    )
    walk = Walk(
        xml(BEGIN, drawn, ends("e"), path("begin", "u", "e")), {"team": "it", "request": "VPN"}
    )

    (task,) = walk.step.user_tasks
    assert task.candidate_groups == ("it-night",)
    assert task.variables == {"crew": "it-night", "shown": {"title": "VPN"}}
    assert walk.instance.open_user_tasks()[0].variables == task.variables

    assert walk.complete("u", answer="yes-").data == {
        "team": "it",
        "request": "VPN",
        "verdict": "yes-it-night",
    }


def test_a_jobs_output_mappings_still_know_its_inputs() -> None:
    drawn = job("j", extra=io({"who": "=request"}, {"said": "=text + who"}))
    walk = Walk(xml(BEGIN, drawn, ends("e"), path("begin", "j", "e")), {"request": "Li"})

    assert walk.step.jobs[0].variables == {"who": "Li"}
    assert walk.done("j", text="hello ").data == {"request": "Li", "said": "hello Li"}


def test_a_sub_process_keeps_its_inputs_to_itself_and_gives_out_what_is_mapped() -> None:
    drawn = sub(
        "s",
        user("u", "=[crew]"),
        script("c", "=crew + u.mark", "crew"),
        path("s_in", "u", "c", "s_out"),
        said=io({"crew": "=team"}, {"result": "=crew"}),
    )
    walk = Walk(xml(BEGIN, drawn, ends("e"), path("begin", "s", "e")), {"team": "it"})

    assert walk.step.user_tasks[0].candidate_groups == ("it",)
    assert walk.step.data == {"team": "it"}
    step = walk.complete("u", mark="!")

    assert step.is_ended
    # The answer had no variable inside to go to; it went outwards.
    assert step.data == {"team": "it", "u": {"mark": "!"}, "result": "it!"}


def test_an_output_mapping_that_fails_holds_the_sub_process_until_it_is_mended() -> None:
    drawn = sub(
        "s",
        user("u"),
        path("s_in", "u", "s_out"),
        said=io(None, {"n": '=if late then 1 else string(amount) + "x"'}),
    )
    walk = Walk(
        xml(BEGIN, drawn, user("v", "=[n]"), ends("e"), path("begin", "s", "v", "e")),
        {"late": True},
    )

    step = walk.complete("u")
    assert step.incident is not None
    assert (step.incident.element_id, step.incident.code) == ("v", "assignment-invalid")
    mended = walk.do(lambda i: i.resume(walk.now, {"n": "team"}))

    assert mended is not None
    assert mended.user_tasks[0].candidate_groups == ("team",)


# -- call activities

CHILD = process(
    "child", script("c", "=mark + 1", "mark"), user("ask"), path("begin", "c", "ask", "e")
)


def test_a_called_process_runs_inside_the_callers_instance() -> None:
    walk = calling(
        xml(BEGIN, call("x", "child"), ends("e"), path("begin", "x", "e")),
        {"mark": 1, "other": 2},
        child=CHILD,
    )

    assert walk.step.user_tasks[0].element_id == "child:ask"
    assert walk.active == ["child:ask", "x"]
    assert walk.step.data["mark"] == 1
    step = walk.complete("child:ask", ok=True)

    assert step.is_ended
    # Everything it wrote comes back, what it only saw stays as it is.
    assert step.data == {"mark": 2, "other": 2, "ask": {"ok": True}}


def test_what_a_called_process_gives_back_can_be_chosen() -> None:
    drawn = call(
        "x",
        "child",
        io({"mark": "=40"}, {"found": "=mark"}),
        propagateAllChildVariables="false",
        propagateAllParentVariables="false",
    )
    walk = calling(xml(BEGIN, drawn, ends("e"), path("begin", "x", "e")), {"mark": 1}, child=CHILD)

    assert walk.complete("child:ask", ok=True).data == {"mark": 1, "found": 41}


def test_a_sealed_call_does_not_see_the_callers_variables() -> None:
    asks = process(
        "child",
        user("ask", '=[if secret = null then "nobody" else secret]'),
        path("begin", "ask", "e"),
    )
    sealed = call("x", "child", propagateAllParentVariables="false")
    walk = calling(
        xml(BEGIN, sealed, ends("e"), path("begin", "x", "e")), {"secret": "s"}, child=asks
    )

    assert walk.step.user_tasks[0].candidate_groups == ("nobody",)


def test_an_error_of_a_called_process_reaches_the_callers_boundary_event() -> None:
    child = process("child", job("j"), path("begin", "j", "e"))
    drawn = xml(
        BEGIN,
        call("x", "child"),
        boundary("b", "x", ERROR),
        ends("e", "e2"),
        path("begin", "x", "e"),
        path("b", "e2"),
    )
    walk = calling(drawn, child=child)

    step = walk.fail("child:j", "NO_STOCK")

    assert (step.completed, step.is_ended) == (("b", "e2"), True)


def test_a_process_may_be_called_twice_at_once() -> None:
    drawn = xml(
        BEGIN,
        node("parallelGateway", "s"),
        node("parallelGateway", "t"),
        call("x", "child"),
        call("y", "child"),
        ends("e"),
        path("begin", "s", "x", "t"),
        path("s", "y", "t", "e"),
    )
    walk = calling(drawn, {"mark": 0}, child=CHILD)

    assert walk.active == ["child:ask", "child:ask", "x", "y"]
    walk.complete("child:ask", n=1)

    assert walk.complete("child:ask", n=2).is_ended


def test_calls_in_a_circle_and_calls_without_end_are_refused() -> None:
    a = process("a", call("x", "b"), path("begin", "x", "e"))
    b = process("b", call("x", "a"), path("begin", "x", "e"))
    assert {f.rule for f in check(a, around=Others(a=a, b=b)).findings} == {"call-cycle"}

    deep = {
        f"p{n}": process(f"p{n}", call("x", f"p{n + 1}"), path("begin", "x", "e")) for n in range(9)
    }
    deep["p9"] = process("p9", path("begin", "e"))
    assert {f.rule for f in check(deep["p0"], around=Others(**deep)).findings} == {"call-too-deep"}
    assert check(deep["p5"], around=Others(**deep)).is_ok


def test_what_is_wrong_in_a_called_process_refuses_the_caller() -> None:
    bad = process("child", node("serviceTask", "j"), path("begin", "j", "e"))
    drawn = xml(BEGIN, call("x", "child"), ends("e"), path("begin", "x", "e"))

    (finding,) = check(drawn, around=Others(child=bad)).findings

    assert (finding.path, finding.rule) == ("p/x", "called-refused")
    assert "child/j" in finding.message["en"]


# -- multi-instance


def finish(walk: Walk, number: int) -> None:
    walk.do(lambda i: i.complete_user_task(number, {}, walk.now))


PEOPLE = {"people": ["an", "bo", "cy"]}


def voting(sequential: bool = False, enough: str = "") -> bytes:
    loop = rounds(
        "=people",
        enough,
        sequential,
        inputElement="who",
        outputCollection="votes",
        outputElement="=vote.ok",
    )
    return xml(BEGIN, user("vote", "=[who]", loop), ends("e"), path("begin", "vote", "e"))


def vote(walk: Walk, who: str, ok: bool) -> None:
    number = next(
        t.task_id for t in walk.instance.open_user_tasks() if t.candidate_groups == (who,)
    )
    walk.do(lambda i: i.complete_user_task(number, {"ok": ok}, walk.now))


def test_rounds_at_once_gather_their_results_in_the_order_of_the_collection() -> None:
    walk = Walk(voting(), PEOPLE)

    assert [t.candidate_groups for t in walk.step.user_tasks] == [("an",), ("bo",), ("cy",)]
    for who, ok in (("cy", True), ("an", False), ("bo", True)):
        vote(walk, who, ok)

    assert walk.step.is_ended
    assert walk.step.data == PEOPLE | {"votes": [False, True, True]}


def test_rounds_in_turn_open_one_after_the_other() -> None:
    walk = Walk(voting(sequential=True), PEOPLE)

    for who in PEOPLE["people"]:
        assert [t.candidate_groups for t in walk.instance.open_user_tasks()] == [(who,)]
        vote(walk, who, who != "bo")

    assert walk.step.is_ended
    assert walk.step.data["votes"] == [True, False, True]


@pytest.mark.parametrize("sequential", [True, False])
def test_when_it_is_enough_the_other_rounds_end(sequential: bool) -> None:
    walk = Walk(voting(sequential, "=vote.ok or numberOfCompletedInstances &gt;= 2"), PEOPLE)

    vote(walk, "an", False)
    assert not walk.step.is_ended
    vote(walk, "bo", True)

    assert walk.step.is_ended
    assert walk.step.user_tasks_gone or sequential
    assert walk.step.data["votes"] == [False, True, None]


def test_no_rounds_at_all_pass_at_once() -> None:
    walk = Walk(voting(), {"people": []})

    assert (walk.step.is_ended, walk.step.data["votes"]) == (True, [])
    assert walk.step.completed == ("begin", "vote", "e")


@pytest.mark.parametrize(
    ("people", "code"), [("an", "expression-failed"), (["x"] * 601, "too-many-rounds")]
)
def test_rounds_over_what_is_no_list_or_too_long_become_an_incident(
    people: object, code: str
) -> None:
    walk = Walk(voting(), {"people": people})

    assert walk.step.incident is not None
    assert (walk.step.incident.element_id, walk.step.incident.code) == ("vote", code)
    mended = walk.do(lambda i: i.resume(walk.now, PEOPLE))
    assert mended is not None
    assert len(mended.user_tasks) == 3


def test_a_boundary_event_on_all_rounds_ends_them_all() -> None:
    loop = rounds("=people", inputElement="who")
    drawn = xml(
        BEGIN,
        user("u", "=[who]", loop),
        boundary("late", "u", timer("PT1H")),
        ends("e", "e2"),
        path("begin", "u", "e"),
        path("late", "e2"),
    )
    walk = Walk(drawn, PEOPLE)

    walk.later(hours=2)

    assert (walk.step.is_ended, len(walk.step.user_tasks_gone)) == (True, 3)


def test_rounds_of_a_sub_process_keep_their_variables_apart() -> None:
    inside = sub(
        "s",
        script("c", '=who + "!"', "said"),
        user("u", "=[said]"),
        path("s_in", "c", "u", "s_out"),
        extra=rounds("=people", inputElement="who", outputCollection="all", outputElement="=said"),
    )
    walk = Walk(xml(BEGIN, inside, ends("e"), path("begin", "s", "e")), PEOPLE)

    assert [t.candidate_groups for t in walk.step.user_tasks] == [("an!",), ("bo!",), ("cy!",)]
    for task in walk.instance.open_user_tasks():
        finish(walk, task.task_id)

    assert walk.step.data["all"] == ["an!", "bo!", "cy!"]


def test_five_hundred_rounds_stay_within_a_blob_and_a_second() -> None:
    loop = rounds("=for i in 1..500 return i", inputElement="n")
    walk = Walk(xml(BEGIN, user("u", "", loop), ends("e"), path("begin", "u", "e")))

    assert len(walk.step.user_tasks) == 500
    for task in walk.instance.open_user_tasks()[:3]:
        finish(walk, task.task_id)

    assert len(walk.instance.open_user_tasks()) == 497


def test_pins_are_kept_and_passed_over_by_a_release_that_knows_none() -> None:
    drawn = xml(BEGIN, user("u"), ends("e"), path("begin", "u", "e"))
    pins = (("decision", "team", 3), ("process", "child", 2))
    process = replace(compile_process(drawn, key="p", version=1, decisions=SHIPPED), pins=pins)
    walk = Walk(process, {"a": 1})

    assert Stored(walk.stored).pins == pins
    assert Stored(walk.instance.dump()).pins == pins
    # How that release reads: nine elements, each scope an owner, a name and rows of tokens.
    *_, scopes = orjson.loads(walk.stored)
    assert [(owner, len(rows)) for owner, _, rows in scopes] == [(0, 1), (0, 0)]
