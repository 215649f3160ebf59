"""Between the domain's values and the rows of the tables."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any
from uuid import UUID

import orjson

from services.router.domain import Incident, Job, JobState, Record, WorkItem
from services.router.domain.messages import InMessage, MessageState, Waiting
from shared.database.tables import from_us, to_us
from shared.vocabulary import Lane, Priority, RequestState, WorkItemState

_EPOCH = from_us(0)


def record_row(record: Record) -> dict[str, Any]:
    """Return the row of a request."""
    body = {
        "process": record.process,
        "process_version": record.process_version,
        "context": record.context,
        "waiting_reason": record.waiting_reason,
        "handovers": record.handovers,
        "reopenings": record.reopenings,
        "is_import": record.is_import,
    }
    return {
        "id": str(record.id),
        "number": record.number,
        "state": record.state.value,
        "lane": record.lane.value,
        "priority": record.priority.value,
        "team": record.team,
        "assignee": record.assignee,
        "submitted_us": to_us(record.submitted_at),
        "instance_id": str(record.instance_id),
        "body": orjson.dumps(body).decode(),
        "passage": _passage(record),
    }


def _passage(record: Record) -> str | None:
    """Return what a request must pass, and nothing for the most that must pass nothing."""
    told = {
        "review": record.review,
        "closing": record.closing,
        "deciders": record.deciders,
        "assignment": record.assignment,
    }
    return orjson.dumps(told).decode() if any(told.values()) else None


def record_of(row: Any) -> Record:
    """Return the request of a row."""
    body = orjson.loads(row.body)
    if row.passage is not None:
        passage = orjson.loads(row.passage)
        body |= passage | {"deciders": tuple(passage["deciders"])}
    return Record(
        id=UUID(row.id),
        number=row.number,
        state=RequestState(row.state),
        lane=Lane(row.lane),
        priority=Priority(row.priority),
        team=row.team,
        assignee=row.assignee,
        submitted_at=from_us(row.submitted_us),
        instance_id=UUID(row.instance_id),
        **body,
    )


def item_row(item: WorkItem) -> dict[str, Any]:
    """Return the row of a work item."""
    body = {
        "names": dict(item.names),
        "teams": item.teams,
        "users": item.users,
        "form": item.form,
        "due_us": to_us(item.due_at) if item.due_at else None,
        "completes": item.completes,
    }
    return {
        "id": str(item.id),
        "request_id": str(item.request_id),
        "instance_id": str(item.instance_id),
        "task_id": item.task_id,
        "element_id": item.element_id,
        "state": item.state.value,
        "team": item.teams[0] if item.teams else None,
        "assignee": item.assignee,
        "opened_us": to_us(item.opened_at),
        "body": orjson.dumps(body).decode(),
        "authority": _authority(item),
        "course": _course(item),
    }


def _course(item: WorkItem) -> str | None:
    if not item.acts:
        return None
    told = {"acts": item.acts, "handovers": item.handovers, "has_drafts": item.has_drafts}
    return orjson.dumps(told).decode()


def _authority(item: WorkItem) -> str | None:
    """Return what only some may do, and nothing for the ordinary work of a team."""
    is_ordinary = item.is_owners and not item.is_of_authority and not item.excludes
    if is_ordinary and not item.stands_in:
        return None
    told = {
        "decides": item.decides,
        "excludes": item.excludes,
        "stands_in": dict(item.stands_in),
        "is_owners": item.is_owners,
    }
    return orjson.dumps(told).decode()


def item_of(row: Any) -> WorkItem:
    """Return the work item of a row."""
    body = orjson.loads(row.body)
    authority = orjson.loads(row.authority) if row.authority is not None else {}
    course = orjson.loads(row.course) if row.course is not None else {}
    return WorkItem(
        id=UUID(row.id),
        request_id=UUID(row.request_id),
        instance_id=UUID(row.instance_id),
        task_id=row.task_id,
        element_id=row.element_id,
        names=body["names"],
        teams=tuple(body["teams"]),
        users=tuple(body["users"]),
        opened_at=from_us(row.opened_us),
        form=body["form"],
        due_at=from_us(body["due_us"]) if body["due_us"] is not None else None,
        completes=body["completes"],
        decides=authority.get("decides", False),
        excludes=tuple(authority.get("excludes", ())),
        stands_in=authority.get("stands_in", {}),
        is_owners=authority.get("is_owners", True),
        state=WorkItemState(row.state),
        assignee=row.assignee,
        acts=course.get("acts", 0),
        handovers=course.get("handovers", 0),
        has_drafts=course.get("has_drafts", False),
    )


def job_row(job: Job) -> dict[str, Any]:
    """Return the row of a job."""
    free = job.lease_until if job.state is JobState.TAKEN else None
    body = {
        "retries": job.retries,
        "headers": dict(job.headers),
        "variables": dict(job.variables),
        "rests_until_us": to_us(job.available_at),
        "worker": job.worker,
        "failure": job.failure,
        "answer": job.answer,
        "patience_us": to_us(_EPOCH + job.patience),
    }
    return {
        "id": str(job.id),
        "request_id": str(job.request_id),
        "instance_id": str(job.instance_id),
        "task_id": job.task_id,
        "element_id": job.element_id,
        "type": job.type,
        "state": job.state.value,
        "available_us": to_us(free or job.available_at),
        "attempt": job.attempt,
        "opened_us": to_us(job.opened_at),
        "body": orjson.dumps(body).decode(),
    }


def job_of(row: Any) -> Job:
    """Return the job of a row."""
    body = orjson.loads(row.body)
    state = JobState(row.state)
    return Job(
        id=UUID(row.id),
        request_id=UUID(row.request_id),
        instance_id=UUID(row.instance_id),
        task_id=row.task_id,
        element_id=row.element_id,
        type=row.type,
        retries=body["retries"],
        opened_at=from_us(row.opened_us),
        available_at=from_us(body["rests_until_us"]),
        headers=body["headers"],
        variables=body["variables"],
        state=state,
        attempt=row.attempt,
        worker=body["worker"],
        lease_until=from_us(row.available_us) if state is JobState.TAKEN else None,
        failure=body["failure"],
        answer=body["answer"],
        patience=from_us(body["patience_us"]) - _EPOCH,
    )


def incident_row(incident: Incident) -> dict[str, Any]:
    """Return the row of an incident."""
    resolved_at = incident.resolved_at
    return {
        "id": str(incident.id),
        "request_id": str(incident.request_id),
        "instance_id": str(incident.instance_id),
        "element_id": incident.element_id,
        "code": incident.code,
        "detail": incident.detail,
        "raised_us": to_us(incident.raised_at),
        "resolved_us": None if resolved_at is None else to_us(resolved_at),
        "process": incident.process,
        "version": incident.version,
        "task_id": incident.task_id,
        "job_id": None if incident.job_id is None else str(incident.job_id),
        "inputs": _whatever(incident.inputs),
        "resolved_by": incident.resolved_by,
        "resolution": incident.resolution,
    }


def _whatever(values: Mapping[str, Any]) -> str:
    """Return as JSON what nobody else could store: that is why there is an incident."""
    try:
        return orjson.dumps(dict(values)).decode()
    except TypeError:
        return json.dumps(dict(values), ensure_ascii=False, default=str)


def incident_of(row: Any) -> Incident:
    """Return the incident of a row; what release 0.1 did not write is empty."""
    return Incident(
        id=UUID(row.id),
        request_id=UUID(row.request_id),
        instance_id=UUID(row.instance_id),
        element_id=row.element_id,
        code=row.code,
        detail=row.detail,
        raised_at=from_us(row.raised_us),
        process=row.process or "",
        version=row.version or 0,
        inputs=orjson.loads(row.inputs) if row.inputs else {},
        task_id=row.task_id,
        job_id=None if row.job_id is None else UUID(row.job_id),
        resolved_at=None if row.resolved_us is None else from_us(row.resolved_us),
        resolved_by=row.resolved_by,
        resolution=row.resolution,
    )


def waiting_row(waiting: Waiting) -> dict[str, Any]:
    """Return the row of an element that waits for a message."""
    return {
        "id": str(waiting.id),
        "request_id": str(waiting.request_id),
        "instance_id": str(waiting.instance_id),
        "task_id": waiting.task_id,
        "element_id": waiting.element_id,
        "name": waiting.name,
        "key": waiting.key,
        "since_us": to_us(waiting.since),
    }


def waiting_of(row: Any) -> Waiting:
    """Return the waiting element of a row."""
    return Waiting(
        id=UUID(row.id),
        request_id=UUID(row.request_id),
        instance_id=UUID(row.instance_id),
        task_id=row.task_id,
        element_id=row.element_id,
        name=row.name,
        key=row.key,
        since=from_us(row.since_us),
    )


def message_row(message: InMessage) -> dict[str, Any]:
    """Return the row of a message from outside."""
    at = message.correlated_at
    return {
        "id": message.place,
        "sender": message.sender,
        "message_id": message.id,
        "name": message.name,
        "key": message.key,
        "state": message.state.value,
        "payload": orjson.dumps(dict(message.payload)).decode(),
        "received_us": to_us(message.received_at),
        "expires_us": to_us(message.expires_at),
        "request_id": None if message.request_id is None else str(message.request_id),
        "element_id": message.element_id,
        "correlated_us": None if at is None else to_us(at),
    }


def message_of(row: Any) -> InMessage:
    """Return the message of a row."""
    return InMessage(
        place=row.id,
        sender=row.sender or "",
        id=row.message_id or row.id,
        name=row.name,
        key=row.key,
        received_at=from_us(row.received_us),
        expires_at=from_us(row.expires_us),
        payload=orjson.loads(row.payload),
        state=MessageState(row.state),
        request_id=None if row.request_id is None else UUID(row.request_id),
        element_id=row.element_id,
        correlated_at=None if row.correlated_us is None else from_us(row.correlated_us),
    )
