"""Events published by the clock. Durations are seconds of calendar time, moments are UTC."""

from __future__ import annotations

from datetime import date
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
    #: Whether the due moment depends on days whose holidays are not announced yet.
    is_provisional: bool = False


class Before(Part):
    """What had been promised of a clock before it was rebased."""

    clock_id: UUID
    target_s: float
    calendar: str
    calendar_version: int
    due_at: AwareDatetime | None


class Withdrawn(Part):
    """Thresholds of a clock that were announced, and are not reached after all.

    Announced again, each, should the clock reach it again.
    """

    clock_id: UUID
    #: "75" is a percentage, "100" the breach, "-PT30M" working time before the target.
    thresholds: tuple[str, ...]


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
    #: priority_changed | version_moved | coverage_extended (its next holidays are known)
    reason: str
    #: The same clocks as they were before.
    before: tuple[Before, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()


class ClockWarned(ClockEvent):
    """A threshold of the target passed; said again only after it was withdrawn."""

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
    #: Late only because another target or calendar came; nobody was under what held before.
    is_by_rebase: bool = False


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
    withdrawn: tuple[Withdrawn, ...] = ()


class NamedClock(Part):
    """A clock that only a table knows: a further agreement's, or a named stage's.

    `metric` is an open word: one of `Metric`, or `stage`, and then `name` is the stage's. Of a
    metric `name` is the metric again. `agreement` is empty for the promise outside.
    """

    clock_id: UUID
    metric: str
    name: str
    agreement: str = ""
    #: sla | ola | uc, empty where the table does not say
    kind: str = ""


class NamedPromise(NamedClock):
    """Such a clock as it stands."""

    target_s: float
    calendar: str
    calendar_version: int
    started_at: AwareDatetime
    #: First instant at which elapsed reaches the target; None while paused.
    due_at: AwareDatetime | None
    #: "75" is a percentage, "-PT30M" working time before the target is used up.
    thresholds: tuple[str, ...] = ()
    explanation: dict[str, Json] = Field(default_factory=dict)
    #: Whether the due moment depends on days whose holidays are not announced yet.
    is_provisional: bool = False


class AgreementClockStarted(ClockEvent):
    """Clocks of further agreements or named stages began to run."""

    type: ClassVar[str] = "agreement_clock.started.v1"

    clocks: tuple[NamedPromise, ...]


class AgreementClockPaused(ClockEvent):
    """They stand still."""

    type: ClassVar[str] = "agreement_clock.paused.v1"

    clocks: tuple[NamedClock, ...]
    reason: str


class AgreementClockResumed(ClockEvent):
    """They run again, with new due times."""

    type: ClassVar[str] = "agreement_clock.resumed.v1"

    clocks: tuple[NamedPromise, ...]


class AgreementClockRebased(ClockEvent):
    """Another target or calendar applies to them; the start and the pauses stay."""

    type: ClassVar[str] = "agreement_clock.rebased.v1"

    clocks: tuple[NamedPromise, ...]
    reason: str
    #: The same clocks as they were before.
    before: tuple[Before, ...] = ()
    withdrawn: tuple[Withdrawn, ...] = ()


class AgreementClockWarned(ClockEvent):
    """A threshold passed: of such a clock, or one in time (not in percent) of any clock."""

    type: ClassVar[str] = "agreement_clock.warned.v1"

    clock: NamedClock
    #: "75" | "-PT30M" | "+PT1H"
    threshold: str
    #: What that comes to, in whole percent of the target.
    used_percent: int
    elapsed_s: float
    target_s: float
    due_at: AwareDatetime
    priority: Priority
    team: str
    assignee: str | None = None


class AgreementClockBreached(ClockEvent):
    """The target itself passed; the clock goes on measuring."""

    type: ClassVar[str] = "agreement_clock.breached.v1"

    clock: NamedClock
    target_s: float
    due_at: AwareDatetime
    priority: Priority
    team: str
    assignee: str | None = None
    #: Late only because another target or calendar came; nobody was under what held before.
    is_by_rebase: bool = False


class AgreementClockMet(ClockEvent):
    """What was promised happened, in time or late."""

    type: ClassVar[str] = "agreement_clock.met.v1"

    clock: NamedClock
    elapsed_s: float
    paused_s: float
    target_s: float
    is_breached: bool


class AgreementClockCancelled(ClockEvent):
    """The clocks have no meaning any more."""

    type: ClassVar[str] = "agreement_clock.cancelled.v1"

    clocks: tuple[NamedClock, ...]
    reason: str


class AgreementClockCorrected(ClockEvent):
    """A late or back-dated fact changed what had been said of them."""

    type: ClassVar[str] = "agreement_clock.corrected.v1"

    clocks: tuple[NamedPromise, ...]
    reason: str
    withdrawn: tuple[Withdrawn, ...] = ()


class CalendarCoverageWarned(ClockEvent):
    """The known holidays of a calendar end soon; said once per calendar and last known date.

    Subject: an id derived from the calendar's key.
    """

    type: ClassVar[str] = "calendar.coverage_warned.v1"

    calendar: str
    calendar_version: int
    name: dict[str, str]
    #: The last date whose holidays are known.
    covered_until: date
    days_left: int


class CalendarCoverageExtended(ClockEvent):
    """More holidays of a calendar are known; running clocks that needed them are rebased.

    Subject: an id derived from the calendar's key.
    """

    type: ClassVar[str] = "calendar.coverage_extended.v1"

    calendar: str
    calendar_version: int
    name: dict[str, str]
    covered_until_before: date
    covered_until: date
    #: The move that puts running clocks under it, as the log of moves names it.
    move_id: UUID | None = None


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
    AgreementClockStarted,
    AgreementClockPaused,
    AgreementClockResumed,
    AgreementClockRebased,
    AgreementClockWarned,
    AgreementClockBreached,
    AgreementClockMet,
    AgreementClockCancelled,
    AgreementClockCorrected,
    CalendarCoverageWarned,
    CalendarCoverageExtended,
)
