"""From the outbox to the bus: at once after the commit, and by a sweep as a safety net.

Published rows are kept for some minutes with the broker's sequence. When the broker comes back
with a last sequence below ours it has lost its last minutes (power cut), and those rows are
published again (facts/floors.md §1).
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import bindparam, delete, func, select, update

from shared.bus.port import Message
from shared.database.engine import DatabaseUnavailable
from shared.database.tables import to_us

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.bus.port import Bus
    from shared.database.engine import Database
    from shared.database.tables import KitTables
    from shared.time_source import Activity, TimeSource

_log = logging.getLogger(__name__)

#: Rows published in one go.
_BATCH = 500
#: Handed-over rows kept in memory; beyond it the sweep reads them from the table.
_IN_MEMORY = 20_000
#: How often the sweep looks, and how old a row must be for it.
_SWEEP_EVERY = timedelta(seconds=3)
_SWEEP_AGE = timedelta(seconds=5)
#: How long to wait after the bus did not take a message.
_PAUSE_S = 0.5


class Relay:
    """Publishes outbox rows in the order they were written."""

    def __init__(
        self,
        database: Database,
        tables: KitTables,
        bus: Bus,
        time: TimeSource,
        activity: Activity,
        *,
        keep: timedelta = timedelta(minutes=10),
    ) -> None:
        """`keep` is how long published rows stay; zero deletes them at once (no broker loss)."""
        self._database, self._table = database, tables.outbox
        self._bus, self._time, self._activity, self._keep = bus, time, activity, keep
        self._queue: deque[tuple[int, Message]] = deque()
        self._mine: set[int] = set()
        self._wake = asyncio.Event()
        self._seen_reconnects = -1
        self.published = 0

    @property
    def backlog(self) -> int:
        """Rows handed over and not yet published."""
        return len(self._queue)

    def hand_over(self, rows: Sequence[tuple[int, Message]]) -> None:
        """Take rows that were just committed; the activity already counts them."""
        if len(self._queue) + len(rows) > _IN_MEMORY:
            self._activity.end(len(rows))
        else:
            self._queue.extend(rows)
            self._mine.update(row_id for row_id, _ in rows)
        self._wake.set()

    async def run(self) -> None:
        """Publish for ever; ends when cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue:
                try:
                    if not await self._publish_some():
                        await self._time.sleep(_PAUSE_S)
                except DatabaseUnavailable:
                    await self._time.sleep(_PAUSE_S)

    async def sweep_for_ever(self) -> None:
        """Bring in what no hand-over published: after a kill, an outage, a full memory."""
        is_first = True
        while True:
            try:
                await self._sweep(timedelta(0) if is_first else _SWEEP_AGE)
                is_first = False
                await self._purge()
            except DatabaseUnavailable as error:
                _log.warning("outbox sweep: %s", error)
            await self._time.sleep(_SWEEP_EVERY.total_seconds())

    async def unpublished(self) -> tuple[int, float]:
        """Return how many rows wait and the age of the oldest, in seconds."""
        table = self._table
        wanted = select(func.count(), func.min(table.c.created_us)).where(
            table.c.published_us.is_(None)
        )
        async with self._database.reading() as connection:
            count, oldest = (await connection.execute(wanted)).one()
        age = (to_us(self._time.now()) - oldest) / 1e6 if oldest is not None else 0.0
        return count, age

    async def _publish_some(self) -> bool:
        await self._look_for_loss()
        batch = [self._queue[i] for i in range(min(_BATCH, len(self._queue)))]
        sequences = await self._bus.publish([message for _, message in batch])
        stored = [
            (row_id, sequence)
            for (row_id, _), sequence in zip(batch, sequences, strict=True)
            if sequence is not None
        ]
        failed = [entry for entry, s in zip(batch, sequences, strict=True) if s is None]
        await self._mark(stored)
        for _ in batch:
            self._queue.popleft()
        self._queue.extendleft(reversed(failed))
        self._mine.difference_update(row_id for row_id, _ in stored)
        self._activity.end(len(stored))
        self.published += len(stored)
        return not failed

    async def _mark(self, stored: Sequence[tuple[int, int]]) -> None:
        if not stored:
            return
        table = self._table
        rows: list[dict[str, Any]] = [{"row": row_id, "at": s} for row_id, s in stored]
        async with self._database.transaction() as tx:
            if not self._keep:
                await tx.execute(delete(table).where(table.c.id == bindparam("row")), rows)
                return
            now_us = to_us(self._time.now())
            changed = update(table).where(table.c.id == bindparam("row"))
            await tx.execute(
                changed.values(published_us=now_us, stream_sequence=bindparam("at")), rows
            )

    async def _look_for_loss(self) -> None:
        """After each (re)connection: publish again what the broker no longer has."""
        reconnects = self._bus.reconnects
        if reconnects == self._seen_reconnects or not self._bus.is_connected or not self._keep:
            return
        table = self._table
        recorded = select(table.c.stream, func.max(table.c.stream_sequence)).where(
            table.c.stream_sequence.is_not(None)
        )
        async with self._database.reading() as connection:
            highest = (await connection.execute(recorded.group_by(table.c.stream))).all()
        for stream, sequence in highest:
            last = await self._bus.last_sequence(stream)
            if last is None:
                return
            if last < sequence:
                _log.warning(
                    "%s forgot messages %s to %s: publishing again", stream, last, sequence
                )
                await self._forget_publication(stream, last)
        self._seen_reconnects = reconnects

    async def _forget_publication(self, stream: str, after: int) -> None:
        table = self._table
        lost = (table.c.stream == stream) & (table.c.stream_sequence > after)
        async with self._database.transaction() as tx:
            await tx.execute(
                update(table).where(lost).values(published_us=None, stream_sequence=None)
            )
        await self._bring_in(timedelta(0))

    async def _sweep(self, age: timedelta) -> None:
        if not self._queue:
            await self._look_for_loss()
        await self._bring_in(age)

    async def _bring_in(self, age: timedelta) -> None:
        table = self._table
        wanted = (
            select(table.c.id, table.c.event_id, table.c.subject, table.c.body)
            .where(
                table.c.published_us.is_(None),
                table.c.created_us <= to_us(self._time.now() - age),
            )
            .order_by(table.c.id)
            .limit(_IN_MEMORY // 2)
        )
        if len(self._queue) > _IN_MEMORY // 2:
            return
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        fresh = [row for row in rows if row.id not in self._mine]
        if fresh:
            self._activity.begin(len(fresh))
            self.hand_over(
                [(row.id, Message(row.subject, UUID(row.event_id), row.body)) for row in fresh]
            )

    async def _purge(self) -> None:
        if not self._keep:
            return
        table = self._table
        before = to_us(self._time.now() - self._keep)
        old = (
            select(table.c.id)
            .where(table.c.published_us < before)
            .order_by(table.c.id)
            .limit(5_000)
        )
        async with self._database.transaction() as tx:
            await tx.execute(delete(table).where(table.c.id.in_(old)))
