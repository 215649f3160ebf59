"""Each element of the dialect, alone, with the state stored and loaded between operations."""

from datetime import UTC, datetime, timedelta

import pytest

from .builders import (
    BEGIN,
    ERROR,
    LATE,
    NOW,
    Tables,
    Walk,
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


def test_a_user_task_says_who_until_when_and_with_which_form() -> None:
    told = (
        '<zeebe:assignmentDefinition assignee="=owner" candidateGroups="a, b"'
        ' candidateUsers="=[&quot;li.na&quot;]"/>'
        '<zeebe:taskSchedule dueDate="2026-02-01T09:00:00+08:00" followUpDate="=now()"/>'
        '<zeebe:formDefinition formId="f"/>'
        '<zeebe:taskHeaders><zeebe:header key="k" value="v"/></zeebe:taskHeaders>'
    )
    walk = Walk(
        xml(BEGIN, node("userTask", "u", zeebe(told)), ends("e"), path("begin", "u", "e")),
        {"owner": "wang.wei"},
    )

    (task,) = walk.step.user_tasks

    assert (task.assignee, task.candidate_groups, task.candidate_users) == (
        "wang.wei",
        ("a", "b"),
        ("li.na",),
    )
    assert task.due_at == datetime(2026, 2, 1, 1, tzinfo=UTC)
    assert task.follow_up_at == NOW
    assert (task.form, dict(task.headers)) == ("f", {"k": "v"})
    assert walk.instance.open_user_tasks() == (task,)


def test_a_job_gets_its_mapped_variables_and_its_result_is_mapped_back() -> None:
    mapping = io({"id": "=request.number"}, {"customer.tier": "=tier"})
    walk = Walk(
        xml(BEGIN, job("j", "crm.enrich", mapping), ends("e"), path("begin", "j", "e")),
        {"request": {"number": 7}, "customer": {"name": "王"}},
    )

    (asked,) = walk.step.jobs
    step = walk.done("j", tier="gold", noise=1)

    assert (asked.type, asked.retries, asked.variables) == ("crm.enrich", 3, {"id": 7})
    assert step.is_ended
    assert step.data == {"request": {"number": 7}, "customer": {"name": "王", "tier": "gold"}}


def test_a_job_without_mappings_sees_everything_and_answers_under_its_own_id() -> None:
    walk = Walk(xml(BEGIN, job("j"), ends("e"), path("begin", "j", "e")), {"a": 1})

    assert walk.step.jobs[0].variables == {"a": 1}
    assert walk.done("j", b=2).data == {"a": 1, "j": {"b": 2}}


@pytest.mark.parametrize("tag", ["sendTask", "businessRuleTask", "scriptTask"])
def test_other_tasks_with_a_job_type_are_jobs_too(tag: str) -> None:
    walk = Walk(xml(BEGIN, job("j", "mail", tag=tag), ends("e"), path("begin", "j", "e")))

    assert [j.type for j in walk.step.jobs] == ["mail"]


@pytest.mark.parametrize("tag", ["intermediateThrowEvent", "endEvent"])
def test_a_thrown_message_is_a_job(tag: str) -> None:
    told = zeebe('<zeebe:taskDefinition type="send"/>') + message()
    after = path("begin", "t", "e") if tag != "endEvent" else path("begin", "t")
    rest = ends("e") if tag != "endEvent" else ""
    walk = Walk(xml(BEGIN, node(tag, "t", told), rest, after))

    assert [j.type for j in walk.step.jobs] == ["send"]
    assert walk.done("t").is_ended


def test_an_answer_given_twice_counts_once() -> None:
    walk = Walk(xml(BEGIN, user("u"), user("v"), ends("e"), path("begin", "u", "v", "e")))
    number = walk.task("u")
    walk.complete("u", a=1)
    before = walk.stored

    step = walk.do(lambda i: i.complete_user_task(number, {"a": 2}, NOW))

    assert step is not None
    assert (step.is_applied, step.user_tasks, step.completed) == (False, (), ())
    assert walk.stored == before


def test_a_job_is_not_a_user_task() -> None:
    walk = Walk(xml(BEGIN, job("j"), ends("e"), path("begin", "j", "e")))
    number = walk.job("j")

    step = walk.do(lambda i: i.complete_user_task(number, {}, NOW))

    assert step is not None
    assert not step.is_applied


def choice(kind: str, default: str = "") -> bytes:
    told = {"default": default} if default else {}
    return xml(
        BEGIN,
        node(kind, "g", **told),
        user("a"),
        user("b"),
        user("c"),
        ends("e"),
        path("begin", "g"),
        flow("g", "a", "=x > 1", "to_a"),
        flow("g", "b", "=x > 2", "to_b"),
        flow("g", "c", "" if default else "=x > 9", "to_c"),
        flow("a", "e"),
        flow("b", "e"),
        flow("c", "e"),
    )


@pytest.mark.parametrize(("x", "taken"), [(5, ["a"]), (2, ["a"]), (0, ["c"])])
def test_an_exclusive_gateway_takes_the_first_flow_that_holds(x: int, taken: list[str]) -> None:
    assert Walk(choice("exclusiveGateway", "to_c"), {"x": x}).active == taken


@pytest.mark.parametrize(("x", "taken"), [(5, ["a", "b"]), (2, ["a"]), (0, ["c"])])
def test_an_inclusive_gateway_takes_every_flow_that_holds(x: int, taken: list[str]) -> None:
    assert Walk(choice("inclusiveGateway", "to_c"), {"x": x}).active == taken


def test_an_inclusive_join_waits_for_what_can_still_come_and_no_more() -> None:
    diagram = xml(
        BEGIN,
        node("inclusiveGateway", "g", default="to_c"),
        user("a"),
        user("b"),
        user("c"),
        node("inclusiveGateway", "join"),
        user("after"),
        ends("e"),
        path("begin", "g"),
        flow("g", "a", "=x > 1", "to_a"),
        flow("g", "b", "=x > 2", "to_b"),
        flow("g", "c", "", "to_c"),
        flow("a", "join"),
        flow("b", "join"),
        flow("c", "join"),
        path("join", "after", "e"),
    )
    both = Walk(diagram, {"x": 5})
    both.complete("b")
    assert both.active == ["a", "join"]
    both.complete("a")
    assert both.active == ["after"]

    one = Walk(diagram, {"x": 2})
    one.complete("a")
    assert one.active == ["after"]


def test_a_parallel_join_lets_one_token_go_on_for_all() -> None:
    walk = Walk(
        xml(
            BEGIN,
            node("parallelGateway", "g"),
            user("a"),
            user("b"),
            node("parallelGateway", "join"),
            user("after"),
            ends("e"),
            path("begin", "g", "a", "join", "after", "e"),
            path("g", "b", "join"),
        )
    )
    assert walk.active == ["a", "b"]
    walk.complete("b")
    assert walk.active == ["a", "join"]

    step = walk.complete("a")

    assert [t.element_id for t in step.user_tasks] == ["after"]
    assert walk.complete("after").is_ended


def race() -> bytes:
    return xml(
        BEGIN,
        node("eventBasedGateway", "g"),
        catch("long", timer("PT8H")),
        catch("short", timer("PT1H")),
        catch("ping", message()),
        ends("e1", "e2", "e3"),
        path("begin", "g", "long", "e1"),
        path("g", "short", "e2"),
        path("g", "ping", "e3"),
    )


def test_two_timers_behind_one_event_gateway_keep_their_own_time() -> None:
    walk = Walk(race())
    assert {t.element_id: t.due_at - NOW for t in walk.step.timers} == {
        "long": timedelta(hours=8),
        "short": timedelta(hours=1),
    }

    step = walk.later(hours=1)

    assert step is not None
    assert step.completed == ("short", "e2")
    assert step.is_ended
    assert len(step.timers_gone) == 2


def test_the_first_event_of_a_race_takes_the_others_away() -> None:
    walk = Walk(race())

    step = walk.say("ping", by="x")

    assert step.completed == ("ping", "e3")
    assert step.is_ended
    assert len(step.timers_gone) == 2


def test_a_message_payload_is_mapped_or_kept_under_the_messages_name() -> None:
    mapped = zeebe(io(outputs={"answer": "=text"})) + message("M_pong")
    walk = Walk(
        xml(
            BEGIN,
            node("receiveTask", "r", messageRef="M_ping"),
            catch("c", mapped),
            ends("e"),
            path("begin", "r", "c", "e"),
        )
    )
    walk.say("ping", text="one")

    assert walk.say("pong", text="two").data == {"ping": {"text": "one"}, "answer": "two"}


def test_of_several_that_wait_for_a_message_the_oldest_gets_it_and_the_others_are_named() -> None:
    walk = Walk(
        xml(
            BEGIN,
            node("parallelGateway", "g"),
            catch("c1", message()),
            catch("c2", message()),
            ends("e1", "e2"),
            path("begin", "g", "c1", "e1"),
            path("g", "c2", "e2"),
        )
    )

    step = walk.say("ping")

    assert step.completed == ("c1", "e1")
    assert step.ambiguous == ("c2",)
    assert walk.say("ping").ambiguous == ()


def test_a_correlation_key_lets_only_its_own_message_in() -> None:
    roots = (
        '<bpmn:message id="M_key" name="paid"><bpmn:extensionElements>'
        '<zeebe:subscription correlationKey="=order"/>'
        "</bpmn:extensionElements></bpmn:message>"
    )
    diagram = xml(
        BEGIN, catch("c", message("M_key")), ends("e"), path("begin", "c", "e"), roots=roots
    )
    walk = Walk(diagram, {"order": "A1"})

    assert walk.do(lambda i: i.correlate("paid", {}, NOW, key="B2")) is None
    step = walk.do(lambda i: i.correlate("paid", {}, NOW, key="A1"))
    assert step is not None
    assert step.is_ended


def test_a_script_is_one_feel_expression() -> None:
    walk = Walk(
        xml(
            BEGIN,
            script("s", "=sum(for i in n return i * 2)", "total"),
            ends("e"),
            path("begin", "s", "e"),
        ),
        {"n": [1, 2, 3]},
    )

    assert walk.step.data["total"] == 12


def test_a_decision_leaves_its_result_and_its_explanation() -> None:
    tables = Tables(discount=lambda i: {"percent": i["years"]})
    mapping = io({"years": "=customer.years"}, {"percent": "=found.percent"})
    walk = Walk(
        xml(BEGIN, rule("r", "discount", "found", mapping), ends("e"), path("begin", "r", "e")),
        {"customer": {"years": 3}},
        tables,
    )

    assert walk.step.data == {"customer": {"years": 3}, "percent": 3}
    (decision,) = walk.step.decisions
    assert (decision.element_id, decision.decision_id) == ("r", "discount")
    assert decision.explanation == {"decision": "discount", "version": 1}


def errors(code: str = "") -> bytes:
    return xml(
        BEGIN,
        node(
            "subProcess",
            "sub",
            node("startEvent", "in")
            + job("j")
            + boundary("own", "j", ERROR)
            + node("endEvent", "bad", ERROR)
            + ends("ok")
            + path("in", "j", "ok")
            + path("own", "bad"),
        ),
        boundary("outer", "sub", ERROR),
        boundary("any", "sub", "<bpmn:errorEventDefinition/>"),
        ends("e", "caught", "other"),
        path("begin", "sub", "e"),
        path("outer", "caught"),
        path("any", "other"),
    )


def test_a_jobs_error_reaches_its_own_boundary_and_an_error_end_the_surrounding_one() -> None:
    walk = Walk(errors())
    assert sorted(walk.active) == ["j", "sub"]

    step = walk.fail("j", "NO_STOCK")

    assert step.completed == ("own", "bad", "outer", "caught")
    assert step.is_ended
    assert step.jobs_gone == ()


def test_an_error_nobody_nearer_names_reaches_the_one_that_catches_all() -> None:
    step = Walk(errors()).fail("j", "SOMETHING")

    assert "other" in step.completed
    assert step.is_ended


def test_an_error_nobody_catches_changes_nothing_and_is_told() -> None:
    walk = Walk(xml(BEGIN, job("j"), ends("e"), path("begin", "j", "e")))
    before = walk.stored

    step = walk.fail("j", "NO_STOCK")

    assert not step.is_applied
    assert step.incident is not None
    assert (step.incident.element_id, step.incident.code) == ("j", "uncaught-error")
    assert walk.stored == before


def escalating(interrupts: bool) -> bytes:
    return xml(
        BEGIN,
        node(
            "subProcess",
            "sub",
            node("startEvent", "in")
            + user("u")
            + node("intermediateThrowEvent", "late1", LATE)
            + user("v")
            + node("endEvent", "late2", LATE)
            + path("in", "u", "late1", "v", "late2"),
        ),
        boundary("caught", "sub", LATE, interrupts),
        job("call"),
        ends("e", "e2"),
        path("begin", "sub", "e"),
        path("caught", "call", "e2"),
    )


def test_an_escalation_is_caught_beside_the_work_each_time_it_is_thrown() -> None:
    walk = Walk(escalating(interrupts=False))

    step = walk.complete("u")
    assert [(x.element_id, x.code, x.is_handled) for x in step.escalations] == [
        ("late1", "LATE", True)
    ]
    assert walk.active == ["call", "sub", "v"]
    walk.done("call")
    step = walk.complete("v")
    assert [j.element_id for j in step.jobs] == ["call"]
    assert walk.done("call").is_ended


def test_an_interrupting_escalation_ends_the_work() -> None:
    walk = Walk(escalating(interrupts=True))

    step = walk.complete("u")

    assert walk.active == ["call"]
    assert "late1" in step.completed


def test_an_escalation_nobody_catches_is_still_told() -> None:
    walk = Walk(
        xml(
            BEGIN,
            node("intermediateThrowEvent", "t", LATE),
            user("u"),
            ends("e"),
            path("begin", "t", "u", "e"),
        )
    )

    assert [(x.code, x.name, x.is_handled) for x in walk.step.escalations] == [
        ("LATE", "late", False)
    ]
    assert walk.active == ["u"]


def test_a_terminate_end_ends_its_own_scope_only() -> None:
    stop = "<bpmn:terminateEventDefinition/>"
    inner = (
        node("startEvent", "in")
        + node("parallelGateway", "g")
        + user("a")
        + user("b")
        + node("endEvent", "stop", stop)
        + ends("ok")
        + path("in", "g", "a", "stop")
        + path("g", "b", "ok")
    )
    walk = Walk(
        xml(
            BEGIN,
            node("subProcess", "sub", inner),
            user("after"),
            ends("e"),
            path("begin", "sub", "after", "e"),
        )
    )
    gone = walk.task("b")

    step = walk.complete("a")

    assert step.user_tasks_gone == (gone,)
    assert walk.active == ["after"]


def test_a_sub_process_is_interrupted_with_everything_inside() -> None:
    inner = (
        node("startEvent", "in")
        + node(
            "subProcess",
            "deep",
            node("startEvent", "in2")
            + user("u")
            + job("x")
            + node("parallelGateway", "g")
            + ends("o1", "o2")
            + path("in2", "g", "u", "o1")
            + path("g", "x", "o2"),
        )
        + ends("ok")
        + path("in", "deep", "ok")
    )
    walk = Walk(
        xml(
            BEGIN,
            node("subProcess", "sub", inner),
            boundary("stop", "sub", message()),
            ends("e", "stopped"),
            path("begin", "sub", "e"),
            path("stop", "stopped"),
        )
    )
    task, asked = walk.task("u"), walk.job("x")

    step = walk.say("ping")

    assert step.user_tasks_gone == (task,)
    assert step.jobs_gone == (asked,)
    assert step.is_ended


def test_a_cycle_reminds_as_often_as_it_says() -> None:
    walk = Walk(
        xml(
            BEGIN,
            user("u"),
            boundary("remind", "u", timer("R3/PT1H", "timeCycle"), interrupts=False),
            job("mail"),
            ends("e", "e2"),
            path("begin", "u", "e"),
            path("remind", "mail", "e2"),
        )
    )
    assert walk.step.timers[0].is_cycle
    reminded = []
    for hour in (1, 2, 3, 4):
        step = walk.later(hours=1)
        reminded.append(len(step.jobs) if step else 0)
        assert walk.now == NOW + timedelta(hours=hour)

    assert reminded == [1, 1, 1, 0]


def test_reminders_missed_in_a_long_night_do_not_come_in_a_burst() -> None:
    walk = Walk(
        xml(
            BEGIN,
            user("u"),
            boundary("remind", "u", timer("R/PT1H", "timeCycle"), interrupts=False),
            job("mail"),
            ends("e", "e2"),
            path("begin", "u", "e"),
            path("remind", "mail", "e2"),
        )
    )
    (first,) = walk.step.timers
    walk.now = NOW + timedelta(hours=10, minutes=30)

    step = walk.fire(first.task_id)

    assert len(step.jobs) == 1
    assert [t.due_at for t in step.timers] == [NOW + timedelta(hours=11)]


def test_a_timer_neither_fires_early_nor_twice() -> None:
    walk = Walk(
        xml(BEGIN, catch("c", timer("PT1H")), user("u"), ends("e"), path("begin", "c", "u", "e"))
    )
    (armed,) = walk.step.timers

    walk.now = armed.due_at - timedelta(microseconds=1)
    assert not walk.fire(armed.task_id).is_applied
    walk.now = armed.due_at
    assert walk.fire(armed.task_id).is_applied
    assert not walk.fire(armed.task_id).is_applied
    assert walk.instance.version == 2


@pytest.mark.parametrize(
    ("kind", "text", "due"),
    [
        ("timeDuration", "PT8H", NOW + timedelta(hours=8)),
        ("timeDuration", '=duration("PT8H")', NOW + timedelta(hours=8)),
        ("timeDuration", "=wait", NOW + timedelta(days=2)),
        ("timeDuration", "P1M", datetime(2026, 2, 5, 1, tzinfo=UTC)),
        ("timeDate", "2026-03-01T09:00:00+08:00", datetime(2026, 3, 1, 1, tzinfo=UTC)),
        ("timeDate", '=now() + duration("P1D")', NOW + timedelta(days=1)),
        (
            "timeDate",
            '=date and time("2026-07-01T09:00:00@Europe/Berlin")',
            datetime(2026, 7, 1, 7, tzinfo=UTC),
        ),
    ],
)
def test_timers_are_iso_texts_or_feel(kind: str, text: str, due: datetime) -> None:
    walk = Walk(
        xml(BEGIN, catch("c", timer(text, kind)), ends("e"), path("begin", "c", "e")),
        {"wait": "P2D"},
    )

    assert [t.due_at for t in walk.step.timers] == [due]


def test_cancelling_takes_everything_away_and_happens_once() -> None:
    walk = Walk(race())

    step = walk.do(lambda i: i.cancel(NOW))
    again = walk.do(lambda i: i.cancel(NOW))

    assert step is not None
    assert again is not None
    assert step.is_ended
    assert len(step.timers_gone) == 2
    assert not again.is_applied


def test_a_loop_with_a_split_and_a_join_inside_may_turn_many_times() -> None:
    walk = Walk(
        xml(
            BEGIN,
            node("exclusiveGateway", "again"),
            node("parallelGateway", "g"),
            user("a"),
            user("b"),
            node("parallelGateway", "join"),
            node("exclusiveGateway", "enough", default="no"),
            ends("e"),
            path("begin", "again", "g", "a", "join", "enough"),
            path("g", "b", "join"),
            flow("enough", "again", "", "no"),
            flow("enough", "e", "=a.stop", "yes"),
        )
    )
    for _ in range(5):
        walk.complete("b")
        walk.complete("a", stop=False)
    walk.complete("a", stop=True)
    assert walk.complete("b").is_ended


def test_a_second_token_at_a_join_waits_for_its_own_partner() -> None:
    """A non-interrupting message sends several tokens through one split and join."""
    walk = Walk(
        xml(
            BEGIN,
            user("u"),
            boundary("more", "u", message(), interrupts=False),
            node("parallelGateway", "g"),
            user("a"),
            user("b"),
            node("parallelGateway", "join"),
            user("after"),
            ends("e", "e2"),
            path("begin", "u", "e"),
            path("more", "g", "a", "join", "after", "e2"),
            path("g", "b", "join"),
        )
    )
    walk.say("ping")
    walk.say("ping")
    walk.complete("a")
    walk.complete("a")
    assert walk.active.count("join") == 2
    walk.complete("b")
    assert walk.active.count("after") == 1
    walk.complete("after")
    walk.complete("b")
    assert walk.active.count("after") == 1


def test_a_moment_without_zone_is_refused_before_anything_happens() -> None:
    walk = Walk(race())
    before = walk.stored

    with pytest.raises(ValueError, match="zone"):
        walk.do(lambda i: i.cancel(NOW.replace(tzinfo=None)))
    assert walk.stored == before
