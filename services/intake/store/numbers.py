"""Numbers, unique across replicas: each takes blocks from one row per year.

The block is taken in a transaction of its own, so that the counter's row lock is never held
while a batch of posts is written: replicas would otherwise store their batches one by one.
What a stopped replica had left over is a gap, which contracts.md allows.
"""

from __future__ import annotations

import asyncio
from collections import deque
from typing import TYPE_CHECKING

from sqlalchemy import update

from services.intake.domain.numbers import number_of, year_at
from services.intake.store.tables import numbers
from shared.database.statements import insert_missing

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from shared.database.engine import Database

#: Numbers taken at first and at most; doubled each time, so that a quiet house has small gaps.
_BLOCK_MIN, _BLOCK_MAX = 8, 256


class Numbers:
    """Hands out numbers of the year it is in the installation's zone."""

    def __init__(self, database: Database, zone: tzinfo) -> None:
        self._database, self._zone = database, zone
        self._year = 0
        self._free: deque[str] = deque()
        self._block = _BLOCK_MIN
        self._lock = asyncio.Lock()

    async def take(self, now: datetime) -> str:
        """Return a number nobody else gets. Raises `DatabaseUnavailable`."""
        year = year_at(now, self._zone)
        while year != self._year or not self._free:
            async with self._lock:
                if year != self._year or not self._free:
                    await self._refill(year)
        return self._free.popleft()

    def give_back(self, number: str) -> None:
        """Take back a number that is certain not to have been stored."""
        if self._year and number.startswith(f"R-{self._year}-"):
            self._free.appendleft(number)

    async def _refill(self, year: int) -> None:
        more = (
            update(numbers)
            .where(numbers.c.year == year)
            .values(following=numbers.c.following + self._block)
            .returning(numbers.c.following)
        )
        async with self._database.transaction() as tx:
            following = (await tx.execute(more)).scalar_one_or_none()
            if following is None:
                await insert_missing(tx, numbers, [{"year": year, "following": 1}])
                following = (await tx.execute(more)).scalar_one()
        counts = range(following - self._block, following)
        self._free = deque(number_of(year, count) for count in counts)
        self._year, self._block = year, min(2 * self._block, _BLOCK_MAX)
