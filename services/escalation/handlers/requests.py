"""What the router says about a request: who owns it, and when it is over."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.domain import NOT_ROUTED, without_kind
from services.escalation.handlers.answering import acknowledge_from_log
from services.escalation.handlers.climbing import end, lose_causes, request_of, trigger

if TYPE_CHECKING:
    from datetime import datetime

    from services.escalation.store import EscalationWork
    from shared.events.base import Envelope
    from shared.events.router import (
        RequestAssigned,
        RequestCancelled,
        RequestClosed,
        RequestHandedOver,
        RequestPriorityChanged,
        RequestReopened,
        RequestResolved,
        RequestRouted,
        RequestUnassigned,
    )


def hear_routed(event: Envelope[RequestRouted], work: EscalationWork) -> None:
    """The request has an owner: nobody needs to be told that it has none."""
    said = event.data
    known = request_of(work, event.subject)
    request = replace(
        known,
        number=said.number,
        team=said.team,
        assignee=None,
        priority=said.priority,
        is_import=said.is_import,
    )
    work.keep_request(request)
    running = work.running(request.id)
    if running is not None:
        left = without_kind(running.causes, NOT_ROUTED)
        lose_causes(work, running, left, "routed", event.occurred_at)


def hear_assigned(event: Envelope[RequestAssigned], work: EscalationWork) -> None:
    """One person owns it: steps for members tell that one from now on."""
    said = event.data
    request = request_of(work, event.subject)
    work.keep_request(replace(request, team=said.team, assignee=said.assignee))
    acknowledge_from_log(work, request.id, said.assignee, event.occurred_at)


def hear_handed_over(event: Envelope[RequestHandedOver], work: EscalationWork) -> None:
    """Another team owns it: its people are told from now on, on the policy it began with."""
    request = request_of(work, event.subject)
    work.keep_request(replace(request, team=event.data.to_team, assignee=None))
    acknowledge_from_log(work, request.id, event.data.from_assignee, event.occurred_at)


def hear_unassigned(event: Envelope[RequestUnassigned], work: EscalationWork) -> None:
    """Nobody owns it by name any more: steps for members tell all of the team again."""
    request = request_of(work, event.subject)
    work.keep_request(replace(request, team=event.data.team, assignee=None))


def hear_priority_changed(event: Envelope[RequestPriorityChanged], work: EscalationWork) -> None:
    """The matter is more or less pressing."""
    request = request_of(work, event.subject)
    work.keep_request(replace(request, priority=event.data.new))


def hear_resolved(event: Envelope[RequestResolved], work: EscalationWork) -> None:
    """It is solved: nobody needs to be told any more."""
    acknowledge_from_log(work, UUID(event.subject), event.data.resolved_by, event.occurred_at)
    _is_over(work, event.subject, "resolved", event.occurred_at)


def hear_closed(event: Envelope[RequestClosed], work: EscalationWork) -> None:
    """Nothing runs any more."""
    _is_over(work, event.subject, "closed", event.occurred_at)


def hear_cancelled(event: Envelope[RequestCancelled], work: EscalationWork) -> None:
    """It ends unsolved."""
    _is_over(work, event.subject, "cancelled", event.occurred_at)


def hear_reopened(event: Envelope[RequestReopened], work: EscalationWork) -> None:
    """It goes on: what the clock said after the end, before this arrived, counts now."""
    request = request_of(work, event.subject)
    late = request.late_causes
    reopened = replace(request, over_at=None, late_causes=())
    work.keep_request(reopened)
    for cause in late:
        if cause.at >= event.occurred_at:
            trigger(work, reopened, cause)


def _is_over(work: EscalationWork, subject: str, reason: str, at: datetime) -> None:
    request = request_of(work, subject)
    over_at, running = request.over_at or at, work.running(request.id)
    # What came about after this end shows that a reopening is on its way; it will count then.
    late = () if running is None else tuple(c for c in running.causes if c.at > over_at)
    over = replace(request, over_at=over_at, late_causes=(*request.late_causes, *late))
    work.keep_request(over)
    if running is not None:
        end(work, running, reason, at)
