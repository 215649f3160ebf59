"""Work items: the human work that user tasks open, and who may take it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.router.domain.errors import (
    AlreadyClaimed,
    DecisionNotDelegable,
    NotACandidate,
    NotClaimedByYou,
    OwnDecision,
    WorkItemEnded,
)
from shared.vocabulary import WorkItemState

#: What the header `completes` says of a review.
REVIEWED = "reviewed"


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
    #: What completing it means for the request, from the task's header `completes`:
    #: resolved | reviewed.
    completes: str | None = None
    #: Whether completing it decides over levels or grants an exception (header `decides`).
    decides: bool = False
    #: Who may not do it, as the header `excludes` says: requester | decider.
    excludes: tuple[str, ...] = ()
    #: Deputy → whose authority it is, as it was when the work item opened.
    stands_in: Mapping[str, str] = field(default_factory=dict)
    #: Whether who takes it owns the request; False for decisions, reviews, others' share.
    is_owners: bool = True
    state: WorkItemState = WorkItemState.OPEN
    assignee: str | None = None

    @property
    def is_of_authority(self) -> bool:
        """Whether only its candidates may complete it: a decision, or a review."""
        return self.decides or self.completes == REVIEWED

    @property
    def purpose(self) -> str:
        """What kind of work it is: work | decision | review."""
        if self.decides:
            return "decision"
        return "review" if self.completes == REVIEWED else "work"

    @property
    def is_over(self) -> bool:
        """Whether nobody can do it any more."""
        return self.state in (WorkItemState.COMPLETED, WorkItemState.CANCELLED)


def claim(
    item: WorkItem,
    person: str,
    teams_of_person: frozenset[str],
    *,
    absent: Collection[str] = (),
    barred: Collection[str] = (),
) -> WorkItem:
    """Take the work item; candidates only, and not out of another's hands.

    `absent` are those for whom the person stands in at the moment, `barred` who may not do it.
    """
    _must_be_open(item)
    if item.assignee == person:
        return item
    if item.assignee is not None:
        raise AlreadyClaimed(work_item_id=item.id, assignee=item.assignee)
    _must_be_candidate(item, person, teams_of_person, absent, barred)
    return replace(
        item,
        state=WorkItemState.CLAIMED,
        assignee=person,
        stands_in=_standing_in(item, person, absent),
    )


def authorised(
    item: WorkItem,
    person: str,
    teams_of_person: frozenset[str],
    *,
    absent: Collection[str] = (),
    barred: Collection[str] = (),
) -> WorkItem:
    """Return the item as this person may complete it: decisions and reviews by candidates only.

    Raises `OwnDecision`, `NotACandidate`.
    """
    if person in barred:
        raise OwnDecision(person=person)
    if not item.is_of_authority or item.assignee == person:
        return item
    _must_be_candidate(item, person, teams_of_person, absent, barred)
    return replace(item, stands_in=_standing_in(item, person, absent))


def _must_be_candidate(
    item: WorkItem,
    person: str,
    teams_of_person: frozenset[str],
    absent: Collection[str],
    barred: Collection[str],
) -> None:
    if person in barred:
        raise OwnDecision(person=person)
    # A deputy does not lend a hand to whoever is barred: it would be their own decision again.
    principals = set(absent) - set(barred)
    named = {person, *principals} & set(item.users)
    if not named and not teams_of_person & set(item.teams):
        teams = ", ".join((*item.teams, *item.users)) or "-"
        raise NotACandidate(person=person, teams=teams)


def _standing_in(item: WorkItem, person: str, absent: Collection[str]) -> Mapping[str, str]:
    principal = next((user for user in item.users if user in absent), None)
    if person in item.users or principal is None:
        return item.stands_in
    return {**item.stands_in, person: principal}


def give_back(item: WorkItem, person: str) -> WorkItem:
    """Return the work item to its teams."""
    _must_be_open(item)
    if item.assignee != person:
        raise NotClaimedByYou(work_item_id=item.id, person=person)
    return replace(item, state=WorkItemState.OPEN, assignee=None)


def give_to(item: WorkItem, team: str, person: str | None) -> WorkItem:
    """Let another team, or a person of it, do the work; a decision stays with its authority."""
    _must_be_open(item)
    if item.decides:
        raise DecisionNotDelegable(work_item_id=item.id)
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
