"""Statements compiled once and run by the driver itself.

Building and compiling a statement, a result proxy and a greenlet switch cost several times what a
small statement costs the database (docs/performance.md). The statements of the hot paths are
SQLAlchemy Core like all others, but compiled once per dialect; afterwards only the driver works.
Everything else goes through SQLAlchemy as ever (docs/decisions/0010).
"""

from __future__ import annotations

import re
import sqlite3
from abc import ABC, abstractmethod
from collections import namedtuple
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import asyncpg
from sqlalchemy import Float, Numeric, exc
from sqlalchemy.exc import MultipleResultsFound, NoResultFound

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence

    from sqlalchemy.engine import Dialect
    from sqlalchemy.ext.asyncio import AsyncConnection


class Prepared:
    """A statement that never changes; compile it once, give it its values each time."""

    def __init__(self, statement: Any, columns: Sequence[str] | None = None) -> None:
        """Keep `statement`; `columns` are those an INSERT without values is to fill."""
        self.statement, self._columns = statement, columns
        self._compiled: dict[str, _Compiled] = {}

    def compiled(self, dialect: Dialect) -> _Compiled:
        """Return the driver's text of it, with what turns values into parameters and back."""
        found = self._compiled.get(dialect.name)
        if found is None:
            found = self._compiled[dialect.name] = _Compiled(self.statement, dialect, self._columns)
        return found


class _Compiled:
    """A statement as one driver takes it."""

    __slots__ = ("_binders", "_defaults", "_names", "_readers", "make", "returns", "sql")

    def __init__(self, statement: Any, dialect: Dialect, columns: Sequence[str] | None) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=columns)
        self.sql = str(compiled)
        self._names: list[str] = list(compiled.positiontup or ())
        self._defaults = {
            name: compiled.params[name] for name in self._names if not compiled.binds[name].required
        }
        kinds = [compiled.binds[name].type.dialect_impl(dialect) for name in self._names]
        binders = [kind.bind_processor(dialect) for kind in kinds]
        self._binders = binders if any(binders) else None
        told = getattr(statement, "exported_columns", ()) if _returns(statement) else ()
        self.returns = bool(told)
        readers = [_reader(column.type.dialect_impl(dialect), dialect) for column in told]
        self._readers = readers if any(readers) else None
        names = [str(column.key) for column in told]
        # The columns are known at run time only.
        kind_of_row: Any = namedtuple
        row = kind_of_row("Row", names, rename=True)
        self.make: Callable[[Any], Any] = row._make

    def values(self, given: Mapping[str, Any]) -> tuple[Any, ...]:
        """Return the parameters in the order the driver wants them."""
        if self._defaults:
            given = {**self._defaults, **given}
        if self._binders is None:
            return tuple([given[name] for name in self._names])
        return tuple(
            [
                given[name] if bind is None else bind(given[name])
                for name, bind in zip(self._names, self._binders, strict=True)
            ]
        )

    def rows(self, found: Sequence[Sequence[Any]]) -> list[Any]:
        """Return rows whose columns have names."""
        make, readers = self.make, self._readers
        if readers is None:
            return [make(row) for row in found]
        return [
            make(
                [
                    value if read is None else read(value)
                    for value, read in zip(row, readers, strict=True)
                ]
            )
            for row in found
        ]


def _returns(statement: Any) -> bool:
    return bool(statement.is_select or getattr(statement, "_returning", ()))


def _reader(kind: Any, dialect: Dialect) -> Callable[[Any], Any] | None:
    # sqlite3 and asyncpg hand out bytes already.
    if kind.__visit_name__ in ("large_binary", "BLOB", "BYTEA"):
        return None
    found: Callable[[Any], Any] | None = kind.result_processor(dialect, _told_type(kind))
    return found


def _told_type(kind: Any) -> int | None:
    """Return PostgreSQL's number of a type whose reader asks for it: float8, numeric.

    https://github.com/postgres/postgres/blob/master/src/include/catalog/pg_type.dat
    """
    if isinstance(kind, Float):
        return 701
    return 1700 if isinstance(kind, Numeric) else None


class Rows:
    """What a native statement found; the part of SQLAlchemy's result that is used here."""

    __slots__ = ("_rows", "rowcount")

    def __init__(self, rows: list[Any], rowcount: int = -1) -> None:
        self._rows, self.rowcount = rows, rowcount

    def __iter__(self) -> Iterator[Any]:
        return iter(self._rows)

    def all(self) -> list[Any]:
        """Return every row."""
        return self._rows

    def first(self) -> Any:
        """Return the first row, or None."""
        return self._rows[0] if self._rows else None

    def one(self) -> Any:
        """Return the only row."""
        if len(self._rows) != 1:
            raise NoResultFound if not self._rows else MultipleResultsFound
        return self._rows[0]

    def scalars(self) -> list[Any]:
        """Return the first column."""
        return [row[0] for row in self._rows]

    def scalar_one(self) -> Any:
        """Return the first column of the only row."""
        return self.one()[0]

    def scalar_one_or_none(self) -> Any:
        """Return the first column of the only row, or None where there is none."""
        return self.one()[0] if self._rows else None


class Session(ABC):
    """One connection: SQLAlchemy's, and the driver's own beneath it.

    SQLAlchemy is told that the driver commits by itself (AUTOCOMMIT); where a transaction begins
    and ends is said to the driver, by whoever holds the session.
    """

    def __init__(
        self, outer: AsyncConnection, driver: Any, ears: Sequence[Callable[[str], None]] = ()
    ) -> None:
        """Wrap a connection; `ears` hear every statement, for whoever counts them."""
        self._outer, self._driver, self._ears = outer, driver, ears
        self.dialect: Dialect = outer.dialect
        #: What whoever works on this connection wants to remember of it.
        self.notes: dict[str, Any] = {}

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Run a statement; a `Prepared` one natively, a list of values as many."""
        for ear in self._ears:
            ear(str(getattr(statement, "statement", statement)))
        if isinstance(statement, Prepared):
            compiled = statement.compiled(self.dialect)
            many = isinstance(parameters, list)
            values: Any
            if many:
                values = [compiled.values(each) for each in parameters]
            else:
                values = compiled.values(parameters or {})
            return await self._run(compiled, values, is_many=many)
        return await self._outer.execute(statement, parameters)

    async def write(self, place: str, statement: Prepared, values: Mapping[str, Any]) -> None:
        """Write something whose outcome nobody looks at; it may go together with what follows.

        Two writes to the same `place` (a table) keep their order. It has happened before anything
        else is asked of this transaction; an error may be raised by that as late as by COMMIT.
        """
        await self.execute(statement, dict(values))

    async def write_and_tell(
        self, place: str, statement: Prepared, values: Mapping[str, Any]
    ) -> Rows:
        """Write, with all that waits to be written, and return what the statement tells."""
        told: Rows = await self.execute(statement, dict(values))
        return told

    async def run_sync(self, look: Callable[..., Any]) -> Any:
        """Let a function of SQLAlchemy's that wants a synchronous connection look around."""
        return await self._outer.run_sync(look)

    async def tell(self, words: str) -> None:
        """Say BEGIN, COMMIT or ROLLBACK."""
        for ear in self._ears:
            ear(words)
        await self._tell(words)

    @abstractmethod
    async def _tell(self, words: str) -> None: ...

    @property
    def is_broken(self) -> bool:
        """Whether nothing can be asked of it any more."""
        return self._outer.closed or self._outer.invalidated

    async def close(self) -> None:
        """Give the connection back to SQLAlchemy, broken ones without a word."""
        if self.is_broken:
            await self._outer.invalidate()
        await self._outer.close()

    async def drop(self) -> None:
        """Close it for good: nothing of what it knew holds any more."""
        await self._outer.invalidate()
        await self._outer.close()

    @abstractmethod
    async def _run(self, compiled: _Compiled, values: Any, *, is_many: bool) -> Rows: ...


class SqliteSession(Session):
    """A statement on a local file takes microseconds; it runs where it is asked for."""

    async def _tell(self, words: str) -> None:
        # A rollback of nothing is nothing.
        if words == "ROLLBACK" and not self._driver.in_transaction:
            return
        try:
            self._driver.execute(words)
        except sqlite3.Error as error:
            raise _from_sqlite(error, words) from error

    async def _run(self, compiled: _Compiled, values: Any, *, is_many: bool) -> Rows:
        try:
            if is_many:
                return Rows([], self._driver.executemany(compiled.sql, values).rowcount)
            cursor = self._driver.execute(compiled.sql, values)
            if compiled.returns:
                return Rows(compiled.rows(cursor.fetchall()))
            return Rows([], cursor.rowcount)
        except sqlite3.Error as error:
            raise _from_sqlite(error, compiled.sql) from error


class PostgresSession(Session):
    """asyncpg; one round trip per statement, one for many rows of the same, one for many writes.

    Writes wait for one another and are sent as one statement, each a part of its WITH: a round
    trip costs several times what a small write does (docs/decisions/0020).
    """

    def __init__(
        self, outer: AsyncConnection, driver: Any, ears: Sequence[Callable[[str], None]] = ()
    ) -> None:
        """Wrap a connection, as `Session`."""
        super().__init__(outer, driver, ears)
        self._parts: dict[str, tuple[_Compiled, tuple[Any, ...]]] = {}

    async def execute(self, statement: Any, parameters: Any = None) -> Any:
        """Run a statement, as `Session`; it sees what was written before it."""
        if self._parts:
            await self._send()
        return await super().execute(statement, parameters)

    async def write(self, place: str, statement: Prepared, values: Mapping[str, Any]) -> None:
        """Let a write wait for the next ones; the parts of one statement do not see each other."""
        if place in self._parts:
            await self._send()
        compiled = statement.compiled(self.dialect)
        self._parts[place] = compiled, compiled.values(values)

    async def write_and_tell(
        self, place: str, statement: Prepared, values: Mapping[str, Any]
    ) -> Rows:
        """Send all that waits and this."""
        await self.write(place, statement, values)
        return await self._send()

    async def run_sync(self, look: Callable[..., Any]) -> Any:
        """Let a function of SQLAlchemy's look around; it sees what was written before it."""
        if self._parts:
            await self._send()
        return await super().run_sync(look)

    async def _send(self) -> Rows:
        """Send the writes that wait; return what the last one tells."""
        parts, self._parts = list(self._parts.values()), {}
        sql = _together(tuple(compiled.sql for compiled, _ in parts))
        values = tuple([value for _, given in parts for value in given])
        for ear in self._ears:
            ear(sql)
        return await self._ask(sql, parts[-1][0], values)

    async def _tell(self, words: str) -> None:
        if self._parts:
            if words == "ROLLBACK":
                self._parts.clear()
            else:
                await self._send()
        try:
            await self._driver.execute(words)
        except _SAID as error:
            raise _from_postgres(error, words, self._driver) from error

    @property
    def is_broken(self) -> bool:
        """Whether the server or the network cut it off."""
        return self._driver.is_closed() or super().is_broken

    async def _run(self, compiled: _Compiled, values: Any, *, is_many: bool) -> Rows:
        try:
            if is_many:
                await self._driver.executemany(compiled.sql, values)
                return Rows([], len(values))
        except _SAID as error:
            raise _from_postgres(error, compiled.sql, self._driver) from error
        return await self._ask(compiled.sql, compiled, values)

    async def _ask(self, sql: str, compiled: _Compiled, values: tuple[Any, ...]) -> Rows:
        """Run a statement whose answer has the shape `compiled` knows."""
        try:
            if compiled.returns:
                return Rows(compiled.rows(await self._driver.fetch(sql, *values)))
            return Rows([], _count(await self._driver.execute(sql, *values)))
        except _SAID as error:
            raise _from_postgres(error, sql, self._driver) from error


#: What asyncpg raises of a statement or connection. The last: it has lost its place in the
#: protocol, as when a server dies half-way through an answer; no statement is to blame for that.
_SAID = (asyncpg.PostgresError, asyncpg.InterfaceError, asyncpg.InternalClientError)
_PLACE_OF_VALUE = re.compile(r"\$(\d+)")


@lru_cache(maxsize=1_000)
def _together(statements: tuple[str, ...]) -> str:
    """Return one statement that does what all of these do; their values follow one another."""
    parts: list[str] = []
    count = 0
    for sql in statements:
        parts.append(_renumbered(sql, count))
        count += max(map(int, _PLACE_OF_VALUE.findall(sql)), default=0)
    if len(parts) == 1:
        return parts[0]
    before = ", ".join(f"part_{number} AS ({sql})" for number, sql in enumerate(parts[:-1]))
    return f"WITH {before} {parts[-1]}"


def _renumbered(sql: str, after: int) -> str:
    return _PLACE_OF_VALUE.sub(lambda found: f"${after + int(found[1])}", sql)


def _count(told: str) -> int:
    """Return the number in "DELETE 5" or "INSERT 0 3"."""
    last = told.rpartition(" ")[2]
    return int(last) if last.isdigit() else -1


def _from_sqlite(error: sqlite3.Error, sql: str) -> BaseException:
    return exc.DBAPIError.instance(sql, None, error, sqlite3.Error)


def _from_postgres(error: Exception, sql: str, driver: Any) -> exc.DBAPIError:
    """Return SQLAlchemy's error of the same meaning; what asks for a state finds it in `orig`."""
    state = str(getattr(error, "sqlstate", None) or "")
    kind: type[exc.DBAPIError] = exc.OperationalError
    if isinstance(error, asyncpg.InterfaceError | asyncpg.InternalClientError):
        kind = exc.InterfaceError
    elif state.startswith("23"):
        kind = exc.IntegrityError
    elif state.startswith(("42", "22")):
        kind = exc.ProgrammingError if state.startswith("42") else exc.DataError
    is_lost = driver.is_closed() or isinstance(error, asyncpg.InternalClientError)
    return kind(sql, None, error, connection_invalidated=is_lost)
