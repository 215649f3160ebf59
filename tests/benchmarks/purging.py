"""Purging beside live work: how fast it goes, and what callers notice of it."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert

from shared.bus.memory import MemoryBus
from shared.consuming import PATIENCE, Knobs
from shared.database.engine import Database
from shared.database.tables import to_us
from shared.http.auth import KeyRing
from shared.id_source import RandomIds
from shared.service import Surroundings
from shared.time_source import Activity, SystemTime
from tests.benchmarks.report import Section, progress
from tests.harness import dummies
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import Awaitable

    from tests.benchmarks.stage import Stage
    from tests.harness.dummies import Dummy

#: Bytes of an ordinary event, rows stored at once, seconds between two callers.
_BODY, _AT_ONCE, _PAUSE_S = b"b" * 900, 5_000, 0.005
#: How long callers are watched before the first look of a service (5 s after its start).
_QUIET_S = 4.0


async def measure(stage: Stage, *, rows: int) -> Section:
    """Purge `rows` published outbox rows on each database while 200 callers a second come."""
    section = Section("purging", "Purging old outbox rows beside 200 calls a second")
    urls = {
        "SQLite": f"sqlite+aiosqlite:///{stage.folder / 'purging.db'}",
        "PostgreSQL": await stage.postgres.create(),
    }
    for name, url in urls.items():
        progress(f"purging: {rows} rows on {name}")
        rate, quiet, busy = await _beside_calls(url, rows)
        section.add(f"{name}: rows forgotten", rate, "/s")
        section.add(
            f"{name}: a call, p50", _at(busy, 0.5), "ms", _share(busy, quiet, 0.5), "before"
        )
        section.add(
            f"{name}: a call, p99", _at(busy, 0.99), "ms", _share(busy, quiet, 0.99), "before"
        )
    return section


async def _beside_calls(url: str, rows: int) -> tuple[float, list[float], list[float]]:
    """Return rows a second, and how long calls took before and during the purge."""
    database = Database(url)
    await dummies.create_tables(database)
    await _fill(database, rows)
    time = SystemTime()
    bus = MemoryBus(time, Activity())
    given = Surroundings(
        time, RandomIds(time), bus, Activity(), KeyRing(None, time), Knobs(patience=PATIENCE)
    )
    dummy = dummies.dummy("clock", database, given)
    await dummy.runtime.start()
    quiet: list[float] = []
    busy: list[float] = []
    try:
        await _call_until(dummy, quiet, _sleeping(_QUIET_S))
        purged = dummy.runtime.keeper.purged
        await until(lambda: purged["outbox"] > 0, 30)
        before, began = purged["outbox"], time.monotonic()
        await _call_until(dummy, busy, until(lambda: purged["outbox"] >= rows, 600))
        return (rows - before) / (time.monotonic() - began), quiet, busy
    finally:
        await dummy.runtime.stop()
        await database.close()


async def _fill(database: Database, rows: int) -> None:
    long_ago = to_us(SystemTime().now() - timedelta(hours=3))
    row = {
        "event_id": "old",
        "subject": "levee.clock.clock.met.v1",
        "stream": "LEVEE_CLOCK",
        "body": _BODY,
        "created_us": long_ago,
        "published_us": long_ago,
        "stream_sequence": 0,
    }
    for _ in range(0, rows, _AT_ONCE):
        async with database.transaction() as tx:
            await tx.execute(insert(dummies.kit.outbox), [row] * _AT_ONCE)


async def _sleeping(seconds: float) -> None:
    await SystemTime().sleep(seconds)


async def _call_until(dummy: Dummy, took: list[float], end: Awaitable[None]) -> None:
    """Let callers come until `end` is over; note how long each waited, in seconds."""
    time = SystemTime()
    over = asyncio.ensure_future(end)
    calls: set[asyncio.Task[None]] = set()

    async def call() -> None:
        key, began = dummy.runtime.ids.new(), time.monotonic()
        await dummy.runtime.do(lambda work: work.note(key, "x"), new=[key])
        took.append(time.monotonic() - began)

    while not over.done():
        calls.add(asyncio.create_task(call()))
        await time.sleep(_PAUSE_S)
    await asyncio.gather(over, *calls)


def _at(took: list[float], share: float) -> float:
    return sorted(took)[int((len(took) - 1) * share)] * 1e3


def _share(one: list[float], other: list[float], share: float) -> float:
    return _at(one, share) / _at(other, share)
