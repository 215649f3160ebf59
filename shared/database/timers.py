"""Durable timers: the row is the truth, a heap holds the near horizon.

A due moment is armed and disarmed within the transaction of what asked for it. Firing takes
everything due within one tick into one transaction. Several replicas divide the work by leases
on the near horizon; a firing re-reads its row under the subject's lock, so that a late or
doubled wake-up does nothing.
"""

from __future__ import annotations

import asyncio
import heapq
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import delete, or_, select, update

from shared.database.engine import DatabaseUnavailable
from shared.database.statements import chunks, upsert
from shared.database.tables import from_us, to_us
from shared.id_source import derived

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Iterable, Mapping, Sequence

    from shared.database.engine import Database, Transaction
    from shared.database.tables import KitTables
    from shared.time_source import Activity, TimeSource

_NAMESPACE = UUID("6c1f6d5e-3f0e-5a57-9d0a-5b8f6f0e7a10")
#: Upper bounds of the lateness histogram, in seconds.
LATENESS_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0)
#: How many due timers one transaction takes at most; the rest follows at once.
FIRE_LIMIT = 500


@dataclass(frozen=True, slots=True)
class Timer:
    """A due moment: `kind` names the handler, `key` the subject it is about."""

    kind: str
    key: str
    name: str
    due_at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    epoch: int = 1

    @property
    def id(self) -> str:
        """The same for the same kind, key and name: arming again replaces."""
        return timer_id(self.kind, self.key, self.name)


def timer_id(kind: str, key: str, name: str) -> str:
    """Return the id of the one timer with this kind, key and name."""
    return str(derived(_NAMESPACE, f"{kind}\x1f{key}\x1f{name}"))


@dataclass(slots=True)
class Lateness:
    """How late timers fired: counts per bound of `LATENESS_BOUNDS_S` and one beyond."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(LATENESS_BOUNDS_S) + 1))
    fired: int = 0
    worst_s: float = 0.0

    def note(self, late_s: float) -> None:
        """Count one firing, `late_s` seconds after its due moment."""
        self.counts[bisect_left(LATENESS_BOUNDS_S, late_s)] += 1
        self.fired += 1
        self.worst_s = max(self.worst_s, late_s)


async def arm(tx: Transaction, tables: KitTables, timers: Collection[Timer]) -> None:
    """Store timers; one that exists gets the new moment and payload, and the next epoch."""
    if not timers:
        return
    ids = [timer.id for timer in timers]
    epochs = {row.id: row.epoch for row in await _rows(tx, tables, ids)}
    rows = [
        {
            "id": timer.id,
            "kind": timer.kind,
            "key": timer.key,
            "due_us": to_us(timer.due_at),
            "epoch": epochs.get(timer.id, 0) + 1,
            "payload": orjson.dumps({"name": timer.name, **timer.payload}).decode(),
            "lease_owner": None,
            "lease_until_us": None,
        }
        for timer in sorted(timers, key=lambda t: t.id)
    ]
    await upsert(tx, tables.timers, rows)


async def disarm(tx: Transaction, tables: KitTables, ids: Collection[str]) -> None:
    """Remove timers; unknown ids are fine."""
    for part in chunks(sorted(ids)):
        await tx.execute(delete(tables.timers).where(tables.timers.c.id.in_(part)))


async def read_due(
    tx: Transaction, tables: KitTables, ids: Collection[str], now: datetime
) -> list[Timer]:
    """Return those of `ids` that still exist and are due at `now`, earliest first."""
    now_us = to_us(now)
    rows = [row for row in await _rows(tx, tables, ids) if row.due_us <= now_us]
    return [_timer(row) for row in sorted(rows, key=lambda r: (r.due_us, r.kind, r.id))]


def _timer(row: Any) -> Timer:
    payload = orjson.loads(row.payload)
    name = payload.pop("name")
    return Timer(row.kind, row.key, name, from_us(row.due_us), payload, row.epoch)


async def _rows(tx: Transaction, tables: KitTables, ids: Collection[str]) -> list[Any]:
    found: list[Any] = []
    for part in chunks(list(ids)):
        statement = select(tables.timers).where(tables.timers.c.id.in_(part))
        found += (await tx.execute(statement)).all()
    return found


class TimerRunner:
    """Watches the near horizon and hands what is due to `fire`, many at a time."""

    def __init__(
        self,
        database: Database,
        tables: KitTables,
        time: TimeSource,
        activity: Activity,
        fire: Callable[[Sequence[tuple[str, str]], datetime], Awaitable[None]],
        *,
        owner: str,
        horizon: timedelta | None = timedelta(seconds=5),
        tick: timedelta = timedelta(milliseconds=15),
        lease: timedelta = timedelta(seconds=10),
    ) -> None:
        """Prepare to watch; `fire` gets (timer id, subject key) pairs and the moment.

        `horizon=None` keeps everything in memory and never looks again: for simulated time,
        where one process arms all timers. `tick` is how long a wake-up waits for company.
        """
        self._database, self._tables = database, tables
        self._time, self._activity, self._fire = time, activity, fire
        self._owner, self._horizon, self._tick, self._lease = owner, horizon, tick, lease
        self._heap: list[tuple[int, str, str]] = []
        self._known: dict[str, int] = {}
        self._wake = asyncio.Event()
        self._refill_at: datetime | None = None
        self.lateness = Lateness()

    def armed(self, timers: Iterable[Timer]) -> None:
        """Hear of timers that were just committed by this process."""
        edge = None if self._horizon is None else to_us(self._time.now() + self._horizon)
        for timer in timers:
            due_us = to_us(timer.due_at)
            if edge is None or due_us <= edge:
                self._push(due_us, timer.id, timer.key)

    def disarmed(self, ids: Iterable[str]) -> None:
        """Hear of timers that were just removed."""
        for gone in ids:
            self._known.pop(gone, None)

    @property
    def watched(self) -> int:
        """How many timers are in memory."""
        return len(self._known)

    async def run(self) -> None:
        """Fire what is due, for ever; ends when cancelled."""
        while True:
            try:
                await self._refill()
                if not await self._fire_due():
                    await self._rest()
            except DatabaseUnavailable:
                await self._time.sleep(0.5)

    def _push(self, due_us: int, timer_id_: str, key: str) -> None:
        if self._known.get(timer_id_) == due_us:
            return
        self._known[timer_id_] = due_us
        heapq.heappush(self._heap, (due_us, timer_id_, key))
        if self._heap[0][1] == timer_id_:
            self._wake.set()

    def _top(self) -> int | None:
        while self._heap and self._known.get(self._heap[0][1]) != self._heap[0][0]:
            heapq.heappop(self._heap)
        return self._heap[0][0] if self._heap else None

    async def _rest(self) -> None:
        top = self._top()
        until = None if top is None else from_us(top) + self._tick
        if self._refill_at is not None and (until is None or self._refill_at < until):
            until = self._refill_at
        await self._time.wait(self._wake, until)
        self._wake.clear()

    async def _fire_due(self) -> bool:
        now = self._time.now()
        now_us = to_us(now)
        due: list[tuple[int, str, str]] = []
        while len(due) < FIRE_LIMIT and (top := self._top()) is not None and top <= now_us:
            due.append(heapq.heappop(self._heap))
        if not due:
            return False
        with self._activity.busy():
            try:
                await self._fire([(timer, key) for _, timer, key in due], now)
            except DatabaseUnavailable:
                for entry in due:
                    heapq.heappush(self._heap, entry)
                raise
            done_us = to_us(self._time.now())
            for due_us, timer, _ in due:
                if self._known.get(timer) == due_us:
                    del self._known[timer]
                self.lateness.note(max(0, done_us - due_us) / 1e6)
        return True

    async def _refill(self) -> None:
        now = self._time.now()
        if self._refill_at is not None and now < self._refill_at:
            return
        if self._horizon is None and self._refill_at is not None:
            return
        rows = await self._claim(now)
        for row in rows:
            self._push(row.due_us, row.id, row.key)
        if self._horizon is None:
            self._refill_at = datetime.max.replace(tzinfo=UTC)
        elif len(rows) >= _CLAIM_LIMIT:
            self._refill_at = now
        else:
            self._refill_at = now + self._horizon / 2

    async def _claim(self, now: datetime) -> Sequence[Any]:
        table = self._tables.timers
        wanted = select(table.c.id, table.c.key, table.c.due_us).order_by(table.c.due_us)
        if self._horizon is None:
            async with self._database.reading() as connection:
                return (await connection.execute(wanted)).all()
        near = table.c.due_us <= to_us(now + self._horizon)
        if self._database.is_sqlite:
            # One process: what it knows already need not be read again and again.
            async with self._database.reading() as connection:
                found = (await connection.execute(wanted.where(near).limit(_READ_LIMIT))).all()
            return [row for row in found if row.id not in self._known]
        free = or_(table.c.lease_until_us.is_(None), table.c.lease_until_us < to_us(now))
        chosen = (
            select(table.c.id)
            .where(near, free)
            .order_by(table.c.due_us)
            .limit(_CLAIM_LIMIT)
            .with_for_update(skip_locked=True)
        )
        claim = (
            update(table)
            .where(table.c.id.in_(chosen))
            .values(lease_owner=self._owner, lease_until_us=to_us(now + self._lease))
            .returning(table.c.id, table.c.key, table.c.due_us)
        )
        async with self._database.transaction() as tx:
            return (await tx.execute(claim)).all()


#: Timers one look at the database brings in; further ones follow at once.
_CLAIM_LIMIT = 5_000
#: SQLite reads the whole near horizon, known or not.
_READ_LIMIT = 50_000
