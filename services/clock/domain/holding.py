"""Who held the request for how much of the time: attribution from the ledger alone.

The working time of one clock, from its start to a moment or its end, is split by who had it:
an agent by name, a team in which nobody had it yet, the requester or a supplier while the request
waited for them, nobody while it stood for another reason. The parts add up to the whole exactly.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from itertools import pairwise

from services.clock.domain.clocks import Clock
from services.clock.domain.runs import Owner, Story
from shared.business_time import Calendar, Pause, elapsed

#: Reasons of waits that name who is waited for.
_AWAITED = {"requester": "requester", "supplier": "supplier"}
AGENT, TEAM, NOBODY = "agent", "team", "nobody"


@dataclass(frozen=True, slots=True)
class Held:
    """Working time one holder had the request; `who` is the agent, the team or a wait's reason."""

    holder: str
    who: str
    team: str
    time: timedelta


def holders(clock: Clock, story: Story, now: datetime) -> tuple[Held, ...]:
    """Return who held the request while a clock ran, longest first; waits count for the awaited.

    Time between a resolution and a reopening is not the clock's and not attributed.
    """
    start, end = clock.run.started_at, clock.run.ended_at or now
    if end <= start:
        return ()
    cuts = sorted({start, end, *_within(story, start, end)})
    totals: dict[tuple[str, str, str], timedelta] = {}
    for since, until in pairwise(cuts):
        owner, wait = story.owner_at(since), _wait_at(clock.run.waits, since)
        span = _counted(clock.target.calendar, since, until, clock.run.gaps)
        if span:
            place = _holder(owner, wait)
            totals[place] = totals.get(place, timedelta()) + span
    held = (Held(*place, time) for place, time in totals.items())
    return tuple(sorted(held, key=lambda one: (-one.time, one.holder, one.who)))


def _within(story: Story, start: datetime, end: datetime) -> Iterable[datetime]:
    for owner in story.owners:
        yield from (at for at in (owner.since,) if start < at < end)
    for wait in story.waits:
        yield from (at for at in (wait.start, wait.end) if at is not None and start < at < end)


def _wait_at(waits: Sequence[Pause], moment: datetime) -> Pause | None:
    """Return the wait that holds it then, the earliest of several."""
    touching = (w for w in waits if w.start <= moment and (w.end is None or moment < w.end))
    return min(touching, key=lambda wait: wait.start, default=None)


def _counted(
    calendar: Calendar, since: datetime, until: datetime, gaps: Sequence[Pause]
) -> timedelta:
    return elapsed(calendar, since, until, gaps).time


def _holder(owner: Owner, wait: Pause | None) -> tuple[str, str, str]:
    if wait is not None:
        return (_AWAITED.get(wait.reason, NOBODY), wait.reason, owner.team)
    if owner.assignee is not None:
        return (AGENT, owner.assignee, owner.team)
    return (TEAM, owner.team, owner.team)
