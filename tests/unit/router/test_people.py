"""Who is asked: roles of a team, up the line past who is away or barred, deputies standing in."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from services.router.domain import (
    Actor,
    ActsForBarred,
    AlreadyClaimed,
    Away,
    Bar,
    Candidates,
    FourEyes,
    NotACandidate,
    OwnDecision,
    People,
    Person,
    Team,
    authorised,
    candidates,
    claim,
    give_back,
)
from shared.vocabulary import WorkItemState
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
        claim(item, Actor("max"))
    claimed = claim(item, Actor("max", principals={"lea": frozenset()}))

    assert (claimed.assignee, claimed.stands_in) == ("max", {"max": "lea"})


def test_a_deputy_from_outside_claims_what_the_team_of_the_absent_person_may() -> None:
    item = an_item(teams=("desk",))
    deputy = Actor("max", frozenset({"money"}), {"ann": frozenset({"desk"})})

    claimed = claim(item, deputy)

    assert (claimed.assignee, claimed.stands_in) == ("max", {"max": "ann"})
    # What was lent for this time is over when it is given back.
    assert give_back(claimed, "max").stands_in == {}


def test_a_deputy_takes_out_of_the_hands_of_the_absent_person_and_of_nobody_else() -> None:
    held = an_item(teams=("desk",), assignee="ann", state=WorkItemState.CLAIMED)
    desk = frozenset({"desk"})

    taken = claim(held, Actor("max", principals={"ann": desk, "aaron": desk}))

    assert (taken.assignee, taken.stands_in) == ("max", {"max": "ann"})
    with pytest.raises(AlreadyClaimed):
        claim(held, Actor("max", principals={"bob": desk}))


def test_who_may_take_it_anyway_stands_in_for_nobody() -> None:
    desk = frozenset({"desk"})

    claimed = claim(an_item(teams=("desk",)), Actor("bob", desk, {"ann": desk}))

    assert claimed.stands_in == {}


def test_nobody_claims_what_is_their_own_not_even_by_a_deputy() -> None:
    item = an_item(users=("lea", "mia"), decides=True, excludes=("requester",))
    barred = {"lea": Bar("requester")}

    with pytest.raises(OwnDecision):
        claim(item, Actor("lea"), barred)
    with pytest.raises(ActsForBarred) as refused:
        claim(item, Actor("max", principals={"lea": frozenset()}), barred)
    assert refused.value.params == {"person": "max", "principal": "lea"}
    assert claim(item, Actor("mia"), barred).assignee == "mia"


def test_who_stands_in_for_two_acts_for_the_one_who_may() -> None:
    item = an_item(teams=("desk",), excludes=("submit",))
    desk = frozenset({"desk"})
    barred = {"ann": Bar("submit", "Submit")}

    claimed = claim(item, Actor("max", principals={"ann": desk, "bob": desk}), barred)

    assert claimed.stands_in == {"max": "bob"}


def test_who_did_one_may_not_do_the_other_and_is_told_what_they_did() -> None:
    item = an_item(teams=("desk",), excludes=("submit",))
    barred = {"ann": Bar("submit", "提交 / Submit")}
    ann = Actor("ann", frozenset({"desk"}))

    for act in (claim, authorised):
        with pytest.raises(FourEyes) as refused:
            act(item, ann, barred)
        assert "提交 / Submit" in refused.value.sentence("zh-CN")
    # What they took before they were barred is not theirs to complete either.
    held = an_item(excludes=("submit",), assignee="ann", state=WorkItemState.CLAIMED)
    with pytest.raises(FourEyes):
        authorised(held, ann, barred)


def test_what_was_taken_for_somebody_barred_since_is_not_completed_for_them() -> None:
    held = an_item(
        teams=("desk",),
        excludes=("submit",),
        assignee="max",
        state=WorkItemState.CLAIMED,
        stands_in={"max": "ann"},
    )
    max_for_ann = Actor("max", principals={"ann": frozenset({"desk"})})

    assert authorised(held, max_for_ann, {}) == held
    with pytest.raises(ActsForBarred):
        authorised(held, max_for_ann, {"ann": Bar("submit")})


def test_who_did_it_is_also_for_whom_it_was_done() -> None:
    done = an_item(
        assignee="max", state=WorkItemState.COMPLETED, stands_in={"max": "ann", "dan": "lea"}
    )

    assert done.doers == ("max", "ann")
    assert an_item(assignee="max", state=WorkItemState.CANCELLED).doers == ()
    assert an_item(state=WorkItemState.COMPLETED).doers == ()
