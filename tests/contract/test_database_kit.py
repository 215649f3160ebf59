"""What the database kit promises on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
import random
import sqlite3
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import pytest
from sqlalchemy import Float, Numeric, func, insert, literal, select, text
from sqlalchemy.exc import DBAPIError, IntegrityError, InterfaceError

from shared.database.engine import Database
from shared.database.native import PostgresSession, Prepared
from shared.database.statements import among, insert_missing, upsert
from shared.database.subjects import lock_subjects, save_subjects
from shared.database.trouble import (
    DatabaseInUse,
    DatabaseRefused,
    DatabaseUnavailable,
    is_gone,
    is_unfit,
)
from shared.time_source import SystemTime
from tests.harness.dummies import create_tables, kit, notes
from tests.harness.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.conftest import Databases


class Stop(Exception):
    """Something a transaction must not survive."""


@pytest.fixture
async def database(databases: Databases) -> AsyncIterator[Database]:
    opened = Database(await databases.for_dummies())
    await create_tables(opened)
    yield opened
    await opened.close()


async def write(database: Database, key: str, stop: Exception | None = None) -> None:
    async with database.transaction() as tx:
        await tx.execute(insert(notes), [{"key": key, "count": 1}])
        if stop is not None:
            raise stop


async def keys(database: Database) -> list[str]:
    async with database.reading() as connection:
        return list((await connection.execute(select(notes.c.key))).scalars().all())


async def test_a_transaction_is_stored_at_its_end_and_not_when_it_fails(
    database: Database,
) -> None:
    await write(database, "kept")
    with pytest.raises(Stop):
        await write(database, "lost", Stop())
    with pytest.raises(IntegrityError):
        await write(database, "kept")

    await write(database, "kept too")

    assert sorted(await keys(database)) == ["kept", "kept too"]


async def test_a_transaction_that_is_cancelled_leaves_nothing_and_the_next_one_works(
    database: Database,
) -> None:
    wrote = asyncio.Event()

    async def never_ends() -> None:
        async with database.transaction() as tx:
            await tx.execute(insert(notes), [{"key": "lost", "count": 1}])
            wrote.set()
            await asyncio.Event().wait()

    task = asyncio.create_task(never_ends())
    await wrote.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    await write(database, "kept")

    assert await keys(database) == ["kept"]


async def test_a_reader_sees_what_was_committed_and_nothing_that_is_not(
    database: Database,
) -> None:
    await write(database, "committed")

    async with database.transaction() as tx:
        await tx.execute(insert(notes), [{"key": "open", "count": 1}])
        seen = await keys(database)

    assert seen == ["committed"]
    assert sorted(await keys(database)) == ["committed", "open"]


async def test_a_hundred_transactions_at_once_each_count_one(database: Database) -> None:
    await write(database, "sum")

    async def count() -> None:
        async with database.transaction() as tx:
            await lock_subjects(tx, kit, ["sum"])
            [old] = (await tx.execute(select(notes.c.count))).scalars().all()
            await upsert(tx, notes, [{"key": "sum", "count": old + 1}])

    await asyncio.gather(*(count() for _ in range(100)))

    async with database.reading() as connection:
        assert (await connection.execute(select(notes.c.count))).scalar_one() == 101


@pytest.mark.parametrize("value", ["a\x00b", 2**80, "x" * 300])
async def test_a_value_no_column_holds_is_nobody_else_s_fault(
    database: Database, value: object
) -> None:
    row: dict[str, Any] = {"key": "k", "count": value}
    if isinstance(value, str):
        row = {"key": value, "count": 1}
    error = await _error_of(database, row)

    # SQLite keeps any length of text.
    assert error is not None or (database.is_sqlite and isinstance(value, str))
    assert error is None or not (is_gone(error) or is_unfit(error))
    await write(database, "next")
    assert "next" in await keys(database)


async def _error_of(database: Database, row: dict[str, Any]) -> Exception | None:
    try:
        async with database.transaction() as tx:
            await tx.execute(insert(notes), [row])
    except (DBAPIError, OverflowError) as error:
        return error
    return None


async def test_a_missing_table_is_told_from_a_wrong_value(database: Database) -> None:
    with pytest.raises(DBAPIError) as caught:
        await _run(database, "SELECT * FROM nowhere")

    assert is_unfit(caught.value)
    assert not is_gone(caught.value)


async def _run(database: Database, statement: str) -> None:
    async with database.transaction() as tx:
        await tx.execute(text(statement))


async def test_bulk_statements_replace_keep_and_choose_rows(database: Database) -> None:
    many = [f"key {n:05}" for n in range(12_000)]

    async with database.transaction() as tx:
        await insert_missing(tx, notes, [{"key": key, "count": 1} for key in many])
        await insert_missing(tx, notes, [{"key": many[0], "count": 9}])
        await upsert(tx, notes, [{"key": key, "count": 2} for key in many[:3]])
        chosen = select(func.count()).where(among(tx, notes.c.key, many[1:]))
        found = (await tx.execute(chosen)).scalar_one()
        counts = (await tx.execute(select(notes.c.count).order_by(notes.c.key).limit(4))).scalars()

        assert found == len(many) - 1
        assert list(counts) == [2, 2, 2, 1]


async def test_a_prepared_statement_reads_numbers_of_every_kind(database: Database) -> None:
    told = Prepared(select(literal(1.5, Float).label("part"), literal(2, Numeric).label("whole")))

    async with database.transaction() as tx:
        (row,) = (await tx.execute(told, {})).all()

    assert (row.part, row.whole) == (1.5, 2)
    assert isinstance(row.part, float)


async def test_locked_subjects_remember_what_was_said_and_heard(database: Database) -> None:
    async with database.transaction() as tx:
        subjects = await lock_subjects(tx, kit, ["b", "a", "b", "é", "A"])
        subjects["a"].said, subjects["a"].heard = 3, {"intake": 7}
        subjects["a"].is_changed = True
        await save_subjects(tx, kit, subjects.values())

    async with database.transaction() as tx:
        again = await lock_subjects(tx, kit, ["a", "b"])

    assert (again["a"].said, again["a"].heard, again["a"].held) == (3, {"intake": 7}, 0)
    assert (again["b"].said, again["b"].heard) == (0, {})


# ---- SQLite ----------------------------------------------------------------------------------


def test_a_second_process_is_kept_from_the_same_file(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'one.db'}"
    first = Database(url)

    with pytest.raises(DatabaseInUse):
        Database(url)
    asyncio.run(first.close())
    asyncio.run(Database(url).close())


async def test_a_file_somebody_locks_is_unavailable_until_he_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    database = Database(f"sqlite+aiosqlite:///{path}", lock_timeout_s=0.1)
    await create_tables(database)
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")

    with pytest.raises(DatabaseUnavailable):
        await write(database, "refused")
    other.rollback()
    other.close()
    await write(database, "stored")

    assert await keys(database) == ["stored"]
    await database.close()


async def test_waiting_for_a_locked_file_holds_nothing_else_up(tmp_path: Path) -> None:
    path = tmp_path / "busy.db"
    database = Database(f"sqlite+aiosqlite:///{path}")
    await create_tables(database)
    other = sqlite3.connect(path)
    other.execute("BEGIN IMMEDIATE")

    writing = asyncio.create_task(write(database, "patient"))
    ticks = 0
    for _ in range(20):
        await SystemTime().sleep(0.005)
        ticks += 1
    is_waiting = not writing.done()
    other.rollback()
    other.close()
    await writing

    assert (is_waiting, ticks) == (True, 20)
    assert await keys(database) == ["patient"]
    await database.close()


async def test_a_folder_that_cannot_be_is_unavailable(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")

    with pytest.raises(DatabaseUnavailable):
        Database(f"sqlite+aiosqlite:///{tmp_path / 'file' / 'x.db'}")


async def test_a_database_in_memory_keeps_what_was_written() -> None:
    database = Database("sqlite+aiosqlite://")
    await create_tables(database)

    await write(database, "kept")

    assert await keys(database) == ["kept"]
    await database.close()


# ---- PostgreSQL ------------------------------------------------------------------------------


@pytest.mark.postgres
async def test_two_replicas_never_hold_one_key_at_once_nor_embrace_each_other(
    postgres: Databases,
) -> None:
    url = await postgres.for_dummies()
    replicas = [Database(url), Database(url)]
    chance = random.Random(7)
    holding: set[str] = set()
    # Half of the keys exist; the others are created by whoever comes first.
    universe = [f"k{n}" for n in range(12)]
    async with replicas[0].transaction() as tx:
        await lock_subjects(tx, kit, universe[::2])

    async def work(replica: Database, wanted: list[str]) -> None:
        async with replica.transaction() as tx:
            subjects = await lock_subjects(tx, kit, wanted)
            assert not holding & set(wanted)
            holding.update(wanted)
            for subject in subjects.values():
                subject.said += 1
                subject.is_changed = True
            await tx.execute(text("SELECT 1"))
            await save_subjects(tx, kit, subjects.values())
            holding.difference_update(wanted)

    asked = [chance.sample(universe, chance.randint(2, 6)) for _ in range(200)]
    await asyncio.gather(*(work(replicas[n % 2], wanted) for n, wanted in enumerate(asked)))

    async with replicas[0].reading() as connection:
        said = (await connection.execute(select(func.sum(kit.subjects.c.said)))).scalar_one()
    assert said == sum(map(len, asked))
    for replica in replicas:
        await replica.close()


@pytest.mark.postgres
async def test_new_keys_met_by_many_replicas_at_once_do_not_embrace_them(
    postgres: Databases,
) -> None:
    database = Database(await postgres.for_dummies(), pool_size=16)

    for n in range(20):
        keys = [f"{n}/{m}" for m in range(6)]

        async def lock(wanted: list[str]) -> None:
            async with database.transaction() as tx:
                await lock_subjects(tx, kit, wanted)

        await asyncio.gather(*(lock(keys[m:] + keys[: m // 2]) for m in range(6)))

    await database.close()


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server that may be killed."""
    with tempfile.TemporaryDirectory(prefix="levee-pg-") as folder:
        Path(folder).chmod(0o755)
        server = PostgresServer(Path(folder) / "server", is_durable=True)
        server.start()
        yield server
        server.stop()


@pytest.mark.postgres
async def test_a_server_that_goes_away_is_unavailable_and_its_return_is_noticed(
    own_server: PostgresServer,
) -> None:
    database = Database(await own_server.create())
    await create_tables(database)
    await write(database, "before")

    own_server.kill()
    with pytest.raises(DatabaseUnavailable):
        await write(database, "during")
    with pytest.raises(DatabaseUnavailable):
        await database.ping()
    own_server.start()
    await _eventually(database)

    assert sorted(await keys(database)) == ["after", "before"]
    await database.close()


async def _eventually(database: Database) -> None:
    """The first use after a return may still meet a dead connection."""
    for _ in range(3):
        try:
            await write(database, "after")
        except DatabaseUnavailable:
            continue
        return
    pytest.fail("the database came back and was not noticed")


@pytest.mark.postgres
async def test_a_lock_nobody_gives_free_is_given_up(postgres: Databases) -> None:
    url = await postgres.for_dummies()
    patient, hasty = Database(url), Database(url, lock_timeout_s=0.1)

    async with patient.transaction() as tx:
        await lock_subjects(tx, kit, ["contested"])
        with pytest.raises(DatabaseUnavailable):
            await _lock(hasty, "contested")
    await _lock(hasty, "contested")

    await patient.close()
    await hasty.close()


async def _lock(database: Database, key: str) -> None:
    async with database.transaction() as tx:
        await lock_subjects(tx, kit, [key])


@pytest.mark.postgres
@pytest.mark.parametrize(
    ("state", "kind"),
    [
        *((state, DatabaseUnavailable) for state in ("57P01", "57P03", "08006", "53100", "53300")),
        *((state, DatabaseUnavailable) for state in ("40001", "40P01", "55P03", "25006", "58030")),
        *((state, DatabaseRefused) for state in ("28P01", "28000", "3D000")),
        *((state, DBAPIError) for state in ("22001", "23514", "42P01", "XX000")),
    ],
)
async def test_what_a_server_says_of_itself_is_told_from_what_it_says_of_a_statement(
    postgres_url: str, state: str, kind: type[Exception]
) -> None:
    database = Database(postgres_url)
    try:
        with pytest.raises(kind) as caught:
            await _run(database, f"DO $$ BEGIN RAISE SQLSTATE '{state}'; END $$")
        assert type(caught.value) is kind or kind is DBAPIError
    finally:
        await database.close()


async def test_a_driver_that_lost_its_place_has_lost_its_connection() -> None:
    """A server that dies half-way through an answer leaves asyncpg confused, not the statement."""

    class Outer:
        dialect = None

    class Driver:
        async def execute(self, _: str) -> None:
            raise asyncpg.InternalClientError("cannot switch to state 12; another is in progress")

        def is_closed(self) -> bool:
            return False

    outer: Any = Outer()
    with pytest.raises(InterfaceError) as caught:
        await PostgresSession(outer, Driver()).tell("BEGIN")
    assert is_gone(caught.value)
