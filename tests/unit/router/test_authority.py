"""Decisions, reviews and lanes: who may, who may not, and what must come before the end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from services.router import domain
from services.router.domain import (
    DONE,
    OWED,
    Actor,
    Away,
    Bar,
    Closed,
    ClosingDeferred,
    DecisionNotDelegable,
    DecisionPending,
    Doer,
    NotACandidate,
    NotInThisState,
    NotYourLane,
    OwnDecision,
    People,
    Person,
    Resolved,
    ReviewOwed,
    Team,
)
from shared.errors import Invalid
from shared.vocabulary import Lane, RequestState
from tests.unit.router.records import a_record, an_item

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
PEOPLE = People(
    people={
        "ann": Person("ann"),
        "bob": Person("bob"),
        "lea": Person("lea", (Away(NOW, NOW + timedelta(hours=8), "max"),)),
        "mia": Person("mia"),
        "max": Person("max"),
        "dan": Person("dan"),
    },
    teams={"desk": Team("desk", ("ann", "bob"), "lea", "mia")},
    duty_person="dan",
)


# ---- decisions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("result", "paths"),
    [
        ({}, ["/result/decision", "/result/reason"]),
        ({"decision": "yes", "reason": "because"}, ["/result/decision"]),
        ({"decision": "approved", "reason": " "}, ["/result/reason"]),
        ({"decision": "rejected", "reason": 7}, ["/result/reason"]),
    ],
)
def test_a_decision_without_its_word_or_reason_is_refused_by_field(
    result: dict[str, object], paths: list[str]
) -> None:
    with pytest.raises(Invalid) as refused:
        domain.decision_of(result)

    assert [finding.path for finding in refused.value.findings] == paths


def test_decisions_and_reviews_are_completed_by_those_they_are_for() -> None:
    item = an_item(users=("mia",), decides=True)

    with pytest.raises(NotACandidate):
        domain.authorised(item, Actor("bob", frozenset({"desk"})))
    assert domain.authorised(item, Actor("mia")) == item
    assert domain.authorised(an_item(users=("mia",)), Actor("bob")).users == ("mia",)


def test_a_decision_is_not_delegated_to_somebody_without_authority() -> None:
    with pytest.raises(DecisionNotDelegable):
        domain.give_to(an_item(users=("mia",), decides=True), "desk", "bob")


def test_requesters_and_deciders_are_barred_where_the_task_says_so() -> None:
    record = a_record(deciders=("mia",))

    assert domain.barred(record, ()) == {}
    assert set(domain.barred(record, ("requester",))) == {"ann"}
    assert set(domain.barred(record, ("requester", "decider"))) == {"ann", "mia"}
    assert domain.excludes_of({"excludes": " requester , decider,"}) == ("requester", "decider")


def test_who_completed_a_task_is_barred_where_it_is_named_and_nowhere_else() -> None:
    doers = [Doer("bob", "submit", "Submit"), Doer("mia", "other", "Other")]

    assert domain.barred(a_record(), ("requester",), doers) == {"ann": Bar("requester")}
    assert domain.barred(a_record(), ("submit",), doers) == {"bob": Bar("submit", "Submit")}
    domain.must_be_free("mia", domain.barred(a_record(), ("submit",), doers))


def test_a_task_of_a_called_process_names_its_neighbours_there() -> None:
    assert domain.excluded_in(("requester", "submit"), "approve") == ("requester", "submit")
    assert domain.excluded_in(("requester", "submit"), "sub:approve") == (
        "requester",
        "sub:submit",
    )


# ---- what must come before the end -------------------------------------------------------------


def test_an_approved_decision_owes_a_review_and_a_rejected_one_does_not() -> None:
    assert domain.decided(a_record(), "mia", is_approved=False) == a_record()
    decided = domain.decided(a_record(), "mia", is_approved=True)

    assert (decided.review, decided.deciders) == (OWED, ("mia",))


def test_a_request_whose_review_is_owed_is_solved_and_does_not_close() -> None:
    held, facts = domain.close(a_record(review=OWED), "confirmed")
    again, more = domain.close(held, "time")

    assert (held.state, held.closing) == (RequestState.RESOLVED, "confirmed")
    assert facts == (Resolved("closed", "", None), ClosingDeferred("confirmed"))
    assert (again, more) == (held, ())


def test_a_reviewed_request_closes() -> None:
    held, _ = domain.close(a_record(review=OWED), "confirmed")

    closed, facts = domain.close(domain.reviewed(held), "confirmed")

    assert (closed.state, closed.review, facts) == (
        RequestState.CLOSED,
        DONE,
        (Closed("confirmed"),),
    )


def test_what_was_decided_is_reviewed_even_when_nobody_wants_it_any_more() -> None:
    decided = domain.decided(a_record(), "mia", is_approved=True)

    withdrawn, facts = domain.cancel(decided, "withdrawn")
    only_owed, _ = domain.cancel(a_record(review=OWED), "withdrawn")

    assert withdrawn.state is RequestState.RESOLVED
    assert facts == (Resolved("withdrawn", "", None), ClosingDeferred("withdrawn"))
    assert only_owed.state is RequestState.CANCELLED


def test_a_reopened_request_owes_its_review_again_and_forgets_what_would_have_closed_it() -> None:
    record = a_record(state=RequestState.CLOSED, review=DONE, closing="time")

    opened, _ = domain.reopen(record, "not_solved")

    assert (opened.review, opened.closing) == (OWED, None)


def test_nothing_is_ended_by_people_while_its_decision_is_pending() -> None:
    pending = [an_item(decides=True, is_owners=False)]
    beside = [*pending, an_item(is_owners=True)]

    for kind in ("resolve", "close"):
        with pytest.raises(DecisionPending):
            domain.must_not_end_yet(a_record(), pending, kind)
    domain.must_not_end_yet(a_record(), pending, "hand_over")
    domain.must_not_end_yet(a_record(), beside, "resolve")


def test_people_close_nothing_whose_review_is_owed_and_cancel_nothing_decided() -> None:
    owed, decided = a_record(review=OWED), a_record(review=OWED, deciders=("mia",))

    for record, kind in ((owed, "close"), (decided, "close"), (decided, "cancel")):
        with pytest.raises(ReviewOwed):
            domain.must_not_end_yet(record, [], kind)
    domain.must_not_end_yet(owed, [], "cancel")
    domain.must_not_end_yet(owed, [], "resolve")
    domain.must_not_end_yet(a_record(review=DONE), [], "close")


# ---- lanes -------------------------------------------------------------------------------------


def may(lane: Lane, person: str | None, **record: object) -> None:
    domain.must_be_allowed_to_move(a_record(**record), lane, person, PEOPLE, NOW)


def test_lead_manager_duty_and_their_deputies_move_a_request_to_any_lane() -> None:
    for person in ("lea", "mia", "dan", "max"):
        for lane in Lane:
            may(lane, person)


def test_members_may_ask_for_an_exception_and_nothing_else() -> None:
    may(Lane.EXCEPTION, "bob")
    for lane in (Lane.GREEN, Lane.STANDARD):
        with pytest.raises(NotYourLane):
            may(lane, "bob")
    for nobody in (None, "stranger"):
        with pytest.raises(NotYourLane):
            may(Lane.EXCEPTION, nobody)


def test_nobody_moves_their_own_request() -> None:
    with pytest.raises(OwnDecision):
        may(Lane.GREEN, "mia", context={"requester": "mia"})


def test_only_what_is_open_or_waiting_moves() -> None:
    domain.must_be_movable(a_record())
    domain.must_be_movable(a_record(state=RequestState.WAITING))
    for state in (RequestState.RESOLVED, RequestState.CLOSED, RequestState.CANCELLED):
        with pytest.raises(NotInThisState):
            domain.must_be_movable(a_record(state=state))


@pytest.mark.parametrize(
    ("before", "is_owed_there", "after"),
    [({}, False, None), ({}, True, OWED), ({"review": OWED}, False, None)],
)
def test_a_lane_owes_its_own_review(
    before: dict[str, object], is_owed_there: bool, after: str | None
) -> None:
    moved = domain.enter_lane(
        a_record(**before),
        Lane.GREEN,
        "green-channel",
        is_review_owed=is_owed_there,
        instance_id=UUID(int=1),
        version=3,
    )

    assert (moved.lane, moved.process, moved.process_version) == (Lane.GREEN, "green-channel", 3)
    assert moved.review == after


def test_what_was_decided_stays_to_be_reviewed_in_whatever_lane() -> None:
    decided = domain.decided(a_record(lane=Lane.GREEN), "mia", is_approved=True)

    moved = domain.enter_lane(
        decided,
        Lane.STANDARD,
        "standard-path",
        is_review_owed=False,
        instance_id=UUID(int=1),
        version=1,
    )

    assert moved.review == OWED
