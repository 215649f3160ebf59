"""The values intake deals in: what was posted, what became of it, what was told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.vocabulary import AuthorKind, Impact, Urgency

if TYPE_CHECKING:
    from services.intake.domain.promises import Promise
    from services.intake.domain.standing import Standing


@dataclass(frozen=True, slots=True)
class Asker:
    """Who asks: an id of the caller's own directory, and the customer tier."""

    id: str
    name: str | None = None
    tier: str = "standard"
    email: str | None = None


@dataclass(frozen=True, slots=True)
class Post:
    """A request as posted, with every default filled in.

    `occurred_at` is a past moment with an offset, for imports only; None means now. `callback`
    is the name of a webhook endpoint registered at notify, told of each change of state.
    """

    type: str
    source: str
    requester: Asker
    title: str
    external_id: str | None = None
    channel: str = "api"
    urgency: Urgency = Urgency.MEDIUM
    impact: Impact = Impact.MEDIUM
    description: str = ""
    form: Mapping[str, Any] = field(default_factory=dict)
    organisation_unit: str | None = None
    language: str = "zh-CN"
    occurred_at: datetime | None = None
    is_import: bool = False
    callback: str | None = None


@dataclass(frozen=True, slots=True)
class Submission:
    """A post that was found valid, with what it gets for life."""

    request_id: str
    number: str
    #: Of the request type, in the catalogue that was in force.
    domain: str
    post: Post
    #: sha256 of the post's content; tells the same post from another one.
    content_hash: str
    submitted_at: datetime


@dataclass(frozen=True, slots=True)
class Request:
    """What intake decides by once a request is posted: its identity and where it stands."""

    id: str
    number: str
    source: str
    external_id: str | None
    content_hash: str
    request_type: str
    requester_id: str
    title: str
    urgency: Urgency
    impact: Impact
    callback: str | None
    is_import: bool
    submitted_at: datetime
    standing: Standing
    #: clock id -> what is promised
    promises: Mapping[str, Promise] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Written:
    """A message somebody wrote on a request."""

    text: str
    author: AuthorKind
    author_id: str
    is_effective: bool = False
    is_automatic: bool = False


@dataclass(frozen=True, slots=True)
class Message:
    """A message as kept in the conversation."""

    id: str
    request_id: str
    written: Written
    occurred_at: datetime
    recorded_at: datetime


@dataclass(frozen=True, slots=True)
class Fact:
    """One entry of a request's timeline: codes and parameters, never sentences.

    `publisher` and `sequence` order what happened and was recorded at the same moment.
    """

    id: str
    request_id: str
    occurred_at: datetime
    recorded_at: datetime
    publisher: str
    sequence: int
    type: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Once:
    """An Idempotency-Key: whose it is, and the fingerprint of what it was used for."""

    caller_id: str
    key: str
    fingerprint: str


@dataclass(frozen=True, slots=True)
class Answer:
    """What a caller is told: HTTP status, JSON body, and where the created thing is."""

    status: int
    body: bytes
    location: str | None = None

    @property
    def told(self) -> dict[str, Any]:
        """The body as a value, for callers in the same process."""
        found: dict[str, Any] = json.loads(self.body)
        return found
