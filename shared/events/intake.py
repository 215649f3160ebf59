"""Events published by intake: requests as posted and the conversation about them."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import Field

from shared.events.base import EventData, Json, Part
from shared.vocabulary import AuthorKind, Impact, Urgency


class IntakeEvent(EventData):
    """Something intake says."""

    publisher: ClassVar[str | None] = "intake"


class Requester(Part):
    """Who asks."""

    id: str
    name: str | None = None
    tier: str = "standard"
    email: str | None = None


class RequestSubmitted(IntakeEvent):
    """Somebody asked for something; it has a number for life."""

    type: ClassVar[str] = "request.submitted.v1"

    number: str
    #: The system the request came from; `external_id` is unique within it.
    source: str
    external_id: str | None = None
    request_type: str
    domain: str
    organisation_unit: str | None = None
    channel: str
    language: str = "zh-CN"
    requester: Requester
    urgency: Urgency
    impact: Impact
    title: str
    description: str = ""
    form: dict[str, Json] = Field(default_factory=dict)
    #: Computed from a log: clocks are kept, nobody is notified (facts/sla.md, req. 18).
    is_import: bool = False


class RequestUpdated(IntakeEvent):
    """The requester or an agent corrected what was posted; only the named fields changed."""

    type: ClassVar[str] = "request.updated.v1"

    urgency: Urgency | None = None
    impact: Impact | None = None
    title: str | None = None
    description: str | None = None
    form: dict[str, Json] | None = None
    changed_by: str


class RequestWithdrawn(IntakeEvent):
    """The requester no longer wants it."""

    type: ClassVar[str] = "request.withdrawn.v1"

    reason: str | None = None


class MessagePosted(IntakeEvent):
    """Somebody wrote; only an effective answer of an agent counts as a response."""

    type: ClassVar[str] = "message.posted.v1"

    message_id: UUID
    author: AuthorKind
    author_id: str
    text: str
    #: An answer by a person or one that solves the matter (contracts.md, Owners of state).
    is_effective: bool = False
    #: Sent by a machine ("we got it"): recorded, never a response.
    is_automatic: bool = False


class RequestConfirmed(IntakeEvent):
    """The requester agrees that it is solved."""

    type: ClassVar[str] = "request.confirmed.v1"


class RequestReopenedByRequester(IntakeEvent):
    """The requester says it is not solved."""

    type: ClassVar[str] = "request.reopened_by_requester.v1"

    reason: str


class RequestRated(IntakeEvent):
    """The requester rated the result, 1 (bad) to 5 (good)."""

    type: ClassVar[str] = "request.rated.v1"

    score: int = Field(ge=1, le=5)
    comment: str = ""


class RequestSealed(IntakeEvent):
    """The last word: the request ended long ago, and nothing more is said about it by anybody."""

    type: ClassVar[str] = "request.sealed.v1"


EVENTS: tuple[type[EventData], ...] = (
    RequestSubmitted,
    RequestUpdated,
    RequestWithdrawn,
    MessagePosted,
    RequestConfirmed,
    RequestReopenedByRequester,
    RequestRated,
    RequestSealed,
)
