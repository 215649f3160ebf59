"""Work items: the human work that user tasks open, and who may take it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from uuid import UUID

from services.router.domain.barring import Barred, must_be_free
from services.router.domain.errors import (
    ActsForBarred,
    AlreadyClaimed,
    DecisionNotDelegable,
    NotACandidate,
    NotClaimedByYou,
    NotYoursToPutBack,
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
    #: Who may not do it, as the header `excludes` says: requester | decider | a user task.
    excludes: tuple[str, ...] = ()
    #: Deputy → whose authority it is, as it was when the work item opened.
    stands_in: Mapping[str, str] = field(default_factory=dict)
    #: Whether who takes it owns the request; False for decisions, reviews, others' share.
    is_owners: bool = True
    state: WorkItemState = WorkItemState.OPEN
    assignee: str | None = None
    #: How many acts its history has, and how many of these handed it on.
    acts: int = 0
    handovers: int = 0
    #: Whether anybody ever kept a draft of it.
    has_drafts: bool = False

    def with_drafts(self) -> WorkItem:
        """Return it as it stands once somebody has kept a draft of it."""
        return replace(self, has_drafts=True)

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
    def doers(self) -> tuple[str, ...]:
        """Who did it, and for whom, once it is completed."""
        if self.state is not WorkItemState.COMPLETED or self.assignee is None:
            return ()
        principal = self.stands_in.get(self.assignee)
        return (self.assignee,) if principal is None else (self.assignee, principal)

    @property
    def is_over(self) -> bool:
        """Whether nobody can do it any more."""
        return self.state in (WorkItemState.COMPLETED, WorkItemState.CANCELLED)


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody at a work item: their teams, and for whom they stand in at the moment."""

    person: str
    teams: frozenset[str] = frozenset()
    #: For whom they stand in → the teams of that person.
    principals: Mapping[str, frozenset[str]] = field(default_factory=dict)


_NOBODY: Barred = {}


def claim(item: WorkItem, actor: Actor, barred: Barred = _NOBODY) -> WorkItem:
    """Take the work item; candidates and their deputies only, and not out of another's hands.

    What somebody who is away has in their hands may be taken by who stands in for them.
    Raises `AlreadyClaimed`, `NotACandidate`, `OwnDecision`, `FourEyes`, `ActsForBarred`.
    """
    must_be_open(item)
    if item.assignee == actor.person:
        return item
    if item.assignee is not None and item.assignee not in actor.principals:
        raise AlreadyClaimed(work_item_id=item.id, assignee=item.assignee)
    taken = _standing_in(item, actor, barred)
    return replace(taken, state=WorkItemState.CLAIMED, assignee=actor.person)


def authorised(item: WorkItem, actor: Actor, barred: Barred = _NOBODY) -> WorkItem:
    """Return the item as this person may complete it: what is guarded by candidates only.

    Raises `NotACandidate`, `OwnDecision`, `FourEyes`, `ActsForBarred`.
    """
    must_be_free(actor.person, barred)
    if not (item.is_of_authority or item.excludes):
        return item
    if item.assignee == actor.person and item.stands_in.get(actor.person) not in barred:
        return item
    return _standing_in(item, actor, barred)


def _standing_in(item: WorkItem, actor: Actor, barred: Barred) -> WorkItem:
    """Return the item with whose authority it is that a candidate acts on."""
    person = actor.person
    must_be_free(person, barred)
    lent = item.stands_in.get(person)
    if actor.teams & set(item.teams) or (person in item.users and lent is None):
        return item
    able = [
        principal
        for principal, teams in sorted(actor.principals.items())
        if principal == item.assignee or principal in item.users or teams & set(item.teams)
    ]
    # Named when it opened: whoever comes back early may do it, and so may still their deputy.
    able = [lent, *able] if lent is not None and person in item.users else able
    # A deputy does not lend a hand to whoever is barred: it would be their own work again.
    free = [principal for principal in able if principal not in barred]
    if not able:
        teams = ", ".join((*item.teams, *item.users)) or "-"
        raise NotACandidate(person=person, teams=teams)
    if not free:
        raise ActsForBarred(person=person, principal=able[0])
    first = next((each for each in free if each == item.assignee or each in item.users), free[0])
    return replace(item, stands_in={**item.stands_in, person: first})


def _put_down(item: WorkItem) -> Mapping[str, str]:
    """Return who stands in for whom once nobody holds it: what was lent for this time is over."""
    return {d: p for d, p in item.stands_in.items() if d != item.assignee or d in item.users}


def give_back(item: WorkItem, person: str) -> WorkItem:
    """Return the work item to its teams."""
    must_be_open(item)
    if item.assignee != person:
        raise NotClaimedByYou(work_item_id=item.id, person=person)
    return replace(item, state=WorkItemState.OPEN, assignee=None, stands_in=_put_down(item))


def unclaim(item: WorkItem, actor: Actor, *, is_in_charge: bool) -> WorkItem:
    """Put it back to its teams; what nobody holds stays as it is.

    For who holds it, who stands in for them, and who is in charge of its team.
    Raises `NotYoursToPutBack`.
    """
    must_be_open(item)
    if item.assignee is None:
        return item
    if not is_in_charge and item.assignee not in (actor.person, *actor.principals):
        raise NotYoursToPutBack(work_item_id=item.id, person=actor.person, assignee=item.assignee)
    return replace(item, state=WorkItemState.OPEN, assignee=None, stands_in=_put_down(item))


def may_hand_on(item: WorkItem, actor: Actor, *, is_in_charge: bool) -> bool:
    """Whether somebody may give it to another: who holds it, could take it, or is in charge."""
    people = {actor.person, *actor.principals}
    teams = actor.teams.union(*actor.principals.values())
    is_theirs = item.assignee in people or bool(people & set(item.users))
    return is_in_charge or is_theirs or bool(teams & set(item.teams))


def give_to(item: WorkItem, team: str, person: str | None) -> WorkItem:
    """Let another team, or a person of it, do the work; a decision stays with its authority."""
    must_be_open(item)
    if item.decides:
        raise DecisionNotDelegable(work_item_id=item.id)
    return with_assignee(item, team, person)


def with_assignee(item: WorkItem, team: str, person: str | None) -> WorkItem:
    """Return the item as it stands after its request was given to a team or person."""
    state = WorkItemState.CLAIMED if person else WorkItemState.OPEN
    return replace(item, teams=(team,), users=(), state=state, assignee=person, stands_in={})


def complete(item: WorkItem, person: str | None) -> WorkItem:
    """The work is done; somebody else's claim is in the way."""
    must_be_open(item)
    if person is not None and item.assignee is not None and item.assignee != person:
        raise NotClaimedByYou(work_item_id=item.id, person=person)
    return replace(item, state=WorkItemState.COMPLETED, assignee=person or item.assignee)


def end(item: WorkItem, state: WorkItemState, by: str | None = None) -> WorkItem:
    """The diagram went on without it; `by` whose word it was, where that did the work."""
    return item if item.is_over else replace(item, state=state, assignee=by or item.assignee)


def must_be_open(item: WorkItem) -> None:
    """Raise `WorkItemEnded` for what nobody can do any more."""
    if item.is_over:
        raise WorkItemEnded(work_item_id=item.id, state=item.state.value)
