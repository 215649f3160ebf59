"""From facts to the diagram and back: messages in, work items, timers and incidents out."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from services.router import domain, events_out
from services.router.store.work import with_assignee
from shared.events import router as said
from shared.vocabulary import RequestState, WorkItemState

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.domain import Fact, Record, WorkItem
    from services.router.store import RouterWork
    from services.router.workflow import Step
    from shared.database.timers import Timer

#: The kind of a diagram's timers.
PROCESS_TIMER = "process"


def follow(work: RouterWork, record: Record, facts: tuple[Fact, ...], at: datetime) -> Record:
    """Keep the record, announce what happened, and let the diagram hear of it."""
    work.keep(record)
    for fact in facts:
        work.publish(events_out.fact(fact), subject=record.id, occurred_at=at)
        _items_follow(work, record, fact, at)
        record = _tell_diagram(work, record, fact, at)
    return record


def record_step(work: RouterWork, record: Record, step: Step, at: datetime) -> Record:
    """Record what one move of the diagram did."""
    if not step.is_applied:
        return record
    _end_items(work, record, step, WorkItemState.CANCELLED, "process", at)
    for task in step.user_tasks:
        item = domain.WorkItem(
            id=work.new_id(f"item/{record.instance_id}/{task.task_id}"),
            request_id=record.id,
            instance_id=record.instance_id,
            task_id=task.task_id,
            element_id=task.element_id,
            names=task.names,
            # A request that moved meanwhile keeps its owner: the diagram's first choice is past.
            teams=(record.team,) if task.candidate_groups else (),
            users=task.candidate_users,
            opened_at=at,
            form=task.form,
            due_at=task.due_at,
            completes=task.headers.get("completes"),
        )
        work.keep_item(item)
        work.publish(events_out.opened(item), subject=record.id, occurred_at=at)
    for gone in step.timers_gone:
        work.disarm(PROCESS_TIMER, record.id, f"{record.instance_id}/{gone}")
    for timer in step.timers:
        name = f"{record.instance_id}/{timer.task_id}"
        payload = {"instance_id": str(record.instance_id), "task_id": timer.task_id}
        work.arm(PROCESS_TIMER, record.id, name, timer.due_at, payload)
    _record_incidents(work, record, step, at)
    if step.completed or step.active:
        work.publish(events_out.moved(record, step), subject=record.id, occurred_at=at)
    if step.is_ended:
        ended = said.ProcessEnded(instance_id=record.instance_id, outcome="completed")
        work.publish(ended, subject=record.id, occurred_at=at)
    return record


def fire_process_timer(timer: Timer, work: RouterWork) -> None:
    """A timer of a diagram is due."""
    record = work.find(UUID(timer.key))
    if record is None or str(record.instance_id) != timer.payload["instance_id"]:
        return
    at = timer.due_at
    step = work.instance(record).fire_timer(timer.payload["task_id"], at)
    record = record_step(work, record, step, at)
    if step.is_ended and record.state is RequestState.RESOLVED:
        record, facts = domain.close(record, "time")
        follow(work, record, facts, at)


def start_again(work: RouterWork, record: Record, at: datetime) -> Record:
    """Give a request whose process had ended a new instance; its owner stays."""
    context = dict(record.context)
    context["form"] = {**context["form"], "team": record.team}
    instance_id = work.new_id("instance")
    step = work.start(record.process, instance_id, record.id, {"request": context}, at)
    version = work.repository.process(record.process).version
    record = replace(record, instance_id=instance_id, process_version=version)
    work.keep(record)
    begun = said.ProcessStarted(instance_id=instance_id, process=record.process, version=version)
    work.publish(begun, subject=record.id, occurred_at=at)
    return record_step(work, record, step, at)


def _tell_diagram(work: RouterWork, record: Record, fact: Fact, at: datetime) -> Record:
    """Correlate the message of a fact; a diagram that does not wait for it is left alone."""
    instance = work.instance(record)
    if instance.is_ended:
        return start_again(work, record, at) if isinstance(fact, domain.Reopened) else record
    payload = {"to_team": fact.to_team} if isinstance(fact, domain.HandedOver) else {}
    step = instance.correlate(_message(fact), payload, at)
    if step is not None:
        _end_items(work, record, step, *_ending(fact), at)
        record = record_step(work, record, step, at)
    if isinstance(fact, domain.Closed | domain.Cancelled) and not instance.is_ended:
        step = instance.cancel(at)
        record = record_step(work, record, step, at)
    return record


def _message(fact: Fact) -> str:
    """Return the name of the message a diagram may wait for."""
    match fact:
        case domain.Closed(reason):
            return "confirmed" if reason == "confirmed" else "closed"
        case _:
            return _MESSAGES[type(fact)]


_MESSAGES: dict[type, str] = {
    domain.Assigned: "assigned",
    domain.HandedOver: "handed_over",
    domain.WaitingStarted: "waiting_started",
    domain.WaitingEnded: "waiting_ended",
    domain.Resolved: "resolved",
    domain.Reopened: "reopened",
    domain.Cancelled: "cancelled",
    domain.PriorityChanged: "priority_changed",
}


def _ending(fact: Fact) -> tuple[WorkItemState, str]:
    """How work items end when this fact moves the diagram on without their completion."""
    if isinstance(fact, domain.Resolved):
        return WorkItemState.COMPLETED, "resolved"
    return WorkItemState.CANCELLED, _message(fact)


def _end_items(
    work: RouterWork, record: Record, step: Step, state: WorkItemState, reason: str, at: datetime
) -> None:
    gone = set(step.user_tasks_gone)
    for item in work.open_items(record):
        if item.task_id in gone and item.instance_id == record.instance_id:
            work.keep_item(domain.end(item, state))
            event: said.RouterEvent
            if state is WorkItemState.COMPLETED:
                event = said.WorkItemCompleted(work_item_id=item.id, completed_by=item.assignee)
            else:
                event = said.WorkItemCancelled(work_item_id=item.id, reason=reason)
            work.publish(event, subject=record.id, occurred_at=at)


def _items_follow(work: RouterWork, record: Record, fact: Fact, at: datetime) -> None:
    """Let open work items go where the request goes."""
    for item in work.open_items(record):
        match fact:
            case domain.HandedOver():
                work.keep_item(with_assignee(item, fact.to_team, None))
                _delegated(work, item, fact.to_team, None, fact.reason, at)
            case domain.Assigned(team, assignee) if item.assignee != assignee:
                work.keep_item(with_assignee(item, team, assignee))
                claimed = said.WorkItemClaimed(work_item_id=item.id, assignee=assignee)
                work.publish(claimed, subject=record.id, occurred_at=at)
            case _:
                pass


def _delegated(
    work: RouterWork, item: WorkItem, team: str, person: str | None, reason: str, at: datetime
) -> None:
    event = said.WorkItemDelegated(
        work_item_id=item.id, to_team=team, to_assignee=person, reason=reason
    )
    work.publish(event, subject=item.request_id, occurred_at=at)


def _record_incidents(work: RouterWork, record: Record, step: Step, at: datetime) -> None:
    for index, incident in enumerate(step.incidents):
        incident_id = work.new_id(f"incident/{step.version}/{index}")
        work.add_incident(incident_id, record, incident.element_id, incident.code, incident.detail)
        event = said.IncidentRaised(
            incident_id=incident_id,
            instance_id=record.instance_id,
            element_id=incident.element_id,
            code=incident.code,
            detail=incident.detail[:2000],
        )
        work.publish(event, subject=record.id, occurred_at=at)
