"""Events published by notify: the truth about each message."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.events.base import EventData


class NotifyEvent(EventData):
    """Something notify says about one delivery to one recipient on one channel."""

    publisher: ClassVar[str | None] = "notify"

    notification_id: UUID
    delivery_id: UUID
    template: str
    channel: str
    recipient: str


class NotificationAccepted(NotifyEvent):
    """The delivery is stored and will be tried."""

    type: ClassVar[str] = "notification.accepted.v1"


class NotificationSent(NotifyEvent):
    """The provider took it; `is_possibly_repeated` marks a doubt after a kill."""

    type: ClassVar[str] = "notification.sent.v1"

    attempts: int = 1
    provider_code: str | None = None
    is_possibly_repeated: bool = False


class NotificationDelivered(NotifyEvent):
    """The far end confirmed it."""

    type: ClassVar[str] = "notification.delivered.v1"

    attempts: int = 1
    provider_code: str | None = None
    is_possibly_repeated: bool = False


class NotificationSeen(NotifyEvent):
    """Somebody opened the link; a robot's preview may look the same, so nothing follows."""

    type: ClassVar[str] = "notification.seen.v1"


class NotificationActed(NotifyEvent):
    """The recipient pressed a button of a signed link."""

    type: ClassVar[str] = "notification.acted.v1"

    #: acknowledge
    action: str
    actor: str
    escalation_id: UUID | None = None
    epoch: int | None = None


class NotificationFailed(NotifyEvent):
    """One attempt failed; `is_final` when there will be no other on this channel."""

    type: ClassVar[str] = "notification.failed.v1"

    attempts: int
    provider_code: str | None = None
    reason: str
    is_final: bool


class NotificationSuppressed(NotifyEvent):
    """It was not sent, on purpose: the reason is gone or the request is an import."""

    type: ClassVar[str] = "notification.suppressed.v1"

    reason: str


class NotificationSetAside(NotifyEvent):
    """Every channel failed; a person may send it again."""

    type: ClassVar[str] = "notification.set_aside.v1"

    reason: str


EVENTS: tuple[type[EventData], ...] = (
    NotificationAccepted,
    NotificationSent,
    NotificationDelivered,
    NotificationSeen,
    NotificationActed,
    NotificationFailed,
    NotificationSuppressed,
    NotificationSetAside,
)
