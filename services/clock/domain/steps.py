"""One step of a request's clocks: a fact or a due moment comes, the new ledger and what to say go.

What to say is the difference between what was told before and what the facts say now. So late,
back-dated and overtaking facts need no rules of their own: everything is computed again, and
where something that was told is no longer so, a correction says it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime

from services.clock.domain.clocks import BREACH, Clock, clocks_of, percents
from services.clock.domain.facts import (
    COVERAGE_EXTENDED,
    Fact,
    Ledger,
    Move,
    Pins,
    Routed,
    Told,
    clock_id,
    run_of,
)
from services.clock.domain.promises import Promises
from services.clock.domain.reaching import Reach
from services.clock.domain.runs import End, Run, Story, tell
from services.clock.domain.said import Gone, Said, Topic, in_order
from services.clock.domain.stages import stage_runs
from services.clock.domain.targets import Library
from shared.targets.rows import Threshold
from shared.vocabulary import ClockState

#: Reasons of what is said, beside those the facts bring.
PRIORITY_CHANGED = "priority_changed"
NO_CLOCK = "no_clock"
LATE_FACT = "late_fact"


@dataclass(frozen=True, slots=True)
class Step:
    """The ledger afterwards, what to say in order, and the timers that moved.

    `timers`: clock key -> when its next threshold is reached; None: nothing ahead any more.
    `provisional`: the calendars whose unknown holidays a running clock's due moment depends on.
    """

    ledger: Ledger
    said: tuple[Said, ...] = ()
    timers: Mapping[str, datetime | None] | None = None
    provisional: frozenset[str] = frozenset()


def route(ledger: Ledger, routed: Routed, library: Library) -> Step:
    """Arm the clocks, back-dated to the submission, and apply what came before the routing.

    A second routing changes nothing. Raises `TargetsMissing` or `CalendarMissing`.
    """
    if ledger.routed is not None:
        return Step(ledger)
    pinned = replace(ledger, routed=routed, pins=library.in_force())
    latest = max((fact.at for fact in ledger.facts), default=routed.at)
    reached = max(routed.at, routed.submitted_at, latest)
    return _reckon(pinned, reached, library, is_everything=True)


def note(ledger: Ledger, fact: Fact, library: Library) -> Step:
    """Apply a fact: announce what was crossed before it, then what it changes.

    Before the request is routed the fact is only kept.
    """
    if ledger.routed is None or ledger.reached_at is None:
        return Step(ledger.with_fact(fact))
    moment = max(fact.at, ledger.routed.submitted_at)
    is_late = moment < ledger.reached_at
    before = Step(ledger)
    if not is_late and has_crossed(ledger, moment):
        before = _reckon(ledger, moment, library)
    known = before.ledger.with_fact(fact)
    reached = max(moment, ledger.reached_at)
    after = _reckon(known, reached, library, is_everything=is_late)
    timers = {**(before.timers or {}), **(after.timers or {})}
    return Step(after.ledger, (*before.said, *after.said), timers, after.provisional)


def fire(ledger: Ledger, moment: datetime, library: Library) -> Step:
    """Announce every threshold reached up to `moment`, a breach due at it included."""
    if ledger.routed is None or ledger.reached_at is None:
        return Step(ledger)
    reached = max(moment, ledger.reached_at)
    return _reckon(ledger, reached, library, is_breach_due=True)


def move(ledger: Ledger, pins: Pins, moved: Move, library: Library) -> Step:
    """Put the running clocks under other versions; what has ended stays as it was promised.

    `moved.before` are the versions held so far. Nothing happens to a request that has no running
    clock, or holds those versions already.
    """
    is_running = any(not told.is_over for told in ledger.told.values())
    if ledger.reached_at is None or not is_running or pins == ledger.pins:
        return Step(ledger)
    reached = max(moved.at, ledger.reached_at)
    at = replace(moved, at=reached)
    known = replace(ledger, pins=pins, moves=(*ledger.moves, at))
    before = _reckon(ledger, reached, library) if has_crossed(ledger, reached) else Step(ledger)
    known = replace(known, told=before.ledger.told)
    after = _reckon(known, reached, library)
    timers = {**(before.timers or {}), **(after.timers or {})}
    return Step(after.ledger, (*before.said, *after.said), timers)


def has_crossed(ledger: Ledger, moment: datetime) -> bool:
    """Return whether a threshold was reached up to `moment` that nobody was told of yet."""
    return any(told.next_at is not None and told.next_at <= moment for told in ledger.told.values())


def _reckon(
    ledger: Ledger,
    reached: datetime,
    library: Library,
    *,
    is_everything: bool = False,
    is_breach_due: bool = False,
) -> Step:
    assert ledger.routed is not None
    assert ledger.pins is not None
    story = tell(ledger.routed, ledger.facts)
    promises = Promises(library, ledger.pins, ledger.routed, ledger.moves)
    reckoning = _Reckoning(ledger, story, reached, is_everything, is_breach_due)
    for run in (*story.runs, *stage_runs(ledger, story, promises)):
        reckoning.look_at(run, promises)
    reckoning.forget_the_rest()
    timers = {
        key: now.next_at
        for key, now in reckoning.told.items()
        if (before := ledger.told.get(key)) is None or before.next_at != now.next_at
    }
    pins = _with_used(ledger.pins, reckoning.clocks)
    kept = replace(ledger, told=reckoning.told, reached_at=reached, pins=pins)
    provisional = frozenset(
        clock.target.calendar.key
        for clock in reckoning.clocks
        if clock.due.is_provisional and not clock.is_ended
    )
    return Step(kept, in_order(reckoning.said), timers, provisional)


def _with_used(pins: Pins, clocks: list[Clock]) -> Pins:
    """Pin calendars that were not known when the request was routed."""
    used = {clock.target.calendar.key: clock.target.calendar.version for clock in clocks}
    missing = {key: version for key, version in used.items() if key not in pins.calendars}
    return replace(pins, calendars={**pins.calendars, **missing}) if missing else pins


class _Reckoning:
    """Compares what was told with what is so, clock by clock."""

    def __init__(
        self,
        ledger: Ledger,
        story: Story,
        reached: datetime,
        is_everything: bool,
        is_breach_due: bool,
    ) -> None:
        self.ledger, self.story, self.reached = ledger, story, reached
        self.is_everything, self.reach = is_everything, Reach(reached, is_breach_due)
        self.told: dict[str, Told] = dict(ledger.told)
        self.said: list[Said] = []
        self.clocks: list[Clock] = []
        self.keys: set[str] = set()
        #: What was told, by the run it belongs to: another agreement's clock, another cycle.
        self.by_run: dict[str, list[str]] = {}
        for key in self.told:
            self.by_run.setdefault(run_of(key), []).append(key)
        self.runs: set[str] = set()

    def look_at(self, run: Run, promises: Promises) -> None:
        """Say what is new about one run."""
        self.runs.add(run.key)
        if not self.is_everything and self._is_settled(run):
            self.keys.update(self.by_run[run.key])
            return
        for clock in clocks_of(self.ledger, run, promises):
            self.keys.add(clock.key)
            self.clocks.append(clock)
            before = self.told.get(clock.key)
            start = before or self._begin(clock)
            now = self._differences(clock, start, is_new=before is None)
            self.told[clock.key] = self._thresholds(clock, now)

    def _is_settled(self, run: Run) -> bool:
        """Whether the ends of all its clocks were told, the last of them as the run has it."""
        is_ended_so = False
        for key in self.by_run.get(run.key, ()):
            told = self.told[key]
            if not told.is_over:
                return False
            is_ended_so = is_ended_so or told.ended_at == run.ended_at
        return is_ended_so

    def forget_the_rest(self) -> None:
        """Withdraw clocks that late facts show never to have been, or that no row wants now."""
        for key, before in list(self.told.items()):
            if key in self.keys or before.state == ClockState.CANCELLED:
                continue
            if run_of(key) not in self.runs or key.partition("@")[0] not in self.runs:
                self._cancel(key, before, self.reached, LATE_FACT)
            elif not before.is_over:
                self._cancel(key, before, self.reached, NO_CLOCK)

    def _cancel(self, key: str, before: Told, at: datetime, reason: str) -> None:
        gone = Gone(clock_id(self.ledger.request_id, key), key)
        self.said.append(Said(Topic.CANCELLED, at, reason=reason, gone=(gone,)))
        self.told[key] = replace(
            before, state=ClockState.CANCELLED.value, ended_at=at, next_at=None
        )

    def _begin(self, clock: Clock) -> Told:
        self._say(Topic.STARTED, clock.run.started_at, clock)
        return _as_told(clock, ClockState.RUNNING)

    def _differences(self, clock: Clock, before: Told, *, is_new: bool) -> Told:
        """Say how the clock's state and promise differ from what was told of it."""
        withdrawn = self.reach.unreached(clock, before.standing)
        is_rebased = _is_other_target(clock, before) and not clock.is_ended
        if is_rebased:
            self._rebased(clock, before, withdrawn)
        state = _state(clock)
        if clock.is_ended:
            return self._ended(clock, before, state, withdrawn)
        is_moved = self._moved(clock, before, state)
        # Begun anew after its end, it has reached nothing yet: the resumption says so.
        is_false = bool(withdrawn) and (self.is_everything or not before.is_over)
        is_wrong = is_false or (self._is_wrong(clock, before, state) and not (is_new or is_moved))
        if is_wrong and not is_rebased:
            self._corrected(clock, withdrawn)
        return replace(
            _as_told(clock, state),
            fired=before.fired,
            taken_back=(*before.taken_back, *withdrawn),
            next_at=before.next_at,
        )

    def _rebased(self, clock: Clock, before: Told, withdrawn: tuple[Threshold, ...]) -> None:
        """Say that another target applies; not where a calendar just knows more and all stays."""
        reason, is_same = clock.moved_for or PRIORITY_CHANGED, before.due_at == clock.due_at
        is_known = is_same and not clock.was_provisional() and not withdrawn
        if reason == COVERAGE_EXTENDED and is_known:
            return
        at = clock.rebased_at or self.reached
        said = Said(Topic.REBASED, at, (clock,), reason, was=(before,), withdrawn=(withdrawn,))
        self.said.append(said)

    def _corrected(self, clock: Clock, withdrawn: tuple[Threshold, ...]) -> None:
        """Say how it is, and what was announced of it that is not so."""
        said = Said(Topic.CORRECTED, self.reached, (clock,), LATE_FACT, withdrawn=(withdrawn,))
        self.said.append(said)

    def _ended(
        self, clock: Clock, before: Told, state: ClockState, withdrawn: tuple[Threshold, ...]
    ) -> Told:
        run = clock.run
        assert run.ended_at is not None
        now = replace(
            _as_told(clock, state),
            fired=before.fired,
            taken_back=(*before.taken_back, *withdrawn),
        )
        if now == replace(before, next_at=None):
            return now
        if run.end is End.CANCELLED:
            if before.state != ClockState.CANCELLED:
                gone = (Gone(clock.id, clock.key),)
                self.said.append(Said(Topic.CANCELLED, run.ended_at, (), run.reason, gone=gone))
            if withdrawn:
                self._corrected(clock, withdrawn)
            return now
        if before.is_over or withdrawn:
            self._corrected(clock, withdrawn)
        self._say(Topic.MET, run.ended_at, clock)
        return now

    def _moved(self, clock: Clock, before: Told, state: ClockState) -> bool:
        """Say that it stands still or goes on; return whether that told its new due moment."""
        if before.state == state:
            return False
        pause = clock.open_pause
        if pause is not None:
            if not before.is_over:
                at = max(pause.start, clock.run.started_at)
                self._say(Topic.PAUSED, at, clock, pause.reason)
                return True
            # Reopened and standing still at once: both are said.
            self._say(Topic.RESUMED, _last_end(clock, self.reached), clock)
            self._say(Topic.PAUSED, pause.start, clock, pause.reason)
            return True
        self._say(Topic.RESUMED, _last_end(clock, self.reached), clock)
        return True

    def _is_wrong(self, clock: Clock, before: Told, state: ClockState) -> bool:
        """Whether something told of a clock that goes on as it did is no longer so."""
        is_moved = before.started_at != clock.run.started_at
        return is_moved or (state is ClockState.RUNNING and before.due_at != clock.due_at)

    def _thresholds(self, clock: Clock, now: Told) -> Told:
        """Announce what is reached and not announced yet, and note what comes next."""
        fired, standing = list(now.fired), now.standing
        next_at = None
        for percent in percents(clock.target):
            if percent in standing:
                continue
            at = clock.crossing(percent)
            if at is None:
                break
            if self.reach.is_reached(clock, percent, at):
                self._announce(clock, percent, at)
                fired.append(percent)
            elif not clock.is_ended:
                next_at = at
                break
        return replace(now, fired=tuple(fired), next_at=next_at)

    def _announce(self, clock: Clock, percent: Threshold, at: datetime) -> None:
        # Under a new target it may have been reached before anybody promised that: then it is
        # reached when the promise came.
        moment = max(at, clock.rebased_at or at)
        topic = Topic.BREACHED if percent == BREACH else Topic.WARNED
        owner = self.story.owner_at(moment)
        self.said.append(Said(topic, moment, (clock,), percent=percent, owner=owner))

    def _say(self, topic: Topic, at: datetime, clock: Clock, reason: str = "") -> None:
        self.said.append(Said(topic, at, (clock,), reason))


def _state(clock: Clock) -> ClockState:
    """Return where it stands, whether late or not."""
    if clock.is_ended:
        return ClockState.MET if clock.run.end is End.MET else ClockState.CANCELLED
    return ClockState.RUNNING if clock.open_pause is None else ClockState.PAUSED


def _as_told(clock: Clock, state: ClockState) -> Told:
    ended_at, pause = clock.run.ended_at, clock.open_pause
    stands_since = ended_at or (pause.start if pause is not None else None)
    return Told(
        state=state.value,
        started_at=clock.run.started_at,
        target=clock.target.time,
        calendar=clock.target.calendar.key,
        calendar_version=clock.target.calendar.version,
        due_at=clock.due_at,
        ended_at=ended_at,
        elapsed=clock.elapsed_at(stands_since) if stands_since else None,
        is_breached=clock.is_breached_at(ended_at) if ended_at else False,
    )


def _is_other_target(clock: Clock, before: Told) -> bool:
    calendar = clock.target.calendar
    return (clock.target.time, calendar.key, calendar.version) != (
        before.target,
        before.calendar,
        before.calendar_version,
    )


def _last_end(clock: Clock, reached: datetime) -> datetime:
    """Return when the clock last went on: the end of its last pause that has one."""
    ends = [pause.end for pause in clock.pauses if pause.end is not None and pause.end <= reached]
    return max(ends, default=reached)
