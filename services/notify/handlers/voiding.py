"""An escalation is taken over or its reason is gone: what was about to be sent means nothing."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.notify.domain.deliveries import State, Void
from services.notify.handlers.ending import suppress

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from services.notify.store import NotifyWork
    from shared.events.base import Envelope
    from shared.events.escalation import (
        EscalationAcknowledged,
        EscalationClosed,
        EscalationReleased,
    )

#: An escalation that is over calls nobody any more, whatever its epoch was.
_ALL_EPOCHS = 2**31 - 1


def hear_acknowledged(event: Envelope[EscalationAcknowledged], work: NotifyWork) -> None:
    """A person took it over: messages of this epoch are void."""
    said = event.data
    void = Void(
        said.escalation_id, event.request_id, said.epoch, "acknowledged", said.acknowledged_by
    )
    _apply(work, void, event.request_id, event.occurred_at)


def hear_released(event: Envelope[EscalationReleased], work: NotifyWork) -> None:
    """The reason is gone: messages of this epoch are void."""
    said = event.data
    void = Void(said.escalation_id, event.request_id, said.epoch, "released")
    _apply(work, void, event.request_id, event.occurred_at)


def hear_closed(event: Envelope[EscalationClosed], work: NotifyWork) -> None:
    """It is over: all its messages are void."""
    known = work.void(event.data.escalation_id)
    by = known.by if known else None
    void = Void(event.data.escalation_id, event.request_id, _ALL_EPOCHS, "closed", by)
    _apply(work, void, event.request_id, event.occurred_at)


def _apply(work: NotifyWork, void: Void, request_id: UUID, at: datetime) -> None:
    """Stop what waits; what is on its way is not tried again when it fails."""
    work.keep_void(void)
    for delivery in work.open_deliveries(request_id):
        if void.covers(delivery) and delivery.state is State.ACCEPTED:
            suppress(work, delivery, void.reason, at)
