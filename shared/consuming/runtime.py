"""Runs a service: batches of messages, due moments and calls, each one transaction at a time.

Whatever comes in is taken many at a time: lock the subjects in sorted order, load, run the
handlers on values, flush in bulk, commit, acknowledge, publish. A message nobody can handle is
found, set aside with its reason, and what follows it on the same request waits; everything else
goes on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from shared.bus.port import DEFINITIONS_STREAM, ConsumerSpec
from shared.consuming import held as held_rows
from shared.consuming.batch import read_arrival
from shared.consuming.calls import Calls
from shared.consuming.firing import Firing, timer_from_held
from shared.consuming.messages import Messages
from shared.consuming.relay import Relay
from shared.consuming.transactor import Knobs, Stats, Transactor
from shared.consuming.work import Work, WorkContext
from shared.database import timers as timer_rows

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection, Sequence
    from uuid import UUID

    from shared.bus.port import Bus
    from shared.bus.port import Subscription as Pull
    from shared.consuming.subscriptions import Subscription, TimerSubscription
    from shared.database.engine import Database
    from shared.database.tables import KitTables
    from shared.id_source import IdSource
    from shared.time_source import Activity, TimeSource

_log = logging.getLogger(__name__)

W = TypeVar("W", bound=Work)
R = TypeVar("R")


class Runtime(Generic[W]):
    """A service at work."""

    def __init__(
        self,
        *,
        service: str,
        database: Database,
        tables: KitTables,
        bus: Bus,
        time: TimeSource,
        ids: IdSource,
        activity: Activity,
        work: Callable[[WorkContext], W],
        subscriptions: Sequence[Subscription[W]] = (),
        timers: Sequence[TimerSubscription[W]] = (),
        knobs: Knobs | None = None,
    ) -> None:
        """Wire a service; `work` makes its unit of work for one transaction."""
        self.service, self.database, self.tables = service, database, tables
        self.bus, self.time, self.ids, self.activity = bus, time, ids, activity
        self.knobs = knobs or Knobs()
        self.stats = Stats()
        self.relay = Relay(database, tables, bus, time, activity, keep=self.knobs.keep_published)
        transactor = Transactor(
            service, database, tables, time, activity, self.relay, work, self.knobs, self.stats
        )
        firing = Firing(transactor, {timer.kind: timer.handle for timer in timers})
        self.timers = timer_rows.TimerRunner(
            database,
            tables,
            time,
            activity,
            firing.fire,
            owner=f"{service}/{self.knobs.replica}",
            horizon=self.knobs.horizon,
            tick=self.knobs.tick,
        )
        transactor.timers = self.timers
        self._calls = Calls(transactor)
        self._messages = Messages(transactor, {s.event_type.type: s for s in subscriptions})
        self.consumers = consumers_of(service, subscriptions)
        self._tasks: list[asyncio.Task[None]] = []
        self._pull: Pull | None = None
        self._is_stopping = False

    async def start(self) -> None:
        """Begin to hear, to fire and to publish."""
        loops: list[tuple[str, Awaitable[None]]] = [
            ("relay", self.relay.run()),
            ("timers", self.timers.run()),
            ("calls", self._calls.run()),
        ]
        if self.knobs.has_housekeeping:
            loops.append(("sweep", self.relay.sweep_for_ever()))
        if self.consumers:
            self._pull = await self.bus.subscribe(self.consumers)
            loops.append(("consumer", self._messages.run(self._pull)))
        for name, loop in loops:
            task = asyncio.ensure_future(loop)
            assert isinstance(task, asyncio.Task)
            task.set_name(f"{self.service}-{name}")
            task.add_done_callback(_log_death)
            self._tasks.append(task)

    async def stop(self, drain_s: float = 10.0) -> None:
        """Take no more, finish what is under way (up to `drain_s` seconds), then leave."""
        self._is_stopping = True
        self._calls.close()
        if self._pull is not None:
            await self._pull.close()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(drain_s):
                while self._calls.waiting or (self.relay.backlog and self.bus.is_connected):
                    await asyncio.wait(self._tasks, timeout=0.01)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._calls.abandon()

    @property
    def dead_loops(self) -> list[str]:
        """Loops that ended although the service runs: each one is a fault."""
        if self._is_stopping:
            return []
        return [task.get_name() for task in self._tasks if task.done()]

    async def do(
        self,
        apply: Callable[[W], R],
        *,
        locks: Collection[UUID | str] = (),
        loads: Collection[str] = (),
        cause: UUID | None = None,
    ) -> R:
        """Run `apply` on a loaded unit of work, in a transaction shared with others waiting.

        `locks` are the subjects it changes or speaks about, `loads` further keys the unit of
        work is to load. Returns after the commit. What `apply` raises is raised here and
        nothing of it is stored. Raises `DatabaseUnavailable` when the database is away.
        """
        return await self._calls.do(cause or self.ids.new(), apply, locks, loads)

    async def list_held(
        self, *, is_set_aside: bool = True, limit: int = 100, offset: int = 0
    ) -> tuple[list[held_rows.Held], int]:
        """Return a page of what is set aside (or of what waits as early) and the total."""
        kinds = held_rows.SET_ASIDE if is_set_aside else (held_rows.EARLY,)
        async with self.database.reading() as connection:
            return await held_rows.list_held(
                connection, self.tables, kinds=kinds, limit=limit, offset=offset
            )

    async def replay_held(self, event_id: str) -> bool:
        """Try a message that was set aside again, and what waited behind it.

        Returns whether it went through; it stays set aside when it failed again. Raises
        `NoSuchHeldMessage`, and `Unavailable` when it cannot be applied just now.
        """
        async with self.database.transaction() as tx:
            row = await held_rows.reconsider(tx, self.tables, event_id)
            timers: Sequence[timer_rows.Timer] = ()
            if row.kind == held_rows.TIMER:
                timers = [timer_from_held(row)]
                await timer_rows.arm(tx, self.tables, timers)
        self.timers.armed(timers)
        if row.kind == held_rows.UNREADABLE:
            return read_arrival(row.body, None).error is None
        if row.kind != held_rows.TIMER:
            await self._messages.go_on(row.key)
        async with self.database.reading() as connection:
            return not await held_rows.is_held(connection, self.tables, event_id)

    async def dismiss_held(self, event_id: str) -> None:
        """Give a set-aside message up: count it as heard and let its successors go on.

        Raises `NoSuchHeldMessage`.
        """
        async with self.database.transaction() as tx:
            row = await held_rows.dismiss(tx, self.tables, event_id)
        if row.key is not None and row.kind != held_rows.TIMER:
            await self._messages.go_on(row.key)

    async def skip_to(self, key: str, publisher: str, sequence: int) -> None:
        """Count everything up to `sequence` as heard: settles a gap nobody will fill."""
        async with self.database.transaction() as tx:
            await held_rows.skip_to(tx, self.tables, key, publisher, sequence)
        await self._messages.go_on(key)


def consumers_of(
    service: str, subscriptions: Sequence[Subscription[Any]]
) -> tuple[ConsumerSpec, ...]:
    """One durable per stream: a service hears the whole stream of each publisher it hears."""
    streams = {
        DEFINITIONS_STREAM
        if subscription.event_type.ordering == "latest"
        else f"LEVEE_{sender.upper()}"
        for subscription in subscriptions
        for sender in subscription.senders
    }
    return tuple(ConsumerSpec(stream, f"{service}-{stream.lower()}") for stream in sorted(streams))


def _log_death(task: asyncio.Task[None]) -> None:
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s died: %s", task.get_name(), error, exc_info=error)
