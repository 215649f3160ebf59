"""Instances whose process waits for something nobody keeps a row of.

A release that knows neither jobs nor messages from outside (0.1) stores their tokens and nothing
else: no worker is offered the job, no message finds its way. This finds such instances, page by
page; what they wait for is found again from their state.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from uuid import UUID

from sqlalchemy import select

from services.router.domain.messages import OWN_MESSAGES
from services.router.store import tables
from services.router.store.letters import waiting_id
from services.router.store.work import job_id
from services.router.workflow import Stored, load
from shared.database.statements import rows_among

if TYPE_CHECKING:
    from collections.abc import Sequence

    from sqlalchemy import Table

    from services.router.store.repository import Repository
    from services.router.workflow import CompiledProcess
    from shared.database.engine import Transaction

#: Stands in a stored state (JSON without spaces, see workflow.state) while a token waits for a
#: worker: reading the bytes for it is far cheaper than making tens of thousands of instances.
_HAS_JOB = b'"job":['


async def left_behind(
    tx: Transaction, repository: Repository, after: str, limit: int
) -> tuple[Sequence[UUID], str | None]:
    """Look at the next `limit` running instances behind `after`, in the order of their ids.

    Return the requests whose process waits without a row, and where to look on; None at the end.
    """
    instances, requests = tables.instances, tables.requests
    page = (
        select(instances.c.id, instances.c.request_id, instances.c.state)
        # By its key, row for row: no index leads from an instance to the request it is the last of.
        .join(requests, requests.c.id == instances.c.request_id)
        .where(requests.c.instance_id == instances.c.id)
        .where(~instances.c.is_ended, instances.c.id > after)
        .order_by(instances.c.id)
        .limit(limit)
    )
    rows = (await tx.execute(page)).all()
    states = {row.id: Stored(row.state) for row in rows}
    await repository.refresh(tx)
    await repository.ensure(tx, states.values())
    jobs: dict[str, str] = {}
    waits: dict[str, str] = {}
    for row in rows:
        process = repository.pinned(states[row.id])
        if _HAS_JOB not in row.state and not _hears_outside(process):
            continue
        instance = load(process, states[row.id])
        for task_id in instance.open_jobs:
            jobs[str(job_id(UUID(row.id), task_id))] = row.request_id
        for wait in instance.open_waits(OWN_MESSAGES):
            waits[str(waiting_id(UUID(row.id), wait.task_id))] = row.request_id
    missing = await _without_row(tx, tables.jobs, jobs)
    missing |= await _without_row(tx, tables.waiting, waits)
    return sorted(map(UUID, missing)), rows[-1].id if len(rows) == limit else None


def _hears_outside(process: CompiledProcess) -> bool:
    return any(name not in OWN_MESSAGES for name in process.messages)


async def _without_row(tx: Transaction, table: Table, wanted: dict[str, str]) -> set[str]:
    """Return the requests of those of the ids that have no row."""
    if not wanted:
        return set()
    there = {row.id for row in await rows_among(tx, table, "id", sorted(wanted))}
    return {request_id for key, request_id in wanted.items() if key not in there}
