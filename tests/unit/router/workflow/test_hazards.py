"""Each hazard found in the stock engine (H1 to H10), shown not to happen here."""

import json
import time
from typing import Any

import orjson
import pytest

from services.router.workflow import (
    Instance,
    StateNotReadable,
    StateOfOtherVersion,
    check,
    compile_process,
    load,
    start,
)

from .builders import (
    BEGIN,
    INSTANCE,
    NOW,
    SHIPPED,
    STANDARD_PATH,
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
    request,
    rule,
    script,
    timer,
    user,
    xml,
    zeebe,
)


def test_h1_a_loop_of_two_thousand_rounds_goes_on_and_ends_only_when_it_ends() -> None:
    process = compile_process(STANDARD_PATH, key="s", version=1, decisions=SHIPPED)
    instance, step = start(process, instance_id=INSTANCE, data=request(), now=NOW)
    for _ in range(2_000):
        (task,) = instance.open_user_tasks()
        instance.complete_user_task(task.task_id, {}, NOW)
        step = instance.correlate("reopened", {}, NOW)  # type: ignore[assignment]
        assert not step.is_ended
    (task,) = instance.open_user_tasks()
    instance.complete_user_task(task.task_id, {}, NOW)
    last = instance.correlate("confirmed", {}, NOW)

    assert last is not None
    assert last.is_ended


def test_h1_a_step_costs_the_same_after_thousands_of_events() -> None:
    process = compile_process(STANDARD_PATH, key="s", version=1, decisions=SHIPPED)
    instance, _ = start(process, instance_id=INSTANCE, data=request(), now=NOW)
    instance.correlate("responded", {"n": 0}, NOW)
    size = len(instance.dump())
    for n in range(3_000):
        instance.correlate("responded", {"n": n}, NOW)

    # Counted ids and the version grow by a few digits; nothing else does.
    assert len(instance.dump()) < size + 60


def blocks(count: int, branches: int) -> bytes:
    parts, at = [BEGIN], "begin"
    for block in range(count):
        split, join = f"s{block}", f"j{block}"
        parts += [node("parallelGateway", split), node("parallelGateway", join), flow(at, split)]
        for branch in range(branches):
            name = f"t{block}_{branch}"
            parts += [user(name), path(split, name, join)]
        at = join
    return xml(*parts, ends("e"), flow(at, "e"))


def test_h2_ten_parallel_blocks_in_a_row_cost_what_one_costs() -> None:
    process = compiled(blocks(10, 3))
    began = time.process_time()
    instance, step = start(process, instance_id=INSTANCE, data={}, now=NOW)

    assert len(step.user_tasks) == 3
    while not instance.is_ended:
        for task in instance.open_user_tasks():
            step = instance.complete_user_task(task.task_id, {}, NOW)
    assert step.version == 31
    # 3 to the power of 10 paths, which is what the hazard was, take minutes on any machine.
    assert time.process_time() - began < 10


def multiplying(levels: int, waits: bool) -> bytes:
    parts, at = [user("u"), BEGIN, path("begin", "u")], "u"
    for level in range(levels):
        split, merge = f"s{level}", f"m{level}"
        parts += [node("parallelGateway", split), node("exclusiveGateway", merge)]
        parts += [flow(at, split)]
        for branch in "ab":
            name = f"{branch}{level}"
            parts += [user(name) if waits else script(name, "=1", "v"), path(split, name, merge)]
        at = merge
    return xml(*parts, ends("e"), flow(at, "e"))


@pytest.mark.parametrize("levels", [14, 40])
@pytest.mark.parametrize("waits", [True, False])
def test_h2_tokens_that_multiply_without_end_are_refused_when_checked(
    levels: int, waits: bool
) -> None:
    began = time.process_time()

    report = check(multiplying(levels, waits))

    assert [f.rule for f in report.findings] == ["tokens-multiply"]
    assert f"{2**levels}"[:4] in report.findings[0].message["en"] or levels == 40
    assert time.process_time() - began < 10


def test_h2_a_few_tokens_more_are_no_reason_to_refuse() -> None:
    assert check(multiplying(5, waits=False)).is_ok


def test_h2_many_splits_that_are_joined_do_not_count_as_many_tokens() -> None:
    parts, at = [BEGIN], "begin"
    for level in range(30):
        kind = "inclusiveGateway" if level % 2 else "parallelGateway"
        split, join = f"s{level}", f"j{level}"
        told = {"default": f"d{level}"} if level % 2 else {}
        parts += [node(kind, split, **told), node(kind, join), flow(at, split)]
        for branch in "abc":
            name = f"{branch}{level}"
            is_default = branch == "a" and level % 2
            condition = "=true" if level % 2 and branch != "a" else ""
            parts += [script(name, "=1", "v"), flow(name, join)]
            parts += [flow(split, name, condition, f"d{level}" if is_default else "")]
        at = join

    assert check(xml(*parts, ends("e"), flow(at, "e"))).is_ok


def test_h2_rounds_of_more_moves_than_an_operation_may_have_are_stopped_and_leave_no_trace() -> (
    None
):
    inside = "".join(script(f"s{n}", "=1", "v") for n in range(20))
    names = [f"s{n}" for n in range(20)]
    body = node("startEvent", "in") + inside + ends("out") + path("in", *names, "out")
    rounds = (
        "<bpmn:multiInstanceLoopCharacteristics>"
        + zeebe('<zeebe:loopCharacteristics inputCollection="=for i in 1..500 return i"/>')
        + "</bpmn:multiInstanceLoopCharacteristics>"
    )
    walk = Walk(
        xml(
            BEGIN,
            user("u"),
            node("subProcess", "x", rounds + body),
            ends("e"),
            path("begin", "u", "x", "e"),
        )
    )
    before = walk.stored

    step = walk.complete("u")

    assert step.incident is not None
    assert (step.is_applied, step.incident.code) == (False, "too-many-moves")
    assert walk.stored == before
    assert walk.task("u")


def reordered(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: reordered(value[key]) for key in sorted(value, reverse=True)}
    return [reordered(item) for item in value] if isinstance(value, list) else value


def test_h3_a_store_that_reorders_keys_loses_nothing() -> None:
    walk = Walk(compile_process(STANDARD_PATH, key="s", version=1, decisions=SHIPPED), request())
    walk.say("responded", b=1, a={"d": 1, "c": 2})
    walk.stored = orjson.dumps(reordered(json.loads(walk.stored)))

    assert walk.instance.data["request"] == request()["request"]
    step = walk.complete("handle", text="ok")
    assert step.data["responded"] == {"b": 1, "a": {"d": 1, "c": 2}}
    assert walk.say("confirmed").is_ended


def test_h4_a_running_sub_process_survives_storage_with_its_timers_and_messages() -> None:
    inner = node("startEvent", "in") + user("u") + ends("ok") + path("in", "u", "ok")
    inner += boundary("t", "u", timer("PT1H")) + boundary("m", "u", message(), interrupts=False)
    inner += user("late") + ends("noted") + path("t", "late", "ok") + path("m", "noted")
    walk = Walk(xml(BEGIN, node("subProcess", "s", inner), ends("e"), path("begin", "s", "e")))

    walk.say("ping")
    assert walk.step.active == ("s", "u")
    walk.later(hours=1)
    assert walk.active == ["late", "s"]
    assert walk.complete("late").is_ended


def test_h5_nothing_handed_in_or_out_is_shared_with_the_instance() -> None:
    given = {"order": {"lines": [1]}}
    process = compiled(xml(BEGIN, job("j"), user("u"), ends("e"), path("begin", "j", "u", "e")))
    instance, step = start(process, instance_id=INSTANCE, data=given, now=NOW)
    given["order"]["lines"].append(2)
    asked = step.jobs[0]
    asked.variables["order"]["lines"].append(3)  # type: ignore[index]
    step.data["order"]["lines"].append(4)  # type: ignore[index]
    answer: dict[str, Any] = {"found": {"x": 1}}
    step = instance.complete_job(asked.task_id, answer, NOW)
    answer["found"]["x"] = 2
    instance.data["order"]["lines"].append(5)  # type: ignore[index]

    assert instance.data == {"order": {"lines": [1]}, "j": {"found": {"x": 1}}}


def test_h5_a_branch_that_writes_into_a_nested_value_leaves_earlier_readers_alone() -> None:
    tables = Tables(keep=lambda i: i["d"])
    mapping = io(outputs={"d.k": "=found"})
    diagram = xml(
        BEGIN,
        rule("r", "keep", "before"),
        job("j", extra=mapping),
        ends("e"),
        path("begin", "r", "j", "e"),
    )
    walk = Walk(diagram, {"d": {"k": "original"}}, tables)

    step = walk.done("j", found="changed")

    assert step.data == {"d": {"k": "changed"}, "before": {"k": "original"}}


def test_h6_a_list_is_replaced_and_never_merged_element_by_element() -> None:
    walk = Walk(
        xml(
            BEGIN,
            node("parallelGateway", "g"),
            job("a", extra=io(outputs={"l": "=l"})),
            job("b", extra=io(outputs={"l": "=l"})),
            node("parallelGateway", "join"),
            ends("e"),
            path("begin", "g", "a", "join", "e"),
            path("g", "b", "join"),
        ),
        {"l": [1, 2, 3]},
    )
    first, second = walk.job("a"), walk.job("b")

    walk.do(lambda i: i.complete_job(first, {"l": [1, 1, 2]}, NOW))
    assert walk.instance.data == {"l": [1, 1, 2]}
    step = walk.do(lambda i: i.complete_job(second, {"l": [9]}, NOW))

    assert step is not None
    assert step.data == {"l": [9]}


def test_h6_a_value_that_one_branch_changed_is_not_undone_by_another_that_only_saw_it() -> None:
    walk = Walk(
        xml(
            BEGIN,
            node("parallelGateway", "g"),
            job("a", extra=io(outputs={"x": "=x"})),
            user("b"),
            node("parallelGateway", "join"),
            user("after"),
            ends("e"),
            path("begin", "g", "a", "join", "after", "e"),
            path("g", "b", "join"),
        ),
        {"x": "old"},
    )
    walk.done("a", x="new")

    assert walk.complete("b").data == {"x": "new"}


def test_h7_a_state_once_dumped_never_changes() -> None:
    process = compile_process(STANDARD_PATH, key="s", version=1, decisions=SHIPPED)
    instance, _ = start(process, instance_id=INSTANCE, data=request(), now=NOW)
    first = instance.dump()
    copy = bytes(first)

    instance.correlate("responded", {"text": "hello"}, NOW)

    assert first == copy
    assert "responded" not in load(process, first).data


def test_h8_a_straight_path_of_four_hundred_nodes_compiles_and_runs() -> None:
    names = [f"n{n}" for n in range(398)]
    tasks = "".join(script(name, "=1", "v") for name in names)
    walk = Walk(xml(BEGIN, tasks, ends("e"), path("begin", *names, "e")))

    assert walk.step.is_ended
    assert len(walk.step.completed) == 400


def test_h9_comments_and_processing_instructions_change_nothing() -> None:
    commented = STANDARD_PATH.replace(b">\n", b"><!-- c --><?pi x?>\n").replace(
        b'<?xml version="1.0" encoding="UTF-8"?><!-- c --><?pi x?>', b"", 1
    )
    assert commented.count(b"<!-- c -->") > 100

    assert check(commented).findings == ()
    walk = Walk(compile_process(commented, key="s", version=1, decisions=SHIPPED), request())
    walk.complete("handle")
    assert walk.say("confirmed").is_ended


def test_h10_two_who_start_from_one_state_end_up_with_the_same_version_number() -> None:
    """The store sees that the second one is stale: its version is already taken."""
    walk = Walk(compile_process(STANDARD_PATH, key="s", version=1, decisions=SHIPPED), request())
    one, two = walk.instance, walk.instance
    assert (one.version, two.version) == (1, 1)

    mine = one.correlate("responded", {}, NOW)
    theirs = two.correlate("resolved", {}, NOW)

    assert mine is not None
    assert theirs is not None
    assert mine.version == theirs.version == 2
    assert one.dump() != two.dump()
    assert load(walk.process, one.dump()).version == 2


def test_h10_the_same_operation_on_the_same_state_gives_the_same_bytes_and_ids() -> None:
    walk = Walk(compile_process(STANDARD_PATH, key="s", version=1, decisions=SHIPPED), request())
    number = walk.task("handle")

    def handled() -> tuple[Instance, object]:
        instance = walk.instance
        return instance, instance.complete_user_task(number, {"a": 1}, NOW)

    (one, first), (two, second) = handled(), handled()

    assert first == second
    assert one.dump() == two.dump()


def test_h10_an_operation_that_does_nothing_does_not_count() -> None:
    walk = Walk(compile_process(STANDARD_PATH, key="s", version=1, decisions=SHIPPED), request())

    step = walk.do(lambda i: i.complete_user_task(999, {}, NOW))

    assert step is not None
    assert (step.is_applied, step.version, walk.instance.version) == (False, 1, 1)


def test_a_state_is_only_loaded_with_the_version_it_runs_on() -> None:
    walk = Walk(compile_process(STANDARD_PATH, key="s", version=1, decisions=SHIPPED), request())
    other = compile_process(STANDARD_PATH, key="s", version=2, decisions=SHIPPED)

    with pytest.raises(StateOfOtherVersion) as refusal:
        load(other, walk.stored)
    assert (refusal.value.params["stored"], refusal.value.params["given"]) == ("s v1", "s v2")


@pytest.mark.parametrize(
    "state",
    [
        b"",
        b"{}",
        b"[]",
        b"[99]",
        b"[1,2,3]",
        b'[1,"x","s",1,1,1,false,{},[[0,"",[[1,0,32,"gone",0]]]]]',
        b'[1,"x","s",1,1,1,false,{},[[7,"gone",[]]]]',
        b'[1,"x","s",1,1,1,false,{},[[0,"",[[1]]]]]',
        b'[1,"not an id","s",1,1,1,false,{},[[0,"",[]]]]',
    ],
)
def test_what_is_no_state_is_refused(state: bytes) -> None:
    process = compile_process(STANDARD_PATH, key="s", version=1, decisions=SHIPPED)

    with pytest.raises(StateNotReadable):
        load(process, state)


EXPLOITS = [
    "__import__('os').system('id')",
    "().__class__.__base__.__subclasses__()",
    "[d.update(leak=open('/etc/passwd').read()) for d in [request]] and True",
    "request.__class__",
    "9**9**9",
]


@pytest.mark.parametrize("exploit", EXPLOITS)
def test_python_in_a_diagram_is_refused_or_means_nothing(exploit: str) -> None:
    """Where FEEL can read the text at all, it is arithmetic or a missing name: null."""
    diagram = xml(
        BEGIN,
        script("s", f"={exploit}", "leak"),
        catch("c", timer("PT1H")),
        path("begin", "s", "c"),
    )
    if check(diagram).is_ok:
        walk = Walk(diagram, {"request": {}})
        assert walk.step.data.get("leak") is None
        assert set(walk.step.data) <= {"request", "leak"}


@pytest.mark.parametrize("exploit", EXPLOITS)
def test_python_in_a_timer_or_condition_never_compiles_as_a_literal(exploit: str) -> None:
    timed = xml(BEGIN, catch("c", timer(exploit)), path("begin", "c"))
    chosen = xml(
        BEGIN,
        node("exclusiveGateway", "g", default="d"),
        ends("e", "e2"),
        path("begin", "g"),
        flow("g", "e", exploit),
        flow("g", "e2", "", "d"),
    )

    assert not check(timed).is_ok
    assert not check(chosen).is_ok
