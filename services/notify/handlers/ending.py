"""How a delivery begins, waits, goes on to the next channel and ends: shared by the handlers."""

from __future__ import annotations

import logging
from dataclasses import replace
from typing import TYPE_CHECKING

from services.notify import events_out
from services.notify.domain.deliveries import (
    LEASE,
    Delivery,
    State,
    delivery_id,
    is_expired,
    settled,
)
from services.notify.domain.people import WEBHOOK, Recipient, recipient_of

if TYPE_CHECKING:
    from datetime import datetime

    from services.notify.store import NotifyWork

_log = logging.getLogger(__name__)

SEND = "send"
#: What a provider code says of a message that never left the house.
RECORDED = "recorded"


def arm(work: NotifyWork, delivery: Delivery, due_at: datetime) -> None:
    """Let a delivery come back at a moment, whatever happens until then."""
    work.arm(SEND, delivery.request_id, str(delivery.id), due_at)


def disarm(work: NotifyWork, delivery: Delivery) -> None:
    """Let it come back no more."""
    work.disarm(SEND, delivery.request_id, str(delivery.id))


def hand_over(work: NotifyWork, delivery: Delivery) -> None:
    """Give it to the sender, and let it come back should the sender be lost."""
    arm(work, delivery, work.now + LEASE)
    work.hand_over(delivery)


def reached(work: NotifyWork, delivery: Delivery) -> Recipient:
    """Return how the recipient of a delivery is reached now."""
    return recipient_of(work.copies.directory, work.endpoints, delivery.recipient)


def begin(work: NotifyWork, delivery: Delivery, at: datetime) -> None:
    """Put a delivery on its way, unless it is void, late, wordless, or nothing leaves the house.

    `at` is the moment it was asked for.
    """
    void = work.void_of(delivery)
    if void is not None:
        return suppress(work, delivery, void.reason, at)
    if is_expired(delivery, work.now):
        return suppress(work, delivery, "expired", at)
    if delivery.channel != WEBHOOK and work.copies.template(delivery.template) is None:
        return set_aside(work, delivery, "unknown_template", at)
    work.publish(events_out.accepted(delivery), subject=delivery.request_id, occurred_at=at)
    if work.house.is_recording:
        recorded = replace(delivery, attempts=1, provider_code=RECORDED)
        return succeed(work, recorded, State.SENT, at)
    work.keep(delivery)
    hand_over(work, delivery)
    return None


def succeed(work: NotifyWork, delivery: Delivery, state: State, at: datetime) -> None:
    """The provider took it, or the far end has it."""
    done = settled(delivery, state, at)
    work.keep(done)
    disarm(work, done)
    say = events_out.delivered if state is State.DELIVERED else events_out.sent
    work.publish(say(done), subject=done.request_id, occurred_at=at)


def suppress(work: NotifyWork, delivery: Delivery, reason: str, at: datetime) -> None:
    """Do not send it, on purpose."""
    done = settled(delivery, State.SUPPRESSED, at, reason)
    work.keep(done)
    disarm(work, done)
    event = events_out.suppressed(done, reason)
    work.publish(event, subject=done.request_id, occurred_at=at)


def set_aside(work: NotifyWork, delivery: Delivery, reason: str, at: datetime) -> None:
    """Leave it to a person: nothing is left to try."""
    done = settled(delivery, State.SET_ASIDE, at, reason)
    work.keep(done)
    disarm(work, done)
    event = events_out.set_aside(done, reason)
    work.publish(event, subject=done.request_id, occurred_at=at)
    _log.warning(
        "notification %s to %s set aside: %s", done.notification_id, done.recipient, reason
    )


def has_other(work: NotifyWork, delivery: Delivery) -> bool:
    """Return whether the recipient has a channel left that was not tried for this message."""
    return bool(_left(delivery, reached(work, delivery)))


def _left(delivery: Delivery, recipient: Recipient) -> list[str]:
    return [channel for channel in delivery.following if recipient.route(channel) is not None]


def give_up(work: NotifyWork, delivery: Delivery, reason: str, at: datetime) -> None:
    """Give a channel up: the recipient's next one has it, or a person must look."""
    failed = events_out.failed(delivery, reason, is_final=True)
    work.publish(failed, subject=delivery.request_id, occurred_at=at)
    recipient = reached(work, delivery)
    left = _left(delivery, recipient)
    if not left:
        return set_aside(work, delivery, reason, at)
    done = settled(delivery, State.FAILED, at, reason)
    work.keep(done)
    disarm(work, done)
    route = recipient.route(left[0])
    assert route is not None
    following = Delivery(
        id=delivery_id(delivery.notification_id, delivery.recipient, route.channel),
        notification_id=delivery.notification_id,
        request_id=delivery.request_id,
        template=delivery.template,
        recipient=delivery.recipient,
        channel=route.channel,
        lane=route.lane,
        accepted_at=at,
        next_at=work.now,
        following=tuple(left[1:]),
        is_urgent=delivery.is_urgent,
        escalation_id=delivery.escalation_id,
        epoch=delivery.epoch,
        link_expires_at=delivery.link_expires_at,
        expires_at=delivery.expires_at,
    )
    return begin(work, following, at)
