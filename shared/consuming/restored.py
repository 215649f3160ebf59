"""What the kit's tables must forget when a database is put back from a backup.

Streams are new then and hold nothing; leases belong to replicas that are gone.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

if TYPE_CHECKING:
    from shared.database.engine import Transaction
    from shared.database.tables import KitTables


async def begin_again(tx: Transaction, tables: KitTables) -> int:
    """Let everything the outbox keeps be published again, and every timer be anybody's.

    Events keep their ids and their places among one another: whoever has heard one drops it.
    Return how many events that are.
    """
    outbox, timers = tables.outbox, tables.timers
    free = update(timers).values(lease_owner=None, lease_until_us=None)
    await tx.execute(free.where(timers.c.lease_owner.is_not(None)))
    again = update(outbox).values(published_us=None, stream_sequence=None)
    return int((await tx.execute(again)).rowcount)
