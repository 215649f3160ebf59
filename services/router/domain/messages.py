"""Messages from outside, for whatever diagram waits for them: kept for a time, taken once.

A message is addressed by name and correlation key; an element without a key of its own is reached
by its request's number. Published before, after or twice, it is taken once (facts/platforms.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Any
from uuid import UUID

from shared.id_source import derived

_PLACES = UUID("5f0c1f0e-6a53-4c35-9d0b-6a6c1b6a3f0d")

#: What the router itself tells diagrams of their request; nobody outside may say it for it.
OWN_MESSAGES = frozenset(
    {
        "assigned",
        "cancelled",
        "closed",
        "confirmed",
        "handed_over",
        "priority_changed",
        "reopened",
        "resolved",
        "responded",
        "unassigned",
        "waiting_ended",
        "waiting_started",
    }
)


class MessageState(StrEnum):
    """What became of a message."""

    #: Nobody waits for it yet; kept until it expires.
    BUFFERED = "buffered"
    CORRELATED = "correlated"
    #: Nobody waited for it, and it was not to be kept.
    UNMATCHED = "unmatched"
    #: The diagram that waited for it could not take it in; an incident tells why.
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class InMessage:
    """One message; moments are UTC. `id` is its sender's: the same again is the same message."""

    #: Under what it is stored: no two senders meet there (`place_of`).
    place: str
    #: Whom its key was made for; empty in what was stored before senders were told apart.
    sender: str
    id: str
    name: str
    key: str
    received_at: datetime
    expires_at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    state: MessageState = MessageState.BUFFERED
    request_id: UUID | None = None
    element_id: str | None = None
    correlated_at: datetime | None = None

    def is_waiting(self, now: datetime) -> bool:
        """Whether somebody may still take it."""
        return self.state is MessageState.BUFFERED and now < self.expires_at


@dataclass(frozen=True, slots=True)
class Waiting:
    """An element of a running process that waits for a message from outside."""

    id: UUID
    request_id: UUID
    instance_id: UUID
    task_id: int
    element_id: str
    name: str
    key: str
    since: datetime


def place_of(sender: str, message_id: str) -> str:
    """Return under what a message is stored: each sender counts its ids for itself."""
    return str(derived(_PLACES, f"{sender}\n{message_id}"))


def refused(message: InMessage, waiting: Waiting, at: datetime) -> InMessage:
    """Note who could not take it in."""
    return replace(correlated(message, waiting, at), state=MessageState.REFUSED)


def correlated(message: InMessage, waiting: Waiting, at: datetime) -> InMessage:
    """Note who took it."""
    return replace(
        message,
        state=MessageState.CORRELATED,
        request_id=waiting.request_id,
        element_id=waiting.element_id,
        correlated_at=at,
    )
