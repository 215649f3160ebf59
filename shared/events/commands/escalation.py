"""Commands escalation understands."""

from __future__ import annotations

from typing import ClassVar

from shared.events.base import EventData
from shared.vocabulary import Priority


class EscalationRequested(EventData):
    """Somebody, or a watchdog, wants people told now."""

    type: ClassVar[str] = "escalation.requested.v1"
    receiver: ClassVar[str | None] = "escalation"

    #: not_routed | person
    reason: str
    number: str | None = None
    requested_by: str | None = None
    #: What the sender knows; the triage team and P2 when it knows nothing.
    team: str | None = None
    priority: Priority | None = None
    note: str = ""
    #: The policy to climb; the owning team's own where this names none, or an unknown one.
    policy: str | None = None


EVENTS: tuple[type[EventData], ...] = (EscalationRequested,)
