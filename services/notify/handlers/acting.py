"""Somebody opens a link, or presses its button."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

from services.notify import events_out
from services.notify.domain.errors import NoSuchDelivery

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from services.notify.domain.deliveries import Delivery, Void
    from services.notify.store import NotifyWork


@dataclass(frozen=True, slots=True)
class Pressed:
    """What a press meant: done now, done before by the same link, or not needed any more."""

    outcome: Literal["acknowledged", "acknowledged_before", "taken_over", "over"]
    at: datetime | None = None
    by: str | None = None


def note_seen(delivery_id: UUID, work: NotifyWork) -> None:
    """Note the first time a link was opened; a robot's preview may look the same."""
    delivery = _known(delivery_id, work)
    if delivery.seen_at is None:
        work.keep(replace(delivery, seen_at=work.now))
        event = events_out.seen(delivery)
        work.publish(event, subject=delivery.request_id, occurred_at=work.now)


def press(delivery_id: UUID, work: NotifyWork) -> Pressed:
    """Acknowledge in the recipient's name, once; pressing again shows the same outcome."""
    delivery = _known(delivery_id, work)
    before = outcome_of(delivery, work.void_of(delivery))
    if before is not None:
        return before
    work.keep(replace(delivery, acted_at=work.now))
    event = events_out.acted(delivery)
    work.publish(event, subject=delivery.request_id, occurred_at=work.now)
    return Pressed("acknowledged", work.now, delivery.recipient)


def outcome_of(delivery: Delivery, void: Void | None) -> Pressed | None:
    """Return what a link shows that has nothing left to do; None while its button counts."""
    if delivery.acted_at is not None:
        return Pressed("acknowledged_before", delivery.acted_at, delivery.recipient)
    if void is None:
        return None
    return Pressed("taken_over" if void.by else "over", by=void.by)


def _known(delivery_id: UUID, work: NotifyWork) -> Delivery:
    delivery = work.delivery(delivery_id)
    if delivery is None:
        raise NoSuchDelivery(delivery_id=delivery_id)
    return delivery
