"""Raising, arming and ending: what several handlers do to an escalation."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.escalation import events_out
from services.escalation.domain import (
    Cause,
    Escalation,
    NoSuchPerson,
    Request,
    attach,
    begin,
    close,
    starts,
)
from shared.vocabulary import Priority

if TYPE_CHECKING:
    from datetime import datetime

    from services.escalation.store import EscalationWork

_log = logging.getLogger(__name__)

#: Owns what nobody else does (contract of escalation.requested).
TRIAGE = "triage"
STEP = "step"
#: Between two looks of a step that waits for what other services are about to say.
LOOK_AGAIN = timedelta(seconds=1)


def trigger(
    work: EscalationWork, request: Request, cause: Cause, policy_key: str | None = None
) -> Escalation | None:
    """Tell people of a cause, or add it to what they are being told of.

    A new escalation climbs the policy named, or the team's; one that runs keeps its own.
    Returns the escalation it led to, None where the policy wants nobody told or the request is
    over. Raises `PolicyUnknown` while there is no policy at all.
    """
    work.keep_request(request)
    if request.over_at is not None:
        _put_by(work, request, cause)
        return None
    running = work.running(request.id)
    if running is None:
        return _raise(work, request, cause, policy_key)
    policy = work.in_force.policy(running.policy, running.policy_version)
    if not starts(policy, cause):
        return None
    plan = work.in_force.plan(running.policy, running.policy_version)
    grown = attach(running, cause, plan)
    work.keep(grown)
    if grown.epoch != running.epoch:
        arm_next(work, grown)
    return grown


def arm_next(work: EscalationWork, escalation: Escalation, looks: int = 0) -> None:
    """Arm the timer of the next step, or disarm it.

    A step that waits for what is on its way is looked at again, for the `looks`-th time.
    """
    name = str(escalation.id)
    if escalation.next_place is None or escalation.next_at is None:
        work.disarm(STEP, escalation.request_id, name)
        return
    tier, repeat = escalation.next_place
    payload: dict[str, Any] = {
        "epoch": escalation.epoch,
        "tier": tier,
        "repeat": repeat,
        # A step that waits for something keeps the moment it was planned for.
        "at": escalation.next_at.isoformat(),
        "looks": looks,
    }
    due_at = work.now + LOOK_AGAIN if looks else escalation.next_at
    work.arm(STEP, escalation.request_id, name, due_at, payload)


def notify(work: EscalationWork, request: Request, command: Any, at: datetime) -> None:
    """Ask notify to tell people, unless the request was computed from a log."""
    if not request.is_import and command.recipients:
        work.publish(command, subject=request.id, occurred_at=at)


def end(work: EscalationWork, escalation: Escalation, reason: str, at: datetime) -> None:
    """End an escalation; whoever was called and not relieved yet hears that it is over."""
    request = work.request(escalation.request_id)
    if escalation.is_unanswered:
        work.publish(events_out.released(escalation, reason), subject=request.id, occurred_at=at)
    work.publish(events_out.closed(escalation, reason), subject=request.id, occurred_at=at)
    if escalation.is_unanswered:
        told = events_out.tell_over(escalation, request, escalation.told, reason, at)
        notify(work, request, told, at)
    ended = close(escalation, reason, at)
    work.keep(ended)
    arm_next(work, ended)


def lose_causes(
    work: EscalationWork,
    escalation: Escalation,
    left: tuple[Cause, ...],
    reason: str,
    at: datetime,
) -> None:
    """Keep the causes that are left; an escalation without any is over."""
    if not left:
        end(work, escalation, reason, at)
    elif left != escalation.causes:
        work.keep(replace(escalation, causes=left))


def _raise(
    work: EscalationWork, request: Request, cause: Cause, policy_key: str | None
) -> Escalation | None:
    team = request.team or TRIAGE
    key, version = work.in_force.of_team(team)
    if policy_key is not None and (newest := work.in_force.version_of(policy_key)) is not None:
        key, version = policy_key, newest
    elif policy_key is not None:
        _log.warning("an escalation names the unknown policy %s: %s applies", policy_key, key)
    if not starts(work.in_force.policy(key, version), cause):
        return None
    known = work.in_force.directory.teams.get(team)
    if known is not None and policy_key is None and known.policy != key:
        _log.warning("team %s names the unknown policy %s: %s applies", team, known.policy, key)
    raised = begin(
        work.new_id(f"escalation/{request.id}"),
        request.id,
        (key, version),
        work.in_force.plan(key, version),
        cause,
        team,
        request.priority or Priority.P2,
    )
    work.keep(raised)
    work.publish(events_out.raised(raised), subject=request.id, occurred_at=cause.at)
    arm_next(work, raised)
    return raised


def _put_by(work: EscalationWork, request: Request, cause: Cause) -> None:
    """Keep a cause later than the end that was heard of: a reopening must be on its way."""
    assert request.over_at is not None
    if cause.at > request.over_at:
        work.keep_request(replace(request, late_causes=(*request.late_causes, cause)))


def must_be_known(work: EscalationWork, person: str) -> None:
    """Raise `NoSuchPerson` for somebody a known directory does not have."""
    directory = work.in_force.directory
    if directory.is_known and person not in directory.people:
        raise NoSuchPerson(person)


def request_of(work: EscalationWork, subject: str) -> Request:
    """Return the request a message is about, as far as it is known."""
    return work.request(UUID(subject))
