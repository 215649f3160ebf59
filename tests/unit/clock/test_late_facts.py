"""Facts that come late, back-dated or before their cause: computed again, and corrected."""

from __future__ import annotations

import orjson

from services.clock.domain.facts import FactKind
from services.clock.domain.said import Topic
from services.clock.store.encoding import decode, encode
from shared.vocabulary import ClockState
from tests.unit.clock.builders import ESCALATION, REQUEST, Case, at, minutes, taken_back

ESCALATED = f"escalation_response/{ESCALATION}"


def test_an_answer_heard_before_the_routing_counts_when_the_routing_comes() -> None:
    case = Case().then(FactKind.REPLIED, 4)
    assert case.said == []

    case.routed(6)

    assert minutes(case.clock("first_response", 10).elapsed_at(at(10))) == 4
    assert case.topics("first_response") == ["started", "met"]


def test_an_acknowledgement_heard_before_its_escalation_meets_it_at_once() -> None:
    case = Case().routed()
    raised, acknowledged = (
        case.fact(FactKind.ESCALATED, 5, ESCALATION),
        case.fact(FactKind.ACKNOWLEDGED, 6, ESCALATION),
    )

    case.hear(acknowledged).hear(raised)

    assert case.clock(ESCALATED, 9).state_at(at(9)) is ClockState.MET
    assert minutes(case.clock(ESCALATED, 9).elapsed_at(at(9))) == 1


def test_an_acknowledgement_without_any_escalation_makes_no_clock() -> None:
    case = Case().routed().then(FactKind.ACKNOWLEDGED, 6, ESCALATION)

    assert ESCALATED not in case.keys(9)


def test_a_resolution_back_dated_before_an_announced_breach_is_corrected() -> None:
    case = Case().routed().wait_until(16)

    case.then(FactKind.RESOLVED, 14)

    assert not case.clock("first_response", 20).is_breached_at(at(20))
    assert case.topics("first_response")[-2:] == ["met", "corrected"]
    assert case.of(Topic.MET, "first_response")[0].at == at(14)


def test_an_answer_at_the_very_due_moment_is_in_time_although_the_timer_was_first() -> None:
    case = Case().routed().wait_until(15)
    assert case.announced("first_response")[-1] == (100, 15)

    case.then(FactKind.REPLIED, 15)

    assert not case.clock("first_response", 20).is_breached_at(at(20))
    assert case.of(Topic.CORRECTED, "first_response")


def test_a_wait_back_dated_before_a_warning_takes_the_due_moment_back() -> None:
    case = Case().routed().wait_until(62)
    assert case.announced("resolution") == [(50, 60)]

    case.then(FactKind.WAITING_STARTED, 40, "requester")
    case.then(FactKind.WAITING_ENDED, 50, "requester")

    assert case.clock("resolution", 70).due_at == at(130)
    assert case.topics("resolution")[-3:] == ["paused", "corrected", "resumed"]
    assert taken_back(case.of(Topic.CORRECTED, "resolution")[0], "resolution") == (50,)


def test_a_late_wait_that_takes_a_breach_back_does_not_silence_the_clock() -> None:
    case = Case().routed().wait_until(150)
    assert case.announced("resolution")[-1] == (100, 120)

    case.then(FactKind.WAITING_STARTED, 30, "requester")

    corrected = case.of(Topic.CORRECTED, "resolution")[0]
    assert taken_back(corrected, "resolution") == (50, 75, 90, 100)
    assert case.clock("resolution", 150).state_at(at(150)) is ClockState.PAUSED
    case.then(FactKind.WAITING_ENDED, 160, "requester").wait_until(400)
    assert case.announced("resolution")[-4:] == [(50, 190), (75, 220), (90, 238), (100, 250)]


def test_an_earlier_answer_heard_later_corrects_what_was_met() -> None:
    case = Case().routed().then(FactKind.REPLIED, 7)

    case.then(FactKind.REPLIED, 3)

    assert minutes(case.clock("first_response", 10).elapsed_at(at(10))) == 3
    assert case.topics("first_response") == ["started", "met", "met", "corrected"]


def test_facts_of_another_publisher_that_overtake_change_nothing_told() -> None:
    case = Case().routed()
    assigned, replied = case.fact(FactKind.ASSIGNED, 3, "li.na"), case.fact(FactKind.REPLIED, 4)

    case.hear(replied).hear(assigned)

    assert not case.of(Topic.CORRECTED)
    assert case.topics("assignment") == ["started", "met"]


def test_a_wait_heard_late_on_a_clock_that_went_on_is_corrected() -> None:
    case = Case().routed()
    started = case.fact(FactKind.WAITING_STARTED, 10, "requester")
    ended = case.fact(FactKind.WAITING_ENDED, 20, "requester")

    case.hear(ended).hear(started)

    assert case.clock("resolution", 30).due_at == at(130)
    assert case.topics("resolution") == ["started", "corrected"]


def test_a_second_routing_changes_nothing() -> None:
    case = Case().routed()
    before = case.ledger

    case.routed(5)

    assert case.ledger == before
    assert len(case.of(Topic.STARTED)) == 1


def test_what_happened_before_the_submission_happened_at_it() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, -5, "li.na")

    assert case.clock("handling", 1).run.started_at == at(0)
    assert minutes(case.clock("assignment", 1).elapsed_at(at(1))) == 0


def test_an_import_is_computed_like_any_other() -> None:
    case = Case().routed(is_import=True).wait_until(20)

    assert case.announced("first_response")[-1] == (100, 15)


def test_a_wait_whose_end_is_dated_before_its_beginning_stops_no_clock() -> None:
    """The requester's mail of minute 9 arrives after the agent began to wait at minute 10."""
    case = Case().routed().then(FactKind.ASSIGNED, 2, "li.na", "desk")
    case.then(FactKind.WAITING_STARTED, 10, "requester")
    assert case.clock("resolution", 11).state_at(at(11)) is ClockState.PAUSED

    case.then(FactKind.WAITING_ENDED, 9, "requester")

    for key in ("resolution", "handling"):
        assert case.clock(key, 12).state_at(at(12)) is ClockState.RUNNING
        assert case.clock(key, 12).paused_at(at(12)).total_seconds() == 0
    assert case.timers["resolution"] is not None
    assert case.topics("resolution")[-1] == "resumed"


def test_a_wait_dated_into_the_wait_before_goes_on_after_it() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, 2, "li.na", "desk")
    case.then(FactKind.WAITING_STARTED, 10, "requester").then(
        FactKind.WAITING_ENDED, 20, "requester"
    )

    case.then(FactKind.WAITING_STARTED, 15, "requester")

    assert case.clock("resolution", 30).state_at(at(30)) is ClockState.PAUSED
    assert minutes(case.clock("resolution", 30).paused_at(at(30))) == 20


def test_a_reopening_dated_before_the_resolution_it_undoes_lets_the_clock_go_on() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, 2, "li.na", "desk")
    case.then(FactKind.RESOLVED, 12)

    case.then(FactKind.REOPENED, 11, "not solved")

    assert case.clock("resolution", 20).state_at(at(20)) is ClockState.RUNNING
    assert minutes(case.clock("resolution", 20).elapsed_at(at(20))) == 20


def test_a_request_back_in_its_teams_queue_is_handled_by_nobody_until_somebody_takes_it() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, 2, "li.na", "desk")

    case.then(FactKind.UNASSIGNED, 10, "returned", "desk")

    assert case.clock("handling", 20).state_at(at(20)) is ClockState.PAUSED
    assert case.of(Topic.PAUSED, "handling")[0].reason == "unassigned"
    case.wait_until(200)
    owner = case.of(Topic.BREACHED, "resolution")[0].owner
    assert owner is not None
    assert (owner.team, owner.assignee) == ("desk", None)
    case.then(FactKind.ASSIGNED, 210, "wang.wei", "desk")
    assert minutes(case.clock("handling", 220).elapsed_at(at(220))) == 8 + 10


def test_what_was_given_back_is_stored_as_the_release_before_can_read_it() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, 2, "li.na", "desk")
    case.then(FactKind.HANDED_OVER, 5, "skill", "database")
    case.then(FactKind.ASSIGNED, 6, "wang.wei", "database")
    case.then(FactKind.UNASSIGNED, 10, "returned", "database")

    stored = encode(case.ledger)

    assert decode(REQUEST, stored) == case.ledger
    kinds = [fact[0] for fact in orjson.loads(stored)["facts"]]
    assert kinds == ["assigned", "handed_over", "assigned", "handed_over"]


def test_an_owner_named_at_an_earlier_moment_than_the_handover_is_the_owner_after_it() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, 2, "li.na", "desk")
    case.then(FactKind.HANDED_OVER, 10, "skill", "network")

    case.then(FactKind.ASSIGNED, 9, "wang.wei", "network")

    assert case.clock("handling", 20).state_at(at(20)) is ClockState.RUNNING
