"""The words all services share; each is explained in docs/glossary.md.

Only closed vocabularies stand here as enums: an enum inside an event may never gain a value
within a version. Open ones (request types, channels, reasons, teams) are strings in events.
"""

from __future__ import annotations

from enum import StrEnum

#: Languages words are made in; the first is the default.
LANGUAGES = ("zh-CN", "en")


class Priority(StrEnum):
    """How soon a request must be dealt with: urgency × impact, P1 first."""

    P1 = "P1"
    P2 = "P2"
    P3 = "P3"
    P4 = "P4"


class Urgency(StrEnum):
    """How fast the matter gets worse for the requester."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Impact(StrEnum):
    """How many people or how much business the matter hits."""

    HIGH = "high"
    MEDIUM = "medium"
    LOW = "low"


class Lane(StrEnum):
    """The kind of path a request takes."""

    STANDARD = "standard"
    GREEN = "green"
    EXCEPTION = "exception"


class Metric(StrEnum):
    """What a clock measures (product.md, The clocks)."""

    FIRST_RESPONSE = "first_response"
    ASSIGNMENT = "assignment"
    HANDLING = "handling"
    RESOLUTION = "resolution"
    NEXT_RESPONSE = "next_response"
    ESCALATION_RESPONSE = "escalation_response"


class RequestState(StrEnum):
    """Where a request stands; the router alone decides it."""

    SUBMITTED = "submitted"
    OPEN = "open"
    WAITING = "waiting"
    RESOLVED = "resolved"
    CLOSED = "closed"
    CANCELLED = "cancelled"


class ClockState(StrEnum):
    """Where a clock stands."""

    RUNNING = "running"
    PAUSED = "paused"
    MET = "met"
    BREACHED = "breached"
    CANCELLED = "cancelled"


class WorkItemState(StrEnum):
    """Where a work item stands."""

    OPEN = "open"
    CLAIMED = "claimed"
    COMPLETED = "completed"
    CANCELLED = "cancelled"


class EscalationState(StrEnum):
    """Where an escalation stands; `exhausted` still waits for a person."""

    RAISED = "raised"
    ACKNOWLEDGED = "acknowledged"
    EXHAUSTED = "exhausted"
    CLOSED = "closed"


class AuthorKind(StrEnum):
    """Who wrote a message."""

    REQUESTER = "requester"
    AGENT = "agent"
    SYSTEM = "system"
