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
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy.exc import SQLAlchemyError

from shared.bus.port import DEFINITIONS_STREAM, ConsumerSpec
from shared.consuming import outbox
from shared.consuming.calls import Calls
from shared.consuming.firing import Firing
from shared.consuming.held_desk import HeldDesk
from shared.consuming.keeping import Keeper, Purge, settled_purge
from shared.consuming.messages import Messages
from shared.consuming.relay import IN_MEMORY, Relay
from shared.consuming.sealing import forgotten_upto, position_purge
from shared.consuming.transactor import Knobs, Stats, Transactor
from shared.consuming.work import Work, WorkContext
from shared.database.timer_watch import TimerWatch
from shared.database.trouble import DatabaseUnavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Coroutine, Sequence
    from uuid import UUID

    from shared.bus.port import Bus
    from shared.bus.port import Subscription as Pull
    from shared.consuming.subscriptions import Subscription, TimerSubscription
    from shared.database.engine import Database, Transaction
    from shared.database.tables import KitTables
    from shared.id_source import IdSource
    from shared.observability.traces import Tracer
    from shared.time_source import Activity, TimeSource

_log = logging.getLogger(__name__)

W = TypeVar("W", bound=Work)
R = TypeVar("R")


#: How often to look for held messages whose turn has come; only a kill leaves such.
_FIND_READY_S = 60.0
#: What a killed replica was handed reaches another after this time. A batch takes a fraction of a
#: second; one that takes longer than this arrives again and is dropped by the inbox.
_ACK_WAIT = timedelta(seconds=10)
#: How often published outbox rows are looked at: a busy service says thousands a second.
_FORGET_EVERY = timedelta(seconds=10)
#: How often a stopping service looks whether there is still a bus to publish to.
_DRAIN_LOOK_S = 0.25


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
        purges: Sequence[Purge] = (),
    ) -> None:
        """Wire a service; `work` makes its unit of work for one transaction.

        `purges` are what the service itself keeps for a time only, beside the kit's rows.
        """
        self.service, self.database, self.tables = service, database, tables
        self.bus, self.time, self.ids, self.activity = bus, time, ids, activity
        self.knobs = knobs or Knobs()
        self.stats = Stats()
        self.relay = Relay(
            database,
            tables,
            bus,
            time,
            activity,
            keep=self.knobs.keep_published,
            mark_after=self.knobs.patience,
            in_memory=IN_MEMORY if self.knobs.has_housekeeping else None,
        )
        transactor = Transactor(
            service, database, tables, time, activity, self.relay, work, self.knobs, self.stats
        )
        firing = Firing(transactor, {timer.kind: timer.handle for timer in timers})
        self.timers = TimerWatch(
            database,
            tables,
            time,
            activity,
            firing.fire,
            owner=f"{service}/{self.knobs.replica}",
            horizon=self.knobs.horizon,
            tick=self.knobs.tick,
            turns=self.knobs.turns,
        )
        transactor.timers = self.timers
        self._transactor = transactor
        self._calls = Calls(transactor)
        self._messages = Messages(transactor, {s.event_type.type: s for s in subscriptions})
        self.held = HeldDesk(database, tables, time, self.timers, self._messages)
        self.keeper = Keeper(service, database, tables, time, [*self._kit_purges(), *purges])
        self.consumers = tuple(
            spec
            for spec in consumers_of(service, subscriptions)
            if self.knobs.hears_facts or spec.stream == DEFINITIONS_STREAM
        )
        self._tasks: list[asyncio.Task[None]] = []
        self._relay_loop: asyncio.Task[None] | None = None
        self._timer_loop: asyncio.Task[None] | None = None
        self._consumer_loop: asyncio.Task[None] | None = None
        self._pull: Pull | None = None
        self._is_stopping = False

    async def start(self) -> None:
        """Begin to hear, to fire and to publish; raises `DatabaseUnavailable`."""
        async with self.database.reading() as connection:
            self._transactor.forgotten_upto = await forgotten_upto(connection, self.tables)
        self._relay_loop = self._begin("relay", self.relay.run())
        self._timer_loop = self._begin("timers", self.timers.run())
        self._begin("calls", self._calls.run())
        self._begin("held", self._messages.try_again_for_ever())
        if self.knobs.patience:
            self._begin("quiet", self._messages.count_quiet_for_ever())
            self._begin("noting", self.relay.note_for_ever())
        if self.knobs.has_housekeeping:
            self._begin("sweep", self.relay.sweep_for_ever())
            self._begin("find-ready", self._find_ready_for_ever())
            self._begin("keeping", self.keeper.run())
        if self.consumers:
            self._pull = await self.bus.subscribe(self.consumers)
            self._consumer_loop = self._begin("consumer", self._messages.run(self._pull))

    async def stop(self, drain_s: float = 10.0) -> None:
        """Take no more, finish what is under way (up to `drain_s` seconds), then leave."""
        self._is_stopping = True
        self._calls.close()
        self.timers.close()
        if self._pull is not None:
            await self._pull.close()
        with contextlib.suppress(TimeoutError, DatabaseUnavailable):
            async with asyncio.timeout(drain_s):
                await self._drain()
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        self._calls.abandon()

    @property
    def tracer(self) -> Tracer | None:
        """What makes spans of what is handled; None where tracing is off."""
        return self._transactor.tracer

    @tracer.setter
    def tracer(self, tracer: Tracer | None) -> None:
        self._transactor.tracer = tracer

    def _kit_purges(self) -> tuple[Purge, ...]:
        """Return what every service keeps for a time only."""

        async def forget(tx: Transaction, edge_us: int, limit: int) -> int:
            return await outbox.purge(tx, self.tables, edge_us, limit)

        async def oldest(tx: Transaction) -> int | None:
            return await outbox.oldest_us(tx, self.tables)

        keep, may = self.knobs.keep_published, self.relay.may_forget
        return (
            Purge("outbox", keep, forget, oldest, _FORGET_EVERY, may),
            settled_purge(self.tables, self.knobs.keep_settled),
            position_purge(self.tables, self.knobs.keep_positions),
        )

    def _begin(self, name: str, loop: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.create_task(loop, name=f"{self.service}-{name}")
        task.add_done_callback(log_death)
        self._tasks.append(task)
        return task

    async def _drain(self) -> None:
        """Return when handlers and callers have finished and what they said is published."""
        busy = [task for task in (self._timer_loop, self._consumer_loop) if task is not None]
        if busy:
            await asyncio.wait(busy)
        await self._messages.count_quiet()
        await self._calls.drained()
        relaying = self._relay_loop
        while self.relay.backlog and self.bus.is_connected and relaying and not relaying.done():
            # Not for ever: a relay that cannot publish pauses in the time it was given.
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_DRAIN_LOOK_S):
                    await self.relay.below(0)
        await self.relay.forget_published()

    async def _find_ready_for_ever(self) -> None:
        while True:
            try:
                await self._messages.find_ready()
            except DatabaseUnavailable as error:
                _log.warning("%s: held messages: %s", self.service, error)
            except SQLAlchemyError as error:
                _log.error("%s: held messages: %s", self.service, error, exc_info=error)
            await self.time.sleep(_FIND_READY_S)

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
        new: Collection[UUID | str] = (),
        cause: UUID | None = None,
    ) -> R:
        """Run `apply` on a loaded unit of work, in a transaction shared with others waiting.

        `locks` are the subjects it changes or speaks about, `loads` further keys the unit of
        work is to load. `new` are subjects whose ids the caller has just made: nobody else can
        know them, so nothing is looked up or locked. Returns after the commit. What `apply`
        raises is raised here and nothing of it is stored. Raises `DatabaseUnavailable` when the
        database is away, and `TooManyCalls` when too many wait for it.
        """
        return await self._calls.do(cause or self.ids.new(), apply, locks, loads, new)

    async def catch_up(self) -> None:
        """Handle what a lagging consumer (`Knobs.lag`) has put by."""
        await self._messages.catch_up()


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
    return tuple(
        ConsumerSpec(stream, f"{service}-{stream.lower()}", _ACK_WAIT) for stream in sorted(streams)
    )


def log_death(task: asyncio.Task[None]) -> None:
    """Write it down when a loop that should run for ever ends by an error."""
    if not task.cancelled() and (error := task.exception()) is not None:
        _log.error("%s died: %s", task.get_name(), error, exc_info=error)
