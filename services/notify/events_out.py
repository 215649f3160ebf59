"""From notify's terms to the contracts it publishes: the truth about each delivery."""

from __future__ import annotations

from typing import Any

from services.notify.domain.deliveries import Delivery
from services.notify.domain.links import ACKNOWLEDGE
from shared.events.notify import (
    NotificationAccepted,
    NotificationActed,
    NotificationDelivered,
    NotificationFailed,
    NotificationSeen,
    NotificationSent,
    NotificationSetAside,
    NotificationSuppressed,
)


def accepted(delivery: Delivery) -> NotificationAccepted:
    """It is stored and will be tried."""
    return NotificationAccepted(**_about(delivery))


def sent(delivery: Delivery) -> NotificationSent:
    """The provider took it."""
    return NotificationSent(
        **_about(delivery),
        attempts=delivery.attempts,
        provider_code=delivery.provider_code,
        is_possibly_repeated=delivery.is_possibly_repeated,
    )


def delivered(delivery: Delivery) -> NotificationDelivered:
    """The far end confirmed it."""
    return NotificationDelivered(
        **_about(delivery),
        attempts=delivery.attempts,
        provider_code=delivery.provider_code,
        is_possibly_repeated=delivery.is_possibly_repeated,
    )


def failed(delivery: Delivery, reason: str, *, is_final: bool) -> NotificationFailed:
    """An attempt failed, the last one on this channel when `is_final`."""
    return NotificationFailed(
        **_about(delivery),
        attempts=delivery.attempts,
        provider_code=delivery.provider_code,
        reason=reason,
        is_final=is_final,
    )


def suppressed(delivery: Delivery, reason: str) -> NotificationSuppressed:
    """It was not sent, on purpose."""
    return NotificationSuppressed(**_about(delivery), reason=reason)


def set_aside(delivery: Delivery, reason: str) -> NotificationSetAside:
    """Nothing is left to try; a person may send it again."""
    return NotificationSetAside(**_about(delivery), reason=reason)


def seen(delivery: Delivery) -> NotificationSeen:
    """Somebody, or somebody's robot, opened the link."""
    return NotificationSeen(**_about(delivery))


def acted(delivery: Delivery) -> NotificationActed:
    """The recipient pressed the button."""
    return NotificationActed(
        **_about(delivery),
        action=ACKNOWLEDGE,
        actor=delivery.recipient,
        escalation_id=delivery.escalation_id,
        epoch=delivery.epoch,
    )


def _about(delivery: Delivery) -> dict[str, Any]:
    return {
        "notification_id": delivery.notification_id,
        "delivery_id": delivery.id,
        "template": delivery.template,
        "channel": delivery.channel,
        "recipient": delivery.recipient,
    }
