"""Entries about escalations, deliveries and incidents; each kind has one publisher."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from shared.vocabulary import EscalationState


@dataclass(frozen=True, slots=True)
class EscalationEntry:
    """One climb through a policy. `tier` is the highest one told, 0 before the first."""

    id: str
    request_id: str
    policy: str = ""
    priority: str = ""
    trigger: str = ""
    metric: str | None = None
    threshold_percent: int | None = None
    state: EscalationState = EscalationState.RAISED
    tier: int = 0
    #: Whom the last step told, in its order.
    told: tuple[str, ...] = ()
    raised_at: datetime | None = None
    next_at: datetime | None = None
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    close_reason: str | None = None
    #: Nobody answered, at any time of its life.
    is_exhausted: bool = False

    @property
    def is_unanswered(self) -> bool:
        """Whether it still waits for a person."""
        return self.state in (EscalationState.RAISED, EscalationState.EXHAUSTED)


def step(
    entry: EscalationEntry, tier: int, told: tuple[str, ...], next_at: datetime | None
) -> EscalationEntry:
    """Note whom a tier told; a step after an acknowledgement means it was raised anew."""
    return replace(
        entry,
        state=EscalationState.RAISED,
        tier=max(entry.tier, tier),
        told=told,
        next_at=next_at,
    )


def acknowledge(entry: EscalationEntry, by: str, at: datetime) -> EscalationEntry:
    """Note who took it over."""
    return replace(
        entry,
        state=EscalationState.ACKNOWLEDGED,
        acknowledged_by=by,
        acknowledged_at=at,
        next_at=None,
    )


def exhaust(entry: EscalationEntry) -> EscalationEntry:
    """Note that nobody answered."""
    return replace(entry, state=EscalationState.EXHAUSTED, is_exhausted=True, next_at=None)


def end(entry: EscalationEntry, reason: str, at: datetime) -> EscalationEntry:
    """Note that its reason is gone or the request is over."""
    return replace(
        entry, state=EscalationState.CLOSED, closed_at=at, close_reason=reason, next_at=None
    )


class Outcome(StrEnum):
    """How far a delivery came, as notify says it."""

    ACCEPTED = "accepted"
    SENT = "sent"
    DELIVERED = "delivered"
    FAILED = "failed"
    SUPPRESSED = "suppressed"
    SET_ASIDE = "set_aside"


@dataclass(frozen=True, slots=True)
class DeliveryEntry:
    """One delivery to one recipient on one channel."""

    id: str
    channel: str
    request_id: str
    template: str
    recipient: str
    outcome: Outcome = Outcome.ACCEPTED
    attempts: int = 0
    reason: str | None = None
    is_seen: bool = False
    is_acted: bool = False
    is_possibly_repeated: bool = False
    accepted_at: datetime | None = None
    outcome_at: datetime | None = None


def reach(entry: DeliveryEntry, outcome: Outcome, at: datetime) -> DeliveryEntry:
    """Note how far it came."""
    return replace(entry, outcome=outcome, outcome_at=at, accepted_at=entry.accepted_at or at)


@dataclass(frozen=True, slots=True)
class IncidentEntry:
    """A process that cannot go on by itself."""

    id: str
    request_id: str
    element_id: str = ""
    code: str = ""
    raised_at: datetime | None = None
    resolved_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class Told:
    """One line of a request's timeline: codes and parameters; words are made when read."""

    event_id: str
    request_id: str
    occurred_at: datetime
    recorded_at: datetime
    publisher: str
    sequence: int
    type: str
    #: JSON
    params: str
    actor: str | None


@dataclass(frozen=True, slots=True)
class Name:
    """What a team, person or request type is called."""

    kind: str
    key: str
    zh: str
    en: str
