"""What intake's tables must do differently once they were put back from a backup."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import update

from services.intake.store.tables import numbers

if TYPE_CHECKING:
    from shared.database.engine import Transaction


async def skip_numbers(tx: Transaction, count: int) -> None:
    """Leave out the next `count` numbers of every year.

    Requests that came in after the backup are gone, their numbers may stand in somebody's mail:
    given again they would name another request.
    """
    await tx.execute(update(numbers).values(following=numbers.c.following + count))
