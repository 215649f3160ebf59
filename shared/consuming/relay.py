"""From the outbox to the bus: at once after the commit, and by a sweep as a safety net.

Published rows are kept for some minutes with the broker's sequence. When the broker comes back
with a last sequence below ours it has lost its last minutes (power cut), and those rows are
published again (facts/floors.md §1). Until it has been asked, nothing is published that could
cover the gap, nothing is noted as published, and nothing is forgotten.
"""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy.exc import SQLAlchemyError

from shared.consuming import outbox
from shared.database.tables import to_us
from shared.database.trouble import DatabaseUnavailable
from shared.errors import LeveeError, Unavailable

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.bus.port import Bus, Message
    from shared.database.engine import Database
    from shared.database.tables import KitTables
    from shared.time_source import Activity, TimeSource

_log = logging.getLogger(__name__)

#: Published rows that need not be kept are removed in groups of this size.
_FORGET_AT_ONCE = 1_000
#: Rows published in one go.
_BATCH = 500
#: Handed-over rows kept in memory; what is beyond it is read from the table later.
IN_MEMORY = 20_000
#: How often the sweep looks, and how old a row must be for it.
_SWEEP_EVERY = timedelta(seconds=3)
_SWEEP_AGE = timedelta(seconds=5)
#: How long to wait after the bus or the database did not take something.
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
        in_memory: int | None = IN_MEMORY,
        mark_after: timedelta = timedelta(0),
    ) -> None:
        """`keep` is how long published rows stay; zero deletes them at once (no broker loss).

        That a row was published is noted by the next transaction that stores something anyway
        (`take_marks`), or `mark_after` later where there is none; zero notes it at once. What a
        kill leaves unnoted is published again with the same id, and dropped by the broker or
        the inbox.

        `in_memory` bounds the rows waiting in memory; None for worlds without a sweep.
        """
        self._database, self._tables = database, tables
        self._bus, self._time, self._activity, self._keep = bus, time, activity, keep
        self._in_memory = in_memory
        self._queue: deque[tuple[int, Message]] = deque()
        self._mine: set[int] = set()
        self._wake = asyncio.Event()
        self._moved = asyncio.Event()
        #: Whether rows wait in the table that did not fit into memory.
        self._has_more = False
        #: The connection over which the broker was asked what it still has.
        self._seen_reconnects = -1
        self._asking = asyncio.Lock()
        #: Marks in transactions under way, and whether there are none.
        self._marking: set[tuple[int, int]] = set()
        self._has_marked = asyncio.Event()
        self._has_marked.set()
        self.published = 0
        self._forgettable: list[int] = []
        self._mark_after = mark_after
        #: Published, not yet noted: row id and the broker's sequence.
        self._unmarked: list[tuple[int, int]] = []
        self._has_unmarked = asyncio.Event()
        #: When to note them if nobody has taken them by then.
        self._mark_at = time.now()

    @property
    def backlog(self) -> int:
        """Rows handed over and not yet published."""
        return len(self._queue)

    def hand_over(self, rows: Sequence[tuple[int, Message]]) -> None:
        """Take rows that were just committed; the activity already counts them."""
        if not rows:
            return
        if self._in_memory is not None and len(self._queue) + len(rows) > self._in_memory:
            self._activity.end(len(rows))
            self._has_more = True
        else:
            self._queue.extend(rows)
            self._mine.update(row_id for row_id, _ in rows)
        self._wake.set()

    async def below(self, limit: int) -> None:
        """Return once at most `limit` rows wait: back-pressure."""
        while len(self._queue) > limit:
            self._moved.clear()
            await self._moved.wait()

    async def run(self) -> None:
        """Publish for ever; ends when cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._queue or self._has_more:
                if not await self._try_some():
                    await self._time.sleep(_PAUSE_S)

    async def note_for_ever(self) -> None:
        """Note what was published when no transaction came by; publishing does not wait for it."""
        while True:
            await self._has_unmarked.wait()
            self._has_unmarked.clear()
            # Over a connection that is gone it is not noted but published again.
            while self._unmarked and self._is_trusted:
                # Never longer, should the clock be put back meanwhile.
                left = min(self._mark_at - self._time.now(), self._mark_after)
                if left > timedelta(0):
                    await self._time.sleep(left.total_seconds())
                else:
                    await self._try_to_mark()

    async def _try_to_mark(self) -> None:
        try:
            await self.note_published()
        except DatabaseUnavailable as error:
            _log.warning("outbox: %s", error)
            await self._time.sleep(_PAUSE_S)

    def take_marks(self) -> list[tuple[int, int]]:
        """Hand over what is to be noted as published, to be stored in the caller's transaction.

        The caller says afterwards whether it was (`marked`) or not (`give_back_marks`).
        """
        if not self._is_trusted:
            return []  # published over a connection that is gone: perhaps lost with the broker
        # In one order, should two replicas ever note the same.
        marks, self._unmarked = sorted(self._unmarked), []
        self._marking.update(marks)
        if marks:
            self._has_marked.clear()
        return marks

    def marked(self, marks: Sequence[tuple[int, int]]) -> None:
        """Hear that these were noted."""
        self._mine.difference_update(row_id for row_id, _ in marks)
        self._end_marking(marks)

    def give_back_marks(self, marks: Sequence[tuple[int, int]]) -> None:
        """Hear that these could not be noted."""
        self._keep_unmarked(marks)
        self._end_marking(marks)

    def _end_marking(self, marks: Sequence[tuple[int, int]]) -> None:
        self._marking.difference_update(marks)
        if not self._marking:
            self._has_marked.set()

    async def note_published(self) -> None:
        """Note now what was published."""
        marks = self.take_marks()
        if not marks:
            return
        try:
            async with self._database.transaction() as tx:
                await outbox.mark(tx, self._tables, marks, self._time.now())
        except BaseException:
            self.give_back_marks(marks)
            raise
        self.marked(marks)

    async def sweep_for_ever(self) -> None:
        """Bring in what no hand-over published: after a kill, an outage, a full memory."""
        age = timedelta(0)
        while True:
            try:
                if not self._queue:
                    await self._look_for_loss()
                await self._bring_in(age)
                age = _SWEEP_AGE
            except Unavailable as error:
                _log.warning("outbox sweep: %s", error)
            except SQLAlchemyError as error:
                _log.error("outbox sweep: %s", error, exc_info=error)
            await self._time.sleep(_SWEEP_EVERY.total_seconds())

    async def unpublished(self) -> tuple[int, float]:
        """Return how many rows wait and the age of the oldest, in seconds."""
        async with self._database.reading() as connection:
            count, oldest = await outbox.count_unpublished(connection, self._tables)
        age = (to_us(self._time.now()) - oldest) / 1e6 if oldest is not None else 0.0
        return count, age

    async def _try_some(self) -> bool:
        """Publish some rows; return whether to go on at once."""
        try:
            if not self._queue:
                await self._bring_in(timedelta(0))
            return await self._publish_some()
        except DatabaseUnavailable as error:
            _log.warning("outbox: %s", error)
        except (LeveeError, SQLAlchemyError) as error:
            # What can never be published was refused when it was said; this is a fault of ours
            # and stays visible as an outbox that grows old.
            _log.error("outbox: %s", error, exc_info=error)
        return False

    async def _publish_some(self) -> bool:
        if not await self._look_for_loss():
            return False
        batch = [self._queue[i] for i in range(min(_BATCH, len(self._queue)))]
        if not batch:
            return True
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
        self._activity.end(len(stored))
        self.published += len(stored)
        self._moved.set()
        return not failed

    async def _mark(self, stored: Sequence[tuple[int, int]]) -> None:
        if not stored:
            return
        if not self._keep:
            # Nothing looks at these rows again (no sweep in moved time): forget many at once.
            self._forgettable += [row_id for row_id, _ in stored]
            self._mine.difference_update(self._forgettable)
            if len(self._forgettable) >= _FORGET_AT_ONCE:
                await self.forget_published()
            return
        self._keep_unmarked(stored)
        if not self._mark_after:
            await self.note_published()

    def _keep_unmarked(self, marks: Sequence[tuple[int, int]]) -> None:
        if marks and not self._unmarked:
            self._mark_at = self._time.now() + self._mark_after
            self._has_unmarked.set()
        self._unmarked += marks

    async def forget_published(self) -> None:
        """Note what was published, and remove the rows that need not be kept."""
        await self.note_published()
        gone, self._forgettable = self._forgettable, []
        if gone:
            async with self._database.transaction() as tx:
                await outbox.remove(tx, self._tables, gone)

    def may_forget(self) -> bool:
        """Return whether old published rows may go.

        Not before the broker was asked what it still has: what was said just before it went may be
        all there is of it.
        """
        return bool(self._keep) and self._is_trusted

    @property
    def _is_trusted(self) -> bool:
        """Whether the broker was asked what it still has, over the present connection."""
        if not self._keep:
            return True
        return self._bus.is_connected and self._bus.reconnects == self._seen_reconnects

    async def _look_for_loss(self) -> bool:
        """After each (re)connection: publish again what the broker no longer has.

        Returns whether the present connection may be published to.
        """
        if self._is_trusted:
            return True
        async with self._asking:
            if not self._is_trusted and self._bus.is_connected:
                reconnects = self._bus.reconnects
                await self._forget_unnoted()
                if await self._is_compared():
                    self._seen_reconnects = reconnects
        return self._is_trusted

    async def _forget_unnoted(self) -> None:
        """Count as unpublished what was published before and not noted in time.

        Another replica may have filled the gap by now, so its sequences tell nothing any more.
        """
        suspects = [row_id for row_id, _ in self._marking]
        await self._has_marked.wait()
        if suspects:
            async with self._database.transaction() as tx:
                await outbox.unpublish(tx, self._tables, suspects)
        unnoted, self._unmarked = self._unmarked, []
        self._mine.difference_update(row_id for row_id, _ in unnoted)
        if suspects or unnoted:
            self._has_more = True
            self._wake.set()

    async def _is_compared(self) -> bool:
        """Compare each stream's end with ours; return False when the broker did not answer."""
        async with self._database.reading() as connection:
            highest = await outbox.highest_sequences(connection, self._tables)
        for stream, sequence in highest:
            last = await self._bus.last_sequence(stream)
            if last is None:
                return False
            if last < sequence:
                async with self._database.transaction() as tx:
                    count = await outbox.forget_publication(tx, self._tables, stream, last)
                text = "%s ends at %s, not at %s: publishing %s rows again"
                _log.warning(text, stream, last, sequence, count)
                self._has_more = True
                self._wake.set()
        return True

    async def _bring_in(self, age: timedelta) -> None:
        """Take rows from the table that nobody has published for `age`."""
        limit = (self._in_memory or IN_MEMORY) // 2
        if len(self._queue) > limit:
            return
        now = self._time.now()
        async with self._database.reading() as connection:
            rows = await outbox.read_unpublished(connection, self._tables, now - age, limit, now)
        # A look at old rows only says nothing about the others.
        self._has_more = len(rows) >= limit or (self._has_more and age > timedelta(0))
        fresh = [row for row in rows if row[0] not in self._mine]
        if fresh:
            self._activity.begin(len(fresh))
            self.hand_over(fresh)
