"""What notify tells an auditor of its requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping

from services.notify.domain.deliveries import OPEN
from services.notify.store import tables
from services.notify.store.keeping import FORGOTTEN
from shared.consuming.accounts import Account, Books, Fault
from shared.database.engine import Transaction
from shared.database.statements import rows_among

#: The kind of a delivery's timers (handlers/ending.py).
_SEND = "send"
_OPEN = {state.value for state in OPEN}


async def account(tx: Transaction, keys: Collection[str]) -> Mapping[str, Account]:
    """Return the account of each request: the notifications accepted and what became of each.

    A delivery that is not in a final state needs its timer: nothing else would bring it back.
    """
    found = {key: Account() for key in keys}
    # Deliveries that were forgotten in time (store/keeping.py) are missed by nobody.
    carried = set()
    for row in await rows_among(tx, tables.notifications, "request_id", keys):
        found[row.request_id].facts.setdefault("accepted", []).append(row.id)
        if row.body == FORGOTTEN:
            carried.add(row.id)
    for row in await rows_among(tx, tables.deliveries, "request_id", keys):
        account = found[row.request_id]
        carried.add(row.notification_id)
        states: dict[str, int] = account.facts.setdefault("deliveries", {})
        states[row.state] = states.get(row.state, 0) + 1
        if row.state in _OPEN:
            account.timers.add((_SEND, row.id))
        if row.notification_id not in account.facts.get("accepted", ()):
            account.faults.append(Fault("delivery_without_notification", {"delivery": row.id}))
    for account in found.values():
        accepted = Counter(account.facts.get("accepted", ()))
        for notification in sorted(set(accepted) - carried):
            account.faults.append(Fault("delivery_missing", {"notification": notification}))
    return found


BOOKS = Books((tables.notifications.c.request_id, tables.deliveries.c.request_id), account)
