"""How long a metric may take: the rows of the table `targets`, and which of them wins.

Where several rows match, the strictest promise wins: the one that falls due first, counted on
each row's own calendar from the clock's start. A row that says "no clock" beats them all.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import lru_cache
from typing import ClassVar, Protocol, TypeAlias

from services.clock.domain.facts import Pins, Routed
from shared.business_time import Calendar, due
from shared.errors import Unavailable
from shared.vocabulary import Metric, Priority

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

#: Ceilings when no row matches (product.md, The clocks): nothing is ever without a promise.
FALLBACKS = {
    Metric.FIRST_RESPONSE: timedelta(hours=1),
    Metric.RESOLUTION: timedelta(hours=72),
}
FALLBACK_CALENDAR = "24x7"
FALLBACK_THRESHOLDS = (50, 75, 90)
#: A row that pauses on every reason.
EVERY_REASON = "*"


class TargetsMissing(Unavailable):
    """The table `targets` has not been released to the clock yet."""

    zh: ClassVar[str] = "时限目标表 targets 尚未发布到计时服务。"


class CalendarMissing(Unavailable):
    """The calendar {key} has not been released to the clock yet."""

    zh: ClassVar[str] = "日历 {key} 尚未发布到计时服务。"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the table decides on."""

    metric: Metric
    priority: Priority
    channel: str
    customer_tier: str
    domain: str
    request_type: str

    def as_json(self) -> dict[str, Json]:
        """Return them under the names the table's expressions use."""
        return {
            "metric": self.metric.value,
            "priority": self.priority.value,
            "channel": self.channel,
            "customer_tier": self.customer_tier,
            "domain": self.domain,
            "request_type": self.request_type,
        }


@dataclass(frozen=True, slots=True)
class Row:
    """One matching row of the table. `target` is working time on the calendar `calendar`."""

    rule: str
    target: timedelta
    calendar: str
    thresholds: tuple[int, ...] = FALLBACK_THRESHOLDS
    pauses_on: frozenset[str] = frozenset()
    is_clock_wanted: bool = True
    #: Why the row cannot be used, if it cannot; empty for sound rows.
    fault: str = ""


class TargetTable(Protocol):
    """One released version of the table `targets`."""

    @property
    def version(self) -> int:
        """The version."""
        ...

    def rows(self, inputs: Inputs) -> tuple[Row, ...]:
        """Return the rows that match, in their order."""
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
    thresholds: tuple[int, ...]
    pauses_on: frozenset[str]
    table: int
    inputs: Inputs
    candidates: tuple[Candidate, ...]
    #: only_row | strictest | fallback
    chosen_by: str

    def is_paused_by(self, reason: str) -> bool:
        """Whether a wait for this reason stops the clock."""
        return EVERY_REASON in self.pauses_on or reason in self.pauses_on

    def explanation(self) -> dict[str, Json]:
        """Say which row won, against which others, on which inputs: codes and parameters."""
        winner = self.candidates[0]
        return {
            "decision": "targets",
            "version": self.table,
            "inputs": self.inputs.as_json(),
            "chosen_by": self.chosen_by,
            "rule": winner.row.rule,
            "pauses_on": sorted(self.pauses_on),
            "matched_rules": [_told(candidate) for candidate in self.candidates],
        }


@dataclass(frozen=True, slots=True)
class Promises:
    """What a request is promised, under the versions it was pinned to."""

    library: Library
    pins: Pins
    routed: Routed

    def target(self, metric: Metric, priority: Priority, started_at: datetime) -> Target | None:
        """Return the target of a clock, or None when the table says there is to be none."""
        routed = self.routed
        inputs = Inputs(
            metric,
            priority,
            routed.channel,
            routed.customer_tier,
            routed.domain,
            routed.request_type,
        )
        table = self.library.table(self.pins.table)
        rows = [row for row in table.rows(inputs) if not row.fault]
        if any(not row.is_clock_wanted for row in rows):
            return None
        if not rows:
            return self._fallback(metric, inputs, table)
        if len(rows) == 1:
            # The usual case; whether it falls due at all plays no part.
            calendar = self._calendar(rows[0].calendar)
            return _target((Candidate(rows[0], calendar, None),), inputs, table, "only_row")
        return _target(self._ranked(rows, started_at), inputs, table, "strictest")

    def _fallback(self, metric: Metric, inputs: Inputs, table: TargetTable) -> Target | None:
        if metric not in FALLBACKS:
            return None
        row = Row("fallback", FALLBACKS[metric], FALLBACK_CALENDAR)
        candidate = Candidate(row, self._calendar(FALLBACK_CALENDAR), None)
        return _target((candidate,), inputs, table, "fallback")

    def _ranked(self, rows: Sequence[Row], started_at: datetime) -> tuple[Candidate, ...]:
        candidates = []
        for row in rows:
            calendar = self._calendar(row.calendar)
            falls = _due(calendar, started_at, row.target)
            candidates.append(Candidate(row, calendar, falls))
        return tuple(sorted(candidates, key=_strictness))

    def _calendar(self, key: str) -> Calendar:
        return self.library.calendar(key, self.pins.calendars.get(key))


@lru_cache(maxsize=4096)
def _due(calendar: Calendar, started_at: datetime, target: timedelta) -> datetime | None:
    return due(calendar, started_at, target).due_at


def _target(
    candidates: tuple[Candidate, ...], inputs: Inputs, table: TargetTable, chosen_by: str
) -> Target:
    winner = candidates[0]
    return Target(
        time=winner.row.target,
        calendar=winner.calendar,
        thresholds=winner.row.thresholds,
        pauses_on=winner.row.pauses_on,
        table=table.version,
        inputs=inputs,
        candidates=candidates,
        chosen_by=chosen_by,
    )


def _strictness(candidate: Candidate) -> tuple[bool, float, timedelta]:
    """Earliest due first, what never falls due last; the smaller target of equals."""
    falls = candidate.due_at
    return (falls is None, falls.timestamp() if falls else 0.0, candidate.row.target)


def _told(candidate: Candidate) -> dict[str, Json]:
    row = candidate.row
    return {
        "rule": row.rule,
        "target_s": row.target.total_seconds(),
        "calendar": row.calendar,
        "calendar_version": candidate.calendar.version,
        "due_without_pauses_at": candidate.due_at.isoformat() if candidate.due_at else None,
    }
