"""What notify's tables must do differently once they were put back from a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson
from sqlalchemy import bindparam, select, update

from services.notify.domain.deliveries import OPEN
from services.notify.store.rows import dumped
from services.notify.store.tables import deliveries

if TYPE_CHECKING:
    from shared.database.engine import Transaction

_AT_ONCE = 1_000


async def doubt_open_deliveries(tx: Transaction) -> int:
    """Mark what was still to be sent at the backup: it may have left the house since.

    It is sent again under the same id and says that it may be a repetition. Return how many.
    """
    last, count = "", 0
    wanted = select(deliveries.c.id, deliveries.c.body).order_by(deliveries.c.id).limit(_AT_ONCE)
    wanted = wanted.where(deliveries.c.state.in_([state.value for state in OPEN]))
    mark = update(deliveries).where(deliveries.c.id == bindparam("one"))
    mark = mark.values(body=bindparam("told"))
    while rows := (await tx.execute(wanted.where(deliveries.c.id > last))).all():
        told = [
            {"one": row.id, "told": dumped(orjson.loads(row.body) | {"is_possibly_repeated": True})}
            for row in rows
        ]
        await tx.execute(mark, told)
        last, count = rows[-1].id, count + len(rows)
    return count
