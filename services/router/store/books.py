"""What the router tells an auditor of its requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.router.domain import JobState
from services.router.domain.messages import OWN_MESSAGES
from services.router.store import tables
from services.router.store.letters import waiting_id
from services.router.store.work import job_id
from services.router.workflow import Instance, Stored, load
from shared.consuming.accounts import Account, Books, Fault
from shared.database.engine import Transaction
from shared.database.statements import rows_among

if TYPE_CHECKING:
    from services.router.store.repository import Repository

#: The kinds of a diagram's timers (handlers/steps.py), of its jobs' (handlers/jobs.py) and of its
#: waits for messages (handlers/waits.py).
_PROCESS, _JOB, _MESSAGE = "process", "job", "message"
#: A job nobody may take has no timer.
_WATCHED = (JobState.OPEN.value, JobState.TAKEN.value)
#: A choice of an assignee may be about to be made (handlers/assigning.py).
_ASSIGNMENT = ("assignment", "assignment")


def books(repository: Repository) -> Books:
    """Return the router's books; an instance is read with the process it runs."""

    async def account(tx: Transaction, keys: Collection[str]) -> Mapping[str, Account]:
        """Return the account of each request: its record, its process, its work items, timers."""
        return await _accounts(tx, keys, repository)

    columns = (tables.requests.c.id, tables.instances.c.request_id, tables.work_items.c.request_id)
    return Books(columns, account)


async def _accounts(
    tx: Transaction, keys: Collection[str], repository: Repository
) -> Mapping[str, Account]:
    found = {key: Account() for key in keys}
    current: dict[str, str] = {}
    for row in await rows_among(tx, tables.requests, "id", keys):
        found[row.id].facts = {"request": True, "state": row.state}
        current[row.id] = row.instance_id
    instances = await rows_among(tx, tables.instances, "request_id", keys)
    await repository.refresh(tx)
    states = {row.id: Stored(row.state) for row in instances}
    await repository.ensure(tx, states.values())
    jobs: dict[str, str] = {}
    waits: dict[str, str] = {}
    for row in instances:
        instance = _add_instance(found[row.request_id], row, current, repository, states[row.id])
        if instance is not None:
            for task_id in instance.open_jobs:
                jobs[str(job_id(UUID(row.id), task_id))] = row.request_id
            for wait in instance.open_waits(OWN_MESSAGES):
                waits[str(waiting_id(UUID(row.id), wait.task_id))] = row.request_id
    _count_processes(found, instances, current)
    await _add_jobs(tx, found, jobs)
    await _add_waits(tx, found, waits)
    for row in await rows_among(tx, tables.work_items, "request_id", keys):
        if row.request_id not in current:
            orphan = Fault("work_item_without_request", {"work_item": row.id})
            found[row.request_id].faults.append(orphan)
    return found


async def _add_jobs(
    tx: Transaction, found: Mapping[str, Account], waited_for: Mapping[str, str]
) -> None:
    """Each job a diagram waits for has a row; each one that is open has a timer."""
    keys = sorted(set(waited_for.values()))
    rows = {row.id: row for row in await rows_among(tx, tables.jobs, "id", list(waited_for))}
    for job, request_id in waited_for.items():
        if job not in rows:
            found[request_id].faults.append(Fault("job_missing", {"job": job}))
    for key in keys:
        found[key].timers |= {
            (_JOB, row.id)
            for row in rows.values()
            if row.request_id == key and row.state in _WATCHED
        }


async def _add_waits(
    tx: Transaction, found: Mapping[str, Account], waited_for: Mapping[str, str]
) -> None:
    """Each message from outside a diagram waits for has a row that a message finds."""
    known = {row.id for row in await rows_among(tx, tables.waiting, "id", list(waited_for))}
    for wait, request_id in waited_for.items():
        if wait not in known:
            found[request_id].faults.append(Fault("message_wait_missing", {"wait": wait}))


def _count_processes(
    found: Mapping[str, Account], instances: Collection[Any], current: Mapping[str, str]
) -> None:
    counts, known = Counter(row.request_id for row in instances), {row.id for row in instances}
    for key, instance in current.items():
        found[key].facts["processes"] = counts[key]
        if instance not in known:
            found[key].faults.append(Fault("process_missing", {"instance": instance}))


def _add_instance(
    account: Account,
    row: Any,
    current: Mapping[str, str],
    repository: Repository,
    state: Stored,
) -> Instance | None:
    """Add what a running instance has armed; return it, if it is the request's."""
    account.allowed.add(_ASSIGNMENT)
    if row.request_id not in current:
        account.faults.append(Fault("process_without_request", {"instance": row.id}))
    elif not row.is_ended and row.id == current[row.request_id]:
        instance = load(repository.pinned(state), state)
        account.timers |= {
            (_PROCESS, f"{row.id}/{timer.task_id}") for timer in instance.open_timers()
        }
        account.allowed |= {
            (_MESSAGE, str(waiting_id(instance.instance_id, wait.task_id)))
            for wait in instance.open_waits(OWN_MESSAGES)
        }
        return instance
    return None
