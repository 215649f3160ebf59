"""From facts to runs: when each clock began, when it was not its turn, how it ended.

Pure folding over facts in order. No calendars and no targets here: what a pause means for a
clock is decided by its target's row.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum

from services.clock.domain.effects import in_effect
from services.clock.domain.facts import Fact, FactKind, Routed
from shared.business_time import Pause
from shared.vocabulary import Metric, Priority

#: Why a handling clock stands still between two owners.
HANDED_OVER, UNASSIGNED = "handed_over", "unassigned"
#: Why nothing counts between resolved and reopened.
RESOLVED = "resolved"

_FROM_SUBMISSION = (Metric.FIRST_RESPONSE, Metric.ASSIGNMENT, Metric.RESOLUTION)
#: What a reopening resumes.
_RESUMED = (Metric.RESOLUTION, Metric.HANDLING)


class End(StrEnum):
    """How a run ended."""

    MET = "met"
    CANCELLED = "cancelled"


@dataclass(frozen=True, slots=True)
class Rebase:
    """The priority changed while the clock was under way."""

    at: datetime
    old: Priority


@dataclass(frozen=True, slots=True)
class Run:
    """One clock as the facts tell it.

    `gaps` are spans that are not its time at all: between two owners (handling), between
    resolved and reopened. `waits` are the request's waits that touch it; whether they pause it
    is for the target's row to say. A span without an end lasts. `stops` are earlier ends that a
    reopening undid.
    """

    key: str
    #: A metric, or `facts.STAGE`.
    metric: str
    started_at: datetime
    priority: Priority
    gaps: tuple[Pause, ...] = ()
    waits: tuple[Pause, ...] = ()
    rebases: tuple[Rebase, ...] = ()
    stops: tuple[datetime, ...] = ()
    ended_at: datetime | None = None
    end: End | None = None
    reason: str = ""
    #: The team whose time it is; empty: the team the request was routed to.
    team: str = ""


@dataclass(frozen=True, slots=True)
class Owner:
    """Who had the request from a moment on; nobody by name when `assignee` is None."""

    since: datetime
    team: str
    assignee: str | None


@dataclass(frozen=True, slots=True)
class Story:
    """What the facts add up to."""

    runs: tuple[Run, ...]
    owners: tuple[Owner, ...]
    priority: Priority
    confirmed_at: datetime | None = None
    waits: tuple[Pause, ...] = ()

    def owner_at(self, moment: datetime) -> Owner:
        """Return who had it then."""
        for owner in reversed(self.owners):
            if owner.since <= moment:
                return owner
        return self.owners[0]


def tell(routed: Routed, facts: Iterable[Fact]) -> Story:
    """Return the story of a request; `facts` in order (`Fact.order`).

    What happened before the submission is taken as having happened at it, what undoes a decision
    of the router as having happened after it.
    """
    folding = _Folding(routed)
    for fact in in_effect(facts):
        folding.apply(fact)
    return folding.story()


@dataclass(slots=True)
class _Open:
    """A run under way."""

    key: str
    metric: Metric
    started_at: datetime
    gaps: list[Pause] = field(default_factory=list)
    gap_since: datetime | None = None
    gap_reason: str = ""
    rebases: list[Rebase] = field(default_factory=list)
    stops: list[datetime] = field(default_factory=list)
    priority: Priority | None = None
    ended_at: datetime | None = None
    end: End | None = None
    reason: str = ""

    def finish(self, at: datetime, end: End, priority: Priority, reason: str = "") -> None:
        """End it, closing a gap first."""
        if self.ended_at is not None:
            return
        self.close_gap(at)
        self.ended_at, self.end, self.reason, self.priority = at, end, reason, priority

    def open_gap(self, at: datetime, reason: str) -> None:
        """Let it not be its turn."""
        if self.ended_at is None and self.gap_since is None:
            self.gap_since, self.gap_reason = at, reason

    def close_gap(self, at: datetime) -> None:
        """Let it be its turn again."""
        if self.gap_since is not None:
            self.gaps.append(Pause(self.gap_since, at, self.gap_reason))
            self.gap_since = None

    def resume(self, at: datetime, priority: Priority) -> None:
        """Undo the end: what lay between was not its time."""
        if self.ended_at is None:
            return
        self.stops.append(self.ended_at)
        self.gaps.append(Pause(self.ended_at, at, self.reason or RESOLVED))
        if self.priority is not None and self.priority is not priority:
            self.rebases.append(Rebase(at, self.priority))
        self.ended_at = self.end = self.priority = None
        self.reason = ""


class _Folding:
    """Applies facts one by one."""

    def __init__(self, routed: Routed) -> None:
        self.submitted_at = routed.submitted_at
        self.priority = routed.priority
        self.runs: dict[str, _Open] = {}
        self.waits: list[Pause] = []
        self.waiting: dict[str, datetime] = {}
        self.owners = [Owner(routed.submitted_at, routed.team, None)]
        self.confirmed_at: datetime | None = None
        self.is_resolved = self.is_over = False
        #: The requester wrote after the resolution; counts if it is reopened.
        self.is_asked_again = False
        self.cycles = 0
        #: Escalations that ended before their beginning was heard of.
        self.settled: dict[str, tuple[End, str]] = {}
        for metric in _FROM_SUBMISSION:
            self._start(metric.value, metric, routed.submitted_at)

    def apply(self, fact: Fact) -> None:
        """Let one fact have its effect."""
        effect = _EFFECTS.get(fact.kind)
        if effect is not None:
            effect(self, max(fact.at, self.submitted_at), fact)

    def assigned(self, at: datetime, fact: Fact) -> None:
        """Assignment is met by the first named owner; handling begins or goes on."""
        self.owners.append(Owner(at, fact.team or self.owners[-1].team, fact.value))
        self._meet(Metric.ASSIGNMENT, at)
        handling = self.runs.get(Metric.HANDLING)
        if handling is not None:
            handling.close_gap(at)
        elif not self.is_resolved and not self.is_over:
            self._start(Metric.HANDLING, Metric.HANDLING, at)

    def handed_over(self, at: datetime, fact: Fact) -> None:
        """Handling stands until the next owner is named."""
        self.owners.append(Owner(at, fact.team, None))
        handling = self.runs.get(Metric.HANDLING)
        if handling is not None:
            handling.open_gap(at, HANDED_OVER)

    def unassigned(self, at: datetime, fact: Fact) -> None:
        """Nobody of the team owns it any more: the same."""
        self.owners.append(Owner(at, fact.team or self.owners[-1].team, None))
        handling = self.runs.get(Metric.HANDLING)
        if handling is not None:
            handling.open_gap(at, UNASSIGNED)

    def waiting_started(self, at: datetime, fact: Fact) -> None:
        """A wait begins; several reasons may overlap."""
        if not self.is_resolved and not self.is_over:
            self.waiting.setdefault(fact.value, at)

    def waiting_ended(self, at: datetime, fact: Fact) -> None:
        """The wait for this reason is over."""
        since = self.waiting.pop(fact.value, None)
        if since is not None:
            self.waits.append(Pause(since, at, fact.value))

    def resolved(self, at: datetime, fact: Fact) -> None:
        """Waits end first, then everything it answers is met (sla.md, requirement 3)."""
        self._end_waits(at)
        self.is_resolved, self.is_asked_again = True, False
        for run in self.runs.values():
            if run.metric is not Metric.ESCALATION_RESPONSE:
                run.finish(at, End.MET, self.priority, RESOLVED)

    def reopened(self, at: datetime, fact: Fact) -> None:
        """Resolution and handling go on; the time since the resolution is nobody's.

        What a closing without a resolution had cut off goes on too.
        """
        self.is_resolved = self.is_over = False
        for run in self.runs.values():
            is_undone = run.end is End.CANCELLED and run.reason == FactKind.CLOSED
            if run.metric in _RESUMED or (is_undone and run.metric in _FROM_SUBMISSION):
                run.resume(at, self.priority)
        handling, is_owned = self.runs.get(Metric.HANDLING), self.owners[-1].assignee is not None
        if handling is None and is_owned:
            self._start(Metric.HANDLING, Metric.HANDLING, at)
        elif handling is not None and not is_owned:
            handling.open_gap(at, HANDED_OVER)
        if self.is_asked_again:
            self._next_cycle(at)

    def closed(self, at: datetime, fact: Fact) -> None:
        """Nothing runs any more."""
        self._stop_all(at, FactKind.CLOSED.value)

    def cancelled(self, at: datetime, fact: Fact) -> None:
        """It ends unsolved: no promise has a meaning any more."""
        self._stop_all(at, FactKind.CANCELLED.value)

    def priority_changed(self, at: datetime, fact: Fact) -> None:
        """Clocks under way get the target of the new priority."""
        old, self.priority = self.priority, Priority(fact.value)
        if old is self.priority:
            return
        for run in self.runs.values():
            if run.ended_at is None:
                run.rebases.append(Rebase(at, old))

    def replied(self, at: datetime, fact: Fact) -> None:
        """An effective answer: the first one, or the one the requester waits for."""
        self.is_asked_again = False
        first = self.runs[Metric.FIRST_RESPONSE]
        if first.ended_at is None:
            first.finish(at, End.MET, self.priority)
        elif self.cycles:
            self.runs[self._cycle()].finish(at, End.MET, self.priority)

    def asked(self, at: datetime, fact: Fact) -> None:
        """The requester wrote again; before the first answer its own clock covers that."""
        if self.is_over or self.runs[Metric.FIRST_RESPONSE].ended_at is None:
            return
        if self.is_resolved:
            self.is_asked_again = True
        elif not self.cycles or self.runs[self._cycle()].ended_at is not None:
            self._next_cycle(at)

    def confirmed(self, at: datetime, fact: Fact) -> None:
        """The requester agrees that it is solved."""
        self.confirmed_at = at

    def escalated(self, at: datetime, fact: Fact) -> None:
        """Somebody was told: from now on an acknowledgement is awaited, once per escalation."""
        key = f"{Metric.ESCALATION_RESPONSE.value}/{fact.value}"
        if key in self.runs or self.is_over:
            return
        run = self._start(key, Metric.ESCALATION_RESPONSE, at)
        if key in self.settled:
            end, reason = self.settled[key]
            run.finish(at, end, self.priority, reason)

    def acknowledged(self, at: datetime, fact: Fact) -> None:
        """A person took the escalation over."""
        self._settle(at, fact.value, End.MET, "")

    def released(self, at: datetime, fact: Fact) -> None:
        """The escalation's reason is gone."""
        self._settle(at, fact.value, End.CANCELLED, FactKind.RELEASED.value)

    def story(self) -> Story:
        """Return what it came to."""
        waits = [*self.waits, *(Pause(at, None, why) for why, at in self.waiting.items())]
        return Story(
            runs=tuple(self._frozen(run, waits) for run in self.runs.values()),
            owners=tuple(self.owners),
            priority=self.priority,
            confirmed_at=self.confirmed_at,
            waits=tuple(waits),
        )

    def _frozen(self, run: _Open, waits: list[Pause]) -> Run:
        gaps = tuple(run.gaps)
        if run.gap_since is not None:
            gaps = (*gaps, Pause(run.gap_since, None, run.gap_reason))
        return Run(
            key=run.key,
            metric=run.metric,
            started_at=run.started_at,
            priority=run.priority or self.priority,
            gaps=gaps,
            waits=touching(waits, run.started_at, run.ended_at) if waits else (),
            rebases=tuple(run.rebases),
            stops=tuple(run.stops),
            ended_at=run.ended_at,
            end=run.end,
            reason=run.reason,
        )

    def _start(self, key: str, metric: Metric, at: datetime) -> _Open:
        run = self.runs[str(key)] = _Open(str(key), metric, at)
        return run

    def _meet(self, metric: Metric, at: datetime) -> None:
        self.runs[metric].finish(at, End.MET, self.priority)

    def _cycle(self) -> str:
        return f"{Metric.NEXT_RESPONSE.value}/{self.cycles}"

    def _next_cycle(self, at: datetime) -> None:
        self.cycles += 1
        self.is_asked_again = False
        self._start(self._cycle(), Metric.NEXT_RESPONSE, at)

    def _settle(self, at: datetime, escalation: str, end: End, reason: str) -> None:
        key = f"{Metric.ESCALATION_RESPONSE.value}/{escalation}"
        if key in self.runs:
            self.runs[key].finish(at, end, self.priority, reason)
        else:
            self.settled.setdefault(key, (end, reason))

    def _end_waits(self, at: datetime) -> None:
        self.waits += [Pause(since, at, why) for why, since in self.waiting.items()]
        self.waiting.clear()

    def _stop_all(self, at: datetime, reason: str) -> None:
        self._end_waits(at)
        self.is_over = True
        for run in self.runs.values():
            run.finish(at, End.CANCELLED, self.priority, reason)


def touching(
    waits: Iterable[Pause], started_at: datetime, ended_at: datetime | None
) -> tuple[Pause, ...]:
    """Return the parts of the waits that lie within a run; after its end nothing matters."""
    found = []
    for wait in waits:
        if wait.end is not None and wait.end <= started_at:
            continue
        if ended_at is None:
            found.append(wait)
        elif wait.start < ended_at:
            end = ended_at if wait.end is None else min(wait.end, ended_at)
            found.append(Pause(wait.start, end, wait.reason))
    return tuple(found)


_EFFECTS: dict[FactKind, Callable[[_Folding, datetime, Fact], None]] = {
    FactKind.ASSIGNED: _Folding.assigned,
    FactKind.HANDED_OVER: _Folding.handed_over,
    FactKind.UNASSIGNED: _Folding.unassigned,
    FactKind.WAITING_STARTED: _Folding.waiting_started,
    FactKind.WAITING_ENDED: _Folding.waiting_ended,
    FactKind.RESOLVED: _Folding.resolved,
    FactKind.REOPENED: _Folding.reopened,
    FactKind.CLOSED: _Folding.closed,
    FactKind.CANCELLED: _Folding.cancelled,
    FactKind.PRIORITY_CHANGED: _Folding.priority_changed,
    FactKind.REPLIED: _Folding.replied,
    FactKind.ASKED: _Folding.asked,
    FactKind.CONFIRMED: _Folding.confirmed,
    FactKind.ESCALATED: _Folding.escalated,
    FactKind.ACKNOWLEDGED: _Folding.acknowledged,
    FactKind.RELEASED: _Folding.released,
}
