"""What intake and the router say of requests."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.insight.domain import entries
from services.insight.domain.entries import Described
from services.insight.domain.followers import IncidentEntry
from services.insight.handlers.telling import tell

if TYPE_CHECKING:
    from services.insight.handlers.port import Work
    from shared.events import intake, router
    from shared.events.base import Envelope


def _described(data: intake.RequestSubmitted | router.RequestRouted) -> Described:
    return Described(
        data.number, data.request_type, data.domain, data.organisation_unit, data.channel
    )


def submitted(event: Envelope[intake.RequestSubmitted], work: Work) -> None:
    """Note what was posted."""
    data = event.data
    entry = entries.post(
        work.request(event.subject),
        _described(data),
        source=data.source,
        external_id=data.external_id,
        title=data.title,
        at=event.occurred_at,
    )
    work.keep_request(entry)
    tell(event, work)


def updated(event: Envelope[intake.RequestUpdated], work: Work) -> None:
    """Note another title."""
    if event.data.title is not None:
        work.keep_request(replace(work.request(event.subject), title=event.data.title))
    tell(event, work)


def rated(event: Envelope[intake.RequestRated], work: Work) -> None:
    """Note how the requester rates the result."""
    work.keep_request(replace(work.request(event.subject), rating=event.data.score))
    tell(event, work)


def routed(event: Envelope[router.RequestRouted], work: Work) -> None:
    """Note lane and owner."""
    data = event.data
    entry = entries.route(
        work.request(event.subject),
        _described(data),
        priority=data.priority.value,
        lane=data.lane.value,
        team=data.team,
        is_triage=data.is_triage,
        submitted_at=data.submitted_at,
    )
    work.keep_request(entry)
    tell(event, work)


def priority_changed(event: Envelope[router.RequestPriorityChanged], work: Work) -> None:
    """Note another priority."""
    work.keep_request(replace(work.request(event.subject), priority=event.data.new.value))
    tell(event, work)


def lane_changed(event: Envelope[router.RequestLaneChanged], work: Work) -> None:
    """Note another lane."""
    work.keep_request(replace(work.request(event.subject), lane=event.data.new.value))
    tell(event, work)


def assigned(event: Envelope[router.RequestAssigned], work: Work) -> None:
    """Note who owns it."""
    data = event.data
    work.keep_request(entries.assign(work.request(event.subject), data.team, data.assignee))
    tell(event, work)


def handed_over(event: Envelope[router.RequestHandedOver], work: Work) -> None:
    """Note the new team."""
    data = event.data
    entry = entries.hand_over(work.request(event.subject), data.to_team, data.handovers)
    work.keep_request(entry)
    tell(event, work)


def unassigned(event: Envelope[router.RequestUnassigned], work: Work) -> None:
    """Note that it is in its team's queue again."""
    work.keep_request(entries.unassign(work.request(event.subject), event.data.team))
    tell(event, work)


def waiting_started(event: Envelope[router.RequestWaitingStarted], work: Work) -> None:
    """Note the wait."""
    work.keep_request(entries.wait(work.request(event.subject), event.data.reason))
    tell(event, work)


def waiting_ended(event: Envelope[router.RequestWaitingEnded], work: Work) -> None:
    """Note that the wait is over."""
    work.keep_request(entries.resume(work.request(event.subject)))
    tell(event, work)


def resolved(event: Envelope[router.RequestResolved], work: Work) -> None:
    """Note that it is solved."""
    work.keep_request(entries.resolve(work.request(event.subject), event.occurred_at))
    tell(event, work)


def reopened(event: Envelope[router.RequestReopened], work: Work) -> None:
    """Note that it was not solved after all."""
    work.keep_request(entries.reopen(work.request(event.subject), event.data.reopenings))
    tell(event, work)


def closed(event: Envelope[router.RequestClosed], work: Work) -> None:
    """Note that it is over."""
    work.keep_request(entries.close(work.request(event.subject), event.occurred_at))
    tell(event, work)


def cancelled(event: Envelope[router.RequestCancelled], work: Work) -> None:
    """Note that it ended unsolved."""
    work.keep_request(entries.cancel(work.request(event.subject), event.occurred_at))
    tell(event, work)


def incident_raised(event: Envelope[router.IncidentRaised], work: Work) -> None:
    """Note a process that cannot go on by itself."""
    data = event.data
    work.keep_incident(
        IncidentEntry(
            id=str(data.incident_id),
            request_id=event.subject,
            element_id=data.element_id,
            code=data.code,
            raised_at=event.occurred_at,
        )
    )
    tell(event, work)


def incident_resolved(event: Envelope[router.IncidentResolved], work: Work) -> None:
    """Note that the process goes on."""
    incident = work.incident(str(event.data.incident_id))
    if incident is not None:
        work.keep_incident(replace(incident, resolved_at=event.occurred_at))
    tell(event, work)
