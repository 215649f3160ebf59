"""One message to one recipient on one channel: what it waits for, and what became of it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Literal
from uuid import UUID

from shared.id_source import derived

#: Pauses before the second, third … attempt on one channel; then the next channel's turn.
BACKOFF_S = (5, 30, 120, 600)
#: How long an attempt may take before it counts as in doubt: twice the slowest channel's own
#: limit (SMTP, 60 s), so that no attempt that still runs is repeated.
LEASE = timedelta(seconds=120)

Meaning = Literal["taken", "arrived", "again", "refused", "doubtful"]


class State(StrEnum):
    """Where a delivery stands."""

    ACCEPTED = "accepted"
    SENDING = "sending"
    SENT = "sent"
    DELIVERED = "delivered"
    #: Given up on this channel; the next one has it.
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    #: Given up on every channel; a person may send it again.
    SET_ASIDE = "set_aside"


OPEN = (State.ACCEPTED, State.SENDING)
_RESENDABLE = (State.FAILED, State.SUPPRESSED, State.SET_ASIDE)


@dataclass(frozen=True, slots=True)
class Delivery:
    """One delivery. Moments are UTC.

    `following` are the channels to try when this one fails. `next_at` is when it is tried,
    `waits_for` why not now (retry, limit); `lease_until` is when a running attempt is in doubt.
    """

    id: UUID
    notification_id: UUID
    request_id: UUID
    template: str
    recipient: str
    channel: str
    lane: str
    accepted_at: datetime
    next_at: datetime
    following: tuple[str, ...] = ()
    state: State = State.ACCEPTED
    is_urgent: bool = False
    escalation_id: UUID | None = None
    epoch: int | None = None
    link_expires_at: datetime | None = None
    expires_at: datetime | None = None
    attempts: int = 0
    waits_for: str | None = None
    lease_until: datetime | None = None
    is_possibly_repeated: bool = False
    provider_code: str | None = None
    provider_message: str | None = None
    reason: str | None = None
    settled_at: datetime | None = None
    seen_at: datetime | None = None
    acted_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is still to be sent."""
        return self.state in OPEN

    @property
    def may_be_resent(self) -> bool:
        """Whether a person may send it again."""
        return self.state in _RESENDABLE


def delivery_id(notification_id: UUID, recipient: str, channel: str) -> UUID:
    """Return the id of a delivery: the same for every attempt, so that repetitions show."""
    return derived(notification_id, f"{recipient}/{channel}")


def is_expired(delivery: Delivery, now: datetime) -> bool:
    """Return whether the message has lost its meaning by `now`."""
    return delivery.expires_at is not None and delivery.expires_at <= now


def is_claimable(delivery: Delivery, now: datetime) -> bool:
    """Return whether an attempt may begin: it waits and its time has come, or is in doubt."""
    if delivery.state is State.SENDING:
        return delivery.lease_until is None or delivery.lease_until <= now
    return delivery.state is State.ACCEPTED and delivery.next_at <= now


def claimed(delivery: Delivery, now: datetime) -> Delivery:
    """Begin an attempt; one whose attempt before is in doubt is marked as possibly repeated."""
    return replace(
        delivery,
        state=State.SENDING,
        attempts=delivery.attempts + 1,
        waits_for=None,
        lease_until=now + LEASE,
        is_possibly_repeated=delivery.is_possibly_repeated or delivery.state is State.SENDING,
    )


def postponed(delivery: Delivery, until: datetime, why: str) -> Delivery:
    """Let it wait: for a provider's limit, or before the next attempt."""
    return replace(delivery, state=State.ACCEPTED, next_at=until, waits_for=why, lease_until=None)


def settled(delivery: Delivery, state: State, at: datetime, reason: str | None = None) -> Delivery:
    """End it: sent, delivered, failed, suppressed or set aside."""
    return replace(
        delivery, state=state, settled_at=at, reason=reason, waits_for=None, lease_until=None
    )


def reopened(delivery: Delivery, now: datetime) -> Delivery:
    """Let a person send it again, whether or not its time has passed.

    Its link works for as long as that of a message sent in time.
    """
    link_until = delivery.link_expires_at
    return replace(
        delivery,
        state=State.ACCEPTED,
        attempts=0,
        next_at=now,
        expires_at=None,
        link_expires_at=None if link_until is None else now + (link_until - delivery.accepted_at),
        reason=None,
        settled_at=None,
        waits_for=None,
    )


def is_exhausted(delivery: Delivery) -> bool:
    """Return whether a channel has had all the attempts it gets."""
    return delivery.attempts > len(BACKOFF_S)


def patience_s(delivery: Delivery) -> float:
    """Return how long a provider may ask for while the person has another channel, in seconds.

    An urgent message waits no longer than our own next pause would have been, another one no
    longer than our longest.
    """
    if not delivery.is_urgent:
        return BACKOFF_S[-1]
    return BACKOFF_S[min(max(delivery.attempts, 1), len(BACKOFF_S)) - 1]


def next_attempt(
    delivery: Delivery,
    meaning: Meaning,
    wait_s: float | None,
    now: datetime,
    *,
    has_other: bool = False,
) -> datetime | None:
    """Return when the same channel is tried again; None when it is the next channel's turn.

    `wait_s` is the provider's wish; it can lengthen our own pause, up to `patience_s` where the
    person `has_other` channels. What would come after the message has expired does not come.
    """
    if meaning == "refused" or is_exhausted(delivery):
        return None
    if has_other and (wait_s or 0) > patience_s(delivery):
        return None
    pause_s = max(BACKOFF_S[delivery.attempts - 1], wait_s or 0)
    at = now + timedelta(seconds=pause_s)
    return None if is_expired(delivery, at) else at


@dataclass(frozen=True, slots=True)
class Void:
    """Messages of an escalation up to `epoch` mean nothing any more, for `reason`.

    `by` is the person who took it over, where that is the reason.
    """

    escalation_id: UUID
    request_id: UUID
    epoch: int
    reason: str
    by: str | None = None

    def covers(self, delivery: Delivery) -> bool:
        """Return whether a delivery's message is void."""
        return (
            delivery.escalation_id == self.escalation_id
            and delivery.epoch is not None
            and delivery.epoch <= self.epoch
        )
