"""A due moment: the next people are told."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import datetime
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation import events_out
from services.escalation.domain import Climb, Escalation, Request, climb, is_current, moment_of
from services.escalation.handlers.climbing import arm_next, notify, request_of

if TYPE_CHECKING:
    from services.escalation.store import EscalationWork
    from shared.database.timers import Timer

_log = logging.getLogger(__name__)

#: How often a step looks, a second apart, for what other services are about to say (whether the
#: request is an import, who the people are) before it goes on with what is known.
_LOOKS = 60


def take_step(timer: Timer, work: EscalationWork) -> None:
    """Tell the people whose turn it is; a timer of an earlier epoch does nothing."""
    request = request_of(work, timer.key)
    running = work.running(request.id)
    payload = timer.payload
    place = (int(payload["tier"]), int(payload["repeat"]))
    if running is None or not is_current(running, UUID(timer.name), payload["epoch"], place):
        return
    planned_at = datetime.fromisoformat(payload["at"])
    looks = int(payload["looks"])
    if looks < _LOOKS and _is_something_coming(work, request, running):
        arm_next(work, running, looks + 1)
        return
    at = moment_of(planned_at, work.now, is_import=bool(request.is_import))
    plan = work.in_force.plan(running.policy, running.policy_version)
    _record(work, request, running, climb(running, plan, work.in_force.directory, request, at), at)


def _record(
    work: EscalationWork, request: Request, before: Escalation, climbed: Climb, at: datetime
) -> None:
    for telling in climbed.tellings:
        step = telling.step
        work.publish(events_out.stepped(before, telling), subject=request.id, occurred_at=at)
        step_id = events_out.step_id(before, step.tier, step.repeat)
        work.add_step(step_id, before, telling, at)
        if telling.reached.told:
            notify(work, request, events_out.tell_step(before, request, telling, at), at)
        # A log is full of people who have left long ago: its holes stand in the steps only.
        has_hole = telling.reached.dropped or not telling.reached.told
        if has_hole and not request.is_import:
            _report_hole(request, before, step.tier, telling.reached.dropped)
    after = climbed.escalation
    if climbed.exhausted is not None:
        after = _say_exhausted(work, request, climbed, at)
    work.keep(after)
    arm_next(work, after)


def _say_exhausted(
    work: EscalationWork, request: Request, climbed: Climb, at: datetime
) -> Escalation:
    escalation, reached = climbed.escalation, climbed.exhausted
    assert reached is not None
    tiers = work.in_force.plan(escalation.policy, escalation.policy_version).tiers
    if not escalation.is_exhaustion_said:
        duty = next((told.person for told in reached.told if told.role == "duty"), None)
        event = events_out.exhausted(escalation, tiers, duty)
        work.publish(event, subject=request.id, occurred_at=at)
    command = events_out.tell_exhausted(escalation, request, reached.told, tiers, at)
    notify(work, request, command, at)
    if not reached.told and not request.is_import:
        _log.warning("%s: no one answered and nobody is left to be told", request.name)
    told = tuple(dict.fromkeys((*escalation.told, *(t.person for t in reached.told))))
    return replace(escalation, told=told, is_exhaustion_said=True)


def _is_something_coming(work: EscalationWork, request: Request, running: Escalation) -> bool:
    """Return whether something is on its way that decides who is told, or if at all.

    What a clock says proves that the router has spoken of the request: it may be an import,
    about which nobody must be told.
    """
    by_clock = any(cause.clock_id is not None for cause in running.causes)
    return (by_clock and not request.is_routed) or not work.in_force.directory.is_known


def _report_hole(
    request: Request, escalation: Escalation, tier: int, dropped: tuple[object, ...]
) -> None:
    _log.warning(
        "%s: tier %d of policy %s reached fewer people than it names: %s",
        request.name,
        tier,
        escalation.policy,
        dropped or "it is empty",
    )
