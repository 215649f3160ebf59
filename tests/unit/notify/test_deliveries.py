"""When a delivery is tried, tried again, given up, or means nothing any more."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from uuid import UUID

import pytest

from services.notify.domain.deliveries import (
    BACKOFF_S,
    LEASE,
    Delivery,
    Meaning,
    State,
    Void,
    claimed,
    delivery_id,
    is_claimable,
    next_attempt,
    postponed,
    reopened,
    settled,
)
from tests.unit.notify.builders import ESCALATION, NINE, NOTIFICATION, REQUEST, a_delivery


def waits_s(
    delivery: Delivery,
    meaning: Meaning = "again",
    wish: float | None = None,
    *,
    has_other: bool = False,
) -> float | None:
    at = next_attempt(delivery, meaning, wish, NINE, has_other=has_other)
    return None if at is None else (at - NINE).total_seconds()


def test_pauses_grow_and_then_the_next_channel_has_its_turn() -> None:
    pauses = [waits_s(a_delivery(attempts=attempt)) for attempt in range(1, 6)]

    assert pauses == [*BACKOFF_S, None]


def test_a_provider_can_lengthen_a_pause_and_not_shorten_it() -> None:
    first = a_delivery(attempts=1)

    assert waits_s(first, wish=90) == 90
    assert waits_s(first, wish=1) == 5


def test_an_urgent_message_waits_for_no_provider_while_another_channel_is_free() -> None:
    urgent, other = a_delivery(attempts=1, is_urgent=True), a_delivery(attempts=1)

    assert waits_s(urgent, wish=600, has_other=True) is None
    assert waits_s(urgent, wish=600) == 600
    assert waits_s(urgent, wish=5, has_other=True) == 5
    assert waits_s(other, wish=600, has_other=True) == 600
    assert waits_s(other, wish=80_000, has_other=True) is None


def test_what_is_refused_is_not_tried_again_and_what_is_in_doubt_is() -> None:
    first = a_delivery(attempts=1)

    assert waits_s(first, "refused") is None
    assert waits_s(first, "doubtful") == 5


def test_an_attempt_that_would_come_too_late_does_not_come() -> None:
    first = a_delivery(attempts=1, expires_at=NINE + timedelta(seconds=60))

    assert waits_s(first) == 5
    assert waits_s(first, wish=60) is None


def test_the_same_recipient_and_channel_always_make_the_same_id() -> None:
    assert delivery_id(NOTIFICATION, "ann", "email") == delivery_id(NOTIFICATION, "ann", "email")
    assert delivery_id(NOTIFICATION, "ann", "email") != delivery_id(NOTIFICATION, "ann", "webhook")


def test_only_an_attempt_whose_lease_has_run_out_is_made_again_and_then_it_is_marked() -> None:
    first = claimed(a_delivery(), NINE)

    assert not first.is_possibly_repeated
    assert not is_claimable(first, NINE + LEASE - timedelta(seconds=1))
    assert is_claimable(first, NINE + LEASE)
    again = claimed(first, NINE + LEASE)
    assert again.is_possibly_repeated
    assert again.attempts == 2


def test_what_waits_is_not_taken_before_its_time() -> None:
    waiting = postponed(a_delivery(), NINE + timedelta(seconds=5), "retry")

    assert not is_claimable(waiting, NINE)
    assert is_claimable(waiting, NINE + timedelta(seconds=5))


@pytest.mark.parametrize("state", [State.SENT, State.DELIVERED, State.SUPPRESSED, State.SET_ASIDE])
def test_what_is_settled_is_never_taken(state: State) -> None:
    assert not is_claimable(settled(a_delivery(), state, NINE), NINE + timedelta(days=1))


def test_a_person_may_send_again_what_was_given_up_and_nothing_else() -> None:
    given_up = settled(a_delivery(attempts=5), State.SET_ASIDE, NINE, "http_500")

    again = reopened(given_up, NINE)

    assert given_up.may_be_resent
    assert (again.attempts, again.state, again.reason) == (0, State.ACCEPTED, None)
    sent_late = reopened(
        a_delivery(state=State.FAILED, link_expires_at=NINE + timedelta(hours=24)),
        NINE + timedelta(days=2),
    )
    assert sent_late.link_expires_at == NINE + timedelta(days=3)
    assert not settled(a_delivery(), State.SENT, NINE).may_be_resent
    assert not a_delivery().may_be_resent


def test_a_void_covers_its_escalation_up_to_its_epoch() -> None:
    void = Void(ESCALATION, REQUEST, 2, "acknowledged", "ann")

    assert void.covers(a_delivery(epoch=1))
    assert void.covers(a_delivery(epoch=2))
    assert not void.covers(a_delivery(epoch=3))
    assert not void.covers(a_delivery(escalation_id=UUID(int=77)))
    assert not void.covers(replace(a_delivery(), escalation_id=None, epoch=None))
