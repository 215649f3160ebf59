"""Events published by the clock. Durations are seconds of calendar time, moments are UTC."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from pydantic import AwareDatetime, Field

from shared.events.base import EventData, Json, Part
from shared.vocabulary import Metric, Priority


class ClockEvent(EventData):
    """Something the clock says."""

    publisher: ClassVar[str | None] = "clock"


class Promise(Part):
    """One clock as it stands: what is promised until when, and why."""

    clock_id: UUID
    metric: Metric
    target_s: float
    calendar: str
    calendar_version: int
    started_at: AwareDatetime
    #: First instant at which elapsed reaches the target; None while paused.
    due_at: AwareDatetime | None
    thresholds_percent: tuple[int, ...] = ()
    #: The row that chose the target: table, version, rules, inputs.
    explanation: dict[str, Json] = Field(default_factory=dict)


class ClockStarted(ClockEvent):
    """Clocks began to run; one event for all that begin together."""

    type: ClassVar[str] = "clock.started.v1"

    clocks: tuple[Promise, ...]


class ClockPaused(ClockEvent):
    """Clocks stand still."""

    type: ClassVar[str] = "clock.paused.v1"

    clock_ids: tuple[UUID, ...]
    metrics: tuple[Metric, ...]
    reason: str


class ClockResumed(ClockEvent):
    """Clocks run again, with new due times."""

    type: ClassVar[str] = "clock.resumed.v1"

    clocks: tuple[Promise, ...]


class ClockRebased(ClockEvent):
    """Another target or calendar applies; the start and the pauses stay."""

    type: ClassVar[str] = "clock.rebased.v1"

    clocks: tuple[Promise, ...]
    reason: str


class ClockWarned(ClockEvent):
    """A threshold of the target passed."""

    type: ClassVar[str] = "clock.warned.v1"

    clock_id: UUID
    metric: Metric
    threshold_percent: int
    elapsed_s: float
    target_s: float
    due_at: AwareDatetime
    priority: Priority
    team: str
    assignee: str | None = None


class ClockBreached(ClockEvent):
    """The target itself passed; the clock goes on measuring."""

    type: ClassVar[str] = "clock.breached.v1"

    clock_id: UUID
    metric: Metric
    target_s: float
    due_at: AwareDatetime
    priority: Priority
    team: str
    assignee: str | None = None


class ClockMet(ClockEvent):
    """What was promised happened, in time or late."""

    type: ClassVar[str] = "clock.met.v1"

    clock_id: UUID
    metric: Metric
    elapsed_s: float
    paused_s: float
    target_s: float
    is_breached: bool


class ClockCancelled(ClockEvent):
    """The clock has no meaning any more."""

    type: ClassVar[str] = "clock.cancelled.v1"

    clock_ids: tuple[UUID, ...]
    metrics: tuple[Metric, ...]
    reason: str


class ClockCorrected(ClockEvent):
    """A late or back-dated fact changed what had been said of a clock."""

    type: ClassVar[str] = "clock.corrected.v1"

    clocks: tuple[Promise, ...]
    reason: str


EVENTS: tuple[type[EventData], ...] = (
    ClockStarted,
    ClockPaused,
    ClockResumed,
    ClockRebased,
    ClockWarned,
    ClockBreached,
    ClockMet,
    ClockCancelled,
    ClockCorrected,
)
