"""Requests: routed when submitted, changed by people, heard of from intake."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from services.router import domain, events_out
from services.router.domain import TRIAGE, NoSuchPerson, NoSuchTeam, Record
from services.router.handlers.steps import follow, record_step
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
    "assign", "hand_over", "wait", "resume", "resolve", "reopen", "close", "cancel"
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


def route_request(event: Envelope[RequestSubmitted], work: RouterWork) -> None:
    """Classify, choose lane and owner by tables, start the process."""
    if work.find(event.request_id) is not None:
        return
    data = event.data
    context = domain.context_of(
        number=data.number,
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
    process = work.repository.process_of_type(data.request_type)
    instance_id = work.new_id("instance")
    at = event.occurred_at
    step = work.start(process, instance_id, event.request_id, {"request": context}, at)
    record = Record(
        id=event.request_id,
        number=data.number,
        state=RequestState.OPEN,
        lane=Lane.STANDARD,
        priority=_priority(step.data.get("priority")),
        team=_team(work, step.data.get("team")),
        submitted_at=at,
        process=process,
        process_version=work.repository.process(process).version,
        instance_id=instance_id,
        context=context,
        is_import=data.is_import,
    )
    work.keep(record)
    routed = events_out.routed(record, data.requester.tier, _explanations(step))
    work.publish(routed, subject=record.id, occurred_at=at)
    begun = said.ProcessStarted(
        instance_id=instance_id, process=process, version=record.process_version
    )
    work.publish(begun, subject=record.id, occurred_at=at)
    record_step(work, record, step, at)


def update_request(event: Envelope[RequestUpdated], work: RouterWork) -> None:
    """Decide the priority again when urgency or impact were corrected."""
    record, data = work.record(event.request_id), event.data
    named = data.model_dump(
        mode="json", include={"urgency", "impact", "title", "form"}, exclude_none=True
    )
    context = {**record.context, **named}
    record = replace(record, context=context)
    work.keep(record)
    if data.urgency is None and data.impact is None:
        return
    urgency, impact = Urgency(context["urgency"]), Impact(context["impact"])
    inputs = {"request": context, "urgency": urgency.value, "impact": impact.value}
    result, explanation = work.repository.evaluate("priority", inputs, event.occurred_at)
    record, facts = domain.change_priority(record, _priority(result))
    for fact in facts:
        told = events_out.fact(fact, [explanation])
        work.publish(told, subject=record.id, occurred_at=event.occurred_at)
    work.keep(record)


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
    `NoSuchPerson`.
    """
    record = work.record(request_id)
    domain.must_be_after_submission(record, change.at)
    record, facts = _changed(work, record, change)
    return follow(work, record, facts, change.at)


def _changed(work: RouterWork, record: Record, change: Change) -> domain.Outcome:
    if change.kind == "assign":
        _must_exist(work, change.assignee)
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
    "close": lambda r, c: domain.close(r, c.reason or "agent"),
    "cancel": lambda r, c: domain.cancel(r, c.reason or "cancelled"),
}


def _handed_over(work: RouterWork, record: Record, change: Change) -> domain.Outcome:
    team = change.team or ""
    if not work.repository.has_team(team):
        raise NoSuchTeam(team=team)
    record, facts = domain.hand_over(record, team, change.reason)
    if change.assignee is not None:
        _must_exist(work, change.assignee)
        record, more = domain.assign(record, change.assignee, change.by)
        facts = (*facts, *more)
    return record, facts


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
