"""Warnings and breaches: at the moment each was reached, again only after it was taken back."""

from __future__ import annotations

from datetime import timedelta

from services.clock.domain.facts import FactKind
from services.clock.domain.said import Topic
from shared.vocabulary import ClockState, Priority
from tests.unit.clock.builders import Case, at, library_of, minutes, taken_back

ROW = {"target": "PT100M", "calendar": "24x7", "thresholds": "50,75,90", "pauses_on": "*"}


def test_a_clock_warns_at_its_percentages_and_breaches_at_its_target() -> None:
    case = Case().routed().wait_until(15)

    assert case.announced("first_response") == [(50, 7.5), (75, 11.25), (90, 13.5), (100, 15)]
    assert case.clock("first_response", 15.1).state_at(at(15.1)) is ClockState.BREACHED


def test_a_clock_is_not_breached_at_its_due_moment_but_right_after_it() -> None:
    clock = Case().routed().clock("first_response", 60)

    assert not clock.is_breached_at(at(15))
    assert clock.is_breached_at(at(15) + timedelta(microseconds=1))


def test_each_threshold_has_one_timer_at_a_time() -> None:
    case = Case().routed()
    assert case.timers["first_response"] == at(7.5)

    case.wait_until(8)

    assert case.timers["first_response"] == at(11.25)
    assert set(case.timers) == {"first_response", "assignment", "resolution"}


def test_no_timer_is_left_when_everything_was_met() -> None:
    case = Case().routed().then(FactKind.RESOLVED, 5)

    assert not case.timers


def test_thresholds_between_submission_and_routing_are_announced_with_their_own_moments() -> None:
    case = Case().routed(12)

    assert case.announced("first_response") == [(50, 7.5), (75, 11.25)]
    assert case.announced("assignment") == [(50, 5), (75, 7.5), (90, 9), (100, 10)]


def test_what_was_crossed_before_a_fact_is_said_before_it() -> None:
    # The timer is late: the answer comes first.
    case = Case().routed().then(FactKind.REPLIED, 14)

    assert case.topics("first_response") == ["started", "warned", "warned", "warned", "met"]
    assert [percent for percent, _ in case.announced("first_response")] == [50, 75, 90]


def test_a_late_answer_is_breached_before_it_is_met() -> None:
    case = Case().routed().then(FactKind.REPLIED, 16)

    assert case.announced("first_response")[-1] == (100, 15)
    assert case.topics("first_response")[-2:] == ["breached", "met"]
    assert case.clock("first_response", 20).is_breached_at(at(20))


def test_a_timer_that_fires_twice_says_nothing_more() -> None:
    case = Case().routed().wait_until(8)
    case.timers["first_response"] = at(7.5)

    case.wait_until(8)

    assert case.announced("first_response") == [(50, 7.5)]


def test_a_paused_clock_has_no_timer_and_gets_a_later_one_when_it_goes_on() -> None:
    case = Case().routed().then(FactKind.WAITING_STARTED, 30, "requester")
    assert "resolution" not in case.timers

    case.then(FactKind.WAITING_ENDED, 90, "requester")

    assert case.timers["resolution"] == at(120)


def test_a_wait_the_row_does_not_name_pauses_nothing() -> None:
    case = Case(library=library_of({**ROW, "pauses_on": "requester, supplier"})).routed()

    case.then(FactKind.WAITING_STARTED, 10, "parts")
    assert case.clock("resolution", 20).state_at(at(20)) is ClockState.RUNNING

    case.then(FactKind.WAITING_STARTED, 20, "supplier")
    assert case.clock("resolution", 30).state_at(at(30)) is ClockState.PAUSED


def test_a_higher_priority_keeps_start_and_pauses_and_shortens_the_target() -> None:
    case = Case(Priority.P3).routed().then(FactKind.WAITING_STARTED, 10, "requester")
    case.then(FactKind.WAITING_ENDED, 40, "requester")

    case.then(FactKind.PRIORITY_CHANGED, 50, "P2")

    clock = case.clock("resolution", 50)
    assert clock.due_at == at(240 + 30)
    assert case.of(Topic.REBASED, "resolution")[0].at == at(50)
    assert case.timers["resolution"] == at(150)


def test_a_target_already_passed_when_it_came_is_a_breach_of_its_own_kind() -> None:
    case = Case(Priority.P3).routed().then(FactKind.PRIORITY_CHANGED, 60, "P1")

    clock = case.clock("first_response", 61)
    assert clock.is_breached_at(at(61))
    assert clock.is_breached_by_rebase()
    # Reached, as far as anybody could know, when the promise came.
    assert case.announced("first_response") == [(50, 60), (75, 60), (90, 60), (100, 60)]
    assert not case.clock("resolution", 61).is_breached_by_rebase()


def test_a_lived_breach_stays_one_whatever_the_priority_becomes() -> None:
    case = Case(Priority.P3).routed().then(FactKind.PRIORITY_CHANGED, 121, "P1")

    assert not case.clock("first_response", 122).is_breached_by_rebase()
    assert case.clock("first_response", 122).is_breached_at(at(122))


def test_a_lower_priority_takes_back_what_its_target_has_not_reached_and_warns_again() -> None:
    case = Case(Priority.P1).routed().wait_until(12)

    case.then(FactKind.PRIORITY_CHANGED, 13, "P3").wait_until(119)

    rebased = case.of(Topic.REBASED, "first_response")[0]
    assert taken_back(rebased, "first_response") == (50, 75)
    assert case.announced("first_response") == [
        (50, 7.5), (75, 11.25), (50, 60), (75, 90), (90, 108)
    ]  # fmt: skip
    assert case.timers["first_response"] == at(120)


def test_lowering_the_priority_does_not_silence_a_clock_for_good() -> None:
    """P3 raised to P1 by mistake and put back: the promise of P3 is watched as ever."""
    case = Case(Priority.P3).routed().wait_until(180)
    case.then(FactKind.PRIORITY_CHANGED, 180, "P1").then(FactKind.PRIORITY_CHANGED, 190, "P3")

    assert not case.ledger.told["resolution"].standing
    case.wait_until(20 * 60)

    after = [told for told in case.announced("resolution") if told[1] > 190]
    assert [percent for percent, _ in after] == [50, 75, 90, 100]
    assert case.clock("resolution", 20 * 60).is_breached_at(at(20 * 60))
    assert case.ledger.told["resolution"].fired[-4:] == (50, 75, 90, 100)


def test_a_clock_begun_anew_warns_and_breaches_in_its_second_life_too() -> None:
    case = Case(library=library_of({**ROW, "reopen": "restart"})).routed().wait_until(150)
    case.then(FactKind.RESOLVED, 200)

    case.then(FactKind.REOPENED, 1000, "not solved").wait_until(1200)

    second = [told for told in case.announced("resolution") if told[1] > 200]
    assert second == [(50, 1050), (75, 1075), (90, 1090), (100, 1100)]
    assert not case.of(Topic.CORRECTED, "resolution")


def test_ended_clocks_keep_the_target_they_had() -> None:
    case = Case(Priority.P1).routed().then(FactKind.REPLIED, 5)

    case.then(FactKind.PRIORITY_CHANGED, 6, "P4")

    assert minutes(case.clock("first_response", 7).target.time) == 15
    assert case.topics("first_response") == ["started", "met"]


def test_warnings_name_who_had_it_then() -> None:
    case = Case().routed().then(FactKind.ASSIGNED, 6, "li.na", "desk")

    case.then(FactKind.HANDED_OVER, 9, "skill", "database").wait_until(12)

    owners = [(s.owner.team, s.owner.assignee) for s in case.of(Topic.WARNED) if s.owner]
    assert owners[-2:] == [("desk", "li.na"), ("database", None)]


def test_a_due_moment_after_which_no_time_counts_is_breached_at_due() -> None:
    # Four working hours, and the calendar's validity ends when they are used up.
    from shared.business_time import Calendar

    ends = Calendar.from_dict(
        {"key": "ends", "kind": "24x7", "zone": "UTC", "valid_until": "2026-03-02"}
    )
    library = library_of({**ROW, "target": "PT22H", "calendar": "ends"})
    library.shelf.calendars[("ends", 1)] = ends
    library.versions[("calendar", "ends")] = 1
    case = Case(library=library).routed()

    case.wait_until(22 * 60)

    assert case.announced("resolution")[-1] == (100, 22 * 60)
    assert case.clock("resolution", 22 * 60 + 1).is_breached_at(at(22 * 60 + 1))
    library.shelf.calendars.pop(("ends", 1))
