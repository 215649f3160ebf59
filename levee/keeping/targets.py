"""Where a backup is put back: files of an all-in-one, or databases somebody named."""

from __future__ import annotations

import os
import shutil
import sqlite3
from contextlib import closing, suppress
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg
from sqlalchemy import Boolean, Integer
from sqlalchemy.engine import make_url

from levee.keeping.errors import HouseBusy, NoRoom, NotEmpty
from levee.keeping.services import METADATA, sqlite_path
from levee.keeping.sources import HOLD_S
from shared.database import migrations
from shared.database.engine import Database

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Table

_ROWS = 5_000


class Target(Protocol):
    """One service's database, empty so far."""

    async def require_empty(self) -> None:
        """Raise `NotEmpty` unless nothing is there."""

    async def fill(self, file: Path) -> None:
        """Write what the file holds; visible to nobody before `finish`."""

    async def finish(self) -> None:
        """Make it visible."""

    async def close(self) -> None:
        """Leave; what was not finished is gone. Never raises."""


def target_of(service: str, url: str) -> Target:
    """Return the target behind a service's database URL."""
    if url.startswith("sqlite"):
        return SqliteTarget(sqlite_path(url))
    return PostgresTarget(service, url)


class SqliteTarget:
    """A file that does not exist yet."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._waiting = path.with_name(f".{path.name}.restoring")

    async def require_empty(self) -> None:
        """Raise `NotEmpty` where there is a file, even an empty one."""
        for path in (self._path, self._path.with_name(f"{self._path.name}-wal")):
            if path.exists():
                raise NotEmpty(place=self._path.parent, what=f"{path.name} exists")

    async def fill(self, file: Path) -> None:
        """Copy beside the final place, onto the disk."""
        try:
            self._path.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, self._waiting)
            self._waiting.chmod(0o600)
            with self._waiting.open("rb") as written:
                os.fsync(written.fileno())
        except OSError as error:
            raise NoRoom(place=self._path.parent, reason=error) from error

    async def finish(self) -> None:
        """Give it its name."""
        self._waiting.rename(self._path)

    async def close(self) -> None:
        """Leave nothing behind that was not finished."""
        with suppress(OSError):
            self._waiting.unlink(missing_ok=True)


class PostgresTarget:
    """A database without tables, or with tables nobody has written to."""

    def __init__(self, service: str, url: str) -> None:
        self._service, self._url = service, url
        self._tables = METADATA[service].sorted_tables
        self._connection: asyncpg.Connection | None = None

    async def require_empty(self) -> None:
        """Raise `NotEmpty` where a table of the service has a row, `HouseBusy` without a server."""
        plain = make_url(self._url).set(drivername="postgresql")
        try:
            self._connection = await asyncpg.connect(
                plain.render_as_string(hide_password=False), timeout=HOLD_S
            )
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise HouseBusy(service=self._service, seconds=HOLD_S, reason=error) from error
        for table in self._tables:
            with suppress(asyncpg.UndefinedTableError):
                if await self._connection.fetchval(f'SELECT 1 FROM "{table.name}" LIMIT 1'):
                    place = f"{self._service} ({plain.host}/{plain.database})"
                    raise NotEmpty(place=place, what=f"rows in {table.name}")

    async def fill(self, file: Path) -> None:
        """Bring the schema up to date and send every row, in a transaction left open."""
        assert self._connection is not None
        database = Database(self._url)
        try:
            await migrations.upgrade(self._service, database)
        finally:
            await database.close()
        await self._connection.execute("BEGIN")
        await self._connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        with closing(sqlite3.connect(file)) as source:
            for table in self._tables:
                await self._send(source, table)

    async def _send(self, source: sqlite3.Connection, table: Table) -> None:
        assert self._connection is not None
        names = [column.name for column in table.columns]
        for rows in _pages(source, table):
            await self._connection.copy_records_to_table(table.name, records=rows, columns=names)
        for column in table.primary_key.columns:
            # Rows brought their numbers along: the counter goes on behind the highest.
            if column.autoincrement is True and isinstance(column.type, Integer):
                await self._connection.execute(
                    f"SELECT setval(pg_get_serial_sequence('{table.name}', '{column.name}'),"
                    f' (SELECT coalesce(max("{column.name}"), 0) + 1 FROM "{table.name}"), false)'
                )

    async def finish(self) -> None:
        """Commit."""
        assert self._connection is not None
        await self._connection.execute("COMMIT")

    async def close(self) -> None:
        """Leave; an open transaction ends with the connection."""
        if self._connection is not None:
            self._connection.terminate()


def _pages(source: sqlite3.Connection, table: Table) -> Iterator[list[tuple[Any, ...]]]:
    columns = ", ".join(f'"{column.name}"' for column in table.columns)
    flags = [i for i, column in enumerate(table.columns) if isinstance(column.type, Boolean)]
    cursor = source.execute(f'SELECT {columns} FROM "{table.name}"')
    while page := cursor.fetchmany(_ROWS):
        yield [_typed(row, flags) for row in page]


def _typed(row: tuple[Any, ...], flags: list[int]) -> tuple[Any, ...]:
    if not flags:
        return row
    values = list(row)
    for place in flags:
        values[place] = None if values[place] is None else bool(values[place])
    return tuple(values)
