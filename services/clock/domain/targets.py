"""How long a metric may take: the rows of the table `targets`, and which of them wins.

Rows that name no agreement are the promise outside; those that name one (an OLA, an underpinning
contract) promise beside it, each agreement for itself. Where several rows of one agreement match,
the strictest promise wins: the one that falls due first, counted on each row's own calendar from
the clock's start. A row that says "no clock" beats all others of its agreement.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import ClassVar, Protocol, TypeAlias
from zoneinfo import ZoneInfo

from services.clock.domain.facts import STAGE, Move, Pins, Routed, Threshold
from shared.business_time import Calendar, due
from shared.errors import Unavailable
from shared.vocabulary import Metric, Priority

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"

#: Ceilings when no row matches (product.md, The clocks): nothing is ever without a promise.
FALLBACKS: Mapping[str, timedelta] = {
    Metric.FIRST_RESPONSE: timedelta(hours=1),
    Metric.RESOLUTION: timedelta(hours=72),
}
FALLBACK_CALENDAR = "24x7"
FALLBACK_THRESHOLDS: tuple[Threshold, ...] = (50, 75, 90)
#: A row that pauses on every reason.
EVERY_REASON = "*"
#: The agreement of a "no clock" row that means all of them.
EVERY_AGREEMENT = "*"
#: Inputs that are looked up only for tables that use them: few answers to remember else.
BY_TIME = frozenset({"hour", "weekday"})
FURTHER_INPUTS = BY_TIME | {"team", "organisation_unit"}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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
        named: dict[str, Json] = {"agreement": row.agreement, "kind": row.kind, "clock": row.clock}
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


@dataclass(frozen=True, slots=True)
class Promises:
    """What a request is promised, under the versions it was pinned to."""

    library: Library
    pins: Pins
    routed: Routed
    moves: tuple[Move, ...] = ()

    def of_clock(self, ended_at: datetime | None) -> Promises:
        """Return what holds for a clock: one that had ended is not moved to other versions."""
        if ended_at is not None:
            for number, move in enumerate(self.moves):
                if ended_at <= move.at:
                    return replace(self, pins=move.before, moves=self.moves[:number])
        return self

    def before_move(self) -> Promises:
        """Return what held before the last move."""
        return replace(self, pins=self.moves[-1].before, moves=self.moves[:-1])

    def target(
        self,
        metric: str,
        priority: Priority,
        started_at: datetime,
        *,
        agreement: str = "",
        team: str = "",
        clock: str = "",
    ) -> Target | None:
        """Return what one agreement promises, or None when it promises nothing."""
        found = self.targets(metric, priority, started_at, team=team, clock=clock)
        return next((target for target in found if target.agreement == agreement), None)

    def targets(
        self,
        metric: str,
        priority: Priority,
        started_at: datetime,
        *,
        team: str = "",
        clock: str = "",
    ) -> tuple[Target, ...]:
        """Return the target of each agreement that promises one, the promise outside first.

        `team` is whose time it is (default: the team the request was routed to), `clock` the
        name of a stage.
        """
        table = self.library.table(self.pins.table)
        inputs = self._inputs(table, metric, priority, started_at, team)
        rows = [row for row in table.rows(inputs) if not row.fault and row.clock == clock]
        if not any(row.agreement for row in rows):
            # The usual case: nothing but the promise outside.
            only = self._chosen(rows, inputs, table, started_at)
            return (only,) if only is not None else ()
        return self._by_agreement(rows, inputs, table, started_at)

    def has_stages(self) -> bool:
        """Whether the table may name stages at all."""
        return self.library.table(self.pins.table).has_stages

    def is_split_by_team(self) -> bool:
        """Whether the table asks whose time it is."""
        return "team" in self.library.table(self.pins.table).uses

    def stage_rows(self, priority: Priority, team: str = "") -> tuple[Row, ...]:
        """Return the rows that name a stage, for a team's time."""
        table = self.library.table(self.pins.table)
        inputs = self._inputs(table, STAGE, priority, self.routed.submitted_at, team)
        return table.rows(inputs)

    def _inputs(
        self, table: TargetTable, metric: str, priority: Priority, started_at: datetime, team: str
    ) -> Inputs:
        routed, uses = self.routed, table.uses
        plain = (
            metric,
            priority,
            routed.channel,
            routed.customer_tier,
            routed.domain,
            routed.request_type,
        )
        if not uses:
            return Inputs(*plain)
        local = started_at.astimezone(self._zone()) if uses & BY_TIME else None
        return Inputs(
            *plain,
            team=(team or routed.team) if "team" in uses else "",
            organisation_unit=routed.organisation_unit if "organisation_unit" in uses else "",
            hour=local.hour if local is not None and "hour" in uses else None,
            weekday=_WEEKDAYS[local.weekday()] if local is not None and "weekday" in uses else "",
        )

    def _zone(self) -> ZoneInfo:
        return ZoneInfo(self._calendar(FALLBACK_CALENDAR).zone)

    def _by_agreement(
        self, rows: Sequence[Row], inputs: Inputs, table: TargetTable, started_at: datetime
    ) -> tuple[Target, ...]:
        unwanted = {row.agreement for row in rows if not row.is_clock_wanted}
        if EVERY_AGREEMENT in unwanted:
            return ()
        groups: dict[str, list[Row]] = {"": []}
        for row in rows:
            groups.setdefault(row.agreement, []).append(row)
        found = (self._chosen(group, inputs, table, started_at) for group in groups.values())
        return tuple(target for target in found if target is not None)

    def _chosen(
        self, rows: Sequence[Row], inputs: Inputs, table: TargetTable, started_at: datetime
    ) -> Target | None:
        if any(not row.is_clock_wanted for row in rows):
            return None
        if not rows:
            return self._fallback(inputs, table)
        if len(rows) == 1:
            # The usual case; whether it falls due at all plays no part.
            calendar = self._calendar(rows[0].calendar)
            return _target((Candidate(rows[0], calendar, None),), inputs, table, "only_row")
        return _target(self._ranked(rows, started_at), inputs, table, "strictest")

    def _fallback(self, inputs: Inputs, table: TargetTable) -> Target | None:
        ceiling = FALLBACKS.get(inputs.metric)
        if ceiling is None:
            return None
        row = Row("fallback", ceiling, FALLBACK_CALENDAR)
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
        agreement=winner.row.agreement,
        reopen=winner.row.reopen,
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
