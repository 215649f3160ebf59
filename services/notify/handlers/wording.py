"""From a claimed delivery to the message that leaves the house."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.notify.channels import Outgoing
from services.notify.domain.links import Signed
from services.notify.domain.people import WEBHOOK, Reader, Route
from services.notify.domain.words import in_language, replaced, told_values

if TYPE_CHECKING:
    from services.notify.domain.deliveries import Delivery
    from services.notify.store import NotifyWork


def worded(work: NotifyWork, delivery: Delivery, route: Route, reader: Reader) -> Outgoing:
    """Return the message: words for people, values for machines."""
    notification = work.notification(delivery)
    if route.channel == WEBHOOK:
        body: dict[str, object] = {
            "type": notification.template,
            "timestamp": notification.accepted_at.isoformat(),
            "data": {
                "notification_id": str(notification.id),
                "request_id": str(notification.request_id),
                **notification.parameters,
            },
        }
        return Outgoing(delivery.id, WEBHOOK, route.address, route.secret, "", "", body)
    template = work.copies.template(delivery.template)
    assert template is not None, "a delivery without words is set aside before"
    values = told_values(notification.parameters, reader, work.copies.directory)
    values["acknowledge_url"] = acknowledge_url(work, delivery) or "—"
    return Outgoing(
        delivery.id,
        route.channel,
        route.address,
        route.secret,
        replaced(in_language(template.subject, reader.language), values),
        replaced(in_language(template.text, reader.language), values),
        # Mails about one request share a reference to a mail nobody got, so that they thread.
        thread=str(delivery.request_id),
    )


def acknowledge_url(work: NotifyWork, delivery: Delivery) -> str | None:
    """Return the link by which the recipient of this delivery acknowledges."""
    signed = signed_of(delivery)
    if signed is None:
        return None
    return f"{work.house.public_url}/notify/a/{signed.token(work.house.link_secret)}"


def signed_of(delivery: Delivery) -> Signed | None:
    """Return what a delivery's link stands for; None when it has none."""
    escalation_id, epoch, expires_at = (
        delivery.escalation_id,
        delivery.epoch,
        delivery.link_expires_at,
    )
    if escalation_id is None or epoch is None or expires_at is None:
        return None
    return Signed(delivery.id, escalation_id, delivery.recipient, epoch, expires_at)
