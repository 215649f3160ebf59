"""The agents at their desks: who takes what when, one thing at a time, the most urgent first.

A plain queueing model, so that waits are as long as the work in front of them: lunch, a storm
that binds half a team, and the end of the day show in the figures.
"""

from __future__ import annotations

import heapq
import random
from collections import defaultdict, deque
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from levee.demo import courses
from levee.demo.plan import Step, moment

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, datetime

    from levee.demo.courses import Phase
    from levee.demo.matters import Matter

#: Share of solved requests that the requester confirms, rates and reopens.
_CONFIRMED, _RATED, _REOPENED = 0.6, 0.7, 0.05
_SCORES = ((5, 52), (4, 30), (3, 11), (2, 5), (1, 2))


@dataclass(slots=True)
class Job:
    """One request while it is dealt with."""

    matter: Matter
    team: str
    #: 1 (P1) to 4: the order in which a team takes its queue.
    rank: int
    requester: str
    phases: deque[Phase]
    rng: random.Random
    steps: list[Step] = field(default_factory=list)
    agent: str | None = None
    reopenings: int = 0


@dataclass(frozen=True, slots=True)
class Shift:
    """When an agent works: two halves of the day, less what binds them elsewhere."""

    halves: tuple[tuple[datetime, datetime], ...]
    bound: tuple[tuple[datetime, datetime], ...] = ()

    def next_free(self, at: datetime) -> datetime | None:
        """Return the first moment from `at` on at which something new can be begun."""
        for start, end in self.halves:
            begun = max(at, start)
            for bound_from, bound_until in self.bound:
                if bound_from <= begun < bound_until:
                    begun = bound_until
            if begun < end:
                return begun
        return None


def shift(day: date, place: int, bound: tuple[tuple[datetime, datetime], ...] = ()) -> Shift:
    """Return a working day; colleagues (`place` 0, 1, …) go to lunch one after the other."""
    lunch = moment(day, 11, 40) + timedelta(minutes=20 * (place % 3))
    return Shift(
        ((moment(day, 8, 10 + 5 * (place % 4)), lunch), (lunch + timedelta(hours=1), _end(day))),
        bound,
    )


def _until_seen(job: Job) -> timedelta:
    """Return how long a free agent takes to look: soon for a P1, some minutes for the rest."""
    typical_s = 45 if job.rank == 1 else 240
    return timedelta(seconds=10 + round(typical_s * job.rng.lognormvariate(0, 0.8)))


def _end(day: date) -> datetime:
    return moment(day, 18, 10)


class Desks:
    """Plays the queue from arrivals to steps."""

    def __init__(self, agents: Mapping[str, tuple[str, ...]], shifts: Mapping[str, Shift]) -> None:
        self._teams: dict[str, list[str]] = defaultdict(list)
        for team, members in agents.items():
            for member in members:
                self._teams[member].append(team)
        self._shifts = shifts
        self._free_at: dict[str, datetime] = {}
        self._queues: dict[str, list[tuple[int, int, Job]]] = defaultdict(list)
        self._own: dict[str, deque[Job]] = defaultdict(deque)
        self._events: list[tuple[datetime, int, Job | None]] = []
        self._order = 0

    def arrive(self, job: Job, at: datetime) -> None:
        """Let a request come in."""
        self._push(at, job)

    def run(self) -> None:
        """Play until nothing is left that anybody will do today."""
        for member in self._teams:
            self._look_again(member, self._shifts[member].halves[0][0])
        while self._events:
            at, _, job = heapq.heappop(self._events)
            if job is not None:
                self._queue(job)
            for member in sorted(self._teams, key=lambda m: self._free_at[m]):
                self._give(member, at)

    def _queue(self, job: Job) -> None:
        if job.agent is not None:
            self._own[job.agent].append(job)
            return
        self._order += 1
        heapq.heappush(self._queues[job.team], (job.rank, self._order, job))

    def _give(self, member: str, at: datetime) -> None:
        """Let whoever is free take the next thing."""
        if self._free_at[member] > at:
            return
        begun = self._shifts[member].next_free(at)
        if begun is None:
            return
        if begun > at:
            self._look_again(member, begun)
            return
        job = self._next(member)
        if job is not None:
            self._look_again(member, self._deal(job, member, at))

    def _next(self, member: str) -> Job | None:
        waiting = [self._queues[team] for team in self._teams[member] if self._queues[team]]
        best = min(waiting, key=lambda queue: queue[0][:2], default=None)
        own = self._own[member]
        # What is urgent goes before what one has begun oneself.
        if own and (best is None or best[0][0] > 1):
            return own.popleft()
        return heapq.heappop(best)[2] if best is not None else None

    def _deal(self, job: Job, member: str, at: datetime) -> datetime:
        """Do what can be done now; return when the agent is free again."""
        cursor = at + _until_seen(job)
        if job.agent != member:
            job.agent = member
            job.steps.append(Step(cursor, "claim", member))
        while job.phases:
            phase = job.phases.popleft()
            cursor += phase.work
            if self._pass(job, phase, member, cursor):
                return cursor
        return cursor

    def _pass(self, job: Job, phase: Phase, member: str, at: datetime) -> bool:
        """Let one phase happen; return whether the case leaves the agent's hands for now."""
        back_at = at + phase.away
        match phase.kind:
            case "hand_over":
                job.steps.append(Step(at, "hand_over", member, phase.text, phase.team))
                job.team, job.agent = phase.team, None
            case "ask":
                job.steps.append(Step(at, "ask", member, phase.text))
                reply = job.rng.choice(courses.REPLIES)
                job.steps.append(Step(back_at, "reply", job.requester, reply))
            case "nudge":
                job.steps.append(Step(back_at, "reply", job.requester, phase.text))
                said = job.rng.choice(courses.FOLLOW_UPS)
                job.phases.appendleft(courses.Phase("answer", timedelta(minutes=2), text=said))
            case "supplier":
                job.steps.append(Step(at, "wait", member, phase.text))
                job.steps.append(Step(back_at, "resume", member))
            case "resolve":
                job.steps.append(Step(at, "resolve", member, phase.text))
                return self._afterwards(job, at)
            case verb:
                job.steps.append(Step(at, verb, member, phase.text))
                return False
        self._push(back_at + timedelta(seconds=1), job)
        return True

    def _afterwards(self, job: Job, at: datetime) -> bool:
        """Let the requester say what they think of the result."""
        rng = job.rng
        later = at + timedelta(seconds=rng.randrange(120, 7_200))
        if job.reopenings == 0 and rng.random() < _REOPENED:
            job.reopenings += 1
            job.steps.append(Step(later, "reopen", job.requester, rng.choice(courses.REOPENINGS)))
            job.phases.extend(courses.again(job.matter, rng))
            self._push(later + timedelta(seconds=1), job)
        elif rng.random() < _CONFIRMED:
            job.steps.append(Step(later, "confirm", job.requester))
            if rng.random() < _RATED:
                scores = [score for score, _ in _SCORES]
                score = rng.choices(scores, weights=[weight for _, weight in _SCORES])[0]
                rated = later + timedelta(seconds=rng.randrange(10, 90))
                job.steps.append(Step(rated, "rate", job.requester, score=score))
        return True

    def _look_again(self, member: str, at: datetime) -> None:
        self._free_at[member] = at
        self._push(at, None)

    def _push(self, at: datetime, job: Job | None) -> None:
        self._order += 1
        heapq.heappush(self._events, (at, self._order, job))
