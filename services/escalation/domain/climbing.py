"""One due moment of an escalation: whom it reaches, which tiers are empty, what comes next."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.escalation.domain.escalations import Escalation
from services.escalation.domain.people import Directory, Reached, reach
from services.escalation.domain.plans import Plan, Step
from services.escalation.domain.requests import Request
from shared.vocabulary import EscalationState

#: Later than this a step counts from now on, so that after an outage each tier still has the
#: time the policy gives it, instead of being told all at once.
_LATE = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class Telling:
    """One step as it was taken; `reached.told` is empty where nobody could be told."""

    step: Step
    reached: Reached
    next_at: datetime | None


@dataclass(frozen=True, slots=True)
class Climb:
    """What a due moment led to; `exhausted` holds whom "no one answered" goes to, at the end."""

    escalation: Escalation
    tellings: tuple[Telling, ...]
    exhausted: Reached | None = None


def is_current(
    escalation: Escalation | None, escalation_id: UUID, epoch: int, place: tuple[int, int]
) -> bool:
    """Return whether a timer still means anything to the escalation of its request."""
    return (
        escalation is not None
        and escalation.id == escalation_id
        and escalation.is_climbing
        and escalation.epoch == epoch
        and escalation.next_place == place
    )


def moment_of(planned_at: datetime, now: datetime, *, is_import: bool) -> datetime:
    """Return the moment a step counts as taken: as planned, unless people hear of it later.

    What is computed from a log keeps the moments of the log.
    """
    return planned_at if is_import or now - planned_at <= _LATE else now


def climb(
    escalation: Escalation, plan: Plan, directory: Directory, request: Request, at: datetime
) -> Climb:
    """Take the step that is due, and those above it while nobody can be told.

    An empty tier is passed at once; an empty repeat waits for the next step, since somebody was
    told before. Behind the last step nobody has answered.
    """
    if escalation.next_place is None or escalation.next_at is None:
        raise AssertionError("a climb without a next step")
    step = plan.at(escalation.next_place)
    begun_at = at - step.after
    tellings: list[Telling] = []
    while not step.is_end:
        reached = reach(directory, step.selectors, request.team, request.assignee, at)
        is_passed = not reached.told and step.repeat == 0
        following = plan.first_above(step.tier) if is_passed else plan.following(step)
        if is_passed:
            begun_at = at - following.after
        next_at = None if following.is_end else begun_at + following.after
        tellings.append(Telling(step, reached, next_at))
        escalation = _told(escalation, step, reached)
        step = following
        if not is_passed:
            return Climb(_waiting(escalation, step, begun_at), tuple(tellings))
    exhausted = replace(escalation, state=EscalationState.EXHAUSTED, next_place=None, next_at=None)
    last = plan.at((plan.tiers, 0))
    reached = reach(directory, ("duty", *last.selectors), request.team, request.assignee, at)
    return Climb(exhausted, tuple(tellings), reached)


def _told(escalation: Escalation, step: Step, reached: Reached) -> Escalation:
    people = [entry.person for entry in reached.told]
    told = tuple(dict.fromkeys((*escalation.told, *people)))
    return replace(escalation, tier=max(escalation.tier, step.tier), told=told)


def _waiting(escalation: Escalation, step: Step, begun_at: datetime) -> Escalation:
    next_at = begun_at + step.after
    return replace(escalation, begun_at=begun_at, next_place=step.place, next_at=next_at)
