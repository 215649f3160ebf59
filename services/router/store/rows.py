"""Between the domain's values and the rows of the tables."""

from __future__ import annotations

from typing import Any
from uuid import UUID

import orjson

from services.router.domain import Record, WorkItem
from shared.database.tables import from_us, to_us
from shared.vocabulary import Lane, Priority, RequestState, WorkItemState


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
    }


def _authority(item: WorkItem) -> str | None:
    """Return what only some may do, and nothing for the ordinary work of a team."""
    if item.is_owners and not item.is_of_authority and not item.excludes:
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
    )
