"""What the database kit promises on SQLite and on PostgreSQL."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, select

from tests.harness.dummies import create_tables, notes

if TYPE_CHECKING:
    from shared.database.engine import Database


class Stop(Exception):
    """Something a transaction must not survive."""


async def write_and_stop(database: Database) -> None:
    async with database.transaction() as tx:
        await tx.execute(insert(notes), [{"key": "lost", "count": 1}])
        raise Stop


async def test_a_transaction_is_stored_at_its_end_and_not_when_it_fails(
    database: Database,
) -> None:
    await create_tables(database)

    async with database.transaction() as tx:
        await tx.execute(insert(notes), [{"key": "kept", "count": 1}])
    with pytest.raises(Stop):
        await write_and_stop(database)

    async with database.reading() as connection:
        assert (await connection.execute(select(notes.c.key))).scalars().all() == ["kept"]
