"""Somebody wants people told."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from services.notify.domain.deliveries import Delivery, delivery_id
from services.notify.domain.errors import DirectoryUnknown, TemplatesUnknown
from services.notify.domain.people import NOWHERE, recipient_of
from services.notify.handlers.ending import begin, set_aside
from services.notify.store import Notification

if TYPE_CHECKING:
    from services.notify.domain.people import Recipient
    from services.notify.store import NotifyWork
    from shared.events.base import Envelope
    from shared.events.commands.notify import NotificationRequested, NotifyRecipient

_log = logging.getLogger(__name__)


def accept(event: Envelope[NotificationRequested], work: NotifyWork) -> None:
    """Make a delivery for each recipient, on the first channel that reaches them.

    A notification that was accepted before is not accepted again. Raises `DirectoryUnknown` and
    `TemplatesUnknown` while what decides about people and words has not arrived.
    """
    said = event.data
    if work.has_notification(said.notification_id):
        _log.info("notification %s was accepted before", said.notification_id)
        return
    _must_know(work, said.recipients)
    work.add_notification(
        Notification(
            said.notification_id,
            event.request_id,
            said.template,
            said.parameters,
            event.occurred_at,
        )
    )
    told = {recipient.recipient: recipient for recipient in reversed(said.recipients)}
    for name in dict.fromkeys(entry.recipient for entry in said.recipients):
        _tell(event, work, told[name])


def _must_know(work: NotifyWork, recipients: tuple[NotifyRecipient, ...]) -> None:
    if all(entry.recipient.startswith("webhook:") for entry in recipients):
        return
    if not work.copies.directory.is_known:
        raise DirectoryUnknown
    if not work.copies.versions:
        raise TemplatesUnknown


def _tell(event: Envelope[NotificationRequested], work: NotifyWork, entry: NotifyRecipient) -> None:
    found = recipient_of(work.copies.directory, work.endpoints, entry.recipient, entry.channels)
    delivery = _first(event, work, entry, found)
    if found.reason is not None:
        set_aside(work, delivery, found.reason, event.occurred_at)
    else:
        begin(work, delivery, event.occurred_at)


def _first(
    event: Envelope[NotificationRequested],
    work: NotifyWork,
    entry: NotifyRecipient,
    found: Recipient,
) -> Delivery:
    said, link = event.data, event.data.acknowledge
    channel = found.routes[0].channel if found.routes else NOWHERE
    return Delivery(
        id=delivery_id(said.notification_id, entry.recipient, channel),
        notification_id=said.notification_id,
        request_id=event.request_id,
        template=said.template,
        recipient=entry.recipient,
        channel=channel,
        lane=found.routes[0].lane if found.routes else NOWHERE,
        accepted_at=event.occurred_at,
        next_at=work.now,
        following=tuple(route.channel for route in found.routes[1:]),
        is_urgent=said.is_urgent,
        escalation_id=link.escalation_id if link else None,
        epoch=link.epoch if link else None,
        link_expires_at=link.expires_at if link else None,
        expires_at=said.expires_at,
    )
