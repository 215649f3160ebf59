"""What waits is counted alike on both databases, and never row by row beyond the limit."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from sqlalchemy import insert, text

from shared.consuming.backlog import read_backlog
from shared.database.tables import to_us
from shared.observability.metrics import COUNT_LIMIT
from tests.harness import dummies
from tests.harness.world import new_world

if TYPE_CHECKING:
    from typing import Any

    from shared.database.engine import Database


async def test_counts_ages_and_what_lies_beyond_the_limit(database: Database) -> None:
    now = new_world().time.now()
    await dummies.create_tables(database)
    await _fill(database, "outbox", [_said(i, to_us(now) - 7_000_000) for i in range(3)])
    late, soon = to_us(now) - 60_000_000, to_us(now) + 60_000_000
    await _fill(database, "timers", [_timer(f"late-{i}", late) for i in range(2)])

    few = await read_backlog(database, dummies.kit, now + timedelta(seconds=1))
    await _fill(database, "timers", [_timer(f"soon-{i}", soon) for i in range(COUNT_LIMIT + 500)])
    if not database.is_sqlite:
        async with database.transaction() as tx:
            await tx.execute(text("ANALYZE timers"))
    many = await read_backlog(database, dummies.kit, now)

    assert (few.outbox, few.outbox_age_s) == (3, 8.0)
    assert (few.timers, few.timers_overdue, few.parked, few.set_aside) == (2, 2, 0, {})
    assert many.timers == (COUNT_LIMIT if database.is_sqlite else COUNT_LIMIT + 502)


async def _fill(database: Database, table: str, rows: list[dict[str, Any]]) -> None:
    async with database.transaction() as tx:
        for start in range(0, len(rows), 2_000):
            part = rows[start : start + 2_000]
            await tx.execute(insert(getattr(dummies.kit, table)), part)


def _said(number: int, created_us: int) -> dict[str, Any]:
    return {
        "event_id": str(number),
        "subject": "levee.clock.clock.met.v1",
        "stream": "LEVEE_CLOCK",
        "body": b"{}",
        "created_us": created_us,
        "published_us": None,
        "stream_sequence": None,
    }


def _timer(id_: str, due_us: int) -> dict[str, Any]:
    return {
        "id": id_,
        "kind": "close",
        "key": "k",
        "due_us": due_us,
        "epoch": 1,
        "payload": "{}",
        "armed_by": id_,
        "lease_owner": None,
        "lease_until_us": None,
    }
