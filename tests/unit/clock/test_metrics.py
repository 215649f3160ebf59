"""When each clock starts, stops, stands still, and what does not count."""

from __future__ import annotations

import pytest

from services.clock.domain.facts import FactKind
from services.clock.domain.said import Topic
from shared.vocabulary import ClockState, Priority
from tests.unit.clock.builders import ESCALATION, Case, at, minutes

ESCALATED = f"escalation_response/{ESCALATION}"


def test_three_clocks_start_together_at_the_submission() -> None:
    case = Case().routed(3)

    [started] = case.of(Topic.STARTED)
    assert started.at == at(0)
    assert {clock.key for clock in started.clocks} == {
        "first_response",
        "assignment",
        "resolution",
    }


@pytest.mark.parametrize(
    ("metric", "targets"),
    [
        ("first_response", (15, 30, 120, 240)),
        ("assignment", (10, 20, 60, 120)),
        ("resolution", (120, 240, 480, 1440)),
    ],
)
def test_the_shipped_targets_are_those_of_the_product(
    metric: str, targets: tuple[int, ...]
) -> None:
    found = [minutes(Case(p).routed().clock(metric, 0).target.time) for p in Priority]

    assert tuple(found) == targets


def test_office_domains_count_office_hours_and_others_every_hour() -> None:
    office, always = Case(Priority.P2, "hr").routed(), Case(Priority.P2, "it").routed()

    # 10:00 in Shanghai and four hours: lunch from 12 to 13 does not count.
    assert office.clock("resolution", 0).due_at == at(5 * 60)
    assert always.clock("resolution", 0).due_at == at(4 * 60)


def test_the_first_effective_answer_meets_the_first_response() -> None:
    case = Case().routed().then(FactKind.REPLIED, 6, "li.na").then(FactKind.REPLIED, 9)

    clock = case.clock("first_response", 60)
    assert clock.state_at(at(60)) is ClockState.MET
    assert minutes(clock.elapsed_at(at(60))) == 6
    assert case.topics("first_response") == ["started", "met"]


def test_a_resolution_without_an_answer_meets_response_and_assignment_too() -> None:
    case = Case().routed().then(FactKind.RESOLVED, 8)

    for key in ("first_response", "assignment", "resolution"):
        assert case.clock(key, 60).state_at(at(60)) is ClockState.MET
        assert minutes(case.clock(key, 60).elapsed_at(at(60))) == 8
    assert "handling" not in case.keys(60)


def test_handling_counts_only_while_somebody_owns_it() -> None:
    case = (
        Case()
        .routed()
        .then(FactKind.ASSIGNED, 5, "li.na")
        .then(FactKind.HANDED_OVER, 15, "skill", "database")
        .then(FactKind.ASSIGNED, 40, "wang.wei", "database")
        .then(FactKind.RESOLVED, 50)
    )

    clock = case.clock("handling", 60)
    assert minutes(clock.elapsed_at(at(60))) == 20
    assert minutes(clock.paused_at(at(60))) == 0
    assert case.topics("handling") == ["started", "paused", "resumed", "met"]


def test_handling_stands_still_between_two_owners() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, 5, "li.na")

    case.then(FactKind.HANDED_OVER, 15, "skill", "database")

    clock = case.clock("handling", 30)
    assert clock.state_at(at(30)) is ClockState.PAUSED
    assert clock.due_at is None
    assert minutes(clock.remaining_at(at(30))) == 50


def test_a_wait_stops_handling_and_resolution_but_not_the_first_response() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, 2, "li.na")

    case.then(FactKind.WAITING_STARTED, 10, "requester")

    states = {k: case.clock(k, 12).state_at(at(12)) for k in case.keys(12)}
    assert states["handling"] is states["resolution"] is ClockState.PAUSED
    assert states["first_response"] is ClockState.RUNNING
    [paused] = case.of(Topic.PAUSED)
    assert paused.reason == "requester"
    assert {clock.key for clock in paused.clocks} == {"handling", "resolution"}


def test_a_paused_clock_has_no_due_moment_but_time_left() -> None:
    case = Case().routed().then(FactKind.WAITING_STARTED, 30, "supplier")

    clock = case.clock("resolution", 300)
    assert clock.due_at is None
    assert minutes(clock.remaining_at(at(300))) == 90
    assert clock.next_threshold_at(at(300)) is None


def test_a_wait_moves_the_due_moment_by_its_length() -> None:
    case = Case().routed().then(FactKind.WAITING_STARTED, 30, "requester")

    case.then(FactKind.WAITING_ENDED, 75, "requester")

    clock = case.clock("resolution", 80)
    assert clock.due_at == at(120 + 45)
    assert minutes(clock.elapsed_at(at(80))) == 35
    assert minutes(clock.paused_at(at(80))) == 45
    assert [s.clocks[0].due_at for s in case.of(Topic.RESUMED)] == [at(165)]


def test_two_waits_at_once_count_once() -> None:
    case = (
        Case()
        .routed()
        .then(FactKind.WAITING_STARTED, 10, "requester")
        .then(FactKind.WAITING_STARTED, 20, "supplier")
        .then(FactKind.WAITING_ENDED, 30, "requester")
        .then(FactKind.WAITING_ENDED, 40, "supplier")
    )

    assert minutes(case.clock("resolution", 60).paused_at(at(60))) == 30
    assert case.topics("resolution") == ["started", "paused", "resumed"]


def test_a_wait_that_is_open_at_the_resolution_ends_with_it() -> None:
    case = Case().routed().then(FactKind.WAITING_STARTED, 10, "requester")

    case.then(FactKind.RESOLVED, 6000)

    clock = case.clock("resolution", 7000)
    assert minutes(clock.elapsed_at(at(7000))) == 10
    assert minutes(clock.paused_at(at(7000))) == 5990
    assert not clock.is_breached_at(at(7000))


def test_the_time_between_resolved_and_reopened_is_nobodys() -> None:
    case = (
        Case()
        .routed()
        .then(FactKind.RESOLVED, 30)
        .then(FactKind.REOPENED, 1000, "still broken")
        .then(FactKind.RESOLVED, 1020)
    )

    clock = case.clock("resolution", 2000)
    assert minutes(clock.elapsed_at(at(2000))) == 50
    assert minutes(clock.paused_at(at(2000))) == 0
    assert clock.run.stops == (at(30),)
    assert case.topics("resolution") == ["started", "met", "resumed", "met"]


def test_a_reopened_resolution_has_what_was_left() -> None:
    case = Case().routed().then(FactKind.RESOLVED, 30).then(FactKind.REOPENED, 1000, "no")

    assert case.clock("resolution", 1001).due_at == at(1000 + 90)
    assert case.clock("first_response", 1001).state_at(at(1001)) is ClockState.MET


def test_handling_goes_on_with_the_same_owner_after_a_reopening() -> None:
    case = (
        Case()
        .routed()
        .then(FactKind.ASSIGNED, 0, "li.na")
        .then(FactKind.RESOLVED, 30)
        .then(FactKind.REOPENED, 100, "no")
    )

    assert case.clock("handling", 110).state_at(at(110)) is ClockState.RUNNING
    assert minutes(case.clock("handling", 110).elapsed_at(at(110))) == 40


def test_the_next_response_exists_only_after_the_first() -> None:
    case = Case().routed().then(FactKind.ASKED, 2)
    assert "next_response/1" not in case.keys(5)

    case.then(FactKind.REPLIED, 6).then(FactKind.ASKED, 20)

    assert case.clock("next_response/1", 21).due_at == at(35)


def test_every_question_after_an_answer_is_a_cycle_of_its_own() -> None:
    case = (
        Case()
        .routed()
        .then(FactKind.REPLIED, 5)
        .then(FactKind.ASKED, 10)
        .then(FactKind.ASKED, 12)
        .then(FactKind.REPLIED, 14)
        .then(FactKind.ASKED, 30)
        .then(FactKind.RESOLVED, 37)
    )

    spans = [minutes(case.clock(f"next_response/{n}", 60).elapsed_at(at(60))) for n in (1, 2)]
    assert spans == [4, 7]
    assert "next_response/3" not in case.keys(60)


def test_thanks_after_the_resolution_start_no_clock() -> None:
    case = Case().routed().then(FactKind.RESOLVED, 10).then(FactKind.ASKED, 12)

    assert "next_response/1" not in case.keys(20)


def test_a_complaint_after_the_resolution_counts_from_the_reopening() -> None:
    case = Case().routed().then(FactKind.RESOLVED, 10).then(FactKind.ASKED, 12)

    case.then(FactKind.REOPENED, 13, "no")

    assert case.clock("next_response/1", 20).run.started_at == at(13)


def test_an_escalation_waits_for_its_acknowledgement() -> None:
    case = Case().routed().then(FactKind.ESCALATED, 7, ESCALATION)
    assert case.clock(ESCALATED, 8).due_at == at(12)

    case.then(FactKind.ESCALATED, 8, ESCALATION).then(FactKind.ACKNOWLEDGED, 9, ESCALATION)

    assert minutes(case.clock(ESCALATED, 20).elapsed_at(at(20))) == 2
    assert case.topics(ESCALATED) == ["started", "met"]


def test_a_released_escalation_waits_for_nobody() -> None:
    case = Case().routed().then(FactKind.ESCALATED, 7, ESCALATION)

    case.then(FactKind.RELEASED, 8, ESCALATION)

    assert case.clock(ESCALATED, 9).state_at(at(9)) is ClockState.CANCELLED
    [cancelled] = case.of(Topic.CANCELLED)
    assert (cancelled.reason, cancelled.at) == ("released", at(8))


def test_a_cancelled_request_has_no_clock_running() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, 2, "li.na").then(FactKind.CANCELLED, 5, "dup")

    states = {k: case.clock(k, 9).state_at(at(9)) for k in case.keys(9)}
    assert states.pop("assignment") is ClockState.MET
    assert set(states.values()) == {ClockState.CANCELLED}
    [cancelled] = case.of(Topic.CANCELLED)
    assert {gone.metric for gone in cancelled.gone} == {"first_response", "handling", "resolution"}
    assert not case.timers


def test_closing_without_a_resolution_ends_what_runs_and_a_reopening_undoes_it() -> None:
    case = Case().routed().then(FactKind.CLOSED, 5, "agent")
    assert case.clock("resolution", 6).state_at(at(6)) is ClockState.CANCELLED

    case.then(FactKind.REOPENED, 10, "no")

    assert case.clock("first_response", 11).due_at == at(20)
    assert case.clock("resolution", 11).due_at == at(125)


def test_the_confirmation_gives_the_resolution_a_second_figure() -> None:
    case = Case().routed().then(FactKind.RESOLVED, 30).then(FactKind.CONFIRMED, 90)

    assert minutes(case.clock("resolution", 200).elapsed_until(at(90))) == 90
    assert minutes(case.clock("resolution", 200).elapsed_at(at(200))) == 30


def test_a_clock_can_be_seen_as_it_stood_before() -> None:
    case = Case().routed().then(FactKind.WAITING_STARTED, 10, "requester")

    case.then(FactKind.RESOLVED, 60)

    assert case.clock("resolution", 5).state_at(at(5)) is ClockState.RUNNING
    assert case.clock("resolution", 5).due_at == at(120)
    assert case.clock("resolution", 20).state_at(at(20)) is ClockState.PAUSED


def test_a_target_used_up_at_closing_time_breaks_only_when_time_counts_again() -> None:
    # 10:00 + 7 h of office time is 18:00 sharp; handling from 13:00 in Shanghai, four hours.
    case = Case(Priority.P3, "hr").routed().then(FactKind.ASSIGNED, 4 * 60, "li.na")
    clock = case.clock("handling", 4 * 60)
    assert clock.due_at == at(8 * 60)
    assert clock.breaches_at == at(23 * 60)

    case.wait_until(20 * 60).then(FactKind.RESOLVED, 20 * 60)

    assert not case.clock("handling", 5000).is_breached_at(at(5000))
    assert 100 not in [percent for percent, _ in case.announced("handling")]
