"""Which promise wins where several match, and what holds where none does."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.clock.domain.facts import FactKind
from services.clock.domain.said import Topic
from services.clock.domain.targets import CalendarMissing, TargetsMissing
from services.clock.store import Shelf, Shelved
from shared.targets.cells import read_row
from shared.targets.rows import Json, Matched
from shared.targets.table import Table
from tests.unit.clock.builders import Case, at, library_of, minutes, shipped

HOUR: dict[str, Json] = {"target": "PT1H", "calendar": "24x7", "pauses_on": ""}


def test_the_strictest_of_several_rows_wins_and_the_explanation_names_all() -> None:
    library = library_of(HOUR, {**HOUR, "target": "PT30M"}, {**HOUR, "target": "PT2H"})

    target = Case(library=library).routed().clock("resolution", 0).target

    assert target.time == timedelta(minutes=30)
    told = target.explanation()
    assert (told["chosen_by"], told["rule"], told["version"]) == ("strictest", "row_2", 1)
    matched = told["matched_rules"]
    assert isinstance(matched, list)
    assert [entry["rule"] for entry in matched] == ["row_2", "row_1", "row_3"]


def test_the_strictest_is_the_one_due_first_not_the_one_with_fewer_hours() -> None:
    # Submitted on Monday at 10:00: nine office hours end on Tuesday, twelve hours tonight.
    library = library_of(
        {**HOUR, "target": "PT9H", "calendar": "office-cn"}, {**HOUR, "target": "PT12H"}
    )

    clock = Case(library=library).routed().clock("resolution", 0)

    assert clock.due_at == at(12 * 60)
    assert clock.target.calendar.key == "24x7"


def test_a_row_that_says_no_clock_beats_every_other() -> None:
    library = library_of(HOUR, {"metric": "assignment", "is_clock_wanted": False})

    case = Case(library=library).routed()

    assert case.keys(0) == {"first_response", "resolution"}


def test_where_no_row_matches_the_ceilings_hold() -> None:
    case = Case(library=library_of({**HOUR, "metric": "handling"})).routed()

    assert case.keys(0) == {"first_response", "resolution"}
    assert minutes(case.clock("first_response", 0).target.time) == 60
    assert minutes(case.clock("resolution", 0).target.time) == 72 * 60
    assert case.clock("resolution", 0).target.chosen_by == "fallback"


def test_a_priority_without_a_clock_cancels_the_one_that_runs() -> None:
    library = library_of({**HOUR, "priority": "P1"}, {"priority": "P4", "is_clock_wanted": False})
    case = Case(library=library).routed()

    case.then(FactKind.PRIORITY_CHANGED, 5, "P4")

    assert case.keys(6) == set()
    [cancelled] = case.of(Topic.CANCELLED)
    assert cancelled.reason == "no_clock"
    assert not case.timers


@pytest.mark.parametrize(
    ("column", "value", "told"),
    [
        ("target", "15 min", "not an ISO 8601 duration"),
        ("target", "PT0S", "above zero"),
        ("target", "P4000D", "at most ten years"),
        ("target", "P9999999999999D", "not an ISO 8601 duration"),
        ("thresholds", "-P9999999999999D", "not a time"),
        ("target", None, "comes to nothing"),
        ("calendar", "", "not a calendar"),
        ("thresholds", "half", "not whole percentages"),
        ("thresholds", "0,50", "between 1 and 1000"),
        ("pauses_on", 7, "not a list"),
    ],
)
def test_a_row_nobody_can_use_says_what_is_wrong(column: str, value: Json, told: str) -> None:
    row = read_row(Matched("r", {**HOUR, column: value}))

    assert told in str(row.fault)


def test_a_broken_row_promises_nothing_and_the_ceilings_hold() -> None:
    library = library_of({**HOUR, "target": "soon"})

    assert Case(library=library).routed().clock("resolution", 0).target.chosen_by == "fallback"


def test_without_a_table_the_clock_waits_for_one() -> None:
    case = Case(library=Shelved(Shelf(), {}))

    with pytest.raises(TargetsMissing):
        case.routed()


def test_without_its_calendar_the_clock_waits_for_one() -> None:
    library = Shelved(shipped().shelf, {("decision", "targets"): 1})

    with pytest.raises(CalendarMissing):
        Case(library=library).routed()


def test_a_request_stays_on_the_versions_it_was_promised_under() -> None:
    library = library_of(HOUR)
    case = Case(library=library).routed()
    library.shelf.tables[2] = Table(2, lambda _: [Matched("new", {**HOUR, "target": "PT5M"})])
    library.versions[("decision", "targets")] = 2

    case.then(FactKind.ASSIGNED, 10, "li.na")

    assert minutes(case.clock("resolution", 10).target.time) == 60
    assert minutes(case.clock("handling", 10).target.time) == 60
    assert minutes(Case(library=library).routed().clock("resolution", 0).target.time) == 5
