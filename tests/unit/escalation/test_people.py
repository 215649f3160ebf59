"""Who is reached when a tier is told."""

from __future__ import annotations

from datetime import timedelta

import pytest

from services.escalation.domain import Absence, Directory, Person, Told, reach
from tests.unit.escalation.builders import NINE, a_directory, away


def people(directory: Directory, *selectors: str, assignee: str | None = None) -> list[str]:
    reached = reach(directory, selectors, "desk", assignee, NINE)
    return [told.person for told in reached.told]


def test_members_are_everybody_while_nobody_is_named_and_only_that_one_afterwards() -> None:
    assert people(a_directory(), "member") == ["ann", "bob"]
    assert people(a_directory(), "member", assignee="bob") == ["bob"]


def test_each_role_reaches_its_person_and_each_person_once() -> None:
    found = reach(a_directory(), ("lead", "manager", "duty", "person:lea"), "desk", None, NINE)

    assert found.told == (Told("lea", "lead"), Told("max", "manager"), Told("duty", "duty"))


def test_a_deputy_stands_in_and_is_shown_as_such() -> None:
    reached = reach(a_directory(lea=away("eve")), ("lead",), "desk", None, NINE)

    assert reached.told == (Told("eve", "lead", stands_in_for="lea"),)


def test_a_deputy_who_is_away_too_is_replaced_by_theirs() -> None:
    directory = a_directory(lea=away("eve"), eve=away("max"))

    reached = reach(directory, ("lead",), "desk", None, NINE)

    assert reached.told == (Told("max", "lead", stands_in_for="lea"),)


def test_somebody_away_without_a_deputy_is_dropped_and_reported() -> None:
    reached = reach(a_directory(lea=away()), ("lead",), "desk", None, NINE)

    assert reached.told == ()
    assert [(d.person, d.reason) for d in reached.dropped] == [("lea", "absent")]


def test_deputies_who_stand_in_for_each_other_end_nowhere() -> None:
    assert people(a_directory(lea=away("eve"), eve=away("lea")), "lead") == []


@pytest.mark.parametrize(("deputies", "reached"), [(5, ["p5"]), (6, [])])
def test_the_chain_of_deputies_ends_after_five(deputies: int, reached: list[str]) -> None:
    chain = {
        f"p{n}": Person(f"p{n}", f"p{n}", (away(f"p{n + 1}"),) if n < deputies else ())
        for n in range(deputies + 1)
    }
    directory = Directory(1, chain, {}, None)

    assert people(directory, "person:p0") == reached


def test_an_absence_begins_at_its_start_and_is_over_at_its_end() -> None:
    absence = Absence(NINE, NINE + timedelta(hours=1), "eve")

    assert absence.covers(NINE)
    assert not absence.covers(NINE + timedelta(hours=1))


def test_whoever_is_told_in_their_own_name_is_not_shown_as_a_deputy() -> None:
    directory = a_directory(ann=away("bob"))

    reached = reach(directory, ("member",), "desk", None, NINE)

    assert reached.told == (Told("bob", "member"),)


def test_a_name_the_directory_does_not_know_is_reported_and_not_told() -> None:
    reached = reach(a_directory(), ("member",), "desk", "ghost", NINE)

    assert reached.told == ()
    assert [(d.person, d.reason) for d in reached.dropped] == [("ghost", "unknown")]


def test_an_unknown_team_reaches_nobody() -> None:
    assert reach(a_directory(), ("member", "lead"), "nowhere", None, NINE).told == ()
