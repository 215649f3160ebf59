"""Commands intake understands."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.events.base import EventData


class MessageRequested(EventData):
    """A diagram has something to say to the requester; nobody's first response."""

    type: ClassVar[str] = "message.requested.v1"
    receiver: ClassVar[str | None] = "intake"

    message_id: UUID
    text: str
    #: What asks: `process:<key>/<element>`.
    requested_by: str


EVENTS: tuple[type[EventData], ...] = (MessageRequested,)
