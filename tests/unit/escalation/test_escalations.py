"""One matter, one page: what a further cause does to an escalation that runs."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID

import pytest

from services.escalation.domain import (
    Cause,
    Request,
    acknowledge,
    attach,
    close,
    filled_in,
    starts,
    without_clocks,
)
from shared.vocabulary import EscalationState, Priority
from tests.unit.escalation.builders import (
    CLOCK,
    NINE,
    a_plan,
    a_policy,
    breached,
    minutes,
    running,
    warned,
)

BUTTON = Cause("requested", NINE + minutes(9), reason="customer calls", by="ann")


def test_a_cause_joins_a_climb_without_moving_it() -> None:
    before = running(warned())

    after = attach(before, breached(NINE + minutes(5)), a_plan())

    assert len(after.causes) == 2
    assert (after.epoch, after.next_at) == (before.epoch, before.next_at)


def test_the_same_cause_heard_twice_is_kept_once() -> None:
    assert len(attach(running(breached()), breached(), a_plan()).causes) == 1


@pytest.mark.parametrize(("cause", "is_reopened"), [
    (warned(NINE + minutes(9), 90), False),
    (breached(NINE + minutes(9)), True),
    (BUTTON, True),
])  # fmt: skip
def test_only_a_stronger_cause_calls_again_those_who_acknowledged(
    cause: Cause, is_reopened: bool
) -> None:
    taken = acknowledge(replace(running(warned()), tier=2), "ann", NINE + minutes(3))

    after = attach(taken, cause, a_plan())

    assert after.is_climbing is is_reopened
    assert (after.epoch > taken.epoch) is is_reopened


def test_a_new_start_begins_at_the_tier_that_was_reached_and_goes_on_from_there() -> None:
    taken = acknowledge(replace(running(warned()), tier=2), "ann", NINE + minutes(3))

    after = attach(taken, breached(NINE + minutes(9)), a_plan())

    assert (after.next_place, after.next_at) == ((2, 0), NINE + minutes(9))
    assert after.begun_at == NINE + minutes(9 - 30)


def test_a_second_breach_does_not_call_again_who_took_the_first_over() -> None:
    taken = acknowledge(running(breached()), "ann", NINE + minutes(3))

    after = attach(taken, breached(NINE + minutes(9), "resolution"), a_plan())

    assert after.state is EscalationState.ACKNOWLEDGED


def test_a_breach_of_another_clock_calls_again_where_nobody_answered() -> None:
    silent = replace(
        running(breached()), state=EscalationState.EXHAUSTED, is_exhaustion_said=True, tier=3
    )
    other = replace(breached(NINE + minutes(90), "resolution"), clock_id=UUID(int=77))

    same = attach(silent, breached(NINE + minutes(9)), a_plan())
    after = attach(silent, other, a_plan())

    assert same.state is EscalationState.EXHAUSTED
    assert (after.state, after.epoch) == (EscalationState.RAISED, 2)
    assert after.next_at == NINE + minutes(90)
    assert not after.is_exhaustion_said


def test_links_count_from_the_last_time_somebody_took_over() -> None:
    silent = replace(running(breached()), state=EscalationState.EXHAUSTED, tier=3)
    reopened = attach(silent, BUTTON, a_plan())
    taken = acknowledge(reopened, "ann", NINE)

    assert [reopened.is_answered_by(epoch) for epoch in (0, 1, 2, 3)] == [False, True, True, False]
    assert not any(taken.is_answered_by(epoch) for epoch in range(5))
    anew = attach(taken, replace(BUTTON, at=NINE + minutes(20)), a_plan())
    assert [anew.is_answered_by(epoch) for epoch in (2, 4)] == [False, True]


def test_every_answer_and_end_voids_what_was_planned() -> None:
    taken = acknowledge(running(), "ann", NINE)
    ended = close(taken, "resolved", NINE)

    assert (taken.epoch, ended.epoch) == (2, 3)
    assert taken.next_at is None
    assert ended.is_closed


def test_people_are_told_of_the_strongest_cause() -> None:
    escalation = attach(running(breached()), warned(NINE + minutes(1), 90), a_plan())

    assert escalation.main_cause.kind == "breached"


def test_a_policy_says_which_causes_start_it() -> None:
    policy = a_policy(on_warned_percent=(90,))

    assert not starts(policy, warned(percent=75))
    assert starts(policy, warned(percent=90))
    assert starts(policy, breached())
    assert not starts(policy, breached(metric="handling"))
    assert starts(policy, BUTTON)
    assert not starts(a_policy(on_breached=False), breached())


def test_a_policy_without_metrics_means_all_but_its_own_clock() -> None:
    assert starts(a_policy(metrics=()), breached(metric="handling"))
    assert not starts(a_policy(metrics=()), breached(metric="escalation_response"))


def test_a_clock_that_is_met_takes_all_its_causes_along() -> None:
    causes = (warned(), breached(), BUTTON)

    assert without_clocks(causes, {CLOCK}) == (BUTTON,)
    assert without_clocks(causes, {UUID(int=5)}) == causes


def test_what_the_router_said_is_not_replaced_by_what_a_clock_remembers() -> None:
    unknown = Request(UUID(int=1))
    routed = replace(unknown, team="desk", priority=Priority.P3, is_import=False)

    assert filled_in(unknown, team="hr", priority=Priority.P1).team == "hr"
    assert filled_in(routed, team="hr", assignee="ann", priority=Priority.P1) == routed
    assert filled_in(routed, number="R-1").number == "R-1"
