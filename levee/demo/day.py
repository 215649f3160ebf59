"""Makes a working day: the same seed makes the same day."""

from __future__ import annotations

import random
from collections import deque
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from levee.demo import arrivals, courses, matters, stories
from levee.demo.desks import Desks, Job, Shift, shift
from levee.demo.plan import Case, Day, Ears, Step, moment
from shared.vocabulary import Impact, Urgency

if TYPE_CHECKING:
    from datetime import date

    from levee.demo.company import Company
    from levee.demo.plan import Role

DEFAULT_REQUESTS = 180
#: The largest storm, and the share of a shorter day it takes.
STORM, STORM_SHARE = 20, 4
#: One request in this many is withdrawn before anybody takes it, or goes round the teams.
_WITHDRAWN_ONE_IN, _KICKED_ONE_IN = 45, 55
#: People act on this beat: what happens at one moment is played in one go, and nobody sees seconds.
_BEAT = timedelta(seconds=60)
_ZERO = datetime(2000, 1, 1, tzinfo=UTC)
#: Smallest number of requests that has room for every story.
FEWEST = 12

#: How high an ordinary escalation climbs before somebody reacts: weights.
_REACTING: tuple[tuple[Role, int], ...] = (
    ("member", 60),
    ("lead", 30),
    ("manager", 8),
    ("duty", 2),
)


def make_day(
    day: date, company: Company, *, seed: int = 1, requests: int = DEFAULT_REQUESTS
) -> Day:
    """Return a day of `requests` requests (at least `FEWEST`), stories included."""
    if requests < FEWEST:
        raise ValueError(f"a day needs at least {FEWEST} requests")
    rng = random.Random(f"day/{day.isoformat()}/{seed}")
    begins_at, ends_at = moment(day, 8), moment(day, 18, 30)
    storm = stories.storm(day, min(STORM, max(6, requests // STORM_SHARE)), company, rng)
    special = [*storm.cases, stories.forgotten(day, rng)]
    times = arrivals.arrivals(day, requests - len(special), rng)
    ordinary = _ordinary(times, company, _shifts(company, day, storm), rng)
    cases = sorted([*special, *ordinary], key=lambda case: (case.at, case.key))
    return Day(day, begins_at, ends_at, tuple(_within(_in_order(case), ends_at) for case in cases))


def _shifts(company: Company, day: date, storm: stories.Storm) -> dict[str, Shift]:
    shifts = {}
    for members in company.agents.values():
        for place, member in enumerate(members):
            shifts[member] = shift(day, place, storm.bound.get(member, ()))
    return shifts


def _ordinary(
    times: list[datetime], company: Company, shifts: dict[str, Shift], rng: random.Random
) -> list[Case]:
    desks = Desks(company.agents, shifts)
    cases, jobs = [], []
    for number, at in enumerate(times, start=1):
        matter = matters.choose(rng)
        asked = matters.ask(matter, company, rng)
        own = random.Random(rng.getrandbits(64))
        case = Case(f"demo-{number:04}", "ordinary", at, asked, ears=_ears(own))
        if number % _WITHDRAWN_ONE_IN == 0:
            gone = at + timedelta(seconds=own.randrange(200, 1500))
            cases.append(replace(case, steps=(Step(gone, "withdraw", asked.requester_id),)))
            continue
        kicked = number % _KICKED_ONE_IN == 10
        phases = courses.ball_kicking(matter.team, own) if kicked else courses.course(matter, own)
        job = Job(matter, matter.team, _rank(case), asked.requester_id, deque(phases), own)
        jobs.append((case, job))
        # The router needs a moment before anybody can see it.
        desks.arrive(job, at + timedelta(seconds=5))
    desks.run()
    return [*cases, *(replace(case, steps=tuple(job.steps)) for case, job in jobs)]


def _in_order(case: Case) -> Case:
    """Return the case with its steps by time, each on the beat, no two on the same one."""
    ordered: list[Step] = []
    beat = _beat_after(case.at)
    for step in sorted(case.steps, key=lambda one: one.at):
        beat = max(beat, _beat_after(step.at))
        ordered.append(replace(step, at=beat))
        beat += _BEAT
    return replace(case, steps=tuple(ordered))


def _beat_after(at: datetime) -> datetime:
    """Return the first beat after `at`."""
    return _ZERO + ((at - _ZERO) // _BEAT + 1) * _BEAT


def _within(case: Case, ends_at: datetime) -> Case:
    """Return the case with what happens before the day ends; the rest stays open."""
    return replace(case, steps=tuple(step for step in case.steps if step.at < ends_at))


def _ears(rng: random.Random) -> Ears:
    roles = [role for role, _ in _REACTING]
    role = rng.choices(roles, weights=[weight for _, weight in _REACTING])[0]
    return Ears(role, timedelta(seconds=rng.randrange(100, 800)))


def _rank(case: Case) -> int:
    """Return the place of a request in its team's queue, as priority would give it."""
    order = {Urgency.HIGH: 0, Urgency.MEDIUM: 1, Urgency.LOW: 2}
    width = {Impact.HIGH: 0, Impact.MEDIUM: 1, Impact.LOW: 2}
    return min(4, 1 + order[case.asked.urgency] + width[case.asked.impact])
