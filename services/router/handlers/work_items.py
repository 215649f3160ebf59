"""Work items: claimed, returned, handed on, completed by people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router import domain, events_out
from services.router.domain import NoSuchPerson, NoSuchTeam, NoSuchWorkItem, WorkItem
from services.router.handlers.assigning import propose
from services.router.handlers.barring import actor, barred, is_guarded
from services.router.handlers.steps import close, follow, is_over, record_step
from shared.events import router as said
from shared.vocabulary import RequestState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from services.router.domain import Record
    from services.router.store import RouterWork


def claim_item(item_id: UUID, person: str, at: datetime, work: RouterWork) -> WorkItem:
    """Take a work item: who takes the owning team's work owns the request from now on."""
    item = _item(work, item_id)
    record = work.record(item.request_id)
    claimed = domain.claim(item, actor(work, person, at), barred(work, record, item))
    if claimed is item:
        return item
    work.keep_item(claimed)
    event = said.WorkItemClaimed(
        work_item_id=item.id, assignee=person, on_behalf_of=claimed.stands_in.get(person)
    )
    work.publish(event, subject=item.request_id, occurred_at=at)
    if item.is_owners:
        record, facts = domain.assign(record, person, person)
        follow(work, record, facts, at)
    return claimed


def return_item(
    item_id: UUID, person: str, reason: str, at: datetime, work: RouterWork
) -> WorkItem:
    """Give a work item back to its teams, with the reason."""
    item = domain.give_back(_item(work, item_id), person)
    work.keep_item(item)
    event = said.WorkItemReturned(work_item_id=item.id, returned_by=person, reason=reason)
    work.publish(event, subject=item.request_id, occurred_at=at)
    if item.is_owners:
        work.keep(domain.release(work.record(item.request_id)))
    return item


def delegate_item(
    item_id: UUID, team: str, person: str | None, reason: str, at: datetime, work: RouterWork
) -> WorkItem:
    """Hand the work, and with it the request, to another team or person."""
    item = _item(work, item_id)
    if not work.repository.has_team(team):
        raise NoSuchTeam(team=team)
    if person is not None and not work.repository.has_person(person):
        raise NoSuchPerson(person=person)
    record = work.record(item.request_id)
    if person is not None:
        domain.must_be_free(person, barred(work, record, item))
    if not item.is_owners:
        return _delegate_share(work, item, team, person, reason, at)
    record, facts = domain.hand_over(record, team, reason)
    if person is not None:
        record, more = domain.assign(record, person)
        facts = (*facts, *more)
    propose(work, follow(work, record, facts, at), at)
    return work.item(item_id) or item


def complete_item(
    item_id: UUID, person: str | None, result: Mapping[str, object], at: datetime, work: RouterWork
) -> WorkItem:
    """The work is done: the diagram goes on; a task that `completes` the request resolves it.

    Said again by who did it, it is done once.
    """
    found = work.item(item_id)
    if found is not None and person is not None and found.doers[:1] == (person,):
        return found
    item = _item(work, item_id)
    record = work.record(item.request_id)
    if is_guarded(work, item):
        # Who did it bars them from another task: it has to be somebody.
        actor(work, domain.must_name_who(person or item.assignee), at)
    if item.excludes or item.is_of_authority:
        record, item, result = _by_authority(work, record, item, person, result, at)
    item = domain.complete(item, person)
    work.keep_item(item)
    event = said.WorkItemCompleted(work_item_id=item.id, completed_by=person)
    work.publish(event, subject=record.id, occurred_at=at)
    step = work.instance(record).complete_user_task(item.task_id, dict(result), at)
    instance_id = record.instance_id
    record = record_step(work, record, step, at)
    if item.completes == "resolved":
        resolution = str(result.get("resolution") or "solved")
        record, facts = domain.resolve(record, resolution, str(result.get("note") or ""), person)
        record = follow(work, record, facts, at)
    is_free = item.completes == domain.REVIEWED and record.closing is not None
    if (
        is_over(work, record, instance_id) or is_free
    ) and record.state is not RequestState.CANCELLED:
        close(work, record, "process", at)
    return item


def _by_authority(
    work: RouterWork,
    record: Record,
    item: WorkItem,
    person: str | None,
    result: Mapping[str, object],
    at: datetime,
) -> tuple[Record, WorkItem, Mapping[str, object]]:
    """Check who completes a decision or review and with what; announce a decision.

    The diagram hears of a decision what was checked, and who took it.
    """
    person = domain.must_name_who(person)
    item = domain.authorised(item, actor(work, person, at), barred(work, record, item))
    if item.decides:
        decision = domain.decision_of(result)
        asked = work.asked_of(record, item)
        told = events_out.decided(record, item, decision, person, asked)
        work.publish(told, subject=record.id, occurred_at=at)
        record = domain.decided(record, person, is_approved=decision.is_approved)
        told_diagram = {"decision": decision.word, "reason": decision.reason, "decided_by": person}
        result = {**result, **told_diagram}
    elif item.completes == domain.REVIEWED:
        result = {**result, "conclusion": domain.conclusion_of(result), "reviewed_by": person}
        record = domain.reviewed(record)
    work.keep(record)
    return record, item, result


def _delegate_share(
    work: RouterWork, item: WorkItem, team: str, person: str | None, reason: str, at: datetime
) -> WorkItem:
    """Hand on another's share of the work; the request stays where it is."""
    given = domain.give_to(item, team, person)
    work.keep_item(given)
    event = said.WorkItemDelegated(
        work_item_id=item.id, to_team=team, to_assignee=person, reason=reason
    )
    work.publish(event, subject=item.request_id, occurred_at=at)
    return given


def _item(work: RouterWork, item_id: UUID) -> WorkItem:
    """Return an open work item; raise `NoSuchWorkItem`, `WorkItemEnded`."""
    item = work.item(item_id)
    if item is None:
        raise NoSuchWorkItem(work_item_id=item_id)
    domain.must_be_open(item)
    return item
