"""Who would be told and when: the climb of a policy played on paper."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from services.escalation.domain.causes import REQUESTED, Cause
from services.escalation.domain.climbing import climb
from services.escalation.domain.escalations import begin
from services.escalation.domain.people import Directory, Reached
from services.escalation.domain.plans import plan_of
from services.escalation.domain.requests import Request
from shared.definitions.models import EscalationPolicy
from shared.vocabulary import Priority

_NOBODY = UUID(int=0)


@dataclass(frozen=True, slots=True)
class PreviewedStep:
    """One moment of the climb; `is_end` marks "no one answered" and whom that goes to."""

    at: datetime
    tier: int
    repeat: int
    reached: Reached
    is_end: bool = False


def preview(
    policy: EscalationPolicy,
    directory: Directory,
    at: datetime,
    team: str,
    assignee: str | None = None,
) -> tuple[PreviewedStep, ...]:
    """Return every step a trigger at `at` leads to while nobody acknowledges.

    The same rules climb here as at work, with today's directory and its known absences.
    """
    plan = plan_of(policy)
    request = Request(_NOBODY, team=team, assignee=assignee)
    cause = Cause(REQUESTED, at)
    running = begin(_NOBODY, _NOBODY, (policy.key, 0), plan, cause, team, Priority.P2)
    steps: list[PreviewedStep] = []
    while running.next_at is not None:
        moment = running.next_at
        climbed = climb(running, plan, directory, request, moment)
        steps += [
            PreviewedStep(moment, telling.step.tier, telling.step.repeat, telling.reached)
            for telling in climbed.tellings
        ]
        if climbed.exhausted is not None:
            end = plan.steps[-1]
            steps.append(PreviewedStep(moment, end.tier, 0, climbed.exhausted, is_end=True))
        running = climbed.escalation
    return tuple(steps)
