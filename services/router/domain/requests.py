"""The router's rules: in which state a request is, who owns it, and what may happen next.

Real cases are unruly: whatever people report is accepted in any state and brought into an order
that makes sense (a resolution ends a wait, work on a resolved request reopens it); only what ended
for good refuses. Rules are functions from a record to a new record and the facts to announce.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Any
from uuid import UUID

from services.router.domain.assigning import Considered
from services.router.domain.errors import AlreadyCancelled, BeforeSubmission
from shared.vocabulary import Impact, Lane, Priority, RequestState, Urgency

#: The visible queue for requests no table row names an owner for; it always exists.
TRIAGE = "triage"

#: Values of `Record.review`.
OWED, DONE = "owed", "done"

_DONE = (RequestState.RESOLVED, RequestState.CLOSED)


@dataclass(frozen=True, slots=True)
class Record:
    """One request as the router knows it; moments are UTC."""

    id: UUID
    number: str
    state: RequestState
    lane: Lane
    priority: Priority
    team: str
    submitted_at: datetime
    process: str
    process_version: int
    instance_id: UUID
    #: What tables and diagrams see of it.
    context: Mapping[str, Any] = field(default_factory=dict)
    assignee: str | None = None
    #: Why it waits; None while it does not.
    waiting_reason: str | None = None
    handovers: int = 0
    reopenings: int = 0
    is_import: bool = False
    #: Whether it must be reviewed before it can end: None (no), OWED, DONE.
    review: str | None = None
    #: What would have closed it already, were its review not owed.
    closing: str | None = None
    #: Who approved a decision over levels or an exception, in order.
    deciders: tuple[str, ...] = ()
    #: What the table of assignment said and nobody has done yet.
    assignment: Mapping[str, Any] | None = None


@dataclass(frozen=True, slots=True)
class How:
    """How the table of assignment came to a person."""

    strategy: str
    considered: tuple[Considered, ...]
    explanation: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Assigned:
    """One named person owns it now."""

    team: str
    assignee: str
    by: str | None
    #: How the table of assignment chose; None when a person or a diagram did.
    how: How | None = None


@dataclass(frozen=True, slots=True)
class HandedOver:
    """Another team owns it now."""

    from_team: str
    to_team: str
    from_assignee: str | None
    reason: str
    handovers: int
    is_counted: bool
    by: str | None = None


@dataclass(frozen=True, slots=True)
class Unassigned:
    """Nobody owns it by name any more; `reason`: returned | unclaimed | delegated."""

    team: str
    from_assignee: str
    reason: str
    by: str | None = None


@dataclass(frozen=True, slots=True)
class WaitingStarted:
    """It waits."""

    reason: str
    note: str


@dataclass(frozen=True, slots=True)
class WaitingEnded:
    """It no longer waits."""

    reason: str


@dataclass(frozen=True, slots=True)
class Resolved:
    """It is solved."""

    resolution: str
    note: str
    by: str | None


@dataclass(frozen=True, slots=True)
class Reopened:
    """It was not solved."""

    reason: str
    reopenings: int


@dataclass(frozen=True, slots=True)
class Closed:
    """It is over."""

    reason: str


@dataclass(frozen=True, slots=True)
class ClosingDeferred:
    """It would be over, were its review done."""

    reason: str


@dataclass(frozen=True, slots=True)
class Cancelled:
    """It ends unsolved."""

    reason: str


@dataclass(frozen=True, slots=True)
class PriorityChanged:
    """Another priority applies."""

    old: Priority
    new: Priority


Fact = (
    Assigned
    | HandedOver
    | Unassigned
    | WaitingStarted
    | WaitingEnded
    | Resolved
    | Reopened
    | Closed
    | ClosingDeferred
    | Cancelled
    | PriorityChanged
)
Outcome = tuple[Record, tuple[Fact, ...]]


def assign(
    record: Record, person: str, by: str | None = None, *, how: How | None = None
) -> Outcome:
    """Give the request to one named person of the owning team; naming the same again is nothing."""
    _must_live(record)
    if record.assignee == person:
        return record, ()
    return replace(record, assignee=person), (Assigned(record.team, person, by, how),)


def release(record: Record, reason: str, by: str | None = None) -> Outcome:
    """Take the request back into the team's queue; what is there stays there."""
    if record.assignee is None:
        return record, ()
    fact = Unassigned(record.team, record.assignee, reason, by)
    return replace(record, assignee=None), (fact,)


def hand_over(record: Record, team: str, reason: str, by: str | None = None) -> Outcome:
    """Give the request to another team; leaving the triage queue is routing and is not counted."""
    _must_live(record)
    if team == record.team:
        return record, ()
    is_counted = record.team != TRIAGE
    handovers = record.handovers + is_counted
    fact = HandedOver(record.team, team, record.assignee, reason, handovers, is_counted, by)
    return replace(record, team=team, assignee=None, handovers=handovers), (fact,)


def wait(record: Record, reason: str, note: str = "") -> Outcome:
    """Nothing can be done until somebody answers; a resolved request is reopened first."""
    record, facts = _open_again(record, "waiting")
    if record.waiting_reason == reason:
        return record, facts
    if record.waiting_reason is not None:
        facts = (*facts, WaitingEnded(record.waiting_reason))
    waiting = replace(record, state=RequestState.WAITING, waiting_reason=reason)
    return waiting, (*facts, WaitingStarted(reason, note))


def resume(record: Record) -> Outcome:
    """Go on after a wait; without one nothing happens."""
    _must_live(record)
    if record.waiting_reason is None:
        return record, ()
    fact = WaitingEnded(record.waiting_reason)
    return replace(record, state=RequestState.OPEN, waiting_reason=None), (fact,)


def resolve(record: Record, resolution: str, note: str = "", by: str | None = None) -> Outcome:
    """Solve it; an open wait ends at the same moment, so that no clock stays paused."""
    _must_live(record)
    if record.state in _DONE:
        return record, ()
    record, facts = resume(record)
    solved = replace(record, state=RequestState.RESOLVED)
    return solved, (*facts, Resolved(resolution, note, by))


def reopen(record: Record, reason: str) -> Outcome:
    """Work on it again; on a request that is open nothing happens."""
    return _open_again(record, reason)


def close(record: Record, reason: str, by: str | None = None) -> Outcome:
    """End it for good, or note that its review is in the way; what was not resolved is by this."""
    _must_live(record)
    if record.state is RequestState.CLOSED:
        return record, ()
    record, facts = resolve(record, "closed", by=by)
    if record.review == OWED:
        if record.closing is not None:
            return record, facts
        return replace(record, closing=reason), (*facts, ClosingDeferred(reason))
    return replace(record, state=RequestState.CLOSED, closing=None), (*facts, Closed(reason))


def cancel(record: Record, reason: str) -> Outcome:
    """End it unsolved; repeated or after closing nothing happens.

    What was decided over levels, or granted as an exception, is reviewed whatever becomes of the
    request: it is resolved with this reason instead, and closes after its review.
    """
    if record.state in (RequestState.CANCELLED, RequestState.CLOSED):
        return record, ()
    if record.review == OWED and record.deciders:
        record, facts = resolve(record, reason)
        record, more = close(record, reason)
        return record, (*facts, *more)
    record, facts = resume(record)
    return replace(record, state=RequestState.CANCELLED), (*facts, Cancelled(reason))


def owe_review(record: Record) -> Record:
    """Let it not end before it is reviewed."""
    return replace(record, review=OWED)


def enter_lane(
    record: Record,
    lane: Lane,
    process: str,
    *,
    is_review_owed: bool,
    instance_id: UUID,
    version: int,
) -> Record:
    """Let it go on in another lane, on an instance of its own.

    A review stays owed for what was decided before; one that only the lane left behind asked for
    does not.
    """
    owes = is_review_owed or bool(record.deciders)
    return replace(
        record,
        lane=lane,
        process=process,
        process_version=version,
        instance_id=instance_id,
        review=OWED if owes else None,
        closing=None,
    )


def decided(record: Record, person: str, *, is_approved: bool) -> Record:
    """Note a decision over levels or on an exception: an approved one owes a review."""
    if not is_approved:
        return record
    return replace(record, review=OWED, deciders=(*record.deciders, person))


def reviewed(record: Record) -> Record:
    """Its review is done."""
    return replace(record, review=DONE)


def change_priority(record: Record, priority: Priority) -> Outcome:
    """Let another priority apply from now on."""
    if record.priority is priority:
        return record, ()
    fact = PriorityChanged(record.priority, priority)
    return replace(record, priority=priority), (fact,)


def _open_again(record: Record, reason: str) -> Outcome:
    _must_live(record)
    if record.state not in _DONE:
        return record, ()
    opened = replace(
        record,
        state=RequestState.OPEN,
        reopenings=record.reopenings + 1,
        closing=None,
        # The lane begins anew after the end, and with it what the lane owes.
        review=OWED if record.review == DONE else record.review,
    )
    return opened, (Reopened(reason, opened.reopenings),)


def must_be_after_submission(record: Record, at: datetime) -> None:
    """Raise `BeforeSubmission` for what is said to have happened before the request existed."""
    if at < record.submitted_at:
        told = record.submitted_at.isoformat()
        raise BeforeSubmission(number=record.number, submitted_at=told)


def _must_live(record: Record) -> None:
    if record.state is RequestState.CANCELLED:
        raise AlreadyCancelled(number=record.number)


def context_of(
    *,
    number: str,
    requester: str,
    request_type: str,
    domain: str,
    organisation_unit: str | None,
    channel: str,
    customer_tier: str,
    urgency: Urgency,
    impact: Impact,
    language: str,
    title: str,
    form: Mapping[str, Any],
) -> dict[str, Any]:
    """Return what tables and diagrams see of a request, under the name `request`."""
    return {
        "number": number,
        "requester": requester,
        "request_type": request_type,
        "domain": domain,
        "organisation_unit": organisation_unit,
        "channel": channel,
        "customer_tier": customer_tier,
        "urgency": urgency.value,
        "impact": impact.value,
        "language": language,
        "title": title,
        "form": dict(form),
    }
