"""Known holidays: what is said of their end, and running clocks when more are published."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta

from services.clock.domain import moving, steps
from services.clock.domain.coverage import Known, outlook, subject_of
from services.clock.domain.facts import FactKind
from services.clock.domain.said import Topic
from services.clock.store import Shelf, Shelved
from services.clock.store.encoding import decode, encode
from shared.business_time import Calendar, always
from shared.targets.rows import Json
from tests.unit.clock.builders import REQUEST, START, Case, at, library_of

#: The builders' request begins on Monday 2026-03-02, 10:00 in Shanghai.
KNOWN_UNTIL = date(2026, 3, 3)


def desk(version: int, until: str, *holidays: str, **changed: object) -> Calendar:
    """Return a desk that is open 09-12 and 13-18 from Monday to Friday."""
    return Calendar.from_dict(
        {
            "key": "desk",
            "version": version,
            "zone": "Asia/Shanghai",
            "windows": {
                day: ["09:00-12:00", "13:00-18:00"] for day in ("mon", "tue", "wed", "thu", "fri")
            },
            "holidays": [{"date": day} for day in holidays],
            "covered_until": until,
            **changed,
        }
    )


FIRST = desk(1, "2026-03-03")
#: Wednesday is a holiday after all.
SECOND = desk(2, "2026-12-31", "2026-03-04")
#: Tuesday was known to be none: nobody's mere publication.
OTHER = desk(2, "2026-12-31", "2026-03-04", windows={"mon": ["09:00-12:00"]})


def library(*calendars: Calendar, target: str = "PT24H") -> Shelved:
    """Return a table with one resolution on the desk's hours, and its calendars, newest last."""
    row: dict[str, Json] = {
        "metric": "resolution",
        "target": target,
        "calendar": "desk",
        "thresholds": "",
        "pauses_on": "*",
    }
    found = library_of(row)
    kept = dict(found.shelf.calendars)
    shelf = Shelf(tables=found.shelf.tables, calendars=kept)
    versions = dict(found.versions)
    for calendar in calendars:
        kept[("desk", calendar.version)] = calendar
        versions[("calendar", "desk")] = calendar.version
    return Shelved(shelf, versions)


def published(case: Case, newer: Calendar, minutes: float, job: str = "job-1") -> Case:
    """Let a version come into force, and the request be handed on to it."""
    case.library = library(FIRST, newer)
    step = moving.extend(case.ledger, "desk", job, at(minutes), case.library)
    return case.take(step)


def test_due_times_beyond_what_is_known_are_rebased_with_what_was_said_before() -> None:
    case = Case(library=library(FIRST)).routed()
    before = case.clock("resolution", 0)
    assert before.due.is_provisional

    published(case, SECOND, 60)

    after = case.clock("resolution", 61)
    assert not after.due.is_provisional
    assert before.due_at is not None
    assert after.due_at == before.due_at + timedelta(days=1)
    [said] = case.of(Topic.REBASED, "resolution")
    assert (said.reason, said.at) == ("coverage_extended", at(60))
    assert [told.due_at for told in said.was] == [before.due_at]


def test_a_due_time_that_stays_but_becomes_certain_is_told_too() -> None:
    case = Case(library=library(FIRST)).routed()

    published(case, desk(2, "2026-12-31"), 60)

    [said] = case.of(Topic.REBASED, "resolution")
    assert said.clocks[0].due_at == said.was[0].due_at


def test_what_does_not_reach_beyond_is_put_under_the_version_without_a_word() -> None:
    case = Case(library=library(FIRST, target="PT2H")).routed()
    case.library = library(FIRST, SECOND, target="PT2H")

    case.take(moving.extend(case.ledger, "desk", "job-1", at(60), case.library))

    assert case.clock("resolution", 61).target.calendar.version == 2
    assert case.of(Topic.REBASED) == []


def test_a_version_that_changes_more_takes_somebodys_word() -> None:
    case = Case(library=library(FIRST)).routed()
    before = case.ledger

    published(case, OTHER, 60)

    assert case.ledger is before


def test_a_make_up_day_that_makes_it_late_is_told_apart_from_a_lived_breach() -> None:
    """Saturday 2026-03-07 turns out to have been a working day, when it is over."""
    friday = (datetime(2026, 3, 6, 9, tzinfo=UTC) - START) / timedelta(minutes=1)
    newer = desk(2, "2026-12-31", make_up_days=[{"date": "2026-03-07"}])
    case = Case(library=library(FIRST, target="PT40H")).routed()
    case.wait_until(friday)

    case.library = library(FIRST, newer, target="PT40H")
    sunday = friday + 2 * 24 * 60
    case.take(moving.extend(case.ledger, "desk", "job-1", at(sunday), case.library))

    [breach] = case.of(Topic.BREACHED, "resolution")
    assert breach.at == at(sunday)
    assert breach.clocks[0].is_breached_by_rebase()


def test_a_paused_clock_is_moved_and_due_by_the_new_holidays_when_it_goes_on() -> None:
    case = Case(library=library(FIRST)).routed()
    case.then(FactKind.WAITING_STARTED, 30, "supplier")

    published(case, SECOND, 60)
    case.then(FactKind.WAITING_ENDED, 24 * 60, "supplier")

    clock = case.clock("resolution", 24 * 60)
    assert clock.target.calendar.version == 2
    assert not clock.due.is_provisional


def test_a_request_reopened_after_the_publication_needs_the_new_holidays_at_once() -> None:
    case = Case(library=library(FIRST)).routed().then(FactKind.RESOLVED, 10)
    case.library = library(FIRST, SECOND)

    fact = case.fact(FactKind.REOPENED, 60, "not solved")
    step = steps.note(case.ledger, fact, case.library)

    assert step.provisional == {"desk"}
    assert moving.may_extend(step.ledger, "desk", case.library)


def test_what_somebody_undid_is_not_done_again() -> None:
    case = Case(library=library(FIRST)).routed()
    published(case, SECOND, 60)
    undone = moving.undo(case.ledger, "job-1", "liu.yang", "undo-1", at(70), case.library)
    case.take(undone)
    before = case.ledger

    again = moving.extend(case.ledger, "desk", "job-2", at(80), case.library)

    assert case.clock("resolution", 81).target.calendar.version == 1
    assert again.ledger is before


def test_the_reason_of_a_move_is_kept_and_an_older_reader_finds_what_it_knows() -> None:
    case = Case(library=library(FIRST)).routed()
    published(case, SECOND, 60)

    kept = encode(case.ledger)

    assert decode(REQUEST, kept) == case.ledger
    assert [move.reason for move in case.ledger.moves] == ["coverage_extended"]
    assert b'"reasons"' in kept


# ---- what is said of a calendar ----------------------------------------------------------------


def test_the_end_of_known_holidays_is_warned_of_once_whatever_versions_come_between() -> None:
    early = datetime(2025, 12, 31, tzinfo=UTC)
    quiet = outlook(FIRST, Known("desk"), early)
    assert (quiet.is_ending, quiet.next_at) == (False, datetime(2026, 1, 1, 16, tzinfo=UTC))

    first = outlook(FIRST, quiet.known, quiet.next_at or early)
    again = outlook(replace(FIRST, version=7), first.known, START)

    assert (first.is_ending, first.known.warned_until) == (True, KNOWN_UNTIL)
    assert (again.is_ending, again.next_at) == (False, None)


def test_a_longer_coverage_is_said_and_its_own_end_is_watched_for() -> None:
    known = Known("desk", 1, KNOWN_UNTIL, KNOWN_UNTIL)

    found = outlook(SECOND, known, START)

    assert (found.extended_from, found.has_older, found.is_ending) == (KNOWN_UNTIL, True, False)
    assert found.next_at == datetime(2026, 10, 31, 16, tzinfo=UTC)


def test_a_calendar_first_seen_in_a_later_version_may_have_requests_on_older_ones() -> None:
    assert outlook(SECOND, Known("desk"), START).has_older
    assert not outlook(FIRST, Known("desk"), START).has_older


def test_a_calendar_that_needs_no_holidays_is_never_spoken_of() -> None:
    found = outlook(always(), Known("24x7"), START)

    assert (found.is_ending, found.extended_from, found.next_at) == (False, None, None)


def test_the_subject_of_a_calendar_is_no_requests_id() -> None:
    assert subject_of("desk") == subject_of("desk")
    assert subject_of("desk").version == 5
