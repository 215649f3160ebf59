"""A database that answers but takes nothing: full, or held by somebody."""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

import pytest

from shared.database.engine import Database
from shared.database.trouble import DatabaseUnavailable
from tests.harness.dummies import create_tables, kit

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Databases


async def test_after_a_write_that_failed_ready_means_that_one_was_taken(tmp_path: Path) -> None:
    database = Database(f"sqlite+aiosqlite:///{tmp_path / 'one.db'}", lock_timeout_s=0.1)
    await create_tables(database)
    holder = sqlite3.connect(tmp_path / "one.db", isolation_level=None)
    try:
        holder.execute("BEGIN IMMEDIATE")
        await database.ping()  # nobody has tried to write yet
        with pytest.raises(DatabaseUnavailable):
            async with database.transaction():
                pass
        with pytest.raises(DatabaseUnavailable):
            await database.ping()
        holder.execute("ROLLBACK")
        await database.ping()
        holder.execute("BEGIN IMMEDIATE")
        await database.ping()  # it was taken; who only reads is not disturbed any more
    finally:
        holder.close()
        await database.close()


async def fail_to_write(database: Database) -> None:
    async with database.transaction():
        raise DatabaseUnavailable(reason="disk full")


async def test_what_is_asked_of_the_database_changes_nothing(databases: Databases) -> None:
    database = Database(await databases.for_dummies())
    await create_tables(database)
    try:
        with pytest.raises(DatabaseUnavailable):
            await fail_to_write(database)
        await database.ping()
        async with database.reading() as connection:
            assert list(await connection.execute(kit.subjects.select())) == []
    finally:
        await database.close()
