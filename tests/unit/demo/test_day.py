"""The generated day: the same for the same seed, shaped like a working day, with its stories."""

from __future__ import annotations

import random
from collections import Counter
from datetime import timedelta
from itertools import pairwise

import pytest

from levee.demo.arrivals import arrivals
from levee.demo.company import AWAY, DEPUTY, PEOPLE, company_of
from levee.demo.day import FEWEST, make_day
from levee.demo.matters import MATTERS
from levee.demo.plan import ZONE, moment
from levee.demo.run import plan_day
from levee.embedded import DEFINITIONS
from shared.definitions.parsing import read_yaml
from tests.unit.demo.builders import TUESDAY, a_day, cases_of

SEEDS = (1, 2, 3, 7, 42)


def test_the_same_seed_makes_the_same_day() -> None:
    assert plan_day(TUESDAY, seed=5, requests=60)[0] == plan_day(TUESDAY, seed=5, requests=60)[0]


def test_another_seed_makes_another_day() -> None:
    assert a_day(1).cases != a_day(2).cases


@pytest.mark.parametrize("requests", [FEWEST, 25, 180])
def test_a_day_has_as_many_requests_as_were_asked_for(requests: int) -> None:
    assert len(a_day(requests=requests).cases) == requests


def test_a_day_without_room_for_its_stories_is_refused() -> None:
    company = company_of(plan_day(TUESDAY, seed=1, requests=20)[1], 1)

    with pytest.raises(ValueError, match="at least"):
        make_day(TUESDAY, company, requests=FEWEST - 1)


def test_three_hundred_people_work_there() -> None:
    directory = plan_day(TUESDAY, seed=1, requests=20)[1]

    company = company_of(directory, 1)

    assert len({person.id for person in company.employees}) == PEOPLE == 300


def test_most_requests_come_in_the_morning_and_few_at_noon() -> None:
    times = arrivals(TUESDAY, 5_000, random.Random(3))

    hours = Counter(at.astimezone(ZONE).hour for at in times)

    assert min(hours) >= 8
    assert max(hours) <= 18
    assert hours[9] + hours[10] + hours[11] > 2 * (hours[16] + hours[17] + hours[18])
    assert hours[12] < hours[11] / 1.4
    assert hours[14] > hours[12]


@pytest.mark.parametrize("seed", SEEDS)
def test_nothing_happens_outside_the_day(seed: int) -> None:
    day = a_day(seed)

    for case in day.cases:
        assert day.begins_at <= case.at < day.ends_at
        assert all(case.at < step.at < day.ends_at for step in case.steps)


@pytest.mark.parametrize("seed", SEEDS)
def test_what_people_do_with_a_request_never_happens_at_the_same_moment(seed: int) -> None:
    for case in a_day(seed).cases:
        assert all(one.at < other.at for one, other in pairwise(case.steps))


@pytest.mark.parametrize("seed", SEEDS)
def test_nobody_answers_or_resolves_what_nobody_took(seed: int) -> None:
    for case in a_day(seed).cases:
        taken = False
        for step in case.steps:
            taken = taken or step.verb == "claim"
            assert taken or step.verb in ("hand_over", "withdraw"), case


@pytest.mark.parametrize("seed", SEEDS)
def test_only_what_is_resolved_is_confirmed_rated_or_reopened(seed: int) -> None:
    for case in a_day(seed).cases:
        is_resolved = False
        for step in case.steps:
            if step.verb in ("confirm", "reopen"):
                assert is_resolved, case
            is_resolved = step.verb == "resolve" or (is_resolved and step.verb != "reopen")


@pytest.mark.parametrize("seed", SEEDS)
def test_only_people_of_the_owning_team_take_a_request(seed: int) -> None:
    day, directory = plan_day(TUESDAY, seed=seed, requests=180)
    members = {team.id: team.members for team in directory.teams}
    teams = {matter.type: matter.team for matter in MATTERS}

    for case in day.cases:
        is_alarm = case.asked.channel == "monitoring"
        owner = "it-infrastructure" if is_alarm else teams[case.asked.type]
        for step in case.steps:
            owner = step.team or owner
            if step.verb == "claim":
                assert step.by in members[owner], case


@pytest.mark.parametrize("seed", SEEDS)
def test_the_storm_is_twenty_p1s_within_six_minutes_from_ten(seed: int) -> None:
    storm = cases_of(a_day(seed), "storm")

    assert len(storm) == 20
    assert min(case.at for case in storm) >= moment(TUESDAY, 10)
    assert max(case.at for case in storm) < moment(TUESDAY, 10, 6)
    assert {(case.asked.urgency.value, case.asked.impact.value) for case in storm} == {
        ("high", "high")
    }


def test_the_storm_is_over_before_half_past_eleven() -> None:
    for case in cases_of(a_day(), "storm"):
        solved = [step.at for step in case.steps if step.verb == "resolve"]
        assert solved
        assert solved[0] < moment(TUESDAY, 11, 30)


@pytest.mark.parametrize("seed", SEEDS)
def test_one_request_is_forgotten_by_everybody(seed: int) -> None:
    (forgotten,) = cases_of(a_day(seed), "forgotten")

    assert forgotten.steps == ()
    assert forgotten.ears is None


def test_the_forgotten_request_has_time_to_climb_all_tiers_before_the_day_ends() -> None:
    (forgotten,) = cases_of(a_day(), "forgotten")

    # 45 min to the first warning, 165 min up the standard policy.
    assert forgotten.at + timedelta(hours=4) < a_day().ends_at


def test_some_are_handed_round_reopened_withdrawn_corrected_and_asked_back() -> None:
    steps = Counter(step.verb for case in a_day().cases for step in case.steps)
    handovers = [sum(s.verb == "hand_over" for s in case.steps) for case in a_day().cases]

    assert max(handovers) >= 3
    for verb in ("ask", "reply", "reopen", "withdraw", "correct", "confirm", "rate", "wait"):
        assert steps[verb] > 0, verb


def test_all_request_types_of_the_shipped_catalogue_occur() -> None:
    file = DEFINITIONS / "catalogue" / "catalogue.yaml"
    known = {entry["key"] for entry in read_yaml(file.read_text(encoding="utf-8"))["types"]}

    assert {case.asked.type for case in a_day().cases} == known


def test_a_few_requests_stay_open_at_the_end_of_the_day() -> None:
    left = [c for c in a_day().cases if not any(s.verb in ("resolve", "withdraw") for s in c.steps)]

    assert 2 <= len(left) <= 30


def test_the_lead_on_leave_has_a_deputy_all_day_and_takes_no_requests() -> None:
    day, directory = plan_day(TUESDAY, seed=1, requests=180)
    (away,) = [person for person in directory.people if person.id == AWAY]

    (leave,) = away.absences

    assert leave.deputy == DEPUTY
    assert leave.starts_at <= day.begins_at
    assert leave.ends_at > day.ends_at
    assert not [case for case in day.cases for step in case.steps if step.by == AWAY]
