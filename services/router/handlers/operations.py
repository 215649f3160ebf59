"""The router's own operations: job types a diagram may name without anybody writing a worker.

Each takes what the task's input mappings give it, does its part in the transaction that brought
the token there, and answers what the task's output mappings may read. docs/bpmn-operations.md and
bpmn/element-templates say what they take.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Annotated, Any, TypeVar
from uuid import UUID

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, ValidationError

from services.router import domain
from services.router.domain import NoSuchPerson, NoSuchTeam, OperationRefused
from services.router.domain.operations import BY_TYPE, PREFIX
from shared.events import router as said
from shared.events.commands.escalation import EscalationRequested
from shared.events.commands.intake import MessageRequested
from shared.events.commands.notify import NotificationRequested, NotifyRecipient

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.domain import Fact, Job, Record
    from services.router.store import RouterWork


@dataclass(frozen=True, slots=True)
class Done:
    """What an operation did to the request, and its answer to the diagram."""

    record: Record
    facts: tuple[Fact, ...] = ()
    answer: Mapping[str, Any] = field(default_factory=dict)


def _asker(record: Record, job: Job) -> str:
    return f"process:{record.process}/{job.element_id}"


def _listed(told: object) -> object:
    """Take a list, or a text with commas, as assignment definitions do."""
    return [part.strip() for part in told.split(",")] if isinstance(told, str) else told


Text = Annotated[str, Field(min_length=1, max_length=2000)]
Name = Annotated[str, Field(min_length=1, max_length=100)]
Names = Annotated[tuple[Name, ...], BeforeValidator(_listed), Field(min_length=1, max_length=50)]


class _Input(BaseModel):
    # Without input mappings a task knows all variables: what is not asked for is left alone.
    model_config = ConfigDict(frozen=True, extra="ignore")


class _Notify(_Input):
    recipients: Names
    text: Text
    subject: Annotated[str, Field(max_length=200)] = ""
    is_urgent: bool = False


class _Escalate(_Input):
    reason: Text
    policy: Name | None = None


class _Assign(_Input):
    team: Name | None = None
    assignee: Name | None = None
    reason: Annotated[str, Field(max_length=2000)] = ""


class _Pause(_Input):
    reason: Name
    note: Annotated[str, Field(max_length=2000)] = ""


class _Ask(_Input):
    question: Text


class _Stage(_Input):
    stage: Name


class _WarRoom(_Input):
    purpose: Text
    members: Names
    lead: Name | None = None


class _CloseWarRoom(_Input):
    war_room_id: UUID
    conclusion: Annotated[str, Field(max_length=2000)] = ""


class _Suggest(_Input):
    decision: Name


class _Publish(_Input):
    name: Name
    payload: dict[str, Any] = Field(default_factory=dict)


def notify(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Tell people; notify finds the channel each of them reads."""
    wanted = _read(_Notify, job)
    told = tell(
        work,
        record,
        job.id,
        recipients(work, record, wanted.recipients),
        subject=wanted.subject or str(record.context.get("title") or record.number),
        text=wanted.text,
        is_urgent=wanted.is_urgent,
        at=at,
    )
    return Done(record, answer={"notification_id": str(told)})


def escalate(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Let the escalation policy of the owning team begin to climb."""
    wanted = _read(_Escalate, job)
    command = EscalationRequested(
        reason="process",
        number=record.number,
        requested_by=_asker(record, job),
        team=record.team,
        priority=record.priority,
        note=wanted.reason,
        policy=wanted.policy,
    )
    work.publish(command, subject=record.id, occurred_at=at)
    return Done(record)


def assign(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Give the request to a team, a person, or both."""
    wanted = _read(_Assign, job)
    if wanted.team is None and wanted.assignee is None:
        raise OperationRefused(operation=job.type, reason="it needs `team`, `assignee` or both")
    facts: tuple[Fact, ...] = ()
    if wanted.team is not None:
        if not work.repository.has_team(wanted.team):
            raise NoSuchTeam(team=wanted.team)
        record, facts = domain.hand_over(record, wanted.team, wanted.reason or "process")
    if wanted.assignee is not None:
        if not work.repository.has_person(wanted.assignee):
            raise NoSuchPerson(person=wanted.assignee)
        record, more = domain.assign(record, wanted.assignee, "process")
        facts = (*facts, *more)
    return Done(record, facts, {"team": record.team, "assignee": record.assignee})


def pause_clocks(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Let the request wait; the agreements say which clocks stand still for this reason."""
    wanted = _read(_Pause, job)
    record, facts = domain.wait(record, wanted.reason, wanted.note)
    return Done(record, facts)


def resume_clocks(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Let the request, and its clocks, go on."""
    record, facts = domain.resume(record)
    return Done(record, facts)


def ask_requester(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Write to the requester and let the request wait for the answer."""
    wanted = _read(_Ask, job)
    command = MessageRequested(
        message_id=job.id, text=wanted.question, requested_by=_asker(record, job)
    )
    record, facts = domain.wait(record, "requester", wanted.question)
    work.publish(command, subject=record.id, occurred_at=at)
    return Done(record, facts, {"message_id": str(job.id)})


def start_stage(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Say that a stage begins."""
    event = said.StageStarted(
        instance_id=job.instance_id, element_id=job.element_id, stage=_read(_Stage, job).stage
    )
    work.publish(event, subject=record.id, occurred_at=at)
    return Done(record)


def stop_stage(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Say that a stage ends."""
    event = said.StageEnded(
        instance_id=job.instance_id, element_id=job.element_id, stage=_read(_Stage, job).stage
    )
    work.publish(event, subject=record.id, occurred_at=at)
    return Done(record)


def open_war_room(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Record the group and tell each member at once."""
    wanted = _read(_WarRoom, job)
    if wanted.lead is not None and not work.repository.has_person(wanted.lead):
        raise NoSuchPerson(person=wanted.lead)
    names = (*wanted.members, *([wanted.lead] if wanted.lead else []))
    people = recipients(work, record, names)
    event = said.WarRoomOpened(
        war_room_id=job.id,
        purpose=wanted.purpose,
        members=tuple(person.recipient for person in people),
        lead=wanted.lead,
        element_id=job.element_id,
    )
    work.publish(event, subject=record.id, occurred_at=at)
    tell(
        work,
        record,
        job.id,
        people,
        subject="专项工作组 / war room",
        text=wanted.purpose,
        is_urgent=True,
        at=at,
    )
    return Done(record, answer={"war_room_id": str(job.id)})


def close_war_room(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Record how it ended."""
    wanted = _read(_CloseWarRoom, job)
    event = said.WarRoomClosed(war_room_id=wanted.war_room_id, conclusion=wanted.conclusion)
    work.publish(event, subject=record.id, occurred_at=at)
    return Done(record)


def request_review(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Let the request not end before it is reviewed."""
    return Done(domain.owe_review(record) if record.review is None else record)


def suggest_answer(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Ask a table for an answer; null where no row matches."""
    wanted = _read(_Suggest, job)
    if wanted.decision not in work.repository.decision_ids:
        raise OperationRefused(
            operation=job.type, reason=f"there is no decision {wanted.decision!r}"
        )
    seen = {**work.instance(record).data, **job.variables}
    suggestion, _ = work.repository.evaluate(wanted.decision, seen, at)
    return Done(record, answer={"suggestion": suggestion})


def publish_event(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Say something in the diagram's own words to whoever listens."""
    wanted = _read(_Publish, job)
    event = said.ProcessAnnounced(
        instance_id=job.instance_id,
        element_id=job.element_id,
        name=wanted.name,
        payload=wanted.payload,
    )
    told = work.publish(event, subject=record.id, occurred_at=at)
    return Done(record, answer={"event_id": str(told)})


Operation = Callable[["RouterWork", "Record", "Job", "datetime"], Done]

OWN: dict[str, Operation] = {
    "levee:assign": assign,
    "levee:ask-requester": ask_requester,
    "levee:notify": notify,
    "levee:escalate": escalate,
    "levee:pause-clocks": pause_clocks,
    "levee:resume-clocks": resume_clocks,
    "levee:start-stage-clock": start_stage,
    "levee:stop-stage-clock": stop_stage,
    "levee:open-war-room": open_war_room,
    "levee:close-war-room": close_war_room,
    "levee:request-review": request_review,
    "levee:suggest-answer": suggest_answer,
    "levee:publish-event": publish_event,
}


def is_own(job_type: str) -> bool:
    """Return whether such jobs are done at once: those that wait for nobody outside."""
    operation = BY_TYPE.get(job_type)
    return job_type.startswith(PREFIX) and not (operation and operation.is_outside)


def perform(work: RouterWork, record: Record, job: Job, at: datetime) -> Done:
    """Do one operation; raise a LeveeError, after which nothing of it has happened."""
    operation = OWN.get(job.type)
    if operation is None:
        raise OperationRefused(operation=job.type, reason="there is no such operation")
    return operation(work, record, job, at)


def tell(
    work: RouterWork,
    record: Record,
    notification_id: UUID,
    people: tuple[NotifyRecipient, ...],
    *,
    subject: str,
    text: str,
    is_urgent: bool,
    at: datetime,
) -> UUID:
    """Ask notify to tell people something in a diagram's words; return the notification's id."""
    command = NotificationRequested(
        notification_id=notification_id,
        template="process.message",
        recipients=people,
        parameters={
            "request_id": str(record.id),
            "number": record.number,
            "priority": record.priority.value,
            "team": record.team,
            "title": str(record.context.get("title") or ""),
            "subject": subject,
            "text": text,
        },
        is_urgent=is_urgent,
    )
    work.publish(command, subject=record.id, occurred_at=at)
    return notification_id


def recipients(
    work: RouterWork, record: Record, names: tuple[str, ...]
) -> tuple[NotifyRecipient, ...]:
    """Return whom names mean: people, `team:<id>`, `webhook:<endpoint>`, or a part somebody has.

    The parts: `assignee`, `team` (its group channel, or its members), `lead`, `manager`. Raises
    `NoSuchPerson`, `NoSuchTeam`.
    """
    found: dict[str, None] = {}
    for name in names:
        for one in _meant(work, record, name):
            found.setdefault(one)
    if not found:
        raise OperationRefused(operation="levee:notify", reason="nobody is meant by its recipients")
    return tuple(NotifyRecipient(recipient=one) for one in found)


def _meant(work: RouterWork, record: Record, name: str) -> list[str]:
    house, team_id = work.repository, record.team
    if name == "assignee" and record.assignee:
        return [record.assignee]
    if name in ("assignee", "team"):
        return _of_team(work, team_id)
    if name in ("lead", "manager"):
        team = house.team(team_id)
        person = getattr(team, name) if team else None
        return [person] if person else _of_team(work, team_id)
    if name.startswith("team:"):
        return _of_team(work, name.removeprefix("team:"))
    if not name.startswith("webhook:") and not house.has_person(name):
        raise NoSuchPerson(person=name)
    return [name]


def _of_team(work: RouterWork, team_id: str) -> list[str]:
    """Return the team's group channel, else its people; whoever is on duty of one without any."""
    team = work.repository.team(team_id)
    if team is None:
        if team_id == domain.TRIAGE and work.repository.directory.duty_person:
            return [work.repository.directory.duty_person]
        raise NoSuchTeam(team=team_id)
    if team.channels:
        return [f"team:{team_id}"]
    people = [*team.members, *([team.lead] if team.lead else [])]
    return list(dict.fromkeys(people))


Inputs = TypeVar("Inputs", bound=_Input)


def _read(shape: type[Inputs], job: Job) -> Inputs:
    """Read what the task's input mappings gave; raise `OperationRefused` naming each fault."""
    try:
        return shape.model_validate(dict(job.variables))
    except ValidationError as error:
        told = "; ".join(
            f"{'.'.join(map(str, e['loc'])) or 'inputs'}: {e['msg']}"
            for e in error.errors(include_url=False, include_input=False)
        )
        raise OperationRefused(operation=job.type, reason=told) from None
