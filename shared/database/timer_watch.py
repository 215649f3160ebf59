"""Watches the near horizon of timers and hands what is due to whoever fires it.

The row is the truth, a heap holds the near horizon. Everything due within one tick is fired
together. Several replicas divide the work by leases; a firing reads its row again under the
subject's lock, so that a late or doubled wake-up does nothing.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from bisect import bisect_left
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import or_, select, update
from sqlalchemy.exc import SQLAlchemyError

from shared.database.tables import from_us, to_us
from shared.database.trouble import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterable, Sequence

    from shared.database.engine import Database
    from shared.database.tables import KitTables
    from shared.database.timers import Timer
    from shared.database.turns import Turns
    from shared.time_source import Activity, TimeSource

_log = logging.getLogger(__name__)

#: Upper bounds of the lateness histogram, in seconds.
LATENESS_BOUNDS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 30.0, 300.0)
#: How many due timers one transaction takes at most; the rest follows at once.
FIRE_LIMIT = 500
#: Timers one look at the database brings in; further ones follow at once.
_CLAIM_LIMIT = 5_000
#: SQLite reads the whole near horizon, known or not.
_READ_LIMIT = 50_000
#: A clock that falls behind by more was put back; less are two readings of one clock.
_JUMP = timedelta(seconds=1)
#: How far the clocks of two machines may differ. A lease that ends later than one given now could,
#: and by more than this, was given before a clock was put back.
_SKEW = timedelta(seconds=60)
#: How long to wait before looking again at a database that did not answer.
_PAUSE_S = 0.5


@dataclass(slots=True)
class Lateness:
    """How late timers fired: counts per bound of `LATENESS_BOUNDS_S` and one beyond."""

    counts: list[int] = field(default_factory=lambda: [0] * (len(LATENESS_BOUNDS_S) + 1))
    fired: int = 0
    worst_s: float = 0.0
    sum_s: float = 0.0

    def note(self, late_s: float) -> None:
        """Count one firing, `late_s` seconds after it could have happened."""
        self.counts[bisect_left(LATENESS_BOUNDS_S, late_s)] += 1
        self.fired += 1
        self.sum_s += late_s
        self.worst_s = max(self.worst_s, late_s)


@dataclass(slots=True)
class Firings:
    """What became of due timers; those that are neither fired nor to come again are gone."""

    fired: list[str] = field(default_factory=list)
    #: Timer id -> seconds after which it is tried again; its row stays as it is.
    again_after_s: dict[str, float] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, order=True)
class Watched:
    """A timer in memory: when to wake, and the moment since which it could fire."""

    wake_us: int
    id: str
    key: str
    since_us: int


class TimerWatch:
    """Watches the near horizon and hands what is due to `fire`, many at a time."""

    def __init__(
        self,
        database: Database,
        tables: KitTables,
        time: TimeSource,
        activity: Activity,
        fire: Callable[[Sequence[Watched], datetime], Awaitable[Firings]],
        *,
        owner: str,
        horizon: timedelta | None = timedelta(seconds=5),
        tick: timedelta = timedelta(milliseconds=15),
        lease: timedelta = timedelta(seconds=10),
        turns: Turns | None = None,
    ) -> None:
        """Prepare to watch; `fire` gets what is due and the moment.

        `horizon=None` keeps everything in memory and looks at the rows only once: for simulated
        time, where one process arms all timers. `tick` is how long a wake-up waits for company.
        With `turns` nothing fires by itself: somebody says whose turn it is.
        """
        self._turns = turns
        self._database, self._tables = database, tables
        self._time, self._activity, self._fire = time, activity, fire
        self._owner, self._horizon, self._tick, self._lease = owner, horizon, tick, lease
        self._heap: list[Watched] = []
        #: The entry of the heap that counts for each timer; others are leftovers.
        self._known: dict[str, Watched] = {}
        self._wake = asyncio.Event()
        self._refill_at: datetime | None = None
        #: The last reading of the clock.
        self._latest = time.now()
        self._has_looked = False
        self._is_closed = False
        self.lateness = Lateness()

    def armed(self, timers: Iterable[Timer]) -> None:
        """Hear of timers that were just committed by this process."""
        now_us = to_us(self._time.now())
        edge = None if self._horizon is None else now_us + to_us_span(self._horizon)
        for timer in timers:
            due_us = to_us(timer.due_at)
            if edge is None or due_us <= edge:
                # One that was due before it was armed could not fire before that.
                is_own = self._turns is not None and timer.armed_at is not None
                armed_us = to_us(timer.armed_at) if is_own and timer.armed_at else now_us
                self._push(Watched(due_us, timer.id, timer.key, max(due_us, armed_us)))
            else:
                self._known.pop(timer.id, None)

    def disarmed(self, ids: Iterable[str]) -> None:
        """Hear of timers that were just removed."""
        for gone in ids:
            self._known.pop(gone, None)

    @property
    def watched(self) -> int:
        """How many timers are in memory."""
        return len(self._known)

    def close(self) -> None:
        """Let `run` return once it has finished what it is firing."""
        self._is_closed = True
        self._wake.set()

    async def run(self) -> None:
        """Fire what is due until closed."""
        if self._turns is not None:
            await self._refill()
            self._turns.join(self)
        while not self._is_closed:
            try:
                self._notice_jump()
                await self._refill()
                if not await self._fire_due():
                    await self._rest()
            except DatabaseUnavailable as error:
                _log.warning("%s: timers wait for the database: %s", self._owner, error)
                await self._time.sleep(_PAUSE_S)
            except SQLAlchemyError as error:
                _log.error("%s: timers cannot be read: %s", self._owner, error, exc_info=error)
                await self._time.sleep(_PAUSE_S)

    def _notice_jump(self) -> None:
        """Forget, when the clock was put back, what was to wake by the clock of before.

        The rows are the truth: what is due by the clock of now is found by looking again.
        """
        now = self._time.now()
        if self._horizon is not None and now < self._latest - _JUMP:
            far_us = to_us(now + self._horizon)
            for gone in [one.id for one in self._known.values() if one.wake_us > far_us]:
                del self._known[gone]
            self._refill_at = None
            _log.warning("%s: the clock was put back to %s", self._owner, now.isoformat())
        self._latest = now

    def _push(self, watched: Watched) -> None:
        known = self._known.get(watched.id)
        if known is not None and known.wake_us == watched.wake_us:
            return
        self._known[watched.id] = watched
        heapq.heappush(self._heap, watched)
        if self._heap[0] is watched:
            self._wake.set()

    def _top(self) -> int | None:
        while self._heap and self._known.get(self._heap[0].id) is not self._heap[0]:
            heapq.heappop(self._heap)
        return self._heap[0].wake_us if self._heap else None

    async def _rest(self) -> None:
        top = self._top() if self._turns is None else None
        until = None if top is None else from_us(top) + self._tick
        if self._refill_at is not None and (until is None or self._refill_at < until):
            until = self._refill_at
        await self._time.wait(self._wake, until)
        self._wake.clear()

    async def _fire_due(self) -> bool:
        if self._turns is not None:
            return False
        now_us, top = to_us(self._time.now()), self._top()
        # Under steady load too: a quick firing must not make the next one a handful.
        if top is None or top + to_us_span(self._tick) > now_us:
            return False
        await self.fire(self.pop_due(now_us, FIRE_LIMIT))
        return True

    def pop_due(self, until_us: int, limit: int | None = None) -> list[Watched]:
        """Take what wakes up to `until_us` out of the memory, the earliest first."""
        due: list[Watched] = []
        while (top := self._top()) is not None and top <= until_us and len(due) != limit:
            watched = heapq.heappop(self._heap)
            # Forgotten at once: one that is armed again meanwhile is a new one.
            del self._known[watched.id]
            due.append(watched)
        return due

    def put_back(self, watched: Sequence[Watched]) -> None:
        """Take what was popped and not fired into the memory again."""
        for one in watched:
            self._push_unless_known(one)

    async def fire(self, due: Sequence[Watched]) -> None:
        """Fire; what could not be fired now is taken back."""
        with self._activity.busy():
            for start in range(0, len(due), FIRE_LIMIT):
                part = due[start : start + FIRE_LIMIT]
                try:
                    outcome = await self._fire(part, self._time.now())
                except BaseException:
                    self.put_back(due[start:])
                    raise
                self._after(part, outcome)

    def _after(self, due: Sequence[Watched], outcome: Firings) -> None:
        done_us = to_us(self._time.now())
        fired = set(outcome.fired)
        for one in due:
            if one.id in fired:
                self.lateness.note(max(0, done_us - one.since_us) / 1e6)
            after_s = outcome.again_after_s.get(one.id)
            if after_s is not None:
                wake_us = done_us + round(after_s * 1e6)
                self._push_unless_known(Watched(wake_us, one.id, one.key, one.since_us))

    def _push_unless_known(self, watched: Watched) -> None:
        if watched.id not in self._known:
            self._push(watched)

    async def _refill(self) -> None:
        now = self._time.now()
        if self._horizon is None:
            if not self._has_looked:
                with self._activity.busy():
                    await self._read_all()
                self._has_looked = True
            return
        if self._refill_at is not None and now < self._refill_at:
            return
        with self._activity.busy():
            rows = await self._claim(now, self._horizon)
        for row in rows:
            self._push(Watched(row.due_us, row.id, row.key, row.due_us))
        is_more = len(rows) >= _CLAIM_LIMIT
        self._refill_at = now if is_more else now + self._horizon / 2

    async def _read_all(self) -> None:
        table = self._tables.timers
        wanted = select(table.c.id, table.c.key, table.c.due_us)
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        for row in rows:
            self._push_unless_known(Watched(row.due_us, row.id, row.key, row.due_us))

    async def _claim(self, now: datetime, horizon: timedelta) -> Sequence[Any]:
        table = self._tables.timers
        near = table.c.due_us <= to_us(now + horizon)
        if self._database.is_sqlite:
            # One process: what it knows already need not be read again and again.
            wanted = select(table.c.id, table.c.key, table.c.due_us).where(near)
            wanted = wanted.order_by(table.c.due_us).limit(_READ_LIMIT)
            async with self._database.reading() as connection:
                found = (await connection.execute(wanted)).all()
            return [row for row in found if row.id not in self._known]
        free = or_(
            table.c.lease_until_us.is_(None),
            table.c.lease_until_us < to_us(now),
            table.c.lease_until_us > to_us(now + self._lease + _SKEW),
        )
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
            return list((await tx.execute(claim)).all())


def to_us_span(span: timedelta) -> int:
    """Return a duration in whole microseconds."""
    return span // timedelta(microseconds=1)
