"""Timers of the kit on PostgreSQL: armed in batches, fired on time, committed."""

from __future__ import annotations

import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, text

from shared.bus.memory import MemoryBus
from shared.consuming import Knobs, on_timer
from shared.database.engine import Database
from shared.database.tables import to_us
from shared.database.timer_watch import Lateness
from shared.http.auth import KeyRing
from shared.id_source import RandomIds
from shared.service import Surroundings
from shared.time_source import Activity, SystemTime
from tests.benchmarks.report import Section, progress
from tests.harness import dummies
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from shared.consuming import Runtime
    from shared.database.timers import Timer
    from tests.benchmarks.stage import Stage
    from tests.harness.dummies import NoteWork

_RATE = 1_000
_TOGETHER = 100
#: Timers begin to be due so long after the first is armed.
_AHEAD = timedelta(seconds=3)
_FAR = timedelta(days=2)


@dataclass(slots=True)
class Noted(Lateness):
    """Every lateness, not only how many fell below each bound."""

    late_s: list[float] = field(default_factory=list)

    def note(self, late_s: float) -> None:
        """Keep one lateness: from the due moment to after the commit of its firing."""
        self.late_s.append(late_s)
        self.fired += 1


def _nothing(timer: Timer, work: NoteWork) -> None:
    """What firing costs when the handler does nothing."""


async def measure(stage: Stage, *, seconds: float, waiting: int = 0) -> Section:
    """Arm timers that are due at 1,000 a second and see how late each is fired.

    `waiting` more are armed already, due in some days.
    """
    section = Section("timers", f"Timers: PostgreSQL, armed {_TOGETHER} per transaction")
    url = await stage.postgres.create()
    async with at_work(url) as runtime:
        if waiting:
            progress(f"timers: {waiting} are waiting")
            await _wait_with(runtime.database, waiting)
            section.add("timers waiting meanwhile", waiting, "")
        count = int(_RATE * seconds)
        progress(f"timers: arming {count}")
        armed = await arm_many(runtime, count, _FAR, "far")
        plain = await _insert(runtime.database, count)
        section.add("armed", armed, "/s", armed / plain, "floor: inserts of the same rows alone")
        section.add("floor: inserts of the same rows alone", plain, "/s")
        runtime.timers.lateness = noted = Noted()
        progress(f"timers: firing {_RATE}/s for {seconds:.0f} s")
        before = time.process_time()
        await arm_many(runtime, count, _AHEAD, "near", apart=timedelta(seconds=1 / _RATE))
        arming_s = time.process_time() - before
        await until(lambda: noted.fired >= count, within_s=30 + seconds)
        used_s = time.process_time() - before - arming_s
        late = sorted(noted.late_s)
        tick_s = runtime.knobs.tick.total_seconds()
        for name, place in (("p50", count // 2), ("p99", count * 99 // 100)):
            ratio = late[place] / tick_s
            section.add(
                f"fired at {_RATE:,}/s, lateness {name}", late[place] * 1e3, "ms", ratio, "the tick"
            )
        section.add("processor of the service", used_s / count * 1e6, "µs/timer")
    section.add("restart: until the near horizon is watched", await _restart(url) * 1e3, "ms")
    section.note("Lateness: from the due moment until the firing's transaction is committed.")
    return section


async def _wait_with(database: Database, count: int) -> None:
    """Store timers as arming would, in one statement: how they got there is not measured."""
    rows = text(
        "INSERT INTO timers (id, kind, key, due_us, epoch, payload, armed_by)"
        " SELECT gen_random_uuid()::text, 'far', gen_random_uuid()::text,"
        " CAST(:due_us AS bigint) + n, 1, :body,"
        " gen_random_uuid()::text FROM generate_series(1, CAST(:count AS bigint)) AS n"
    )
    due_us = to_us(SystemTime().now() + _FAR)
    body = '{"name":"waiting","payload":{}}'
    async with database.transaction() as tx:
        await tx.execute(rows, {"due_us": due_us, "body": body, "count": count})
    async with database.transaction() as tx:
        await tx.execute(text("ANALYZE timers"))


async def _restart(url: str) -> float:
    """Return the seconds until a service that starts again watches what is due next."""
    began = time.perf_counter()
    async with at_work(url) as runtime:
        await until(lambda: runtime.timers._refill_at is not None)
        return time.perf_counter() - began


@asynccontextmanager
async def at_work(url: str) -> AsyncIterator[Runtime[NoteWork]]:
    """Run a service whose timers do nothing, on a new database."""
    machine, activity = SystemTime(), Activity()
    bus = MemoryBus(machine)
    keys = KeyRing(None, machine)
    given = Surroundings(machine, RandomIds(machine), bus, activity, keys, Knobs())
    database = Database(url)
    await dummies.create_tables(database)
    timers = (on_timer("bench", _nothing), on_timer("far", _nothing))
    runtime = dummies.dummy("clock", database, given, timers=timers).runtime
    await runtime.start()
    try:
        yield runtime
    finally:
        await runtime.stop()
        await database.close()
        await bus.close()


async def arm_many(
    runtime: Runtime[NoteWork],
    count: int,
    ahead: timedelta,
    name: str,
    apart: timedelta = timedelta(0),
) -> float:
    """Arm timers, each of its own subject; return how many per second."""
    began, first = time.perf_counter(), runtime.time.now() + ahead
    for start in range(0, count, _TOGETHER):
        numbers = range(start, start + _TOGETHER)
        keys = [str(runtime.ids.new()) for _ in numbers]
        dues = [first + number * apart for number in numbers]
        armed = list(zip(keys, dues, strict=True))

        def arm(work: NoteWork, armed: list[tuple[str, datetime]] = armed) -> None:
            for key, due_at in armed:
                work.arm("bench", key, name, due_at)

        await runtime.do(arm, locks=keys)
    return count / (time.perf_counter() - began)


async def _insert(database: Database, count: int) -> float:
    """Insert as many rows as arming did, without anything around them."""
    table, began = dummies.kit.timers, time.perf_counter()
    ids = RandomIds(SystemTime())
    due_us = to_us(SystemTime().now() + _FAR)
    for _ in range(0, count, _TOGETHER):
        rows = [
            {
                "id": str(ids.new()),
                "kind": "far",
                "key": "floor",
                "due_us": due_us,
                "epoch": 1,
                "payload": "{}",
                "armed_by": "floor",
            }
            for _ in range(_TOGETHER)
        ]
        async with database.transaction() as tx:
            await tx.execute(insert(table), rows)
    return count / (time.perf_counter() - began)
