"""When each tier is told, what happens to empty ones, and where a climb ends."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

from hypothesis import given
from hypothesis import strategies as st

from services.escalation.domain import (
    Climb,
    Directory,
    Team,
    climb,
    is_current,
    moment_of,
    plan_of,
    preview,
)
from shared.definitions.models import TierRule
from shared.vocabulary import EscalationState
from tests.unit.escalation.builders import (
    NINE,
    a_directory,
    a_plan,
    a_policy,
    a_request,
    at_place,
    away,
    minutes,
    running,
)


def told(climbed: Climb) -> list[tuple[int, int, list[str]]]:
    return [
        (t.step.tier, t.step.repeat, [r.person for r in t.reached.told]) for t in climbed.tellings
    ]


def test_a_plan_tells_tiers_and_repeats_in_time_then_duty_then_ends() -> None:
    steps = [(s.tier, s.repeat, s.after) for s in a_plan().steps]

    assert steps == [
        (1, 0, minutes(0)),
        (1, 1, minutes(15)),
        (2, 0, minutes(30)),
        (3, 0, minutes(50)),
        (3, 1, minutes(60)),
        (4, 0, minutes(70)),
    ]
    assert a_plan().steps[-1].is_end


def test_repeats_of_a_lower_tier_go_on_while_a_higher_one_is_told() -> None:
    policy = a_policy(
        TierRule(notify=("member",), repeats=3, repeat_every=minutes(20)),
        TierRule(notify=("lead",), after=minutes(30)),
    )

    order = [s.place for s in plan_of(policy).steps]

    assert order == [(1, 0), (1, 1), (2, 0), (1, 2), (1, 3), (3, 0), (3, 1), (4, 0)]


def test_a_due_step_tells_its_people_and_names_the_next_moment() -> None:
    climbed = climb(running(), a_plan(), a_directory(), a_request(), NINE)

    assert told(climbed) == [(1, 0, ["ann", "bob"])]
    assert climbed.tellings[0].next_at == NINE + minutes(15)
    assert climbed.escalation.next_at == NINE + minutes(15)
    assert climbed.escalation.told == ("ann", "bob")


def test_an_empty_tier_is_passed_at_once_and_those_above_keep_their_distance() -> None:
    directory = a_directory(ann=away(), bob=away())

    climbed = climb(running(), a_plan(), directory, a_request(), NINE)

    assert told(climbed) == [(1, 0, []), (2, 0, ["lea"])]
    assert climbed.escalation.next_at == NINE + minutes(20)


def test_an_empty_repeat_waits_because_somebody_was_told_before() -> None:
    escalation = at_place(running(), (1, 1), NINE)

    climbed = climb(escalation, a_plan(), Directory(1), a_request(), NINE)

    assert told(climbed) == [(1, 1, [])]
    assert climbed.escalation.next_at == NINE + minutes(15)


def test_where_nobody_can_be_told_at_all_no_one_answered_is_said_at_once() -> None:
    climbed = climb(running(), a_plan(), Directory(1), a_request(), NINE)

    assert [t.step.tier for t in climbed.tellings] == [1, 2, 3]
    assert climbed.escalation.state is EscalationState.EXHAUSTED
    assert climbed.exhausted is not None


def test_the_end_of_a_climb_reaches_duty_and_the_last_tier() -> None:
    escalation = at_place(running(), (4, 0), NINE)

    climbed = climb(escalation, a_plan(), a_directory(), a_request(), NINE)

    assert climbed.exhausted is not None
    assert [r.person for r in climbed.exhausted.told] == ["duty", "lea"]
    assert climbed.escalation.next_place is None


def test_a_step_after_an_outage_counts_from_now_and_one_of_a_log_does_not() -> None:
    planned, now = NINE, NINE + timedelta(hours=3)

    assert moment_of(planned, now, is_import=False) == now
    assert moment_of(planned, now, is_import=True) == planned
    assert moment_of(planned, planned + timedelta(seconds=59), is_import=False) == planned


def test_a_timer_of_another_epoch_place_or_escalation_means_nothing() -> None:
    escalation = running()

    assert is_current(escalation, escalation.id, 1, (1, 0))
    assert not is_current(escalation, escalation.id, 2, (1, 0))
    assert not is_current(escalation, escalation.id, 1, (1, 1))
    assert not is_current(escalation, UUID(int=77), 1, (1, 0))
    assert not is_current(replace(escalation, state=EscalationState.ACKNOWLEDGED),
                          escalation.id, 1, (1, 0))  # fmt: skip


def test_a_preview_climbs_to_the_end_with_the_people_of_each_moment() -> None:
    until = NINE + minutes(10)
    directory = a_directory(ann=away("eve", until=until))

    steps = preview(a_policy(), directory, NINE, "desk")

    assert [(s.at - NINE, s.tier, s.repeat) for s in steps] == [
        (minutes(0), 1, 0),
        (minutes(15), 1, 1),
        (minutes(30), 2, 0),
        (minutes(50), 3, 0),
        (minutes(60), 3, 1),
        (minutes(70), 4, 0),
    ]
    assert [r.person for r in steps[0].reached.told] == ["eve", "bob"]
    assert [r.person for r in steps[1].reached.told] == ["ann", "bob"]
    assert steps[-1].is_end


tier_rules = st.builds(
    TierRule,
    notify=st.lists(
        st.sampled_from(["member", "lead", "manager", "duty", "person:eve"]), min_size=1
    ).map(tuple),
    after=st.integers(0, 120).map(minutes),
    repeats=st.integers(0, 4),
    repeat_every=st.integers(1, 60).map(minutes),
)


@given(
    tiers=st.lists(tier_rules, min_size=1, max_size=5),
    lead=st.sampled_from([None, "lea"]),
    members=st.sampled_from([(), ("ann",), ("ann", "bob")]),
    duty=st.sampled_from([None, "duty"]),
)
def test_every_climb_ends_with_no_one_answered_and_time_never_runs_back(
    tiers: list[TierRule], lead: str | None, members: tuple[str, ...], duty: str | None
) -> None:
    known = a_directory()
    team = Team("desk", members, lead, None)
    directory = replace(known, teams={"desk": team}, duty_person=duty)

    steps = preview(a_policy(*tiers), directory, NINE, "desk")

    assert [s.is_end for s in steps].count(True) == 1
    assert steps[-1].is_end
    moments = [s.at for s in steps]
    assert moments == sorted(moments)
    firsts = [s.tier for s in steps if s.repeat == 0 and not s.is_end]
    assert firsts == list(range(1, len(tiers) + 2)), "no tier is left out, told or passed"
