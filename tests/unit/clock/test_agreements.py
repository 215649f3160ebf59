"""Several agreements on one request, named stages, thresholds in time, what a reopening does."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.clock.domain.clocks import clocks_at
from services.clock.domain.facts import FactKind
from services.clock.domain.said import Topic
from services.clock.events_out import event
from services.clock.store.encoding import decode, encode
from shared.events.clock import (
    AgreementClockStarted,
    AgreementClockWarned,
    ClockCorrected,
    ClockStarted,
)
from shared.targets.cells import read_row
from shared.targets.rows import Json, Matched
from tests.unit.clock.builders import REQUEST, Case, at, library_of, minutes, taken_back

OUTSIDE: dict[str, Json] = {
    "metric": "resolution",
    "target": "PT4H",
    "calendar": "24x7",
    "thresholds": "50",
    "pauses_on": "*",
}
OLA: dict[str, Json] = {**OUTSIDE, "target": "PT2H", "agreement": "ola-desk", "kind": "ola"}


def stage(name: str, starts_on: str, stops_on: str, **more: Json) -> dict[str, Json]:
    """Return a row of a named stage of an hour."""
    return {
        "metric": "stage",
        "clock": name,
        "target": "PT1H",
        "calendar": "24x7",
        "thresholds": "",
        "starts_on": starts_on,
        "stops_on": stops_on,
        **more,
    }


def test_each_agreement_has_its_own_clock_and_breach() -> None:
    case = Case(library=library_of(OUTSIDE, OLA)).routed()

    case.wait_until(200)

    assert {"resolution", "resolution@ola-desk"} <= case.keys(200)
    assert case.announced("resolution") == [(50, 120)]
    assert case.announced("resolution@ola-desk") == [(50, 60), (100, 120)]


def test_a_stricter_row_wins_within_its_agreement_only() -> None:
    supplier = {**OLA, "agreement": "uc-hotline", "kind": "uc", "target": "PT3H"}
    library = library_of(OUTSIDE, OLA, {**OLA, "target": "PT1H"}, supplier)

    case = Case(library=library).routed()

    assert minutes(case.clock("resolution", 0).target.time) == 240
    assert minutes(case.clock("resolution@ola-desk", 0).target.time) == 60
    assert minutes(case.clock("resolution@uc-hotline", 0).target.time) == 180
    told = case.clock("resolution@ola-desk", 0).target.explanation()
    assert (told["agreement"], told["kind"], told["chosen_by"]) == ("ola-desk", "ola", "strictest")


@pytest.mark.parametrize(
    ("agreement", "left"),
    [
        ("", {"resolution@ola-desk"}),
        ("ola-desk", {"resolution"}),
        ("*", set()),
    ],
)
def test_no_clock_holds_for_the_agreement_it_names(agreement: str, left: set[str]) -> None:
    nothing: dict[str, Json] = {
        "metric": "resolution",
        "is_clock_wanted": False,
        "agreement": agreement,
    }

    case = Case(library=library_of(OUTSIDE, OLA, nothing)).routed()

    assert {key for key in case.keys(0) if key.startswith("resolution")} == left


def test_readers_of_the_first_events_never_meet_a_further_agreement() -> None:
    case = Case(library=library_of(OUTSIDE, OLA)).routed().wait_until(60)

    told = [event(said) for said in case.said]

    first = [clock.metric for e in told if isinstance(e, ClockStarted) for clock in e.clocks]
    further = [c for e in told if isinstance(e, AgreementClockStarted) for c in e.clocks]
    assert sorted(first) == ["first_response", "resolution"]
    assert [(clock.name, clock.agreement, clock.kind) for clock in further] == [
        ("resolution", "ola-desk", "ola")
    ]
    [warned] = [e for e in told if isinstance(e, AgreementClockWarned)]
    assert (warned.threshold, warned.used_percent) == ("50", 50)


def test_a_priority_takes_an_agreement_away_and_the_outside_promise_stays() -> None:
    library = library_of(OUTSIDE, {**OLA, "priority": "P1"})
    case = Case(library=library).routed()

    case.then(FactKind.PRIORITY_CHANGED, 5, "P4")

    [gone] = [entry for said in case.of(Topic.CANCELLED) for entry in said.gone]
    assert gone.key == "resolution@ola-desk"
    assert "resolution" in case.timers
    assert "resolution@ola-desk" not in case.timers


def test_a_stage_runs_from_the_fact_its_row_names_to_the_other() -> None:
    row = stage("engagement", "assigned", "replied")
    case = Case(library=library_of(row)).routed().then(FactKind.ASSIGNED, 10, "li.na")

    case.then(FactKind.REPLIED, 30, "li.na")

    clock = case.clock("stage/engagement/1", 60)
    assert clock.run.started_at == at(10)
    assert minutes(clock.elapsed_at(at(60))) == 20
    assert case.topics("stage/engagement/1") == ["started", "met"]


def test_every_beginning_of_a_stage_is_a_cycle() -> None:
    row = stage("waiting-review", "waiting:review", "waiting_ended:review", pauses_on="")
    case = Case(library=library_of(row)).routed()

    for start in (10, 100):
        case.then(FactKind.WAITING_STARTED, start, "review")
        case.then(FactKind.WAITING_ENDED, start + 5, "review")
    case.then(FactKind.WAITING_STARTED, 200, "supplier")

    stages = {key for key in case.keys(300) if key.startswith("stage")}
    assert stages == {"stage/waiting-review/1", "stage/waiting-review/2"}


def test_a_diagram_begins_and_ends_a_stage_by_name() -> None:
    row = stage("recovery", "stage:recovery", "stage_ended:recovery")
    case = Case(library=library_of(row)).routed()

    case.then(FactKind.STAGE_STARTED, 10, "other").then(FactKind.STAGE_STARTED, 20, "recovery")
    case.then(FactKind.STAGE_ENDED, 50, "recovery")

    assert minutes(case.clock("stage/recovery/1", 60).elapsed_at(at(60))) == 30


def test_what_a_stage_leaves_open_is_cancelled_when_the_request_is_closed() -> None:
    rows = (
        stage("confirmed", "submitted", "confirmed, closed"),
        stage("never-ended", "submitted", "stage_ended:x"),
    )
    case = Case(library=library_of(*rows)).routed().then(FactKind.RESOLVED, 10)

    case.then(FactKind.CLOSED, 40, "time")

    assert minutes(case.clock("stage/confirmed/1", 60).elapsed_at(at(60))) == 40
    assert case.topics("stage/confirmed/1") == ["started", "met"]
    cancelled = [entry.key for said in case.of(Topic.CANCELLED) for entry in said.gone]
    assert "stage/never-ended/1" in cancelled


def test_each_teams_time_with_the_request_is_measured_for_itself() -> None:
    row = stage("stint", "team", "team_left, resolved", agreement="ola-teams", kind="ola")
    case = Case(library=library_of(row)).routed()

    case.then(FactKind.HANDED_OVER, 20, "skill", "network").then(FactKind.RESOLVED, 90)

    stints = [case.clock(f"stage/stint/{n}@ola-teams", 100) for n in (1, 2)]
    assert [minutes(clock.elapsed_at(at(100))) for clock in stints] == [20, 70]
    assert [clock.run.team for clock in stints] == ["desk", "network"]
    assert stints[1].is_breached_at(at(100))


def test_a_time_before_and_after_the_target_is_a_threshold_too() -> None:
    case = Case(library=library_of({**OUTSIDE, "thresholds": "50, -PT30M, +PT1H"})).routed()

    case.wait_until(400)

    assert case.announced("resolution") == [
        (50, 120),
        ("-PT30M", 210),
        (100, 240),
        ("+PT1H", 300),
    ]
    kinds = [type(event(said)).__name__ for said in case.of(Topic.WARNED, "resolution")]
    assert kinds == ["ClockWarned", "AgreementClockWarned", "AgreementClockWarned"]


def test_a_warning_before_the_beginning_is_never_given() -> None:
    library = library_of({**OUTSIDE, "target": "PT15M", "thresholds": "-PT30M"})

    case = Case(library=library).routed().wait_until(60)

    assert case.announced("resolution") == [(100, 15)]


def test_thresholds_in_time_are_announced_again_after_a_late_fact_took_them_back() -> None:
    case = Case(library=library_of({**OUTSIDE, "thresholds": "-PT30M"})).routed().wait_until(211)

    case.then(FactKind.WAITING_STARTED, 10, "requester")
    case.then(FactKind.WAITING_ENDED, 70, "requester")
    case.wait_until(400)

    assert case.announced("resolution") == [("-PT30M", 210), ("-PT30M", 270), (100, 300)]
    corrected = case.of(Topic.CORRECTED, "resolution")[0]
    assert taken_back(corrected, "resolution") == ("-PT30M",)
    told = event(corrected)
    assert isinstance(told, ClockCorrected)
    assert told.withdrawn[0].thresholds == ("-PT30M",)


@pytest.mark.parametrize(("rule", "elapsed", "due"), [("continue", 90, 270), ("restart", 60, 300)])
def test_a_reopening_follows_the_rule_of_the_row(rule: str, elapsed: int, due: int) -> None:
    case = Case(library=library_of({**OUTSIDE, "reopen": rule})).routed()

    case.then(FactKind.RESOLVED, 30).then(FactKind.REOPENED, 60, "still broken")

    clock = case.clock("resolution", 120)
    assert minutes(clock.elapsed_at(at(120))) == elapsed
    assert clock.due_at == at(due)
    assert clock.run.stops == (at(30),)


def test_a_new_cycle_leaves_the_first_figure_as_it_was() -> None:
    case = Case(library=library_of({**OUTSIDE, "reopen": "new_cycle"})).routed()

    case.then(FactKind.RESOLVED, 30).then(FactKind.REOPENED, 60, "still broken")
    case.then(FactKind.RESOLVED, 100)

    first, second = case.clock("resolution", 200), case.clock("resolution/2", 200)
    assert (minutes(first.elapsed_at(at(200))), first.run.ended_at) == (30, at(30))
    assert (minutes(second.elapsed_at(at(200))), second.run.started_at) == (40, at(60))
    assert case.topics("resolution") == ["started", "met"]
    assert case.topics("resolution/2") == ["started", "met"]


def test_time_of_day_region_and_team_are_asked_only_of_tables_that_use_them() -> None:
    asked: list[object] = []
    library = library_of(OUTSIDE)
    table = library.shelf.tables[1]

    def evaluate(inputs: object) -> list[Matched]:
        asked.append(inputs)
        return []

    for uses in (frozenset[str](), frozenset({"hour", "team"})):
        library.shelf.tables[1] = type(table)(1, evaluate, uses)
        Case(library=library).routed()

    plain, further = asked[0], asked[-1]
    assert isinstance(plain, dict)
    assert isinstance(further, dict)
    assert "hour" not in plain
    assert (further["hour"], further["team"]) == (10, "desk")


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("agreement", "two words", "up to 40 letters"),
        ("kind", "contract", "none of sla, ola, uc"),
        ("starts_on", "born", "stands for no fact"),
        ("stops_on", "assigned:li", "stands for no fact"),
        ("stops_on", "waiting:", "stands for no fact"),
        ("reopen", "maybe", "none of continue, restart, new_cycle"),
        ("thresholds", "-30M", "not a time such as"),
        ("thresholds", "+PT0S", "not a time such as"),
    ],
)
def test_a_cell_nobody_can_use_says_why(column: str, value: str, told: str) -> None:
    assert told in str(read_row(Matched("r", {**OLA, column: value})).fault)


def test_rebuilt_equals_kept_with_agreements_stages_and_new_cycles() -> None:
    library = library_of(
        {**OUTSIDE, "reopen": "new_cycle", "thresholds": "50,-PT30M"},
        OLA,
        stage("stint", "team", "team_left, resolved", agreement="ola-teams"),
    )
    case = Case(library=library).routed()
    case.then(FactKind.HANDED_OVER, 20, "skill", "network").then(FactKind.RESOLVED, 90)
    case.then(FactKind.REOPENED, 100, "no").then(FactKind.ASSIGNED, 110, "li.na", "network")

    again = decode(REQUEST, encode(case.ledger))

    assert again == case.ledger
    moment = datetime(2026, 3, 2, 12, tzinfo=UTC) + timedelta(hours=4)
    assert clocks_at(again, moment, library) == clocks_at(case.ledger, moment, library)
