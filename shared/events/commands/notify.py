"""Commands notify understands."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import EventData, Json, Part


class NotifyRecipient(Part):
    """Whom to tell: a person of the directory, or an address (a webhook endpoint, a robot)."""

    #: A person's id, or `webhook:<endpoint>` / `team:<team>` for group channels.
    recipient: str
    #: Channels in the order to try; empty: the person's own preference.
    channels: tuple[str, ...] = ()


class AcknowledgeLink(Part):
    """The message carries a signed link by which the recipient acknowledges."""

    escalation_id: UUID
    epoch: int
    expires_at: AwareDatetime


class NotificationRequested(EventData):
    """Somebody wants people told; words are made by notify from template and parameters."""

    type: ClassVar[str] = "notification.requested.v1"
    receiver: ClassVar[str | None] = "notify"

    notification_id: UUID
    template: str
    recipients: tuple[NotifyRecipient, ...]
    parameters: dict[str, Json] = Field(default_factory=dict)
    acknowledge: AcknowledgeLink | None = None
    #: After this moment the message is suppressed instead of sent.
    expires_at: AwareDatetime | None = None
    #: Breaks quiet hours and limits that can wait.
    is_urgent: bool = False


EVENTS: tuple[type[EventData], ...] = (NotificationRequested,)
