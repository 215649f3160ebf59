"""What the router tells an auditor of its requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from typing import TYPE_CHECKING, Any

from services.router.store import tables
from services.router.workflow import Stored, load
from shared.consuming.accounts import Account, Books, Fault
from shared.database.engine import Transaction
from shared.database.statements import rows_among

if TYPE_CHECKING:
    from services.router.store.repository import Repository

#: The kind of a diagram's timers (handlers/steps.py).
_PROCESS = "process"


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
    for row in instances:
        _add_instance(found[row.request_id], row, current, repository, states[row.id])
    _count_processes(found, instances, current)
    for row in await rows_among(tx, tables.work_items, "request_id", keys):
        if row.request_id not in current:
            orphan = Fault("work_item_without_request", {"work_item": row.id})
            found[row.request_id].faults.append(orphan)
    return found


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
) -> None:
    if row.request_id not in current:
        account.faults.append(Fault("process_without_request", {"instance": row.id}))
    elif not row.is_ended and row.id == current[row.request_id]:
        instance = load(repository.pinned(state), state)
        account.timers |= {
            (_PROCESS, f"{row.id}/{timer.task_id}") for timer in instance.open_timers()
        }
