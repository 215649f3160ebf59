"""Work items: the human work that user tasks open, and who may take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.router.domain.errors import (
    AlreadyClaimed,
    NotACandidate,
    NotClaimedByYou,
    WorkItemEnded,
)
from shared.vocabulary import WorkItemState


@dataclass(frozen=True, slots=True)
class WorkItem:
    """One piece of human work a user task opened."""

    id: UUID
    request_id: UUID
    instance_id: UUID
    task_id: int
    element_id: str
    names: Mapping[str, str]
    teams: tuple[str, ...]
    users: tuple[str, ...]
    opened_at: datetime
    form: str | None = None
    due_at: datetime | None = None
    #: What completing it means for the request, from the task's header `completes`.
    completes: str | None = None
    state: WorkItemState = WorkItemState.OPEN
    assignee: str | None = None

    @property
    def is_over(self) -> bool:
        """Whether nobody can do it any more."""
        return self.state in (WorkItemState.COMPLETED, WorkItemState.CANCELLED)


def claim(item: WorkItem, person: str, teams_of_person: frozenset[str]) -> WorkItem:
    """Take the work item; candidates only, and not out of another's hands."""
    _must_be_open(item)
    if item.assignee == person:
        return item
    if item.assignee is not None:
        raise AlreadyClaimed(work_item_id=item.id, assignee=item.assignee)
    if person not in item.users and not teams_of_person & set(item.teams):
        raise NotACandidate(person=person, teams=", ".join(item.teams) or "-")
    return replace(item, state=WorkItemState.CLAIMED, assignee=person)


def give_back(item: WorkItem, person: str) -> WorkItem:
    """Return the work item to its teams."""
    _must_be_open(item)
    if item.assignee != person:
        raise NotClaimedByYou(work_item_id=item.id, person=person)
    return replace(item, state=WorkItemState.OPEN, assignee=None)


def give_to(item: WorkItem, team: str, person: str | None) -> WorkItem:
    """Let another team, or a person of it, do the work."""
    _must_be_open(item)
    state = WorkItemState.CLAIMED if person else WorkItemState.OPEN
    return replace(item, teams=(team,), users=(), state=state, assignee=person)


def complete(item: WorkItem, person: str | None) -> WorkItem:
    """The work is done; somebody else's claim is in the way."""
    _must_be_open(item)
    if person is not None and item.assignee is not None and item.assignee != person:
        raise NotClaimedByYou(work_item_id=item.id, person=person)
    return replace(item, state=WorkItemState.COMPLETED, assignee=person or item.assignee)


def end(item: WorkItem, state: WorkItemState) -> WorkItem:
    """The diagram went on without it."""
    return item if item.is_over else replace(item, state=state)


def _must_be_open(item: WorkItem) -> None:
    if item.is_over:
        raise WorkItemEnded(work_item_id=item.id, state=item.state.value)
