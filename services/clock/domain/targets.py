"""How long a metric may take: the rows of the table `targets`, and what one of them comes to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import ClassVar, Protocol, TypeAlias

from services.clock.domain.facts import Pins, Threshold
from shared.business_time import Calendar, DayEnd
from shared.errors import Unavailable
from shared.vocabulary import Metric, Priority

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

#: Ceilings when no row matches (product.md, The clocks): nothing is ever without a promise.
FALLBACKS: Mapping[str, timedelta] = {
    Metric.FIRST_RESPONSE: timedelta(hours=1),
    Metric.RESOLUTION: timedelta(hours=72),
}
FALLBACK_CALENDAR = "24x7"
#: No promise is longer than this: ten years (facts/sla.md 3.6, horizon of the calendars is 20).
LONGEST = timedelta(days=3653)
FALLBACK_THRESHOLDS: tuple[Threshold, ...] = (50, 75, 90)
#: A row that pauses on every reason.
EVERY_REASON = "*"
#: The agreement of a "no clock" row that means all of them.
EVERY_AGREEMENT = "*"
#: Inputs that are looked up only for tables that use them: few answers to remember else.
BY_TIME = frozenset({"hour", "weekday"})
FURTHER_INPUTS = BY_TIME | {"team", "organisation_unit"}


class Reopen(StrEnum):
    """What a reopening does to a clock that had ended; both numbers stay readable."""

    #: It goes on where it was; the time between is nobody's.
    CONTINUE = "continue"
    #: It counts from the reopening again, as the same clock.
    RESTART = "restart"
    #: The ended one stands; another of the same metric begins at the reopening.
    NEW_CYCLE = "new_cycle"


class TargetsMissing(Unavailable):
    """The table `targets` has not been released to the clock yet."""

    zh: ClassVar[str] = "时限目标表 targets 尚未发布到计时服务。"


class CalendarMissing(Unavailable):
    """The calendar {key} has not been released to the clock yet."""

    zh: ClassVar[str] = "日历 {key} 尚未发布到计时服务。"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the table decides on."""

    #: A metric, or `facts.STAGE`.
    metric: str
    priority: Priority
    channel: str
    customer_tier: str
    domain: str
    request_type: str
    #: These four are empty where the table does not use them.
    team: str = ""
    organisation_unit: str = ""
    #: Of the clock's start, in the zone of the calendar `24x7`: 0 to 23, mon to sun.
    hour: int | None = None
    weekday: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return them under the names the table's expressions use."""
        told: dict[str, Json] = {
            "metric": str(self.metric),
            "priority": self.priority.value,
            "channel": self.channel,
            "customer_tier": self.customer_tier,
            "domain": self.domain,
            "request_type": self.request_type,
        }
        more: dict[str, Json] = {
            "team": self.team,
            "organisation_unit": self.organisation_unit,
            "hour": self.hour,
            "weekday": self.weekday,
        }
        return told | {name: value for name, value in more.items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class Row:
    """One matching row of the table. `target` is working time on the calendar `calendar`."""

    rule: str
    target: timedelta
    calendar: str
    thresholds: tuple[Threshold, ...] = FALLBACK_THRESHOLDS
    pauses_on: frozenset[str] = frozenset()
    is_clock_wanted: bool = True
    #: Which agreement promises this; empty: the promise outside.
    agreement: str = ""
    #: sla | ola | uc
    kind: str = ""
    #: Of a named stage: its name and the words of `stages.py` that begin and end it.
    clock: str = ""
    starts_on: tuple[str, ...] = ()
    stops_on: tuple[str, ...] = ()
    reopen: Reopen = Reopen.CONTINUE
    #: The share in percent of what is promised that is to be kept; None: not said.
    goal_percent: float | None = None
    #: Working days instead of a time: `target` is what they come to from the clock's start.
    days: int = 0
    day_end: DayEnd = DayEnd.SAME_TIME
    #: Why the row cannot be used, if it cannot; empty for sound rows.
    fault: str = ""


class TargetTable(Protocol):
    """One released version of the table `targets`."""

    @property
    def version(self) -> int:
        """The version."""
        ...

    @property
    def uses(self) -> frozenset[str]:
        """The names of the inputs its rules look at."""
        ...

    @property
    def has_stages(self) -> bool:
        """Whether any of its rows may be about a named stage."""
        ...

    def rows(self, inputs: Inputs) -> tuple[Row, ...]:
        """Return the rows that match, in their order."""
        ...

    def ceilings(self, inputs: Inputs) -> tuple[Row, ...]:
        """Return what holds where no row of the promise outside matches, in their order."""
        ...


class Library(Protocol):
    """The released definitions; versions never change."""

    def table(self, version: int) -> TargetTable:
        """Return a version of the table `targets`; raises `TargetsMissing`."""
        ...

    def calendar(self, key: str, version: int | None) -> Calendar:
        """Return a calendar in that version, or as in force now; raises `CalendarMissing`."""
        ...

    def in_force(self) -> Pins:
        """Return the versions in force now; raises `TargetsMissing`."""
        ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A row that matched, with what it would promise."""

    row: Row
    calendar: Calendar
    #: When it would fall due without any pause; None when the calendar ends before.
    due_at: datetime | None


@dataclass(frozen=True, slots=True)
class Target:
    """What was promised for one clock, and by which row."""

    time: timedelta
    calendar: Calendar
    thresholds: tuple[Threshold, ...]
    pauses_on: frozenset[str]
    table: int
    inputs: Inputs
    candidates: tuple[Candidate, ...]
    #: only_row | strictest | fallback
    chosen_by: str
    #: Which agreement promises it; empty: the promise outside.
    agreement: str = ""
    #: What a reopening does to it.
    reopen: Reopen = Reopen.CONTINUE

    def is_paused_by(self, reason: str) -> bool:
        """Whether a wait for this reason stops the clock."""
        return EVERY_REASON in self.pauses_on or reason in self.pauses_on

    def explanation(self) -> dict[str, Json]:
        """Say which row won, against which others, on which inputs: codes and parameters."""
        winner = self.candidates[0]
        row = winner.row
        named: dict[str, Json] = {
            "agreement": row.agreement,
            "kind": row.kind,
            "clock": row.clock,
            "working_days": row.days,
            "goal_percent": row.goal_percent,
        }
        return {
            **{name: value for name, value in named.items() if value},
            "decision": "targets",
            "version": self.table,
            "inputs": self.inputs.as_json(),
            "chosen_by": self.chosen_by,
            "rule": winner.row.rule,
            "pauses_on": sorted(self.pauses_on),
            "matched_rules": [_told(candidate) for candidate in self.candidates],
        }


def _told(candidate: Candidate) -> dict[str, Json]:
    row = candidate.row
    return {
        "rule": row.rule,
        "target_s": row.target.total_seconds(),
        **({"working_days": row.days} if row.days else {}),
        "calendar": row.calendar,
        "calendar_version": candidate.calendar.version,
        "due_without_pauses_at": candidate.due_at.isoformat() if candidate.due_at else None,
    }
