"""SQLite without a thread hop per statement.

aiosqlite hands every statement to a thread of its own and waits for it. With six services in one
process that is six threads fighting for one interpreter lock: a replay spent most of its time
there. A statement on a local file takes tens of microseconds, less than the hand-over, so here it
runs where it is asked for (docs/decisions/0008).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Generator
from typing import TYPE_CHECKING, Any

import aiosqlite

if TYPE_CHECKING:
    import asyncio


class _AtOnce:
    """Stands where aiosqlite's queue is: does what is put into it, now."""

    def put_nowait(self, item: tuple[asyncio.Future[Any] | None, Callable[[], Any]]) -> None:
        future, function = item
        try:
            result = function()
        except BaseException as error:
            if future is None:
                raise
            future.set_exception(error)
        else:
            if future is not None:
                future.set_result(result)


class DirectConnection(aiosqlite.Connection):
    """aiosqlite's connection whose statements run in the caller's thread."""

    def __init__(self, connector: Callable[[], sqlite3.Connection]) -> None:
        super().__init__(connector, iter_chunk_size=64)
        self._tx: Any = _AtOnce()

    @property
    def plain(self) -> sqlite3.Connection:
        """The driver's connection, for statements that need nothing of aiosqlite."""
        return self._conn

    def __await__(self) -> Generator[Any, None, aiosqlite.Connection]:
        """Connect; there is no thread to start."""
        return self._connect().__await__()


async def connect(database: str, timeout_s: float) -> DirectConnection:
    """Return an open connection; `timeout_s` is how long a lock is waited for."""
    connection = DirectConnection(
        lambda: sqlite3.connect(database, timeout=timeout_s, check_same_thread=False)
    )
    await connection
    return connection
