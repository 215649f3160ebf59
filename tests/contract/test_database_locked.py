"""A table somebody holds: callers are told after a while, messages wait, nothing is half done."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import pytest

from shared.database.trouble import DatabaseUnavailable
from shared.events.router import RequestAssigned
from tests.harness.dummies import kit
from tests.harness.lab import laboratory
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from tests.conftest import Databases
    from tests.harness.dummies import NoteWork
    from tests.harness.lab import Lab

pytestmark = pytest.mark.postgres


@asynccontextmanager
async def held(url: str, table: str) -> AsyncIterator[None]:
    """Hold a table as somebody who changes it by hand."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute("BEGIN")
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        await connection.execute("ROLLBACK")
    finally:
        await connection.close()


@pytest.mark.parametrize("table", ["subjects", "outbox", "entries"])
async def test_what_meets_a_held_table_is_told_or_tried_again_and_done_once(
    table: str, postgres: Databases
) -> None:
    url = await postgres.for_dummies()
    async with laboratory(url, lock_timeout_s=0.5) as lab:
        keys = [lab.world.ids.new() for _ in range(3)]
        called = lab.world.ids.new()
        async with held(url, table):
            await lab.world.bus.publish([lab.event(key, 1) for key in keys])
            with pytest.raises(DatabaseUnavailable):
                await lab.dummy.runtime.do(lambda work: call(lab, work, called), locks=[called])
            await until(lambda: lab.dummy.runtime.stats.retried >= len(keys), 20)
            while_held = lab.dummy.runtime.stats.handled
        await lab.world.pass_time(30)
        await until(lambda: lab.dummy.runtime.stats.handled == len(keys), 20)
        await lab.world.settled()

        assert while_held == 0
        assert [await lab.dummy.texts(key) for key in keys] == [["1"]] * 3
        assert await lab.dummy.texts(called) == []
        assert await lab.rows(kit.held) == []
        assert [header.sequence for header in await lab.said()] == [1, 1, 1]


def call(lab: Lab, work: NoteWork, key: UUID) -> None:
    """Write something down and say it."""
    work.note(key, "called")
    said = RequestAssigned(team="desk", assignee="lin")
    work.publish(said, subject=key, occurred_at=lab.world.time.now())
