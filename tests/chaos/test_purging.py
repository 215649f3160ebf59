"""A service killed while it purges: the rest goes the next time, what is young is all there."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, insert, select

from services.clock.store import kit
from shared.database import migrations
from shared.database.engine import Database
from shared.database.tables import to_us
from shared.time_source import SystemTime
from tests.harness.processes import ServiceProcess, free_port
from tests.harness.waiting import until

if TYPE_CHECKING:
    from datetime import datetime
    from pathlib import Path

    from tests.conftest import Databases

OLD, YOUNG = 30_000, 500


def decision(number: int, at: datetime) -> dict[str, Any]:
    return {
        "event_id": str(number),
        "key": None,
        "publisher": "router",
        "sequence": 1,
        "type": "request.routed.v1",
        "kind": "failed",
        "code": "refusal",
        "detail": "d" * 200,
        "body": b"b" * 600,
        "held_us": to_us(at),
        "verb": "dismissed",
        "decided_by": "lin",
        "reason": "long ago",
        "decided_us": to_us(at),
    }


async def filled(url: str) -> None:
    """Make the clock's tables, with decisions of six years ago and of today."""
    now = SystemTime().now()
    ages = [now - timedelta(days=2_200)] * OLD + [now] * YOUNG
    rows = [decision(number, at) for number, at in enumerate(ages)]
    database = Database(url)
    try:
        await migrations.upgrade("clock", database)
        async with database.transaction() as tx:
            for start in range(0, len(rows), 1_000):
                await tx.execute(insert(kit.settled), rows[start : start + 1_000])
    finally:
        await database.close()


async def left(url: str) -> int:
    """Return how many decisions there are, beside a service at work or without one."""
    database = Database(url) if url.startswith("postgresql") else None
    if database is None:
        return _left_in_file(url.removeprefix("sqlite+aiosqlite:///"))
    try:
        async with database.reading() as connection:
            counted = select(func.count()).select_from(kit.settled)
            return int((await connection.execute(counted)).scalar_one())
    finally:
        await database.close()


def _left_in_file(path: str) -> int:
    with closing(sqlite3.connect(f"file:{path}?mode=ro", uri=True)) as connection:
        return int(connection.execute("SELECT count(*) FROM settled").fetchone()[0])


async def test_a_purge_that_is_killed_in_the_middle_loses_nothing_and_is_finished_later(
    tmp_path: Path, databases: Databases
) -> None:
    url = await databases.new()
    await filled(url)
    environment = {**os.environ, "CLOCK_DATABASE_URL": url, "CLOCK_NATS_URL": "nats://127.0.0.1:1"}
    port, log = free_port(), tmp_path / "clock.log"
    environment["CLOCK_PORT"] = str(port)
    process = ServiceProcess("clock", "services.clock", ["serve"], port, log, environment)

    async def is_under_way() -> bool:
        return await left(url) < OLD + YOUNG

    async def is_done() -> bool:
        return await left(url) == YOUNG

    process.start()
    try:
        await until(is_under_way, 30)
        process.kill()
        in_the_middle = await left(url)
        process.start()
        await until(is_done, 60)
    finally:
        process.kill()

    assert YOUNG < in_the_middle < OLD + YOUNG
    assert process.error_lines() == []
