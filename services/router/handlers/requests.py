"""Requests: routed when submitted, changed by people, heard of from intake."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from services.router import domain, events_out
from services.router.domain import TRIAGE, LaneNotDrawn, Move, NoSuchPerson, NoSuchTeam, Record
from services.router.handlers import barring, lanes
from services.router.handlers.assigning import propose
from services.router.handlers.incidents import note_fault
from services.router.handlers.steps import follow, move_to_lane, record_step
from shared.events import router as said
from shared.vocabulary import AuthorKind, Impact, Lane, Priority, RequestState, Urgency

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from services.router.store import RouterWork
    from services.router.workflow import Step
    from shared.events.base import Envelope
    from shared.events.intake import (
        MessagePosted,
        RequestConfirmed,
        RequestReopenedByRequester,
        RequestSubmitted,
        RequestUpdated,
        RequestWithdrawn,
    )

ChangeKind = Literal[
    "assign",
    "hand_over",
    "wait",
    "resume",
    "resolve",
    "reopen",
    "close",
    "cancel",
    "change_lane",
]


@dataclass(frozen=True, slots=True)
class Change:
    """What a person does to a request; fields beside `kind` as the kind needs them."""

    kind: ChangeKind
    at: datetime
    by: str | None = None
    team: str | None = None
    assignee: str | None = None
    reason: str = ""
    note: str = ""
    lane: Lane | None = None
    #: Whether the caller's key may, naming nobody, do what is for those in charge of the team.
    is_operator: bool = False


def route_request(event: Envelope[RequestSubmitted], work: RouterWork) -> None:
    """Classify, choose lane and owner by tables, start the process."""
    if work.find(event.request_id) is not None:
        return
    data = event.data
    context = domain.context_of(
        number=data.number,
        requester=data.requester.id,
        request_type=data.request_type,
        domain=data.domain,
        organisation_unit=data.organisation_unit,
        channel=data.channel,
        customer_tier=data.requester.tier,
        urgency=data.urgency,
        impact=data.impact,
        language=data.language,
        title=data.title,
        form=data.form,
    )
    at = event.occurred_at
    choice = lanes.choose(work, context, at, is_import=data.is_import)
    instance_id = work.new_id("instance")
    step = work.start(choice.process, instance_id, event.request_id, {"request": context}, at)
    record = Record(
        id=event.request_id,
        number=data.number,
        state=RequestState.OPEN,
        lane=choice.lane,
        priority=_priority(step.data.get("priority")),
        team=_team(work, step.data.get("team")),
        submitted_at=at,
        process=choice.process,
        process_version=work.repository.process(choice.process).version,
        instance_id=instance_id,
        context=context,
        is_import=data.is_import,
        review=domain.OWED if choice.is_review_owed else None,
    )
    work.keep(record)
    explanations = [*choice.explanations, *_explanations(step)]
    routed = events_out.routed(record, data.requester.tier, explanations)
    work.publish(routed, subject=record.id, occurred_at=at)
    begun = said.ProcessStarted(
        instance_id=instance_id, process=choice.process, version=record.process_version
    )
    work.publish(begun, subject=record.id, occurred_at=at)
    if choice.fault is not None:
        note_fault(work, record, "lane", "lane", "lane-not-chosen", choice.fault, at)
    propose(work, record_step(work, record, step, at), at)


def update_request(event: Envelope[RequestUpdated], work: RouterWork) -> None:
    """Decide priority and lane again when what they depend on was corrected."""
    record, data = work.record(event.request_id), event.data
    named = data.model_dump(
        mode="json", include={"urgency", "impact", "title", "form"}, exclude_none=True
    )
    before, context = record.context, {**record.context, **named}
    record = replace(record, context=context)
    work.keep(record)
    if data.urgency is not None or data.impact is not None:
        record = _set_priority(work, record, event.occurred_at)
    if context != before:
        _set_lane(work, record, before, event.occurred_at)


def _set_priority(work: RouterWork, record: Record, at: datetime) -> Record:
    context = record.context
    urgency, impact = Urgency(context["urgency"]), Impact(context["impact"])
    inputs = {"request": context, "urgency": urgency.value, "impact": impact.value}
    result, explanation = work.repository.evaluate("priority", inputs, at)
    record, facts = domain.change_priority(record, _priority(result))
    for fact in facts:
        told = events_out.fact(fact, [explanation])
        work.publish(told, subject=record.id, occurred_at=at)
    work.keep(record)
    return record


def _set_lane(work: RouterWork, record: Record, before: Mapping[str, Any], at: datetime) -> Record:
    """Follow the table where the correction changed its answer; else what people chose stays."""
    if record.state not in (RequestState.OPEN, RequestState.WAITING) or record.is_import:
        return record
    old, new = lanes.choose(work, before, at), lanes.choose(work, record.context, at)
    if new.fault is not None:
        note_fault(work, record, "lane", "lane", "lane-not-chosen", new.fault, at)
    elif new.lane not in (old.lane, record.lane):
        return propose(work, move_to_lane(work, record, new, Move("corrected", "rule"), at), at)
    return record


def withdraw_request(event: Envelope[RequestWithdrawn], work: RouterWork) -> None:
    """The requester no longer wants it."""
    record, facts = domain.cancel(work.record(event.request_id), "withdrawn")
    follow(work, record, facts, event.occurred_at)


def confirm_request(event: Envelope[RequestConfirmed], work: RouterWork) -> None:
    """The requester agrees: a resolved request closes."""
    record = work.record(event.request_id)
    if record.state is RequestState.RESOLVED:
        record, facts = domain.close(record, "confirmed")
        follow(work, record, facts, event.occurred_at)


def reopen_request(event: Envelope[RequestReopenedByRequester], work: RouterWork) -> None:
    """The requester says it is not solved."""
    record = work.record(event.request_id)
    if record.state is RequestState.CANCELLED:
        return
    record, facts = domain.reopen(record, event.data.reason)
    follow(work, record, facts, event.occurred_at)


def note_message(event: Envelope[MessagePosted], work: RouterWork) -> None:
    """An answer the team waited for ends the wait; the diagram hears of effective responses."""
    record, data = work.record(event.request_id), event.data
    at = event.occurred_at
    if data.author is AuthorKind.REQUESTER and record.waiting_reason == "requester":
        record, facts = domain.resume(record)
        follow(work, record, facts, at)
    elif data.author is AuthorKind.AGENT and data.is_effective and not data.is_automatic:
        instance = work.instance(record)
        step = None if instance.is_ended else instance.correlate("responded", {}, at)
        if step is not None:
            record_step(work, record, step, at)


def apply_change(request_id: UUID, change: Change, work: RouterWork) -> Record:
    """Do to a request what a person wants done; return it as it is then.

    Raises `RequestNotRouted`, `BeforeSubmission`, `AlreadyCancelled`, `NoSuchTeam`,
    `NoSuchPerson`, `FourEyes`, `DecisionPending`, `ReviewOwed`, `NotInThisState`, `NotYourLane`,
    `OwnDecision`, `LaneNotDrawn`.
    """
    record = work.record(request_id)
    domain.must_be_after_submission(record, change.at)
    if change.kind == "change_lane":
        return _change_lane(work, record, change)
    domain.must_not_end_yet(record, work.open_items(record), change.kind)
    guarded = barring.guarded_items(work, record)
    record, facts = _changed(work, record, change)
    record = follow(work, record, facts, change.at)
    barring.must_not_pass(work, guarded, change.by)
    return propose(work, record, change.at) if change.kind == "hand_over" else record


def _change_lane(work: RouterWork, record: Record, change: Change) -> Record:
    """Move a request to the lane a person with the right asks for; the same lane is nothing."""
    lane = change.lane
    assert lane is not None, "the edge lets no change of lane in without its lane"
    domain.must_be_movable(record)
    if change.by is not None or not change.is_operator:
        domain.must_be_allowed_to_move(record, lane, change.by, work.repository.people, change.at)
    if lane is record.lane:
        return record
    choice = lanes.choose(work, record.context, change.at, requested=lane)
    if choice.fault is not None:
        raise LaneNotDrawn(lane=lane.value, fault=choice.fault)
    move = Move(change.reason, "person", change.by)
    return propose(work, move_to_lane(work, record, choice, move, change.at), change.at)


def _changed(work: RouterWork, record: Record, change: Change) -> domain.Outcome:
    if change.kind == "assign":
        _must_exist(work, change.assignee)
        _must_have_a_share(work, record, change.assignee or "")
        return domain.assign(record, change.assignee or "", change.by)
    if change.kind == "hand_over":
        return _handed_over(work, record, change)
    return _RULES[change.kind](record, change)


#: What each kind of change means, where the record alone decides.
_RULES: dict[ChangeKind, Callable[[Record, Change], domain.Outcome]] = {
    "wait": lambda r, c: domain.wait(r, c.reason or "requester", c.note),
    "resume": lambda r, _: domain.resume(r),
    "resolve": lambda r, c: domain.resolve(r, c.reason or "solved", c.note, c.by),
    "reopen": lambda r, c: domain.reopen(r, c.reason or "not_solved"),
    "close": lambda r, c: domain.close(r, c.reason or "agent", c.by),
    "cancel": lambda r, c: domain.cancel(r, c.reason or "cancelled"),
}


def _handed_over(work: RouterWork, record: Record, change: Change) -> domain.Outcome:
    team = change.team or ""
    if not work.repository.has_team(team):
        raise NoSuchTeam(team=team)
    record, facts = domain.hand_over(record, team, change.reason, change.by)
    if change.assignee is not None:
        _must_exist(work, change.assignee)
        _must_have_a_share(work, record, change.assignee)
        record, more = domain.assign(record, change.assignee, change.by)
        facts = (*facts, *more)
    return record, facts


def _must_have_a_share(work: RouterWork, record: Record, person: str) -> None:
    """Raise where somebody would own a request of which they may do nothing that is open."""
    bars = [barring.barred(work, record, i) for i in work.open_items(record) if i.is_owners]
    if bars and all(person in each for each in bars):
        domain.must_be_free(person, bars[0])


def _must_exist(work: RouterWork, person: str | None) -> None:
    if person is None or not work.repository.has_person(person):
        raise NoSuchPerson(person=person)


def _priority(decided: object) -> Priority:
    """Return the priority a table decided; P3 when no row matched or the diagram asked none."""
    try:
        return Priority(str(decided))
    except ValueError:
        return Priority.P3


def _team(work: RouterWork, decided: object) -> str:
    """Return the owner a table decided; the visible triage queue when there is no such team."""
    team = str(decided) if decided else TRIAGE
    return team if work.repository.has_team(team) else TRIAGE


def _explanations(step: Step) -> list[dict[str, Any]]:
    return [d.explanation for d in step.decisions if isinstance(d.explanation, dict)]
