"""How long the delivery log is kept, and what stays of it.

A notification goes as a whole: once none of its deliveries is still to be sent or waits for a
person. Its id stays, with the request and the moment it was accepted: an auditor finds it there,
and what became of it in insight.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import delete, func, select, update

from services.notify.domain.deliveries import OPEN, State
from services.notify.store.tables import deliveries, notifications
from shared.consuming.keeping import Purge
from shared.database.statements import among

if TYPE_CHECKING:
    from datetime import timedelta

    from shared.database.engine import Transaction

#: The body of a notification whose deliveries were forgotten.
FORGOTTEN = ""
_UNFINISHED = [state.value for state in (*OPEN, State.SET_ASIDE)]
_FINISHED = [state.value for state in State if state.value not in _UNFINISHED]


def delivery_purge(keep: timedelta) -> Purge:
    """Return the purge of finished deliveries and of what they told."""
    return Purge("deliveries", keep, _forget, _oldest)


async def _forget(tx: Transaction, edge_us: int, limit: int) -> int:
    table, other = deliveries, deliveries.alias("other")
    # By way of the request, which has an index.
    same = (other.c.request_id == table.c.request_id) & (
        other.c.notification_id == table.c.notification_id
    )
    is_unfinished = select(other.c.id).where(same, other.c.state.in_(_UNFINISHED)).exists()
    old = (
        select(table.c.id, table.c.notification_id)
        .where(table.c.state.in_(_FINISHED), table.c.accepted_us < edge_us, ~is_unfinished)
        .order_by(table.c.accepted_us)
        .limit(limit)
    )
    rows = (await tx.execute(old)).all()
    if rows:
        await tx.execute(delete(table).where(among(tx, table.c.id, [row.id for row in rows])))
        is_left = (other.c.request_id == notifications.c.request_id) & (
            other.c.notification_id == notifications.c.id
        )
        told = among(tx, notifications.c.id, sorted({row.notification_id for row in rows}))
        emptied = update(notifications).where(told, ~select(other.c.id).where(is_left).exists())
        await tx.execute(emptied.values(body=FORGOTTEN))
    return len(rows)


async def _oldest(tx: Transaction) -> int | None:
    found = []
    for state in _FINISHED:  # one by one: each is the first entry of the index
        first = select(func.min(deliveries.c.accepted_us)).where(deliveries.c.state == state)
        found.append((await tx.execute(first)).scalar_one())
    return min((moment for moment in found if moment is not None), default=None)
