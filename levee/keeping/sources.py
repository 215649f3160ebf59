"""The databases a backup is taken from, each held still for the moment of the cut.

What must be true of the cut: an event that one service has heard was said in another's file.
Everything that is said or heard changes a row of `subjects` in the same transaction, so while
nobody may write there anywhere, what is committed everywhere belongs together.
"""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import suppress
from typing import TYPE_CHECKING, Any, Protocol

import asyncpg
from sqlalchemy import Boolean
from sqlalchemy.engine import URL, make_url

from levee.keeping.errors import HouseBusy, NoRoom, SchemaDiffers
from shared.database import migrations
from shared.database.engine import Database
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from sqlalchemy import MetaData

#: How long a running house may be asked to wait for the cut, and the cut for one transaction.
HOLD_S = 10.0
#: Pages (4 KiB each) copied before the loop breathes; rows sent at once.
_PAGES, _ROWS = 2_048, 2_000
#: How often a busy SQLite file is asked again.
_LOOK_EVERY_S = 0.005
_MACHINE = SystemTime()

#: Hears how much of a database is copied, from 0 to 1.
Progress = "Callable[[float], None]"


class Source(Protocol):
    """One service's database, on its way into a backup."""

    kind: str

    async def open(self) -> None:
        """Connect; nothing is held yet."""

    async def hold(self) -> None:
        """Let nobody write from here on; raise `HouseBusy` when that takes too long."""

    async def pin(self) -> None:
        """Fix the moment that will be copied; call it while every database is held."""

    async def free(self) -> None:
        """Let others write again."""

    async def revision(self) -> str:
        """Return the schema revision of the fixed moment."""

    async def copy_to(self, path: Path, progress: Callable[[float], None]) -> None:
        """Write the fixed moment into a new SQLite file; raise `NoRoom`."""

    async def close(self) -> None:
        """Leave; never raises."""


def source_of(service: str, url: str, metadata: MetaData, hold_s: float = HOLD_S) -> Source:
    """Return the source behind a service's database URL; it waits `hold_s` for its locks."""
    parsed = make_url(url)
    if parsed.get_backend_name() == "sqlite":
        return SqliteSource(service, str(parsed.database), hold_s)
    return PostgresSource(service, parsed, metadata, hold_s)


class SqliteSource:
    """A file beside whose owner we read: WAL lets one write and others look at a moment."""

    kind = "sqlite"

    def __init__(self, service: str, path: str, hold_s: float) -> None:
        self._service, self._path, self._hold_s = service, path, hold_s
        self._holder: sqlite3.Connection | None = None
        self._reader: sqlite3.Connection | None = None

    async def open(self) -> None:
        """Connect; nothing is held yet."""
        self._holder, self._reader = self._connect(), self._connect()

    def _connect(self) -> sqlite3.Connection:
        # A path with a question mark or a per cent sign is a path, so no file: address here.
        connection = sqlite3.connect(self._path, timeout=0, check_same_thread=False)
        connection.isolation_level = None
        return connection

    async def hold(self) -> None:
        """Become the one writer."""
        assert self._holder is not None
        give_up = _MACHINE.monotonic() + self._hold_s
        while True:
            try:
                self._holder.execute("BEGIN IMMEDIATE")
            except sqlite3.OperationalError as error:
                if "locked" not in str(error) or _MACHINE.monotonic() >= give_up:
                    raise HouseBusy(
                        service=self._service, seconds=self._hold_s, reason=error
                    ) from error
                await _MACHINE.sleep(_LOOK_EVERY_S)
            else:
                return

    def _busy(self, error: Exception) -> HouseBusy:
        return HouseBusy(service=self._service, seconds=self._hold_s, reason=error)

    async def pin(self) -> None:
        """Open the reading that is copied later; its first look fixes what it sees."""
        assert self._reader is not None
        self._reader.execute("BEGIN")
        self._reader.execute("SELECT count(*) FROM sqlite_master").fetchone()

    async def free(self) -> None:
        """Let others write again."""
        if self._holder is not None:
            with suppress(sqlite3.Error):
                self._holder.execute("ROLLBACK")
            self._holder.close()
            self._holder = None

    async def revision(self) -> str:
        """Return the revision of the file."""
        assert self._reader is not None
        try:
            row = self._reader.execute("SELECT version_num FROM alembic_version").fetchone()
        except sqlite3.OperationalError:
            return "-"
        return str(row[0]) if row else "-"

    async def copy_to(self, path: Path, progress: Callable[[float], None]) -> None:
        """Copy page by page; what is written meanwhile stays in the log and is not seen."""
        await asyncio.to_thread(self._copy, path, progress)

    def _copy(self, path: Path, progress: Callable[[float], None]) -> None:
        assert self._reader is not None
        target = sqlite3.connect(path)

        def tell(_: int, remaining: int, total: int) -> None:
            progress(1 - remaining / total if total else 1.0)

        try:
            self._reader.backup(target, pages=_PAGES, progress=tell, sleep=0)
            # One file, complete in itself: no log beside it that somebody could forget.
            target.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            raise NoRoom(place=path, reason=error) from error
        finally:
            target.close()

    async def close(self) -> None:
        """Leave; never raises."""
        await self.free()
        if self._reader is not None:
            self._reader.close()
            self._reader = None


class PostgresSource:
    """A PostgreSQL database: a table lock for the cut, then one REPEATABLE READ reading."""

    kind = "postgresql"

    def __init__(self, service: str, url: URL, metadata: MetaData, hold_s: float) -> None:
        self._service, self._url, self._metadata = service, url, metadata
        self._hold_s = hold_s
        self._holder: asyncpg.Connection | None = None
        self._reader: asyncpg.Connection | None = None

    async def open(self) -> None:
        """Connect; nothing is held yet."""
        plain = self._url.set(drivername="postgresql").render_as_string(hide_password=False)
        try:
            self._holder = await asyncpg.connect(plain, timeout=HOLD_S)
            self._reader = await asyncpg.connect(plain, timeout=HOLD_S)
        except (OSError, TimeoutError, asyncpg.PostgresError) as error:
            raise HouseBusy(service=self._service, seconds=self._hold_s, reason=error) from error

    async def hold(self) -> None:
        """Wait until whoever writes `subjects` has finished, and let nobody begin."""
        assert self._holder is not None
        try:
            await self._holder.execute("BEGIN")
            await self._holder.execute(f"SET LOCAL lock_timeout = {int(self._hold_s * 1000)}")
            await self._holder.execute("LOCK TABLE subjects IN SHARE MODE")
        except asyncpg.UndefinedTableError as error:
            wanted = "head"
            raise SchemaDiffers(service=self._service, found="-", wanted=wanted) from error
        except (OSError, asyncpg.PostgresError) as error:
            raise HouseBusy(service=self._service, seconds=self._hold_s, reason=error) from error

    async def pin(self) -> None:
        """Open the reading that is copied later; its first look fixes what it sees."""
        assert self._reader is not None
        await self._reader.execute("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        await self._reader.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await self._reader.fetchval("SELECT count(*) FROM alembic_version")

    async def free(self) -> None:
        """Let others write again."""
        if self._holder is not None:
            with suppress(OSError, asyncpg.PostgresError, asyncpg.InterfaceError):
                await self._holder.execute("ROLLBACK")

    async def revision(self) -> str:
        """Return the revision of the database."""
        assert self._reader is not None
        return str(await self._reader.fetchval("SELECT version_num FROM alembic_version") or "-")

    async def copy_to(self, path: Path, progress: Callable[[float], None]) -> None:
        """Make a SQLite file of the same schema and send every row into it."""
        assert self._reader is not None
        database = Database(f"sqlite+aiosqlite:///{path}", is_durable=False)
        try:
            await migrations.upgrade(self._service, database)
            _, wanted = await migrations.current(self._service, database)
        finally:
            await database.close()
        path.with_name(f"{path.name}.lock").unlink(missing_ok=True)
        if (found := await self.revision()) != wanted:
            raise SchemaDiffers(service=self._service, found=found, wanted=wanted)
        target = sqlite3.connect(path, check_same_thread=False)
        target.isolation_level = None
        try:
            await self._copy(target, progress)
            target.execute("PRAGMA journal_mode = DELETE")
        except sqlite3.OperationalError as error:
            raise NoRoom(place=path, reason=error) from error
        finally:
            target.close()

    async def _copy(self, target: sqlite3.Connection, progress: Callable[[float], None]) -> None:
        assert self._reader is not None
        tables = self._metadata.sorted_tables
        target.execute("BEGIN")
        for done, table in enumerate(tables):
            names = [f'"{column.name}"' for column in table.columns]
            target.execute(f'DELETE FROM "{table.name}"')
            places = ", ".join("?" * len(names))
            store = f'INSERT INTO "{table.name}" ({", ".join(names)}) VALUES ({places})'
            flags = [i for i, c in enumerate(table.columns) if isinstance(c.type, Boolean)]
            asked = f'SELECT {", ".join(names)} FROM "{table.name}"'
            rows: list[tuple[Any, ...]] = []
            async for record in self._reader.cursor(asked, prefetch=_ROWS):
                rows.append(_plain(record, flags))
                if len(rows) >= _ROWS:
                    target.executemany(store, rows)
                    rows = []
            target.executemany(store, rows)
            progress((done + 1) / len(tables))
        target.execute("COMMIT")

    async def close(self) -> None:
        """Leave; never raises."""
        for connection in (self._holder, self._reader):
            if connection is not None:
                connection.terminate()
        self._holder = self._reader = None


def _plain(record: asyncpg.Record, flags: list[int]) -> tuple[Any, ...]:
    """Return a row as SQLite keeps it."""
    if not flags:
        return tuple(record)
    row = list(record)
    for place in flags:
        row[place] = None if row[place] is None else int(row[place])
    return tuple(row)
