"""The lanes that ship, walked with their tables, calls and calendars, stored after each step."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from services.router.workflow import check

from .builders import ROOT, Walk, folder, request, shipped

DIAGRAMS = sorted(path.stem for path in (ROOT / "bpmn").glob("*.bpmn"))
DECIDE = "decision-by-authority:decide"
REVIEW = "review:look_back"


def green(**changes: object) -> Walk:
    walk = Walk(shipped("green-channel"), request(urgency="high", impact="high", **changes))
    for name in ("page_all", "open_war_room"):
        walk.done(name, war_room_id="w-1")
    return walk


def exception(**form: object) -> Walk:
    told = request(domain="approval", request_type="exception-request", form=form)
    return Walk(shipped("exception-approval"), told)


def asked(walk: Walk) -> tuple[str, ...]:
    """Return whom the open decision asks."""
    (task,) = (t for t in walk.instance.open_user_tasks() if t.element_id == DECIDE)
    return task.candidate_groups


def tasks(walk: Walk) -> list[str]:
    """Return the user tasks that are open."""
    return sorted(task.element_id for task in walk.instance.open_user_tasks())


def decide(walk: Walk, decision: str = "approved") -> None:
    walk.complete(DECIDE, decision=decision, reason="because", decided_by="wang.wei")


@pytest.mark.parametrize("name", DIAGRAMS)
def test_a_shipped_diagram_has_no_fault_and_a_label_in_both_languages(name: str) -> None:
    drawing = folder().process(name)
    assert drawing is not None

    report = check(drawing, file=f"{name}.bpmn", around=folder())

    assert (report.verdict, report.findings, report.process_id) == ("ok", (), name)
    for element, told in shipped(name).elements.items():
        assert told["name"] == "" or " / " in told["name"], element


# ---- green channel -----------------------------------------------------------------------------


def test_the_green_channel_pages_opens_a_war_room_acts_and_decides_at_once() -> None:
    walk = Walk(shipped("green-channel"), request(urgency="high", impact="high"))

    (page,) = walk.step.jobs
    assert (page.element_id, page.type) == ("page_all", "levee:escalate")
    assert page.variables["policy"] == "green-channel"
    assert {t.element_id for t in walk.step.user_tasks} == {"act", DECIDE}
    (room,) = walk.done("page_all").jobs
    assert (room.type, room.variables["members"]) == ("levee:open-war-room", "team, lead, manager")
    assert walk.done("open_war_room", war_room_id="w-1").data["war_room"] == "w-1"


def test_a_silent_lead_is_passed_over_within_minutes_and_the_last_level_is_paged_for() -> None:
    walk = green()
    assert asked(walk) == ("lead",)

    walk.later(minutes=15)
    assert asked(walk) == ("manager",)
    walk.later(minutes=15)
    assert asked(walk) == ("duty",)
    walk.later(minutes=15)

    (page,) = walk.step.jobs
    assert (page.element_id, page.type) == ("decision-by-authority:page", "levee:escalate")
    walk.done(page.element_id)
    assert asked(walk) == ("duty",)


def test_the_review_begins_when_it_is_solved_and_decided_in_either_order() -> None:
    first, second = green(), green()
    first.complete("act")
    assert tasks(first) == [DECIDE]
    decide(first)
    decide(second)
    assert tasks(second) == ["act"]
    second.say("resolved")

    for walk in (first, second):
        assert tasks(walk) == [REVIEW]
        assert walk.complete(REVIEW, conclusion="fine").is_ended


def test_what_is_not_green_is_thrown_to_the_standard_lane() -> None:
    walk = green()

    decide(walk, "rejected")

    (thrown,) = walk.step.escalations
    assert (thrown.code, thrown.is_handled) == ("lane:standard", False)
    # Where the router does not move it because it is solved already, its review still comes.
    walk.complete("act")
    assert tasks(walk) == [REVIEW]


def test_a_green_request_that_is_not_solved_is_acted_on_again_and_reviewed_then() -> None:
    walk = green()
    decide(walk)
    walk.complete("act")
    for end in ("complete", "say"):
        walk.say("reopened")
        assert tasks(walk) == ["act_again"]
        walk.complete("act_again") if end == "complete" else walk.say("resolved")
        assert tasks(walk) == [REVIEW]


def test_a_review_nobody_does_is_reminded_of_and_stays() -> None:
    walk = green()
    decide(walk)
    walk.complete("act")
    (task,) = walk.instance.open_user_tasks()
    assert (task.candidate_groups, task.headers["excludes"]) == (("manager",), "requester,decider")
    assert task.due_at == datetime(2026, 1, 7, 10, tzinfo=UTC)

    walk.later(days=3)

    (reminder,) = walk.step.jobs
    assert (reminder.type, reminder.variables["recipients"]) == ("levee:notify", "manager")
    walk.done(reminder.element_id)
    assert tasks(walk) == [REVIEW]


# ---- exception approval ------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("form", "levels"),
    [
        ({"kind": "price", "amount": 800}, ["lead", "manager", "duty"]),
        ({"kind": "price"}, ["lead", "manager", "duty"]),
        ({}, ["lead", "manager", "duty"]),
        ({"kind": "refund", "amount": 5001}, ["manager", "duty"]),
        ({"kind": "refund", "amount": 50001}, ["manager", "duty"]),
        ({"kind": "price", "amount": 800, "risk": "high"}, ["manager", "duty"]),
    ],
)
def test_who_may_decide_follows_amount_risk_and_kind(
    form: dict[str, object], levels: list[str]
) -> None:
    walk = exception(**form)
    found: list[str] = []
    for _ in levels:
        found += asked(walk)
        (limit,) = walk.instance.open_timers()
        walk.now = limit.due_at
        walk.fire(limit.task_id)

    assert found == levels
    assert [job.type for job in walk.step.jobs] == ["levee:escalate"]


def test_a_level_has_its_own_working_time_and_no_more() -> None:
    walk = exception(kind="price", amount=800)
    (task,) = walk.instance.open_user_tasks()
    # Four working hours of 9 to 12 and 13 to 18, from nine in the morning.
    assert task.due_at == datetime(2026, 1, 5, 6, tzinfo=UTC)

    walk.later(hours=4, minutes=59)
    assert asked(walk) == ("lead",)
    walk.later(minutes=1)

    assert asked(walk) == ("manager",)
    (task,) = walk.instance.open_user_tasks()
    assert task.variables["level"] == 2


def test_much_money_needs_the_level_above_as_well() -> None:
    walk = exception(kind="refund", amount=80000)
    (task,) = walk.instance.open_user_tasks()
    assert (task.candidate_groups, task.variables["is_final"]) == (("manager",), False)

    decide(walk)
    (task,) = walk.instance.open_user_tasks()
    assert (task.candidate_groups, task.variables["is_final"]) == (("duty",), True)
    decide(walk)

    assert tasks(walk) == ["carry_out"]


def test_one_rejection_is_enough() -> None:
    walk = exception(kind="refund", amount=80000)

    decide(walk, "rejected")

    assert tasks(walk) == ["explain"]


def test_what_nobody_may_except_is_explained_at_once() -> None:
    walk = exception(kind="data", amount=1)

    assert tasks(walk) == ["explain"]
    assert walk.step.data["decision"] == "not_allowed"


@pytest.mark.parametrize("word", ["confirmed", "closed", None])
def test_a_granted_exception_is_confirmed_and_reviewed_before_it_ends(word: str | None) -> None:
    walk = exception(kind="price", amount=800)
    decide(walk)
    walk.complete("carry_out")
    if word is None:
        walk.later(days=5)
    else:
        walk.say(word)

    assert tasks(walk) == [REVIEW]
    assert walk.complete(REVIEW, conclusion="fine").is_ended


def test_a_refused_exception_is_explained_confirmed_and_over() -> None:
    walk = exception(kind="price", amount=800)
    decide(walk, "rejected")
    walk.say("resolved")

    assert walk.say("confirmed").is_ended


@pytest.mark.parametrize(("decision", "work"), [("approved", "carry_out"), ("rejected", "explain")])
def test_what_is_not_solved_goes_back_to_the_work_and_not_to_the_decision(
    decision: str, work: str
) -> None:
    walk = exception(kind="price", amount=800)
    decide(walk, decision)
    walk.complete(work)

    walk.say("reopened")

    assert tasks(walk) == [work]


def test_the_time_limit_of_a_level_is_armed_once_and_gone_with_the_decision() -> None:
    walk = exception(kind="price", amount=800)
    assert len(walk.instance.open_timers()) == 1

    decide(walk)

    assert walk.instance.open_timers() == ()
    assert walk.later(days=30) is None
    assert tasks(walk) == ["carry_out"]


def test_an_exception_that_proves_unsolved_during_its_review_goes_back_to_the_work() -> None:
    walk = exception(kind="price", amount=800)
    decide(walk)
    walk.complete("carry_out")
    walk.later(days=5)
    assert tasks(walk) == [REVIEW]

    walk.say("reopened")

    assert tasks(walk) == ["carry_out"]
