"""Which promise a request has: of the rows that match, the one that wins in each agreement.

Rows that name no agreement are the promise outside; those that name one (an OLA, an underpinning
contract) promise beside it, each agreement for itself. Where several rows of one agreement match,
the strictest promise wins: the one that falls due first, counted on each row's own calendar from
the clock's start. A row that says "no clock" beats all others of its agreement.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from services.clock.domain.facts import Move, Pins, Routed
from services.clock.domain.targets import Candidate, Library, Target, TargetTable
from shared.business_time import Calendar, due
from shared.targets.days import days_as_time
from shared.targets.rows import (
    BY_TIME,
    EVERY_AGREEMENT,
    FALLBACK_CALENDAR,
    FALLBACKS,
    STAGE,
    Inputs,
    Row,
)
from shared.vocabulary import Priority

_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


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
            return self._fallback(inputs, table, started_at)
        if len(rows) == 1:
            # The usual case; whether it falls due at all plays no part.
            return _target((self._only(rows[0], started_at),), inputs, table, "only_row")
        return _target(self._ranked(rows, started_at), inputs, table, "strictest")

    def _fallback(self, inputs: Inputs, table: TargetTable, started_at: datetime) -> Target | None:
        own = [row for row in table.ceilings(inputs) if not row.fault]
        if any(not row.is_clock_wanted for row in own):
            return None
        if own:
            return _target(self._ranked(own, started_at), inputs, table, "fallback")
        ceiling = FALLBACKS.get(inputs.metric)
        if ceiling is None:
            return None
        row = Row("fallback", ceiling, FALLBACK_CALENDAR)
        candidate = Candidate(row, self._calendar(FALLBACK_CALENDAR), None)
        return _target((candidate,), inputs, table, "fallback")

    def _ranked(self, rows: Sequence[Row], started_at: datetime) -> tuple[Candidate, ...]:
        candidates = []
        for row in rows:
            found = self._only(row, started_at)
            falls = _due(found.calendar, started_at, found.row.target)
            candidates.append(replace(found, due_at=falls))
        return tuple(sorted(candidates, key=_strictness))

    def _only(self, row: Row, started_at: datetime) -> Candidate:
        """Return a row on its calendar, its working days as the time they come to."""
        calendar = self._calendar(row.calendar)
        if row.days:
            time = days_as_time(calendar, started_at, row.days, row.day_end)
            row = replace(row, target=time)
        return Candidate(row, calendar, None)

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
