"""What every test has: a guard against unannounced errors, and both databases."""

from __future__ import annotations

import logging
import re
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, settings

from shared.database.engine import Database
from tests.harness.dummies import create_tables
from tests.harness.postgres import PostgresServer

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

# No test is timed: on a busy machine a case takes as long as it takes.
settings.register_profile("levee", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("levee")


class ErrorLines(logging.Handler):
    """Collects log records of level ERROR and above, and which of them a test expects."""

    def __init__(self) -> None:
        super().__init__(logging.ERROR)
        self.records: list[logging.LogRecord] = []
        self._announced: list[re.Pattern[str]] = []

    def expect(self, pattern: str) -> None:
        """Announce errors whose message matches `pattern` anywhere."""
        self._announced.append(re.compile(pattern))

    def emit(self, record: logging.LogRecord) -> None:
        """Keep the record."""
        self.records.append(record)

    @property
    def messages(self) -> list[str]:
        """What was logged so far."""
        return [record.getMessage() for record in self.records]

    @property
    def unannounced(self) -> list[str]:
        """What was logged and nobody expected, with its traceback."""
        formatter = logging.Formatter("%(name)s: %(message)s")
        return [
            formatter.format(record)
            for record in self.records
            if not any(pattern.search(record.getMessage()) for pattern in self._announced)
        ]


@pytest.fixture(autouse=True)
def announced_errors(request: pytest.FixtureRequest) -> Iterator[ErrorLines]:
    """Fail the test on any error line it did not announce.

    Announce with `announced_errors.expect("set aside")` or
    `@pytest.mark.announces("set aside")`.
    """
    lines = ErrorLines()
    for marker in request.node.iter_markers("announces"):
        for pattern in marker.args:
            lines.expect(pattern)
    root = logging.getLogger()
    root.addHandler(lines)
    yield lines
    root.removeHandler(lines)
    if lines.unannounced:
        pytest.fail("unannounced error lines:\n" + "\n".join(lines.unannounced), pytrace=False)


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer]:
    """One server for the whole session; each test gets a database of its own from it."""
    with tempfile.TemporaryDirectory(prefix="levee-pg-") as folder:
        Path(folder).chmod(0o755)  # so that `nobody` reaches the data folder inside
        server = PostgresServer(Path(folder) / "server")
        server.start()
        try:
            yield server
        finally:
            server.stop()


async def fill_with_dummies(url: str) -> None:
    """Create the dummies' tables."""
    database = Database(url)
    await create_tables(database)
    await database.close()


class Databases:
    """Makes empty databases of one kind, as many as a test needs."""

    def __init__(self, folder: Path, server: PostgresServer | None) -> None:
        self._folder, self._server = folder, server
        self._files = 0
        self._made: list[str] = []
        self._lent: list[str] = []

    @property
    def is_postgres(self) -> bool:
        """Whether they are on PostgreSQL, where several replicas may share one."""
        return self._server is not None

    async def new(self) -> str:
        """Return the URL of another empty database."""
        if self._server is None:
            return self._file()
        self._made.append(await self._server.create())
        return self._made[-1]

    async def for_dummies(self) -> str:
        """Return the URL of another database, on PostgreSQL with the dummies' tables in it."""
        if self._server is None:
            return self._file()
        self._lent.append(await self._server.lend("dummies", fill_with_dummies))
        return self._lent[-1]

    async def drop(self) -> None:
        """Remove them all."""
        if self._server is not None:
            for url in self._made:
                await self._server.drop(url)
            for url in self._lent:
                await self._server.give_back("dummies", url)

    def _file(self) -> str:
        self._files += 1
        return f"sqlite+aiosqlite:///{self._folder / f'test{self._files}.db'}"


@pytest.fixture
async def postgres(postgres_server: PostgresServer, tmp_path: Path) -> AsyncIterator[Databases]:
    """Databases on PostgreSQL."""
    made = Databases(tmp_path, postgres_server)
    yield made
    await made.drop()


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
async def databases(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Databases]:
    """Databases on SQLite, then on PostgreSQL."""
    is_postgres = request.param == "postgres"
    server = request.getfixturevalue("postgres_server") if is_postgres else None
    made = Databases(tmp_path, server)
    yield made
    await made.drop()


@pytest.fixture
async def postgres_url(postgres: Databases) -> str:
    """An empty PostgreSQL database."""
    return await postgres.new()


@pytest.fixture
async def database_url(databases: Databases) -> str:
    """The URL of an empty database, on SQLite and on PostgreSQL."""
    return await databases.new()


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    """An empty database, on SQLite and on PostgreSQL."""
    opened = Database(database_url, is_durable=False)
    yield opened
    await opened.close()
