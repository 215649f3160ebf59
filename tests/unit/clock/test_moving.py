"""Moving running clocks to another version: previewed, with the start and the pauses, undone."""

from __future__ import annotations

from services.clock.domain import moving, steps
from services.clock.domain.facts import FactKind, Move, Pins
from services.clock.domain.said import Topic
from services.clock.store import Shelved
from services.clock.store.encoding import decode, encode
from shared.targets.rows import Json
from tests.unit.clock.builders import PINS, REQUEST, Case, at, library_of, minutes, taken_back

NEW = Pins(2, PINS.calendars)
BEFORE: dict[str, Json] = {
    "metric": "resolution",
    "target": "PT4H",
    "calendar": "24x7",
    "thresholds": "",
    "pauses_on": "*",
}


def two_versions(target: str) -> Shelved:
    """Return version 1 with four hours, version 2 with `target`."""
    first, second = library_of(BEFORE), library_of({**BEFORE, "target": target})
    first.shelf.tables[2] = second.shelf.tables[1]
    return first


def moved(case: Case, at_minutes: float, job: str = "job-1") -> Case:
    """Move its clocks to version 2."""
    assert case.ledger.pins is not None
    move = Move(at(at_minutes), case.ledger.pins, "liu.yang", job)
    return case.take(steps.move(case.ledger, NEW, move, case.library))


def undone(case: Case, at_minutes: float, job: str = "job-1") -> Case:
    """Undo that."""
    moment = at(at_minutes)
    return case.take(moving.undo(case.ledger, job, "liu.yang", "undo-1", moment, case.library))


def test_the_start_and_the_pauses_stay_and_the_target_is_the_new_one() -> None:
    case = Case(library=two_versions("PT2H")).routed()
    case.then(FactKind.WAITING_STARTED, 10, "supplier")
    case.then(FactKind.WAITING_ENDED, 40, "supplier")

    moved(case, 60)

    clock = case.clock("resolution", 60)
    assert (clock.due_at, minutes(clock.elapsed_at(at(60)))) == (at(150), 30)
    [said] = case.of(Topic.REBASED, "resolution")
    assert (said.at, said.reason) == (at(60), "version_moved")
    assert case.timers["resolution"] == at(150)


def test_a_move_that_finds_it_late_is_told_apart_from_a_lived_breach() -> None:
    case = Case(library=two_versions("PT1H")).routed()

    told = moving.preview(case.ledger, NEW, at(90), case.library)
    moved(case, 90)

    assert (told.changed, told.newly_breached) == (("resolution",), ("resolution",))
    assert case.clock("resolution", 91).is_breached_by_rebase()
    [breach] = case.of(Topic.BREACHED, "resolution")
    assert breach.at == at(90)


def test_what_had_ended_keeps_what_it_was_promised_under() -> None:
    case = Case(library=two_versions("PT1H")).routed()
    case.then(FactKind.REPLIED, 5, "li.na").then(FactKind.RESOLVED, 90)
    case.then(FactKind.ESCALATED, 95, "e1")

    before = case.clock("resolution", 100)
    moved(case, 100)

    after = case.clock("resolution", 100)
    assert (after.target.table, after.is_breached_at(at(100))) == (1, False)
    assert after == before


def test_an_undone_move_leaves_everything_as_it_was_but_the_log() -> None:
    case = Case(library=two_versions("PT1H")).routed()
    moved(case, 90)

    undone(case, 95)

    clock = case.clock("resolution", 100)
    assert (clock.due_at, clock.is_breached_at(at(100)), clock.target.table) == (
        at(240),
        False,
        1,
    )
    assert [move.job for move in case.ledger.moves] == ["job-1", "undo-1"]
    assert case.timers.get("resolution") is None or case.timers["resolution"] == at(240)


def test_a_breach_announced_by_a_move_is_taken_back_by_its_undoing_and_said_when_it_is_so() -> None:
    case = Case(library=two_versions("PT1H")).routed()
    moved(case, 90)
    undone(case, 95)
    taken = case.of(Topic.REBASED, "resolution")[-1]
    assert 100 in taken_back(taken, "resolution")

    case.wait_until(400)

    assert [said.at for said in case.of(Topic.BREACHED, "resolution")] == [at(90), at(240)]
    assert case.clock("resolution", 400).is_breached_at(at(400))


def test_what_was_moved_again_since_is_not_undone() -> None:
    case = Case(library=two_versions("PT1H")).routed()
    moved(case, 30)
    before = case.ledger

    undone(case, 40, job="another")

    assert case.ledger == before


def test_a_request_at_rest_is_not_moved() -> None:
    case = Case(library=two_versions("PT1H")).routed()
    case.then(FactKind.RESOLVED, 30).then(FactKind.CLOSED, 40, "time")
    before = case.ledger

    moved(case, 50)

    assert case.ledger is before


def test_a_move_is_kept_with_the_ledger() -> None:
    case = Case(library=two_versions("PT1H")).routed()
    moved(case, 30)

    assert decode(REQUEST, encode(case.ledger)) == case.ledger
