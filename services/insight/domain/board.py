"""The board as a value: every figure in it is defined once, in `definitions`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta

from services.insight.domain.rules import Light, Window


@dataclass(frozen=True, slots=True)
class Scope:
    """What a board is asked for; None means everything."""

    team: str | None = None
    domain: str | None = None
    window: Window = Window.MONTH
    due_within: timedelta = timedelta(minutes=60)


@dataclass(frozen=True, slots=True)
class Counts:
    """Open requests, counted."""

    open: int = 0
    waiting: int = 0
    due_soon: int = 0
    overdue: int = 0
    unassigned: int = 0
    in_triage: int = 0
    unrouted: int = 0

    def __add__(self, other: Counts) -> Counts:
        """Count both together."""
        return Counts(
            self.open + other.open,
            self.waiting + other.waiting,
            self.due_soon + other.due_soon,
            self.overdue + other.overdue,
            self.unassigned + other.unassigned,
            self.in_triage + other.in_triage,
            self.unrouted + other.unrouted,
        )


@dataclass(frozen=True, slots=True)
class Attainment:
    """Promises kept among those decided; `share` is None where none was."""

    in_time: int = 0
    late: int = 0
    share: float | None = None


def attained(in_time: int, late: int) -> Attainment:
    """Return the attainment of so many promises kept and broken."""
    decided = in_time + late
    return Attainment(in_time, late, round(in_time / decided, 4) if decided else None)


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar of a distribution: clocks whose elapsed time is at most `up_to_s`."""

    up_to_s: int | None
    in_time: int
    late: int


@dataclass(frozen=True, slots=True)
class MetricFigures:
    """One metric: attainment per window, and how long it took in the board's window.

    Percentiles are in seconds of the clock's calendar, over `measured` clocks that were met;
    `still_open` have no length yet.
    """

    metric: str
    attainment: Mapping[str, Attainment]
    measured: int
    still_open: int
    p50_s: float | None
    p90_s: float | None
    p95_s: float | None
    spread: tuple[Bar, ...]


@dataclass(frozen=True, slots=True)
class PriorityFigures:
    """One priority's open requests."""

    priority: str
    open: int
    due_soon: int
    overdue: int


@dataclass(frozen=True, slots=True)
class TeamFigures:
    """One team: its light, why, its open requests and its attainment in the board's window."""

    team: str
    light: Light
    reason: str
    counts: Counts
    unanswered: int
    attainment: Mapping[str, Attainment]


@dataclass(frozen=True, slots=True)
class TierFigures:
    """How many escalations reached a tier, and how many stand there unanswered now."""

    tier: int
    reached: int
    unanswered: int


@dataclass(frozen=True, slots=True)
class EscalationFigures:
    """Escalations raised in the window; `unanswered` and `nobody_answered` are as of now."""

    raised: int
    acknowledged: int
    unanswered: int
    nobody_answered: int
    by_tier: tuple[TierFigures, ...]


@dataclass(frozen=True, slots=True)
class NotificationFigures:
    """Deliveries accepted in the window by outcome; `set_aside` is as of now."""

    by_outcome: Mapping[str, int]
    by_channel: Mapping[str, Mapping[str, int]]
    by_template: Mapping[str, int]
    set_aside: int


@dataclass(frozen=True, slots=True)
class Board:
    """Everything a board shows at one moment."""

    at: datetime
    scope: Scope
    counts: Counts
    by_priority: tuple[PriorityFigures, ...]
    teams: tuple[TeamFigures, ...]
    metrics: tuple[MetricFigures, ...]
    escalations: EscalationFigures
    notifications: NotificationFigures
    incidents_open: int
    messages_set_aside: int
