"""What the router says of a request: its state, its owner, its work items.

Events about a request that was never posted here (another installation's database restored) are
passed over: there is nobody to show them to.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.intake import events_out
from services.intake.domain import standing as rules
from services.intake.handlers import watching
from services.intake.handlers.facts import fact_of

if TYPE_CHECKING:
    from services.intake.domain.standing import Standing
    from services.intake.domain.values import Request
    from services.intake.handlers.port import Work
    from shared.events.base import Envelope, EventData
    from shared.events.router import (
        RequestAssigned,
        RequestCancelled,
        RequestClosed,
        RequestClosingDeferred,
        RequestHandedOver,
        RequestLaneChanged,
        RequestPriorityChanged,
        RequestReopened,
        RequestResolved,
        RequestRouted,
        RequestUnassigned,
        RequestWaitingEnded,
        RequestWaitingStarted,
    )


def route(event: Envelope[RequestRouted], work: Work) -> None:
    """The request has a lane, an owner team and a process."""
    request, data = work.request(event.subject), event.data
    if request is not None:
        new = rules.routed(
            request.standing,
            event.occurred_at,
            priority=data.priority.value,
            lane=data.lane.value,
            team=data.team,
            is_triage=data.is_triage,
            process=data.process,
            process_version=data.process_version,
        )
        watching.stop(request.id, work)
        _keep(event, request, new, work)


def reprioritise(event: Envelope[RequestPriorityChanged], work: Work) -> None:
    """Another priority applies."""
    if (request := work.request(event.subject)) is not None:
        new = rules.reprioritised(request.standing, event.data.new.value)
        _keep(event, request, new, work)


def change_lane(event: Envelope[RequestLaneChanged], work: Work) -> None:
    """The request goes on in another lane."""
    if (request := work.request(event.subject)) is not None:
        data = event.data
        _keep(event, request, rules.in_lane(request.standing, data.new.value, data.process), work)


def hold(event: Envelope[RequestClosingDeferred], work: Work) -> None:
    """It would be closed, were its review done."""
    if (request := work.request(event.subject)) is not None:
        _keep(event, request, rules.held(request.standing, event.data.waits_for), work)


def assign(event: Envelope[RequestAssigned], work: Work) -> None:
    """One named person owns it."""
    if (request := work.request(event.subject)) is not None:
        new = rules.assigned(request.standing, event.data.team, event.data.assignee)
        _keep(event, request, new, work)


def hand_over(event: Envelope[RequestHandedOver], work: Work) -> None:
    """Another team owns it."""
    if (request := work.request(event.subject)) is not None:
        new = rules.handed_over(request.standing, event.data.to_team, event.data.handovers)
        _keep(event, request, new, work)


def unassign(event: Envelope[RequestUnassigned], work: Work) -> None:
    """It is in its team's queue again."""
    if (request := work.request(event.subject)) is not None:
        new = rules.unassigned(request.standing, event.data.team)
        _keep(event, request, new, work)


def wait(event: Envelope[RequestWaitingStarted], work: Work) -> None:
    """Somebody outside must answer first."""
    if (request := work.request(event.subject)) is not None:
        new = rules.waiting(request.standing, event.occurred_at, event.data.reason)
        _keep(event, request, new, work)


def go_on(event: Envelope[RequestWaitingEnded], work: Work) -> None:
    """The wait is over."""
    if (request := work.request(event.subject)) is not None:
        _keep(event, request, rules.going_on(request.standing, event.occurred_at), work)


def resolve(event: Envelope[RequestResolved], work: Work) -> None:
    """It is solved in the agent's opinion."""
    if (request := work.request(event.subject)) is not None:
        data = event.data
        new = rules.resolved(request.standing, event.occurred_at, data.resolution, data.note)
        _keep(event, request, new, work)


def reopen(event: Envelope[RequestReopened], work: Work) -> None:
    """It was not solved after all."""
    if (request := work.request(event.subject)) is not None:
        new = rules.reopened(request.standing, event.occurred_at, event.data.reopenings)
        _keep(event, request, new, work)


def close(event: Envelope[RequestClosed], work: Work) -> None:
    """Nothing runs any more."""
    if (request := work.request(event.subject)) is not None:
        new = rules.closed(request.standing, event.occurred_at, event.data.reason)
        _keep(event, request, new, work)


def cancel(event: Envelope[RequestCancelled], work: Work) -> None:
    """It ends unsolved, perhaps without ever having been routed."""
    if (request := work.request(event.subject)) is not None:
        watching.stop(request.id, work)
        new = rules.cancelled(request.standing, event.occurred_at, event.data.reason)
        _keep(event, request, new, work)


def note(event: Envelope[EventData], work: Work) -> None:
    """What changes no state and still belongs in the timeline: work items, incidents."""
    if work.request(event.subject) is not None:
        work.record(fact_of(event))


def _keep(event: Envelope[EventData], request: Request, new: Standing, work: Work) -> None:
    """Keep the new standing and its fact; tell the caller's webhook when the state changed."""
    old, kept = request.standing, replace(request, standing=new)
    work.keep(kept)
    work.record(fact_of(event))
    if new.state is old.state or kept.callback is None or kept.is_import:
        return
    told = events_out.status_changed(kept, old, work.new_id("status"), event.occurred_at)
    work.publish(told, subject=kept.id, occurred_at=event.occurred_at)
