"""Connections and transactions, on SQLite and PostgreSQL.

SQLite: one process per file, held by a lock file; one writer connection (SKIP LOCKED does not
exist there), readers beside it thanks to WAL. PostgreSQL: a pool; several replicas.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import asynccontextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import OperationalError, SQLAlchemyError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, StaticPool

from shared.database import direct_sqlite
from shared.database.native import PostgresSession, Session, SqliteSession
from shared.database.trouble import DatabaseInUse, DatabaseUnavailable, translated
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

#: What is open inside `Database.transaction` and `Database.reading`.
Transaction = Session

#: How long a statement waits for another's lock before it gives up and is tried again.
LOCK_TIMEOUT_S = 10
#: How long a question whether the database can be written to again may take.
_TRY_S = 1.0
#: SQLite itself waits this long for a lock, in the loop's thread; beginning a transaction waits
#: on without holding up the loop, looking this often.
_SQLITE_BUSY_S, _LOOK_EVERY_S = 0.01, 0.02
#: Waiting for another process's lock is waiting in the machine's time, whatever time it is here.
_MACHINE = SystemTime()


class Database:
    """One service's database."""

    def __init__(
        self,
        url: str,
        *,
        is_durable: bool = True,
        pool_size: int = 16,
        lock_timeout_s: float = LOCK_TIMEOUT_S,
    ) -> None:
        """Prepare connections to `url` (`sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`).

        `is_durable=False` (SQLite only) trades the fsync at commit for speed: for replays and
        simulations, whose input still exists. A statement waits `lock_timeout_s` for a lock, a
        caller as long for one of `pool_size` connections.
        Raises `DatabaseInUse`, and `DatabaseUnavailable` where the file cannot be.
        """
        self.url = make_url(url)
        #: Hear every statement's text, BEGIN and COMMIT included: for whoever counts.
        self.ears: list[Callable[[str], None]] = []
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._lock_timeout_s = lock_timeout_s
        self._in_memory = self.is_sqlite and self.url.database in (None, "", ":memory:")
        self._lock_file: int | None = None
        self._writer_lock = asyncio.Lock()
        self._writer: Session | None = None
        self._idle: list[Session] = []
        self._room = asyncio.Semaphore(pool_size)
        self._has_failed_to_write = False
        if self.is_sqlite:
            self._engine = _sqlite_engine(
                url, pool_size, in_memory=self._in_memory, is_durable=is_durable
            )
            if not self._in_memory:
                self._take_lock_file()
        else:
            self._engine = create_async_engine(
                url,
                pool_size=pool_size,
                # Migrations and inspection come on top of what is kept here.
                max_overflow=4,
                pool_timeout=lock_timeout_s,
                pool_pre_ping=False,
                connect_args={
                    "timeout": 5,
                    "server_settings": {
                        "lock_timeout": str(int(lock_timeout_s * 1000)),
                        "idle_in_transaction_session_timeout": "60000",
                        "jit": "off",
                    },
                },
            )

    @property
    def engine(self) -> AsyncEngine:
        """The engine, for migrations and inspection."""
        return self._engine

    @asynccontextmanager
    async def transaction(self) -> AsyncIterator[Transaction]:
        """Open a transaction, commit at the end, roll back on any error.

        Raises `DatabaseUnavailable` when the database does not answer; nothing is stored then.
        """
        if not self.is_sqlite:
            try:
                async with self._session() as session:
                    with translated():
                        await session.tell("BEGIN")
                        yield session
                        await session.tell("COMMIT")
            except DatabaseUnavailable:
                self._has_failed_to_write = True
                raise
            return
        async with self._writer_lock:
            session = await self._writer_session()
            try:
                with translated():
                    await self._begin_writing(session)
                    try:
                        yield session
                        await session.tell("COMMIT")
                    except BaseException:
                        await session.tell("ROLLBACK")
                        raise
            except DatabaseUnavailable:
                self._has_failed_to_write = True
                await self._drop_writer()
                raise

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Open a connection for reading; it sees what was committed before it began.

        On SQLite all statements inside see the same moment, on PostgreSQL each sees its own.
        Raises `DatabaseUnavailable`.
        """
        if self._in_memory:
            async with self.transaction() as session:
                yield session
            return
        async with self._session() as session:
            with translated():
                if self.is_sqlite:
                    await session.tell("BEGIN")
                yield session
                if self.is_sqlite:
                    await session.tell("ROLLBACK")

    @asynccontextmanager
    async def _session(self) -> AsyncIterator[Session]:
        """Lend a session; one that ends by an error is closed for good."""
        with translated():
            async with asyncio.timeout(self._lock_timeout_s):
                await self._room.acquire()
        try:
            session = self._idle.pop() if self._idle else await self._connect()
            try:
                yield session
            except BaseException:
                await self._end_badly(session)
                raise
            self._idle.append(session)
        finally:
            self._room.release()

    async def _connect(self) -> Session:
        with translated():
            outer = await self._engine.connect()
            await outer.execution_options(isolation_level="AUTOCOMMIT")
            driver = (await outer.get_raw_connection()).driver_connection
        if isinstance(driver, direct_sqlite.DirectConnection):
            return SqliteSession(outer, driver.plain, self.ears)
        return PostgresSession(outer, driver, self.ears)

    async def _end_badly(self, session: Session) -> None:
        """Roll back and keep the session; where that fails, nothing of it is kept."""
        try:
            await session.tell("ROLLBACK")
        except (SQLAlchemyError, OSError, asyncio.CancelledError):
            await _drop(session)
            return
        if session.is_broken:
            await _drop(session)
        else:
            self._idle.append(session)

    @asynccontextmanager
    async def altering(self) -> AsyncIterator[AsyncConnection]:
        """Open a transaction of SQLAlchemy's own, for whoever changes or inspects the tables.

        Raises `DatabaseUnavailable`.
        """
        with translated():
            async with self._writer_lock, self._engine.begin() as connection:
                yield connection

    async def ping(self) -> None:
        """Return when the database answers; raise `DatabaseUnavailable` otherwise.

        When the last writing failed (disk full, file held) it must take one again: reading alone
        would say that all is well.
        """
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))
        if self._has_failed_to_write:
            await self._try_to_write()
            self._has_failed_to_write = False

    async def _try_to_write(self) -> None:
        """Write something that changes nothing."""
        with translated():
            async with asyncio.timeout(_TRY_S), self.transaction() as tx:
                if self.is_sqlite:
                    told = (await tx.execute(text("PRAGMA user_version"))).scalar_one()
                    await tx.execute(text(f"PRAGMA user_version = {told}"))
                else:
                    await tx.execute(text("SELECT pg_current_xact_id()"))

    async def close(self) -> None:
        """Close every connection and give the file free."""
        sessions, self._idle = self._idle, []
        if self._writer is not None:
            sessions.append(self._writer)
            self._writer = None
        for session in sessions:
            with suppress(SQLAlchemyError, OSError):
                await session.close()
        await self._engine.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    async def _writer_session(self) -> Session:
        if self._writer is None or self._writer.is_broken:
            self._writer = await self._connect()
        return self._writer

    async def _begin_writing(self, session: Session) -> None:
        """Begin; wait for whoever else holds the file without holding up the loop.

        A reader that becomes a writer half-way fails; a writer says so at once.
        """
        give_up = _MACHINE.monotonic() + self._lock_timeout_s
        while True:
            try:
                return await session.tell("BEGIN IMMEDIATE")
            except OperationalError as error:
                if "locked" not in str(error.orig) or _MACHINE.monotonic() >= give_up:
                    raise
            await _MACHINE.sleep(_LOOK_EVERY_S)

    async def _drop_writer(self) -> None:
        """Begin with a fresh connection next time: this one saw the file go away."""
        if self._writer is not None and not self._in_memory:
            broken, self._writer = self._writer, None
            await _drop(broken)

    def _take_lock_file(self) -> None:
        path = Path(f"{self.url.database}.lock")
        with translated():
            path.parent.mkdir(parents=True, exist_ok=True)
            handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise DatabaseInUse(path=self.url.database) from error
        self._lock_file = handle


async def _drop(session: Session) -> None:
    with suppress(SQLAlchemyError, OSError):
        await session.drop()


def _sqlite_engine(url: str, pool_size: int, *, in_memory: bool, is_durable: bool) -> AsyncEngine:
    database = make_url(url).database or ":memory:"
    engine = create_async_engine(
        url,
        poolclass=StaticPool if in_memory else AsyncAdaptedQueuePool,
        async_creator=lambda: direct_sqlite.connect(database, _SQLITE_BUSY_S),
        # The writer comes on top of the readers.
        **({} if in_memory else {"pool_size": pool_size + 1, "max_overflow": 4}),
    )

    def prepare(connection: Any, _: object) -> None:
        # The driver must not open transactions by itself: BEGIN is ours (see `begin`).
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit survives a power cut. NORMAL: it survives any kill of the process.
        cursor.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'OFF'}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        # Kilobytes per connection; a simulation has six writers in one process.
        cursor.execute(f"PRAGMA cache_size = -{32_000 if is_durable else 8_000}")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    def begin(connection: Any) -> None:
        # Where we begin ourselves (AUTOCOMMIT) there is nothing to add; migrations do not.
        if connection.get_execution_options().get("isolation_level") != "AUTOCOMMIT":
            connection.exec_driver_sql("BEGIN IMMEDIATE")

    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", begin)
    return engine
