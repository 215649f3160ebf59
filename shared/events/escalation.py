"""Events published by escalation."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime

from shared.events.base import EventData, Part
from shared.vocabulary import Priority


class EscalationEvent(EventData):
    """Something escalation says."""

    publisher: ClassVar[str | None] = "escalation"


class Trigger(Part):
    """Why somebody is told."""

    #: warned | breached | requested | not_routed
    kind: str
    metric: str | None = None
    threshold_percent: int | None = None
    clock_id: UUID | None = None
    reason: str | None = None


class Recipient(Part):
    """A person an escalation reaches, and for whom they stand in."""

    person: str
    #: member | lead | manager | duty
    role: str
    stands_in_for: str | None = None


class EscalationRaised(EscalationEvent):
    """An escalation began to climb its policy, frozen as it is now."""

    type: ClassVar[str] = "escalation.raised.v1"

    escalation_id: UUID
    policy: str
    policy_version: int
    trigger: Trigger
    team: str
    priority: Priority


class EscalationStepped(EscalationEvent):
    """A tier was told; `repeat` counts from 0 within the tier."""

    type: ClassVar[str] = "escalation.stepped.v1"

    escalation_id: UUID
    tier: int
    repeat: int
    epoch: int
    recipients: tuple[Recipient, ...]
    #: When the next step comes if nobody acknowledges; None after the last.
    next_at: AwareDatetime | None = None


class EscalationAcknowledged(EscalationEvent):
    """A person took it over: it stops climbing."""

    type: ClassVar[str] = "escalation.acknowledged.v1"

    escalation_id: UUID
    tier: int
    acknowledged_by: str
    epoch: int


class EscalationReleased(EscalationEvent):
    """The reason is gone: tiers already told are released, pending messages are void."""

    type: ClassVar[str] = "escalation.released.v1"

    escalation_id: UUID
    reason: str
    epoch: int


class EscalationExhausted(EscalationEvent):
    """No one answered: every tier and the duty person stayed silent. Said once per epoch."""

    type: ClassVar[str] = "escalation.exhausted.v1"

    escalation_id: UUID
    tiers: int
    duty_person: str | None = None
    epoch: int = 1


class EscalationClosed(EscalationEvent):
    """It is over: the request was resolved, closed or cancelled."""

    type: ClassVar[str] = "escalation.closed.v1"

    escalation_id: UUID
    reason: str


EVENTS: tuple[type[EventData], ...] = (
    EscalationRaised,
    EscalationStepped,
    EscalationAcknowledged,
    EscalationReleased,
    EscalationExhausted,
    EscalationClosed,
)
