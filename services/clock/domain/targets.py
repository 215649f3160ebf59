"""How long a metric may take: the rows of the table `targets`, and what one of them comes to."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import ClassVar, Protocol

from services.clock.domain.editions import told_version
from services.clock.domain.facts import Pins
from shared.business_time import Calendar
from shared.errors import Unavailable
from shared.targets.rows import EVERY_REASON, Inputs, Json, Reopen, Row, Threshold


class TargetsMissing(Unavailable):
    """The table `targets` has not been released to the clock yet."""

    zh: ClassVar[str] = "时限目标表 targets 尚未发布到计时服务。"


class CalendarMissing(Unavailable):
    """The calendar {key} has not been released to the clock yet."""

    zh: ClassVar[str] = "日历 {key} 尚未发布到计时服务。"


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
        **told_version(candidate.calendar.version),
        "due_without_pauses_at": candidate.due_at.isoformat() if candidate.due_at else None,
    }
