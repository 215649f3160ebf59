"""The one transaction: lock, load, run, flush, commit, then hand over what was said and armed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Collection
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

from sqlalchemy import insert

from shared.bus.port import Message
from shared.consuming.work import Cause, Work, WorkContext
from shared.database import timers as timer_rows
from shared.database.engine import Transaction
from shared.database.subjects import Subject, lock_subjects, save_subjects

if TYPE_CHECKING:
    from shared.consuming.relay import Relay
    from shared.database.engine import Database
    from shared.database.tables import KitTables
    from shared.time_source import Activity, TimeSource

W = TypeVar("W", bound=Work)

#: Outbox rows not yet published at which consumers stop taking more: back-pressure.
BACKLOG_LIMIT = 10_000
#: Entries of one transaction at most.
BATCH_MAX = 500

SetCause = Callable[[Cause], None]
Prepare = Callable[[Transaction, dict[str, Subject]], Awaitable[None]]
Finish = Callable[[Transaction, dict[str, Subject], datetime], Awaitable[None]]


class Guilty(Exception):
    """One entry of a batch failed; a signal between two frames, never shown."""

    def __init__(self, entry_id: str, error: Exception) -> None:
        self.entry_id, self.error = entry_id, error
        super().__init__(entry_id)


@dataclass(slots=True)
class Stats:
    """Counts since start, for health and status."""

    batches: int = 0
    handled: int = 0
    duplicates: int = 0
    early: int = 0
    set_aside: int = 0
    retried: int = 0
    calls: int = 0
    timers: int = 0
    largest_batch: int = 0


@dataclass(frozen=True, slots=True)
class Knobs:
    """What differs between real and simulated houses."""

    #: How far ahead timers are kept in memory; None keeps all (simulated time, one process).
    horizon: timedelta | None = timedelta(seconds=5)
    tick: timedelta = timedelta(milliseconds=15)
    keep_published: timedelta = timedelta(minutes=10)
    #: Off in simulated time, where nothing outside can fail and sweeps would move time.
    has_housekeeping: bool = True
    #: Off: one transaction per message and call, the design the bench compares with.
    is_batching: bool = True
    replica: str = "replica-1"
    backlog_limit: int = BACKLOG_LIMIT


#: For worlds whose time is moved by hand or jumps.
MOVED_TIME = Knobs(
    horizon=None, tick=timedelta(0), keep_published=timedelta(0), has_housekeeping=False
)


@dataclass(slots=True)
class Transactor(Generic[W]):
    """Runs handlers of one service inside transactions."""

    service: str
    database: Database
    tables: KitTables
    time: TimeSource
    activity: Activity
    relay: Relay
    make_work: Callable[[WorkContext], W]
    knobs: Knobs
    stats: Stats
    #: Set by the runtime: the timers' memory.
    timers: timer_rows.TimerRunner | None = None

    async def run(
        self,
        locks: Collection[str],
        loads: Collection[str],
        run: Callable[[W, SetCause], None],
        *,
        prepare: Prepare | None = None,
        finish: Finish | None = None,
    ) -> None:
        """Run `run` on a loaded unit of work and commit; nothing is stored when it raises.

        `prepare` runs after the locks are held and before loading, `finish` after the flush.
        """
        now = self.time.now()
        async with self.database.transaction() as tx:
            subjects = await lock_subjects(tx, self.tables, locks)
            if prepare is not None:
                await prepare(tx, subjects)
            context = WorkContext(tx, now, self.service, subjects, Cause(UUID(int=0)))
            work = self.make_work(context)
            await work.load({*locks, *loads})

            def set_cause(cause: Cause) -> None:
                context.cause = cause

            run(work, set_cause)
            await work.flush()
            if finish is not None:
                await finish(tx, subjects, now)
            await save_subjects(tx, self.tables, subjects.values())
            await timer_rows.disarm(tx, self.tables, context.disarmed)
            await timer_rows.arm(tx, self.tables, list(context.armed.values()))
            published = await self._store(tx, context.outgoing)
        self.activity.begin(len(published))
        self.relay.hand_over(published)
        if self.timers is not None:
            self.timers.disarmed(context.disarmed)
            self.timers.armed(context.armed.values())

    async def _store(
        self, tx: Transaction, rows: list[dict[str, Any]]
    ) -> list[tuple[int, Message]]:
        if not rows:
            return []
        table = self.tables.outbox
        statement = insert(table).returning(table.c.id, sort_by_parameter_order=True)
        ids = (await tx.execute(statement, rows)).scalars().all()
        return [
            (row_id, Message(row["subject"], UUID(row["event_id"]), row["body"]))
            for row_id, row in zip(ids, rows, strict=True)
        ]
