"""Who may not do a work item, and on whose authority somebody acts at it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router import domain
from services.router.domain import Actor, NoSuchPerson
from shared.vocabulary import WorkItemState

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import datetime

    from services.router.domain import Barred, Record, WorkItem
    from services.router.store import RouterWork


def actor(work: RouterWork, person: str, at: datetime) -> Actor:
    """Return a person with their teams and those they stand in for; raise `NoSuchPerson`."""
    repository = work.repository
    if not repository.has_person(person):
        raise NoSuchPerson(person=person)
    absent = repository.people.absent_of(person, at)
    principals = {each: repository.teams_of(each) for each in absent}
    return Actor(person, repository.teams_of(person), principals)


def is_in_charge(work: RouterWork, item: WorkItem, who: Actor) -> bool:
    """Whether somebody, or for whom they stand in, leads a team the work item belongs to."""
    teams = {*item.teams, work.record(item.request_id).team}
    return domain.in_charge(work.repository.people, teams, {who.person, *who.principals})


def barred(work: RouterWork, record: Record, item: WorkItem) -> Barred:
    """Return who may not do a work item, and why."""
    return barred_by(work, record, item.excludes)


def barred_by(work: RouterWork, record: Record, excludes: Collection[str]) -> Barred:
    """Return whom these words bar from a work item of a request's running instance, and why."""
    doers = work.doers(record) if domain.tasks_excluded(excludes) else ()
    return domain.barred(record, excludes, doers)


def is_guarded(work: RouterWork, item: WorkItem) -> bool:
    """Whether it must be known who did it: it bars somebody, or bars its doer from another."""
    record = work.record(item.request_id)
    is_running = item.instance_id == record.instance_id
    return bool(item.excludes) or (
        is_running and item.element_id in work.process_of(record).guarded
    )


def guarded_items(work: RouterWork, record: Record) -> list[tuple[WorkItem, Barred]]:
    """Return the open work items for which it matters who does them, with who may not."""
    found = [item for item in work.open_items(record) if is_guarded(work, item)]
    return [(item, barred(work, record, item)) for item in found]


def must_not_pass(
    work: RouterWork, guarded: Collection[tuple[WorkItem, Barred]], person: str | None
) -> None:
    """Raise where somebody's word on the request just did a work item that they may not do.

    `guarded` are the open work items for which that matters, with who was barred before.
    Raises `OwnDecision`, `FourEyes`; `Invalid` where nobody is named.
    """
    for item, bars in guarded:
        now = work.item(item.id)
        if now is None or now.state is not WorkItemState.COMPLETED:
            continue
        if item.excludes or not now.doers:
            domain.must_be_free(domain.must_name_who(person), bars)
