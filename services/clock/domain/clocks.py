"""A clock at a moment: run and target put together on working time.

`elapsed = |windows ∩ [start, now] \\ pauses|`; due is the first instant at which elapsed reaches
the target; a breach is decided on elapsed (facts/sla.md 3.1, 3.2).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import UUID

from services.clock.domain.cycles import cycles
from services.clock.domain.facts import Ledger, clock_id, is_further, name_of
from services.clock.domain.promises import Promises
from services.clock.domain.runs import End, Run, Story, tell
from services.clock.domain.stages import stage_runs
from services.clock.domain.targets import Library, Target
from shared.business_time import (
    Due,
    NoAnswer,
    Pause,
    due_with_pauses,
    elapsed,
)
from shared.business_time import Ledger as IntervalLedger
from shared.business_time import ledger as intervals
from shared.targets.rows import STAGE, Threshold
from shared.targets.thresholds import in_order, part_of
from shared.vocabulary import ClockState, Priority

#: The percentage that is the breach.
BREACH = 100


@dataclass(frozen=True, slots=True)
class Clock:
    """One target running on one request, as the facts have it."""

    id: UUID
    #: Which of the request's clocks it is.
    key: str
    run: Run
    target: Target
    #: Gaps and those waits that the target's row lets pause it.
    pauses: tuple[Pause, ...]
    due: Due
    #: When the priority or the versions last changed under way, and the target before.
    rebased_at: datetime | None = None
    before: Target | None = None
    #: Why it was moved to other versions; empty where it was another priority.
    moved_for: str = ""

    @property
    def metric(self) -> str:
        """What it measures."""
        return self.run.metric

    @property
    def is_further(self) -> bool:
        """Whether it is another agreement's clock, or a named stage."""
        return is_further(self.key)

    @property
    def is_ended(self) -> bool:
        """Whether it was met or cancelled."""
        return self.run.ended_at is not None

    @property
    def open_pause(self) -> Pause | None:
        """What stops it now, the earliest where there are several."""
        if self.is_ended:
            return None
        return min((p for p in self.pauses if p.end is None), key=lambda p: p.start, default=None)

    @property
    def due_at(self) -> datetime | None:
        """The first instant at which elapsed reaches the target; None while paused before it."""
        return self.due.due_at

    @property
    def breaches_at(self) -> datetime | None:
        """The instant after which it is breached unless it ended; None when none is in sight.

        It differs from `due_at` only at a closing: then it is the next opening. Where no working
        time follows at all it is `due_at`; a pause that lasts does not count as that.
        """
        if self.due.breaches_after is not None or self.due.due_at is None:
            return self.due.breaches_after
        return None if self.open_pause is not None else self.due.due_at

    def elapsed_at(self, moment: datetime) -> timedelta:
        """Return the working time it has run up to `moment` (or to its end, if earlier)."""
        return self._measured(self._stopped_at(moment), self.pauses)

    def paused_at(self, moment: datetime) -> timedelta:
        """Return the working time it stood still for waits up to `moment`; gaps are no pause."""
        if not self.run.waits:
            return timedelta()
        end = self._stopped_at(moment)
        return self._measured(end, self.run.gaps) - self._measured(end, self.pauses)

    def elapsed_until(self, moment: datetime) -> timedelta:
        """Return the working time from the start to a moment after its end (confirmation)."""
        return self._measured(max(moment, self.run.started_at), self.pauses)

    def remaining_at(self, moment: datetime) -> timedelta:
        """Return the working time left; below zero once the target is passed."""
        return self.target.time - self.elapsed_at(moment)

    def is_breached_at(self, moment: datetime) -> bool:
        """Return whether the target was passed without the end in time."""
        breaches_at = self.breaches_at
        if breaches_at is None:
            # Paused (or the calendar ended) with the target used up to the last moment or not.
            return False
        return self._stopped_at(moment) > breaches_at

    def is_breached_by_rebase(self) -> bool:
        """Return whether a new target was already passed when it came, the old one not.

        Kept apart from a lived breach (facts/sla.md 3.6): nobody was late under what was
        promised then.
        """
        if self.rebased_at is None or self.before is None:
            return False
        at = self._stopped_at(self.rebased_at)
        if self._measured(at, self.pauses) <= self.target.time:
            return False
        pauses = (*self.run.gaps, *_pausing(self.run, self.before))
        lived = elapsed(self.before.calendar, self.run.started_at, at, pauses).time
        return lived <= self.before.time

    def was_provisional(self) -> bool:
        """Whether its due moment was uncertain under the target before the last change."""
        if self.before is None:
            return False
        pauses = (*self.run.gaps, *_pausing(self.run, self.before))
        start, target = self.run.started_at, self.before
        return due_with_pauses(target.calendar, start, target.time, pauses).is_provisional

    def state_at(self, moment: datetime) -> ClockState:
        """Return where it stands."""
        if self.run.end is End.MET:
            return ClockState.MET
        if self.run.end is End.CANCELLED:
            return ClockState.CANCELLED
        if self.open_pause is not None:
            return ClockState.PAUSED
        return ClockState.BREACHED if self.is_breached_at(moment) else ClockState.RUNNING

    def crossing(self, threshold: Threshold) -> datetime | None:
        """Return when elapsed reaches the threshold (for 100: see `breaches_at`)."""
        if threshold == BREACH:
            return self.breaches_at
        part = part_of(threshold, self.target.time)
        if part is None:
            return None
        start = self.run.started_at
        return due_with_pauses(self.target.calendar, start, part, self.pauses).due_at

    def due_as_of(self, moment: datetime) -> datetime:
        """Return when it would have been due by what was so at `moment`, pauses to come aside."""
        if self.due.due_at is not None:
            return self.due.due_at
        known = [p for p in self.pauses if p.start < moment and p.end is not None]
        start = self.run.started_at
        return (
            due_with_pauses(self.target.calendar, start, self.target.time, known).due_at or moment
        )

    def next_threshold_at(self, moment: datetime) -> tuple[Threshold, datetime] | None:
        """Return the next threshold it will reach after `moment` if nothing happens, and when."""
        if self.is_ended or self.open_pause is not None:
            return None
        for percent in percents(self.target):
            at = self.crossing(percent)
            if at is not None and at > moment:
                return percent, at
        return None

    def no_due_reason(self) -> NoAnswer | None:
        """Say why there is no due moment: paused, or the calendar does not reach that far."""
        return self.due.reason

    def is_provisional_at(self, moment: datetime) -> bool:
        """Whether the figures depend on dates whose holidays are not announced yet."""
        start, end = self.run.started_at, self._stopped_at(moment)
        return (
            self.due.is_provisional
            or elapsed(self.target.calendar, start, end, self.pauses).is_provisional
        )

    def intervals_at(self, moment: datetime) -> IntervalLedger:
        """Return every span from the start to `moment` or its end: counted or not, and why."""
        start, end = self.run.started_at, self._stopped_at(moment)
        return intervals(self.target.calendar, start, end, self.pauses)

    def _stopped_at(self, moment: datetime) -> datetime:
        ended_at = self.run.ended_at
        until = moment if ended_at is None else min(moment, ended_at)
        return max(until, self.run.started_at)

    def _measured(self, until: datetime, pauses: tuple[Pause, ...]) -> timedelta:
        return elapsed(self.target.calendar, self.run.started_at, until, pauses).time


def percents(target: Target) -> tuple[Threshold, ...]:
    """Return the thresholds that are announced, in order; 100 is always among them."""
    return in_order((*target.thresholds, BREACH), target.time)


def clocks_of(ledger: Ledger, run: Run, promises: Promises) -> Iterator[Clock]:
    """Yield the clocks of a run: one per agreement that promises something, and per cycle."""
    name = name_of(run.key) if run.metric == STAGE else ""
    if promises.moves:
        promises = promises.of_clock(run.ended_at)
    for target in promises.targets(
        run.metric, run.priority, run.started_at, team=run.team, clock=name
    ):
        for cycle in cycles(run, target.reopen):
            if cycle is run:
                yield _clock(ledger, run, target, promises, name)
            else:
                yield from _clock_of_cycle(ledger, cycle, target, promises)


def _clock_of_cycle(
    ledger: Ledger, cycle: Run, target: Target, promises: Promises
) -> Iterator[Clock]:
    """Yield the clock of a cycle, under the target of its own priority."""
    if promises.moves:
        promises = promises.of_clock(cycle.ended_at)
    own = promises.target(
        cycle.metric,
        cycle.priority,
        cycle.started_at,
        agreement=target.agreement,
        team=cycle.team,
    )
    if own is not None:
        yield _clock(ledger, cycle, own, promises, "")


def _clock(ledger: Ledger, run: Run, target: Target, promises: Promises, name: str) -> Clock:
    pauses = (*run.gaps, *_pausing(run, target))
    key = f"{run.key}@{target.agreement}" if target.agreement else run.key
    rebased_at, old, source, why = _rebase(run, promises)
    return Clock(
        id=clock_id(ledger.request_id, key),
        key=key,
        run=run,
        target=target,
        pauses=pauses,
        due=due_with_pauses(target.calendar, run.started_at, target.time, pauses),
        rebased_at=rebased_at,
        moved_for=why,
        before=source.target(
            run.metric,
            old,
            run.started_at,
            agreement=target.agreement,
            team=run.team,
            clock=name,
        )
        if rebased_at is not None
        else None,
    )


def _rebase(run: Run, promises: Promises) -> tuple[datetime | None, Priority, Promises, str]:
    """Return when the clock last got another target, by what it had the one before, and why."""
    rebase = run.rebases[-1] if run.rebases else None
    move = promises.moves[-1] if promises.moves else None
    if move is not None and move.at >= run.started_at and (rebase is None or move.at > rebase.at):
        return move.at, run.priority, promises.before_move(), move.reason
    if rebase is not None:
        return rebase.at, rebase.old, promises, ""
    return None, run.priority, promises, ""


def _pausing(run: Run, target: Target) -> tuple[Pause, ...]:
    return tuple(wait for wait in run.waits if target.is_paused_by(wait.reason))


@dataclass(frozen=True, slots=True)
class Standing:
    """All clocks of a request, and the story they come from."""

    story: Story
    clocks: tuple[Clock, ...]

    def of_metric(self, metric: str) -> Iterator[Clock]:
        """Yield the clocks of one metric, oldest first."""
        return (clock for clock in self.clocks if clock.metric == metric)


def standing(ledger: Ledger, now: datetime, library: Library) -> Standing | None:
    """Return the clocks as they stood at `now`, from the facts known today.

    None when the request is not routed, or was submitted later than `now`. Raises
    `TargetsMissing` or `CalendarMissing` when the pinned definitions are not there.
    """
    if ledger.routed is None or ledger.pins is None or ledger.routed.submitted_at > now:
        return None
    then = ledger.until(now)
    story = tell(ledger.routed, then.facts)
    promises = Promises(library, ledger.pins, ledger.routed, ledger.moves)
    runs = (*story.runs, *stage_runs(then, story, promises))
    return Standing(story, tuple(clock for run in runs for clock in clocks_of(then, run, promises)))


def clocks_at(ledger: Ledger, now: datetime, library: Library) -> tuple[Clock, ...]:
    """Return the clocks as they stood at `now`; empty before the submission."""
    found = standing(ledger, now, library)
    return found.clocks if found is not None else ()
