"""Work items: claimed, returned, handed on, completed by people."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router import domain
from services.router.domain import NoSuchPerson, NoSuchTeam, NoSuchWorkItem, WorkItem
from services.router.handlers.steps import follow, record_step
from shared.events import router as said
from shared.vocabulary import RequestState

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime
    from uuid import UUID

    from services.router.store import RouterWork


def claim_item(item_id: UUID, person: str, at: datetime, work: RouterWork) -> WorkItem:
    """Take a work item: one named person owns the request from now on."""
    item = _item(work, item_id)
    if not work.repository.has_person(person):
        raise NoSuchPerson(person=person)
    claimed = domain.claim(item, person, work.repository.teams_of(person))
    if claimed is item:
        return item
    work.keep_item(claimed)
    event = said.WorkItemClaimed(work_item_id=item.id, assignee=person)
    work.publish(event, subject=item.request_id, occurred_at=at)
    record, facts = domain.assign(work.record(item.request_id), person, person)
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
    record, facts = domain.hand_over(work.record(item.request_id), team, reason)
    if person is not None:
        record, more = domain.assign(record, person)
        facts = (*facts, *more)
    follow(work, record, facts, at)
    return _item(work, item_id)


def complete_item(
    item_id: UUID, person: str | None, result: Mapping[str, object], at: datetime, work: RouterWork
) -> WorkItem:
    """The work is done: the diagram goes on; a task that `completes` the request resolves it."""
    item = domain.complete(_item(work, item_id), person)
    record = work.record(item.request_id)
    work.keep_item(item)
    event = said.WorkItemCompleted(work_item_id=item.id, completed_by=person)
    work.publish(event, subject=record.id, occurred_at=at)
    step = work.instance(record).complete_user_task(item.task_id, dict(result), at)
    record = record_step(work, record, step, at)
    if item.completes == "resolved":
        resolution = str(result.get("resolution") or "solved")
        record, facts = domain.resolve(record, resolution, str(result.get("note") or ""), person)
        record = follow(work, record, facts, at)
    if step.is_ended and record.state is not RequestState.CANCELLED:
        record, facts = domain.close(record, "process")
        follow(work, record, facts, at)
    return item


def _item(work: RouterWork, item_id: UUID) -> WorkItem:
    item = work.item(item_id)
    if item is None:
        raise NoSuchWorkItem(work_item_id=item_id)
    return item
