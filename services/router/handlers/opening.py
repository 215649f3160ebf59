"""Work items: opened for user tasks, for those who may do them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router import domain, events_out
from services.router.domain import WorkItem
from services.router.handlers.barring import barred_by

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.domain import Record
    from services.router.store import RouterWork
    from services.router.workflow import OpenUserTask


def open_item(
    work: RouterWork, record: Record, task: OpenUserTask, chosen: str | None, at: datetime
) -> WorkItem:
    """Open the work item of a user task, and announce it; `chosen` is the diagram's own team."""
    headers = task.headers
    excludes = domain.excluded_in(domain.excludes_of(headers), task.element_id)
    is_named = bool(task.candidate_users) and not task.candidate_groups
    asked = domain.candidates(
        () if is_named else task.candidate_groups or (record.team,),
        record.team,
        chosen,
        work.repository.people,
        at,
        barred_by(work, record, excludes),
    )
    completes = headers.get("completes")
    decides = "decides" in headers
    item = WorkItem(
        id=work.new_id(f"item/{record.instance_id}/{task.task_id}"),
        request_id=record.id,
        instance_id=record.instance_id,
        task_id=task.task_id,
        element_id=task.element_id,
        names=task.names,
        teams=() if is_named else asked.teams,
        users=(*asked.users, *task.candidate_users),
        opened_at=at,
        form=task.form,
        due_at=task.due_at,
        completes=completes,
        decides=decides,
        excludes=excludes,
        stands_in=asked.stands_in,
        is_owners=(asked.is_owners or is_named) and not decides and completes != domain.REVIEWED,
    )
    work.keep_item(item)
    work.inboxed.keep_inputs(item.id, task)
    work.publish(events_out.opened(item), subject=record.id, occurred_at=at)
    return item
