"""Open work items follow their request and their diagram: claimed, handed on, ended with them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router import domain
from services.router.domain import acts
from services.router.domain.acts import Act
from services.router.handlers.barring import barred
from shared.events import router as said
from shared.vocabulary import WorkItemState

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.domain import Fact, Record, WorkItem
    from services.router.store import RouterWork
    from services.router.workflow import Step


def items_follow(work: RouterWork, record: Record, fact: Fact, at: datetime) -> None:
    """Let the owning team's open work items go where the request goes."""
    for item in work.open_items(record):
        if not item.is_owners:
            continue
        match fact:
            case domain.HandedOver():
                hand_on(work, item, fact.to_team, None, fact.reason, at, by=fact.by)
            case domain.Assigned(team, assignee) if item.assignee != assignee:
                # Who may not do it owns the request, and this piece of it is for somebody else.
                if assignee not in barred(work, record, item):
                    cause = fact.how.strategy if fact.how else "assigned"
                    given = domain.with_assignee(item, team, assignee)
                    put_in_hands(work, item, given, Act(acts.CLAIMED, at, fact.by), cause)
            case _:
                pass


def claim_for_owner(work: RouterWork, record: Record, at: datetime) -> None:
    """Put the open work of the owning team into the hands of who owns the request."""
    if record.assignee is None:
        return
    for item in work.open_items(record):
        if item.assignee is not None or item.instance_id != record.instance_id:
            continue
        if item.is_owners and record.assignee not in barred(work, record, item):
            given = domain.give_to(item, record.team, record.assignee)
            put_in_hands(work, item, given, Act(acts.CLAIMED, at), "assigned")


def put_in_hands(
    work: RouterWork, before: WorkItem, after: WorkItem, act: Act, cause: str | None = None
) -> WorkItem:
    """Keep a work item that somebody has now, and announce it."""
    person = after.assignee or ""
    principal = after.stands_in.get(person)
    told = {
        "person": person,
        "on_behalf_of": principal,
        "from_person": before.assignee,
        "cause": cause,
    }
    after = work.acted(before, after, Act(act.kind, act.at, act.by, told))
    event = said.WorkItemClaimed(work_item_id=after.id, assignee=person, on_behalf_of=principal)
    work.publish(event, subject=after.request_id, occurred_at=act.at)
    return after


def hand_on(
    work: RouterWork,
    item: WorkItem,
    team: str,
    person: str | None,
    reason: str,
    at: datetime,
    *,
    by: str | None,
) -> WorkItem:
    """Give a work item to another team or person, and announce it with the reason."""
    told = {"team": team, "person": person, "from_person": item.assignee, "reason": reason}
    given = domain.with_assignee(item, team, person)
    given = work.acted(item, given, Act(acts.DELEGATED, at, by, told))
    event = said.WorkItemDelegated(
        work_item_id=item.id,
        to_team=team,
        to_assignee=person,
        reason=reason,
        delegated_by=by,
        from_assignee=item.assignee,
        handovers=given.handovers,
    )
    work.publish(event, subject=item.request_id, occurred_at=at)
    return given


def end_items(
    work: RouterWork,
    record: Record,
    step: Step,
    state: WorkItemState,
    reason: str,
    at: datetime,
    by: str | None = None,
) -> None:
    """End the work items whose user tasks are gone; `by` whose word that was, if it did them."""
    gone = set(step.user_tasks_gone)
    for item in work.open_items(record):
        if item.task_id not in gone or item.instance_id != record.instance_id:
            continue
        ended = domain.end(item, state, by)
        if state is WorkItemState.COMPLETED:
            told = {"cause": reason, "on_behalf_of": ended.stands_in.get(ended.assignee or "")}
            work.acted(item, ended, Act(acts.COMPLETED, at, ended.assignee, told))
            done = said.WorkItemCompleted(work_item_id=item.id, completed_by=ended.assignee)
            work.publish(done, subject=record.id, occurred_at=at)
        else:
            work.acted(item, ended, Act(acts.CANCELLED, at, None, {"reason": reason}))
            over = said.WorkItemCancelled(work_item_id=item.id, reason=reason)
            work.publish(over, subject=record.id, occurred_at=at)


def ending(fact: Fact, message: str) -> tuple[WorkItemState, str]:
    """Return how work items end when this fact moves the diagram on without their completion."""
    if isinstance(fact, domain.Resolved):
        return WorkItemState.COMPLETED, "resolved"
    return WorkItemState.CANCELLED, message
