"""What the handlers use of the unit of work."""

from __future__ import annotations

from typing import Protocol
from uuid import UUID

from services.insight.domain.entries import ClockEntry, RequestEntry
from services.insight.domain.followers import (
    DeliveryEntry,
    EscalationEntry,
    IncidentEntry,
    Name,
    Told,
)


class Work(Protocol):
    """The entries of the batch's requests, and where changed ones go."""

    def request(self, request_id: str) -> RequestEntry:
        """Return a request, an empty entry when nothing is known of it yet."""

    def keep_request(self, entry: RequestEntry) -> None:
        """Remember what is known of a request now."""

    def clock(self, clock_id: str) -> ClockEntry | None:
        """Return a clock of the batch's requests."""

    def keep_clock(self, entry: ClockEntry) -> None:
        """Remember a clock."""

    def escalation(self, escalation_id: str) -> EscalationEntry | None:
        """Return an escalation of the batch's requests."""

    def keep_escalation(self, entry: EscalationEntry) -> None:
        """Remember an escalation."""

    def delivery(self, delivery_id: str, channel: str) -> DeliveryEntry | None:
        """Return a delivery about the batch's requests."""

    def keep_delivery(self, entry: DeliveryEntry) -> None:
        """Remember a delivery."""

    def incident(self, incident_id: str) -> IncidentEntry | None:
        """Return an incident of the batch's requests."""

    def keep_incident(self, entry: IncidentEntry) -> None:
        """Remember an incident."""

    def tell(self, told: Told) -> None:
        """Add a line to a request's timeline."""

    def seal(self, subject: UUID | str) -> None:
        """Note that the last word about a request was heard."""

    def is_news(self, key: str, version: int) -> bool:
        """Whether this version of a definition is newer than what was read; remembers it."""

    def keep_name(self, name: Name) -> None:
        """Remember what something is called."""
