"""Work items: claimed, returned, handed on, completed by people."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.router import domain, events_out
from services.router.domain import (
    NoSuchPerson,
    NoSuchTeam,
    NoSuchWorkItem,
    NotYoursToHandOn,
    WorkItem,
    acts,
)
from services.router.domain.acts import Act
from services.router.handlers.assigning import propose
from services.router.handlers.barring import actor, barred, is_guarded, is_in_charge
from services.router.handlers.following import hand_on, put_in_hands
from services.router.handlers.steps import close, close_with_process, follow, record_step
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
    item = open_item(work, item_id)
    record = work.record(item.request_id)
    claimed = domain.claim(item, actor(work, person, at), barred(work, record, item))
    if claimed is item:
        return item
    claimed = put_in_hands(work, item, claimed, Act(acts.CLAIMED, at, person))
    if item.is_owners:
        record, facts = domain.assign(record, person, person)
        follow(work, record, facts, at)
    return claimed


def return_item(
    item_id: UUID, person: str, reason: str, at: datetime, work: RouterWork
) -> WorkItem:
    """Give a work item back to its teams, with the reason."""
    item = open_item(work, item_id)
    given = domain.give_back(item, person)
    given = work.acted(item, given, Act(acts.RETURNED, at, person, {"reason": reason}))
    event = said.WorkItemReturned(work_item_id=item.id, returned_by=person, reason=reason)
    work.publish(event, subject=item.request_id, occurred_at=at)
    _release(work, item, "returned", person, at)
    return given


def unclaim_item(item_id: UUID, person: str, at: datetime, work: RouterWork) -> WorkItem:
    """Put a work item back without a word: who holds it, or leads its team; done twice is once.

    Raises `NotYoursToPutBack`, `NoSuchPerson`.
    """
    item = open_item(work, item_id)
    who = actor(work, person, at)
    put = domain.unclaim(item, who, is_in_charge=is_in_charge(work, item, who))
    if put is item or item.assignee is None:
        return item
    put = work.acted(item, put, Act(acts.UNCLAIMED, at, person, {"from_person": item.assignee}))
    event = said.WorkItemUnclaimed(
        work_item_id=item.id, assignee=item.assignee, unclaimed_by=person
    )
    work.publish(event, subject=item.request_id, occurred_at=at)
    _release(work, item, "unclaimed", person, at)
    return put


def _release(work: RouterWork, item: WorkItem, reason: str, by: str | None, at: datetime) -> None:
    """Let the request go with its work, where who had the one owned the other; say so.

    The table of assignment may give it to somebody else of the team at once.
    """
    record = work.record(item.request_id)
    if item.is_owners and item.assignee is not None and record.assignee == item.assignee:
        record, facts = domain.release(record, reason, by)
        propose(work, follow(work, record, facts, at), at, gave_it_back=item.assignee)


@dataclass(frozen=True, slots=True)
class HandOn:
    """To whom a work item goes, why, and by whom, where that is told."""

    team: str
    person: str | None
    reason: str
    by: str | None = None


def delegate_item(item_id: UUID, to: HandOn, at: datetime, work: RouterWork) -> WorkItem:
    """Hand the work, and with it the request where it is the owner's, to another team or person.

    Raises `NotYoursToHandOn`, `NoSuchTeam`, `NoSuchPerson`, `DecisionNotDelegable`, `FourEyes`.
    """
    item = open_item(work, item_id)
    record = work.record(item.request_id)
    _must_be_possible(work, record, item, to, at)
    if not item.is_owners:
        domain.give_to(item, to.team, to.person)
        return hand_on(work, item, to.team, to.person, to.reason, at, by=to.by)
    if to.team == record.team:
        return _within_team(work, record, item, to, at)
    record, facts = domain.hand_over(record, to.team, to.reason, to.by)
    if to.person is not None:
        record, more = domain.assign(record, to.person, to.by)
        facts = (*facts, *more)
    propose(work, follow(work, record, facts, at), at)
    return work.item(item_id) or item


def _must_be_possible(
    work: RouterWork, record: Record, item: WorkItem, to: HandOn, at: datetime
) -> None:
    if not work.repository.has_team(to.team):
        raise NoSuchTeam(team=to.team)
    if to.person is not None:
        if not work.repository.has_person(to.person):
            raise NoSuchPerson(person=to.person)
        domain.must_be_free(to.person, barred(work, record, item))
    if to.by is not None:
        who = actor(work, to.by, at)
        if not domain.may_hand_on(item, who, is_in_charge=is_in_charge(work, item, who)):
            raise NotYoursToHandOn(person=to.by, work_item_id=item.id)


def _within_team(
    work: RouterWork, record: Record, item: WorkItem, to: HandOn, at: datetime
) -> WorkItem:
    """Hand it to a colleague, or back into the team's queue: the request's team stays."""
    given = hand_on(work, item, to.team, to.person, to.reason, at, by=to.by)
    if to.person is None:
        _release(work, item, "delegated", to.by, at)
        return given
    record, facts = domain.assign(record, to.person, to.by)
    follow(work, record, facts, at)
    return work.item(item.id) or given


def complete_item(
    item_id: UUID, person: str | None, result: Mapping[str, object], at: datetime, work: RouterWork
) -> WorkItem:
    """The work is done: the diagram goes on; a task that `completes` the request resolves it.

    Said again by who did it, it is done once.
    """
    found = work.item(item_id)
    if found is not None and person is not None and found.doers[:1] == (person,):
        return found
    item = open_item(work, item_id)
    record = work.record(item.request_id)
    if is_guarded(work, item):
        # Who did it bars them from another task: it has to be somebody.
        actor(work, domain.must_name_who(person or item.assignee), at)
    if item.excludes or item.is_of_authority:
        record, item, result = _by_authority(work, record, item, person, result, at)
    done = domain.complete(item, person)
    told = {"on_behalf_of": done.stands_in.get(done.assignee or "")}
    item = work.acted(item, done, Act(acts.COMPLETED, at, done.assignee, told))
    event = said.WorkItemCompleted(work_item_id=item.id, completed_by=person)
    work.publish(event, subject=record.id, occurred_at=at)
    step = work.instance(record).complete_user_task(item.task_id, dict(result), at)
    # A request it resolves is resolved by it, before its process can close it.
    record = record_step(work, record, step, at, closing=None)
    if item.completes == "resolved":
        resolution = str(result.get("resolution") or "solved")
        record, facts = domain.resolve(record, resolution, str(result.get("note") or ""), person)
        record = follow(work, record, facts, at)
    record = close_with_process(work, record, at)
    is_free = item.completes == domain.REVIEWED and record.closing is not None
    if is_free and record.state is not RequestState.CANCELLED:
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


def open_item(work: RouterWork, item_id: UUID) -> WorkItem:
    """Return an open work item; raise `NoSuchWorkItem`, `WorkItemEnded`."""
    item = work.item(item_id)
    if item is None:
        raise NoSuchWorkItem(work_item_id=item_id)
    domain.must_be_open(item)
    return item
