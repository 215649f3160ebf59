"""Rules of intake: what may be done with a request, numbers, and which moments count."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.intake.domain import acts, standing
from services.intake.domain.errors import (
    AlreadyConfirmed,
    AlreadyReopened,
    AlreadyResolved,
    MomentNotAllowed,
    NotRatableYet,
    RatingIsFinal,
    RequestIsOver,
)
from services.intake.domain.numbers import number_of, year_at
from services.intake.domain.standing import Standing
from services.intake.domain.values import Request
from shared.errors import Refused
from shared.http.references import NUMBER
from shared.vocabulary import Impact, RequestState, Urgency

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
STATES = st.sampled_from(list(RequestState))


def in_state(state: RequestState, *, is_import: bool = False) -> Request:
    return Request(
        id="x",
        number="R-2026-000001",
        source="portal",
        external_id=None,
        content_hash="",
        request_type="question",
        requester_id="emp-1",
        title="?",
        urgency=Urgency.MEDIUM,
        impact=Impact.MEDIUM,
        callback=None,
        is_import=is_import,
        submitted_at=NINE,
        standing=Standing(state=state),
    )


@given(STATES, st.sampled_from([acts.withdraw, acts.confirm, acts.reopen]))
def test_what_the_requester_does_never_changes_the_state(
    state: RequestState, act: Callable[[Request, datetime], Standing]
) -> None:
    request = in_state(state)
    try:
        after = act(request, NINE)
    except Refused:
        return

    assert after.state is state


def test_only_what_is_not_solved_can_be_withdrawn() -> None:
    for state in (RequestState.SUBMITTED, RequestState.OPEN, RequestState.WAITING):
        assert acts.withdraw(in_state(state), NINE).withdrawn_at == NINE
    with pytest.raises(AlreadyResolved):
        acts.withdraw(in_state(RequestState.RESOLVED), NINE)
    for state in (RequestState.CLOSED, RequestState.CANCELLED):
        with pytest.raises(RequestIsOver):
            acts.withdraw(in_state(state), NINE)


def test_a_resolved_request_takes_one_word_of_the_requester() -> None:
    request = in_state(RequestState.RESOLVED)
    confirmed = replace(request, standing=acts.confirm(request, NINE))
    reopened = replace(request, standing=acts.reopen(request, NINE))

    with pytest.raises(AlreadyConfirmed):
        acts.reopen(confirmed, NINE)
    with pytest.raises(AlreadyReopened):
        acts.confirm(reopened, NINE)


def test_resolving_again_asks_the_requester_anew() -> None:
    request = in_state(RequestState.RESOLVED)
    asked = acts.reopen(request, NINE)
    again = standing.resolved(standing.reopened(asked, NINE, 1), NINE, "done", "")

    assert acts.confirm(replace(request, standing=again), NINE).confirmed_at == NINE


def test_a_rating_may_be_changed_once() -> None:
    request = in_state(RequestState.CLOSED)
    for score in (1, 5):
        request = replace(request, standing=acts.rate(request, score, ""))

    assert request.standing.score == 5
    with pytest.raises(RatingIsFinal):
        acts.rate(request, 3, "")
    with pytest.raises(NotRatableYet):
        acts.rate(in_state(RequestState.CANCELLED), 3, "")


@given(st.timedeltas(max_value=timedelta(0), min_value=timedelta(days=-3000)))
def test_nothing_that_is_not_an_import_can_be_dated_back(ago: timedelta) -> None:
    with pytest.raises(MomentNotAllowed):
        acts.acted_at(in_state(RequestState.OPEN), NINE + ago, NINE)


def test_an_imports_act_lies_between_its_request_and_now() -> None:
    request = in_state(RequestState.OPEN, is_import=True)
    now = NINE + timedelta(hours=1)

    assert acts.acted_at(request, NINE, now) == NINE
    assert acts.acted_at(request, None, now) == now
    for wrong in (NINE - timedelta(seconds=1), now + timedelta(seconds=1)):
        with pytest.raises(MomentNotAllowed):
            acts.acted_at(request, wrong, now)


def test_a_wait_that_ends_after_the_solution_changes_no_state() -> None:
    resolved = standing.resolved(Standing(), NINE, "done", "")

    assert standing.going_on(resolved, NINE).state is RequestState.RESOLVED


def test_the_year_of_a_number_is_the_zones() -> None:
    eve = datetime(2026, 12, 31, 16, tzinfo=UTC)

    assert year_at(eve, ZoneInfo("Asia/Shanghai")) == 2027
    assert year_at(eve, ZoneInfo("Europe/Berlin")) == 2026


@given(st.integers(1, 10**9), st.integers(2000, 2999))
def test_a_number_is_known_as_one_however_large(count: int, year: int) -> None:
    assert NUMBER.fullmatch(number_of(year, count))
