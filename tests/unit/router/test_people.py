"""Who is asked: roles of a team, up the line past who is away or barred, deputies standing in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.router.domain import (
    Away,
    Candidates,
    NotACandidate,
    OwnDecision,
    People,
    Person,
    Team,
    candidates,
    claim,
)
from tests.unit.router.records import an_item

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)


def away(deputy: str | None = None, hours: float = 8) -> tuple[Away, ...]:
    return (Away(NOW - timedelta(hours=1), NOW + timedelta(hours=hours), deputy),)


def people(**absences: tuple[Away, ...]) -> People:
    names = ("ann", "bob", "lea", "mia", "max", "dan")
    return People(
        people={name: Person(name, absences.get(name, ())) for name in names},
        teams={
            "desk": Team("desk", ("ann", "bob"), "lea", "mia"),
            "money": Team("money", ("bob",), "max", "mia"),
        },
        duty_person="dan",
    )


def asked(
    *groups: str, of: People | None = None, chosen: str | None = "desk", barred: str = ""
) -> Candidates:
    return candidates(groups, "desk", chosen, of or people(), NOW, {barred})


@pytest.mark.parametrize(
    ("group", "users"),
    [
        ("lead", ("lea",)),
        ("manager", ("mia",)),
        ("duty", ("dan",)),
        ("money:lead", ("max",)),
        ("person:ann", ("ann",)),
    ],
)
def test_a_role_is_whoever_has_it(group: str, users: tuple[str, ...]) -> None:
    assert asked(group) == Candidates(users=users)


def test_the_diagrams_own_team_is_the_team_that_owns_the_request_now() -> None:
    moved = candidates(("desk",), "money", "desk", people(), NOW)

    assert moved == Candidates(teams=("money",), is_owners=True)


def test_another_team_may_be_asked_and_does_not_own_the_request_by_it() -> None:
    assert asked("money") == Candidates(teams=("money",))
    assert asked("nobody-knows") == Candidates(teams=("desk",), is_owners=True)


def test_who_is_away_is_stood_in_for_and_may_still_do_it() -> None:
    found = asked("lead", of=people(lea=away("max")))

    assert found == Candidates(users=("lea", "max"), stands_in={"max": "lea"})


def test_a_deputy_who_is_away_has_a_deputy_too() -> None:
    found = asked("lead", of=people(lea=away("max"), max=away("bob")))

    assert found.stands_in == {"bob": "lea"}


@pytest.mark.parametrize("deputy", [None, "lea"])
def test_who_is_away_without_a_deputy_is_passed_over_up_the_line(deputy: str | None) -> None:
    assert asked("lead", of=people(lea=away(deputy))).users == ("mia",)


def test_an_absence_ends_at_its_end_and_begins_at_its_beginning() -> None:
    person = Person("lea", away("max", hours=0))

    assert person.absence(NOW) is None
    assert person.absence(NOW - timedelta(hours=1)) is not None
    assert person.absence(NOW - timedelta(microseconds=1)) is not None


def test_who_is_barred_is_passed_over_and_nobody_lends_them_a_hand() -> None:
    assert asked("lead", barred="lea").users == ("mia",)
    assert asked("lead", of=people(lea=away("max")), barred="max").users == ("mia",)


def test_nobody_at_all_is_never_the_answer() -> None:
    nobody = People({}, {"desk": Team("desk", ("ann",))})

    assert candidates(("lead",), "desk", "desk", nobody, NOW).teams == ("desk",)
    assert candidates(("person:gone",), "desk", "desk", nobody, NOW).teams == ("desk",)


def test_a_deputy_claims_for_who_went_away_after_it_opened() -> None:
    item = an_item(users=("lea",), decides=True)

    with pytest.raises(NotACandidate):
        claim(item, "max", frozenset())
    claimed = claim(item, "max", frozenset(), absent={"lea"})

    assert (claimed.assignee, claimed.stands_in) == ("max", {"max": "lea"})


def test_nobody_claims_what_is_their_own_not_even_by_a_deputy() -> None:
    item = an_item(users=("lea", "mia"), decides=True, excludes=("requester",))

    with pytest.raises(OwnDecision):
        claim(item, "lea", frozenset(), barred={"lea"})
    with pytest.raises(NotACandidate):
        claim(item, "max", frozenset(), absent={"lea"}, barred={"lea"})
    assert claim(item, "mia", frozenset(), barred={"lea"}).assignee == "mia"
