"""The router's announcements: from its own terms to the published contracts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.router import domain
from shared.events import router as said
from shared.events.router import Explanation

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from services.router.domain import Assigned, Decision, Fact, Move, Record, WorkItem
    from services.router.workflow import Step
    from shared.events.base import EventData
    from shared.vocabulary import Lane


def routed(
    record: Record, customer_tier: str, explanations: Iterable[dict[str, Any]]
) -> said.RequestRouted:
    """Announce that a request has a lane, an owner and a process."""
    context = record.context
    return said.RequestRouted(
        number=record.number,
        request_type=context["request_type"],
        domain=context["domain"],
        organisation_unit=context["organisation_unit"],
        channel=context["channel"],
        customer_tier=customer_tier,
        priority=record.priority,
        lane=record.lane,
        team=record.team,
        submitted_at=record.submitted_at,
        process=record.process,
        process_version=record.process_version,
        instance_id=record.instance_id,
        is_triage=record.team == domain.TRIAGE,
        is_import=record.is_import,
        explanation=explained(explanations),
    )


def explained(explanations: Iterable[dict[str, Any]]) -> tuple[Explanation, ...]:
    """Return decisions' explanations as events carry them."""
    return tuple(Explanation.model_validate(told) for told in explanations)


def fact(told: Fact, explanations: Iterable[dict[str, Any]] = ()) -> EventData:  # noqa: C901
    """Return the event of a fact: one line each."""
    match told:
        case domain.Assigned():
            return _assigned(told)
        case domain.HandedOver():
            return said.RequestHandedOver(
                from_team=told.from_team,
                to_team=told.to_team,
                from_assignee=told.from_assignee,
                reason=told.reason,
                handovers=told.handovers,
                is_counted=told.is_counted,
                handed_over_by=told.by,
            )
        case domain.Unassigned(team, person, reason, by):
            return said.RequestUnassigned(
                team=team, from_assignee=person, reason=reason, unassigned_by=by
            )
        case domain.WaitingStarted(reason, note):
            return said.RequestWaitingStarted(reason=reason, note=note)
        case domain.WaitingEnded(reason):
            return said.RequestWaitingEnded(reason=reason)
        case domain.Resolved(resolution, note, by):
            return said.RequestResolved(resolution=resolution, note=note, resolved_by=by)
        case domain.Reopened(reason, reopenings):
            return said.RequestReopened(reason=reason, reopenings=reopenings)
        case domain.Closed(reason):
            return said.RequestClosed(reason=reason)
        case domain.ClosingDeferred(reason):
            return said.RequestClosingDeferred(reason=reason, waits_for="review")
        case domain.Cancelled(reason):
            return said.RequestCancelled(reason=reason)
        case domain.PriorityChanged(old, new):
            return said.RequestPriorityChanged(
                old=old, new=new, explanation=explained(explanations)
            )


def _assigned(told: Assigned) -> said.RequestAssigned:
    how = told.how
    return said.RequestAssigned(
        team=told.team,
        assignee=told.assignee,
        assigned_by=told.by,
        strategy=how.strategy if how else None,
        considered=tuple(
            said.Considered(
                person=one.person,
                load=one.load,
                capacity=one.capacity,
                ruled_out=one.ruled_out,
            )
            for one in (how.considered if how else ())
        ),
        explanation=explained([dict(how.explanation)] if how else []),
    )


def opened(item: WorkItem) -> said.WorkItemOpened:
    """Announce a work item."""
    return said.WorkItemOpened(
        work_item_id=item.id,
        instance_id=item.instance_id,
        element_id=item.element_id,
        name=dict(item.names),
        candidate_teams=item.teams,
        candidate_users=item.users,
        form=item.form,
        purpose=item.purpose,
    )


def decided(
    record: Record, item: WorkItem, decision: Decision, person: str, asked: Mapping[str, object]
) -> said.RequestDecided:
    """Announce a decision; `asked` are the variables its user task had (level, is_final)."""
    level = asked.get("level")
    return said.RequestDecided(
        lane=record.lane,
        decision=decision.word,
        reason=decision.reason,
        decided_by=person,
        on_behalf_of=item.stands_in.get(person),
        level=int(level) if isinstance(level, int | float) else None,
        is_final=asked.get("is_final") is not False,
        work_item_id=item.id,
        element_id=item.element_id,
    )


def lane_changed(
    old: Lane, record: Record, move: Move, explanations: Iterable[dict[str, Any]]
) -> said.RequestLaneChanged:
    """Announce that a request goes on in another lane."""
    return said.RequestLaneChanged(
        old=old,
        new=record.lane,
        reason=move.reason,
        cause=move.cause,
        changed_by=move.by,
        process=record.process,
        instance_id=record.instance_id,
        explanation=explained(explanations),
    )


def moved(record: Record, step: Step) -> said.ProcessMoved:
    """Announce what one move of the diagram did, and what nobody in the diagram took up."""
    return said.ProcessMoved(
        instance_id=record.instance_id,
        completed=step.completed,
        active=step.active,
        escalations=tuple(
            said.Thrown(
                element_id=thrown.element_id,
                code=thrown.code,
                name=thrown.name,
                is_handled=thrown.is_handled,
            )
            for thrown in step.escalations
        )
        or None,
        ambiguous=step.ambiguous or None,
    )
