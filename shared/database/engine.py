"""Connections and transactions, on SQLite and PostgreSQL.

SQLite: one process per file, held by a lock file; one writer connection (SKIP LOCKED does not
exist there), readers beside it thanks to WAL. PostgreSQL: a pool; several replicas.
"""

from __future__ import annotations

import asyncio
import fcntl
import os
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import event, text
from sqlalchemy.engine import make_url
from sqlalchemy.exc import DBAPIError, InterfaceError, OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import AsyncAdaptedQueuePool, StaticPool

from shared.errors import LeveeError, Unavailable

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

Transaction = AsyncConnection

#: How long a statement waits for another's lock before it gives up and is tried again.
LOCK_TIMEOUT_S = 10
#: asyncpg's error classes for a server that goes away, by SQLSTATE class 57 and 08.
_GONE = ("57P", "08", "53300")
#: What SQLite says when the file is busy, full or away; it has no error classes of its own.
_SQLITE_GONE = ("locked", "disk is full", "disk I/O", "unable to open", "busy")


class DatabaseUnavailable(Unavailable):
    """The database does not answer: {reason}"""

    zh: ClassVar[str] = "数据库没有响应：{reason}"


class DatabaseInUse(LeveeError):
    """{path} is used by another process; SQLite serves one process at a time.

    Stop the other one, or use PostgreSQL.
    """

    zh: ClassVar[str] = (
        "{path} 正被另一个进程使用；SQLite 一次只服务一个进程。请先停止它或改用 PostgreSQL。"
    )


class Database:
    """One service's database."""

    def __init__(self, url: str, *, is_durable: bool = True, pool_size: int = 8) -> None:
        """Prepare connections to `url` (`sqlite+aiosqlite:///path` or `postgresql+asyncpg://…`).

        `is_durable=False` (SQLite only) trades the fsync at commit for speed: for replays and
        simulations, whose input still exists.
        """
        self.url = make_url(url)
        self.is_sqlite = self.url.get_backend_name() == "sqlite"
        self._lock_file: int | None = None
        self._writer_lock = asyncio.Lock()
        self._writer: AsyncConnection | None = None
        if self.is_sqlite:
            self._engine = _sqlite_engine(url, is_durable=is_durable)
            self._take_lock_file()
        else:
            self._engine = create_async_engine(
                url,
                pool_size=pool_size,
                max_overflow=pool_size,
                pool_timeout=LOCK_TIMEOUT_S,
                pool_pre_ping=False,
                connect_args={
                    "timeout": 5,
                    "server_settings": {
                        "lock_timeout": str(LOCK_TIMEOUT_S * 1000),
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
        if self.is_sqlite:
            async with self._writer_lock:
                connection = await self._writer_connection()
                with _translated():
                    async with connection.begin():
                        yield connection
            return
        with _translated():
            async with self._engine.begin() as connection:
                yield connection

    @asynccontextmanager
    async def reading(self) -> AsyncIterator[Transaction]:
        """Open a connection for reading; it sees what was committed before it began."""
        if self.is_sqlite and self.url.database in (None, "", ":memory:"):
            async with self.transaction() as connection:
                yield connection
            return
        with _translated():
            async with self._engine.connect() as connection:
                yield connection
                await connection.rollback()

    async def ping(self) -> None:
        """Return when the database answers; raise `DatabaseUnavailable` otherwise."""
        async with self.reading() as connection:
            await connection.execute(text("SELECT 1"))

    async def close(self) -> None:
        """Close every connection and give the file free."""
        if self._writer is not None:
            await self._writer.close()
            self._writer = None
        await self._engine.dispose()
        if self._lock_file is not None:
            os.close(self._lock_file)
            self._lock_file = None

    async def _writer_connection(self) -> AsyncConnection:
        if self._writer is None or self._writer.closed or self._writer.invalidated:
            with _translated():
                self._writer = await self._engine.connect()
                await self._writer.execution_options(levee_writer=True)
        return self._writer

    def _take_lock_file(self) -> None:
        if self.url.database in (None, "", ":memory:"):
            return
        path = Path(f"{self.url.database}.lock")
        path.parent.mkdir(parents=True, exist_ok=True)
        handle = os.open(path, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            os.close(handle)
            raise DatabaseInUse(path=self.url.database) from error
        self._lock_file = handle


def _sqlite_engine(url: str, *, is_durable: bool) -> AsyncEngine:
    in_memory = make_url(url).database in (None, "", ":memory:")
    engine = create_async_engine(
        url,
        poolclass=StaticPool if in_memory else AsyncAdaptedQueuePool,
        connect_args={"timeout": LOCK_TIMEOUT_S},
        **({} if in_memory else {"pool_size": 4, "max_overflow": 8}),
    )

    def prepare(connection: Any, _: object) -> None:
        # The driver must not open transactions by itself: BEGIN is ours (see `begin`).
        connection.isolation_level = None
        cursor = connection.cursor()
        cursor.execute("PRAGMA journal_mode = WAL")
        # FULL: a commit survives a power cut. NORMAL: it survives any kill of the process.
        cursor.execute(f"PRAGMA synchronous = {'FULL' if is_durable else 'OFF'}")
        cursor.execute("PRAGMA temp_store = MEMORY")
        cursor.execute("PRAGMA cache_size = -32000")
        cursor.execute("PRAGMA foreign_keys = ON")
        cursor.close()

    def begin(connection: Any) -> None:
        # A reader that becomes a writer half-way fails; a writer says so at once.
        is_writer = connection.get_execution_options().get("levee_writer") or in_memory
        connection.exec_driver_sql("BEGIN IMMEDIATE" if is_writer else "BEGIN")

    event.listen(engine.sync_engine, "connect", prepare)
    event.listen(engine.sync_engine, "begin", begin)
    return engine


class _translated:  # noqa: N801  reads as a word where it is used
    """Turn a driver's "not there" into ours; leave every other error alone."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, _: object, error: BaseException | None, __: object) -> None:
        if error is not None and is_gone(error):
            raise DatabaseUnavailable(reason=str(error).split("\n", 1)[0][:200]) from error


def is_gone(error: BaseException) -> bool:
    """Tell whether `error` means that the database is away, full, busy or locked."""
    if isinstance(error, PoolTimeout | ConnectionError | OSError):
        return not isinstance(error, FileNotFoundError)
    if isinstance(error, DBAPIError):
        if error.connection_invalidated or isinstance(error, InterfaceError):
            return True
        state = str(getattr(error.orig, "sqlstate", None) or "")
        if state:
            return state.startswith(_GONE) or state in {"55P03", "40P01", "40001", "53100"}
        told = str(error.orig)
        return isinstance(error, OperationalError) and any(sign in told for sign in _SQLITE_GONE)
    return False
