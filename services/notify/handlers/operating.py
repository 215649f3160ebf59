"""What operators do: send again, add and remove endpoints."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.notify.domain.deliveries import Delivery, State, delivery_id, reopened, settled
from services.notify.domain.errors import (
    EndpointNameTaken,
    MatterIsOver,
    NoSuchDelivery,
    NoSuchEndpoint,
    NotToResend,
)
from services.notify.domain.people import NOWHERE
from services.notify.handlers.ending import begin, reached

if TYPE_CHECKING:
    from uuid import UUID

    from services.notify.domain.people import Endpoint
    from services.notify.store import NotifyWork

#: Endpoints are few; whoever changes them waits for the other.
ENDPOINTS_LOCK = "webhooks"


def siblings(delivery: Delivery) -> list[UUID]:
    """Return the ids under which the same message may have gone on to further channels."""
    return [
        delivery_id(delivery.notification_id, delivery.recipient, channel)
        for channel in delivery.following
    ]


def resend(wanted: UUID, work: NotifyWork) -> Delivery:
    """Send a delivery again that was given up, under the same id; return it as it is now.

    One that had no address goes to the channel that has one by now, under that channel's id. A
    channel the message went on to at the time is not tried again: its delivery has a history of
    its own. The work has `siblings` loaded. Raises `NoSuchDelivery`, `NotToResend`, `MatterIsOver`.
    """
    delivery = work.delivery(wanted)
    if delivery is None:
        raise NoSuchDelivery(delivery_id=wanted)
    if not delivery.may_be_resent:
        raise NotToResend(state=delivery.state.value)
    if work.void_of(delivery) is not None:
        raise MatterIsOver
    untried = tuple(
        channel
        for channel, known in zip(delivery.following, siblings(delivery), strict=True)
        if work.delivery(known) is None
    )
    again = replace(reopened(delivery, work.now), following=untried)
    recipient = reached(work, delivery)
    if delivery.channel == NOWHERE and recipient.routes:
        route = recipient.routes[0]
        work.keep(settled(delivery, State.FAILED, work.now, "resent"))
        again = replace(
            again,
            id=delivery_id(delivery.notification_id, delivery.recipient, route.channel),
            channel=route.channel,
            lane=route.lane,
            following=tuple(r.channel for r in recipient.routes[1:]),
            accepted_at=work.now,
        )
    begin(work, again, work.now)
    return work.delivery(again.id) or again


def add_endpoint(endpoint: Endpoint, work: NotifyWork) -> None:
    """Register an endpoint; raise `EndpointNameTaken`."""
    if any(known.name == endpoint.name for known in work.endpoints):
        raise EndpointNameTaken(name=endpoint.name)
    work.keep_endpoint(endpoint)


def remove_endpoint(endpoint_id: UUID, work: NotifyWork) -> None:
    """Forget an endpoint; what waits for it is set aside when its turn comes."""
    found = next((e for e in work.endpoints if e.id == endpoint_id), None)
    if found is None:
        raise NoSuchEndpoint(endpoint_id=endpoint_id)
    work.remove_endpoint(found)
