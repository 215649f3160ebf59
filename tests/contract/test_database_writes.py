"""Writes that wait for one another: what a transaction sees, keeps and refuses, on both."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from sqlalchemy import Column, Integer, MetaData, String, Table, func, select
from sqlalchemy.exc import DBAPIError, IntegrityError

from shared.database.engine import Database
from shared.database.statements import change_rows, delete_among, insert_rows, upsert
from shared.database.subjects import lock_subjects
from tests.harness.dummies import create_tables, kit, notes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Databases


class Stop(Exception):
    """Something a transaction must not survive."""


metadata = MetaData()
shelves = Table(
    "test_shelves",
    metadata,
    Column("key", String(4), primary_key=True),
    Column("count", Integer, nullable=False),
)


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    opened = Database(await databases.for_dummies())
    await create_tables(opened)
    async with opened.altering() as connection:
        await connection.run_sync(metadata.drop_all)
        await connection.run_sync(metadata.create_all)
    yield opened
    async with opened.altering() as connection:
        await connection.run_sync(metadata.drop_all)
    await opened.close()


def note(key: str, count: int = 1) -> dict[str, object]:
    return {"key": key, "count": count}


async def write(
    database: Database, *, stop: Exception | None = None, **rows: dict[str, object]
) -> None:
    places = {"notes": notes, "shelves": shelves}
    async with database.transaction() as tx:
        for place, row in rows.items():
            await insert_rows(tx, places[place], [row])
        if stop is not None:
            raise stop


async def counts(database: Database) -> dict[str, int]:
    async with database.reading() as connection:
        rows = (await connection.execute(select(notes.c.key, notes.c.count))).all()
    return {row.key: row.count for row in rows}


async def test_writes_of_one_table_keep_their_order(database: Database) -> None:
    async with database.transaction() as tx:
        await insert_rows(tx, notes, [note("a"), note("b"), note("c")])
        await delete_among(tx, notes, "key", ["a", "b"])
        await upsert(tx, notes, [note("a", 5)])
        await change_rows(tx, notes, [note("c", 7)])

    assert await counts(database) == {"a": 5, "c": 7}


async def test_what_is_asked_sees_what_was_written_before(database: Database) -> None:
    async with database.transaction() as tx:
        await insert_rows(tx, notes, [note("a", 3)])
        await insert_rows(tx, shelves, [note("s")])
        found = (await tx.execute(select(func.count()).select_from(notes))).scalar_one()

        assert found == 1


async def test_a_key_that_comes_twice_is_left_as_the_last_one_says(database: Database) -> None:
    async with database.transaction() as tx:
        await upsert(tx, notes, [note("a", 1), note("b", 2), note("a", 3)])

    assert await counts(database) == {"a": 3, "b": 2}


async def test_a_refused_write_takes_everything_with_it_even_when_told_at_the_end(
    database: Database,
) -> None:
    async with database.transaction() as tx:
        await insert_rows(tx, notes, [note("a")])

    with pytest.raises(IntegrityError):
        await write(database, shelves=note("s"), notes=note("a"))

    async with database.transaction() as tx:
        assert (await tx.execute(select(shelves.c.key))).first() is None
        await insert_rows(tx, notes, [note("b")])
    assert await counts(database) == {"a": 1, "b": 1}


async def test_what_a_failed_transaction_meant_to_write_is_not_written_by_the_next(
    database: Database,
) -> None:
    with pytest.raises(Stop):
        await write(database, notes=note("a"), stop=Stop())

    async with database.transaction() as tx:
        await insert_rows(tx, notes, [note("b")])
    assert await counts(database) == {"b": 1}


async def test_a_text_too_long_for_its_column_is_refused_and_not_cut(
    databases: Databases, database: Database
) -> None:
    if not databases.is_postgres:
        pytest.skip("SQLite has no lengths")

    with pytest.raises(DBAPIError):
        await write(database, shelves=note("too long"))


async def test_writes_of_several_tables_are_one_statement_on_postgres(
    databases: Databases, database: Database
) -> None:
    told: list[str] = []
    database.ears.append(told.append)

    async with database.transaction() as tx:
        await insert_rows(tx, notes, [note("a"), note("b")])
        await upsert(tx, shelves, [note("s"), note("t")])
        await delete_among(tx, kit.timers, "id", ["gone"])

    assert len(told) == (3 if databases.is_postgres else 5)


@pytest.mark.parametrize("are_new", [True, False])
async def test_a_guess_whether_subjects_are_new_changes_nothing_but_statements(
    database: Database, are_new: bool
) -> None:
    async with database.transaction() as tx:
        first = await lock_subjects(tx, kit, ["b", "a"], are_new=are_new)
    async with database.transaction() as tx:
        mixed = await lock_subjects(tx, kit, ["c", "a"], are_new=are_new)
    async with database.transaction() as tx:
        known = await lock_subjects(tx, kit, ["a", "b", "c"], are_new=are_new)

    assert sorted(first) == ["a", "b"]
    assert sorted(mixed) == ["a", "c"]
    assert sorted(known) == ["a", "b", "c"]
