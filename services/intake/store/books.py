"""What intake tells an auditor of its requests."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from services.intake.store import tables
from shared.consuming.accounts import Account, Books, Fault
from shared.database.engine import Transaction
from shared.database.statements import rows_among

#: The watchdog's timer, armed until a request is routed or given up (handlers/watching.py).
_WATCH = ("not_routed", "watch")


async def account(tx: Transaction, keys: Collection[str]) -> Mapping[str, Account]:
    """Return the account of each request; what hangs on no request is a fault."""
    found = {key: Account() for key in keys}
    for row in await rows_among(tx, tables.requests, "id", keys):
        found[row.id].facts = {"request": True, "state": row.state}
        found[row.id].allowed.add(_WATCH)
    for row in await rows_among(tx, tables.messages, "request_id", keys):
        if not found[row.request_id].facts:
            found[row.request_id].faults.append(
                Fault("message_without_request", {"message": row.id})
            )
    return found


BOOKS = Books((tables.requests.c.id, tables.messages.c.request_id), account)
