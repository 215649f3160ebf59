"""What escalation tells an auditor of its requests."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any
from uuid import UUID

import orjson

from services.escalation.store import tables
from services.escalation.store.rows import request_of
from shared.consuming.accounts import Account, Books, Fault
from shared.database.engine import Transaction
from shared.database.statements import rows_among
from shared.vocabulary import EscalationState

#: The kind of a climb's timers (handlers/climbing.py).
_STEP = "step"


async def account(tx: Transaction, keys: Collection[str]) -> Mapping[str, Account]:
    """Return the account of each request: its climbs, the next step of each, whom it had told.

    `told` are the ids of the notifications that were asked for. A climb that goes on needs the
    timer of its next step.
    """
    found = {key: Account() for key in keys}
    imports = set()
    for row in await rows_among(tx, tables.requests, "id", keys):
        request = request_of(row)
        found[row.id].facts["request"] = True
        if request.is_import:
            imports.add(row.id)
    owners: dict[str, str] = {}
    for row in await rows_among(tx, tables.escalations, "request_id", keys):
        owners[row.id] = row.request_id
        _add_climb(found[row.request_id], row)
    for row in await rows_among(tx, tables.steps, "escalation_id", list(owners)):
        request_id = owners[row.escalation_id]
        if orjson.loads(row.body)["told"] and request_id not in imports:
            found[request_id].facts.setdefault("told", []).append(str(UUID(row.id)))
    return found


def _add_climb(account: Account, row: Any) -> None:
    account.facts["escalations"] = account.facts.get("escalations", 0) + 1
    if not account.facts.get("request"):
        account.faults.append(Fault("escalation_without_request", {"escalation": row.id}))
    if row.state == EscalationState.RAISED.value:
        account.timers.add((_STEP, row.id))
        if row.next_us is None:
            account.faults.append(Fault("climb_stands_still", {"escalation": row.id}))


BOOKS = Books((tables.requests.c.id, tables.escalations.c.request_id), account)
