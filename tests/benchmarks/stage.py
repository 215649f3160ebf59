"""A real PostgreSQL, a real nats-server and services as processes of their own, for one run."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import asyncpg
import httpx
import orjson

from shared.bus.server import NatsServer
from shared.database import migrations
from shared.database.engine import Database
from shared.http.auth import add_to_file, new_key
from shared.time_source import SystemTime
from tests.benchmarks.processor import resident_mb, used_s
from tests.harness.postgres import PostgresServer
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

_ROOT = Path(__file__).resolve().parents[2]
_STOP_S = 20.0
_START_S = 60.0


@dataclass(slots=True)
class Stage:
    """What all measurements of a run share: PostgreSQL, a folder, an API key."""

    folder: Path
    postgres: PostgresServer
    postgres_pid: int
    key: str
    ports: set[int] = field(default_factory=set)

    @property
    def keys_file(self) -> Path:
        """The file that holds the key."""
        return self.folder / "keys.json"

    def request(self, body: Mapping[str, Any], path: str = "/intake/v1/requests") -> bytes:
        """Return the bytes of a POST."""
        raw = orjson.dumps(body)
        head = (
            f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
            f"Authorization: Bearer {self.key}\r\nContent-Length: {len(raw)}\r\n\r\n"
        )
        return head.encode() + raw

    def free_port(self) -> int:
        """Return a port nobody uses, and that no earlier call returned."""
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port: int = probe.getsockname()[1]
            if port not in self.ports:
                self.ports.add(port)
                return port

    async def migrated(self, service: str) -> str:
        """Return the URL of a new database with a service's tables."""

        async def fill(url: str) -> None:
            database = Database(url)
            await migrations.upgrade(service, database)
            await database.close()

        template = await self.postgres.template(f"template_{service}", fill)
        return await self.postgres.create(template=template)

    async def value(self, url: str, query: str) -> int:
        """Return the one number a query gives."""
        connection = await asyncpg.connect(url.replace("+asyncpg", ""))
        try:
            return int(await connection.fetchval(query))
        finally:
            await connection.close()


@asynccontextmanager
async def stage() -> AsyncIterator[Stage]:
    """Start PostgreSQL as production runs it (every commit on the disk); stop it at the end."""
    with tempfile.TemporaryDirectory(prefix="levee-bench-") as name:
        folder = Path(name)
        key = _furnish(folder)
        server = PostgresServer(folder / "postgres", is_durable=True)
        server.start()
        try:
            told = (folder / "postgres" / "data" / "postmaster.pid").read_text()
            yield Stage(folder, server, int(told.split("\n", 1)[0]), key)
        finally:
            server.stop()


def _furnish(folder: Path) -> str:
    """Write the key file; return the key."""
    folder.chmod(0o755)  # so that `nobody` reaches the data folder inside
    key, kept = new_key("bench", ["*"])
    add_to_file(folder / "keys.json", kept)
    return key


class Process:
    """A program of ours, running."""

    def __init__(self, stage: Stage, name: str, module: str, *arguments: str, **env: str) -> None:
        """Start `python -m module`; what it logs goes to a file in the stage's folder."""
        self.name = name
        self._log = stage.folder / f"{name}-{len(list(stage.folder.glob('*.log')))}.log"
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", module, *arguments],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd=_ROOT,
                env=dict(os.environ) | env,
            )

    @property
    def used_s(self) -> float:
        """Processor time so far, in seconds."""
        return used_s(self._process.pid)

    @property
    def memory_mb(self) -> float:
        """Resident memory just now, in megabytes."""
        return resident_mb(self._process.pid)

    def pause(self) -> None:
        """Let it stand still."""
        self._process.send_signal(signal.SIGSTOP)

    def resume(self) -> None:
        """Let it go on."""
        self._process.send_signal(signal.SIGCONT)

    async def answers(self, url: str) -> None:
        """Return when it answers 200 on `url`; raise with its log when it does not."""
        async with httpx.AsyncClient() as client:

            async def is_well() -> bool:
                if self._process.poll() is not None:
                    raise RuntimeError(f"{self.name} ended: {self._tail()}")
                try:
                    return (await client.get(url, timeout=5.0)).status_code == 200
                except httpx.TransportError:
                    return False

            try:
                await until(is_well, within_s=_START_S)
            except TimeoutError as error:
                raise RuntimeError(f"{self.name} does not answer: {self._tail()}") from error

    def stop(self) -> None:
        """Ask it to end, and wait until it has."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(_STOP_S)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    def complaints(self) -> list[str]:
        """Return the lines it logged as errors."""
        lines = self._log.read_text(errors="replace").splitlines()
        return [line for line in lines if '"level":"ERROR"' in line or "Traceback" in line]

    def _tail(self) -> str:
        return self._log.read_text(errors="replace")[-2_000:]


@dataclass(slots=True)
class House:
    """Services at work on databases and a bus of their own."""

    stage: Stage
    nats: NatsServer
    nats_pid: int
    databases: dict[str, str]
    processes: dict[str, Process]
    ports: dict[str, int]

    def used_s(self) -> dict[str, float]:
        """Return the processor time of everybody so far, by name."""
        told = {name: process.used_s for name, process in self.processes.items()}
        told["nats-server"] = used_s(self.nats_pid)
        told["PostgreSQL"] = used_s(self.stage.postgres_pid)
        return told

    async def count(self, service: str, query: str) -> int:
        """Return the one number a query on a service's database gives."""
        return await self.stage.value(self.databases[service], query)


@asynccontextmanager
async def chain(stage: Stage, roles: tuple[str, ...]) -> AsyncIterator[House]:
    """Run the floor of the path (tests.benchmarks.chain), a process per role."""
    databases = {role: await stage.postgres.create() for role in roles}
    ports = {role: stage.free_port() for role in roles}
    store = Path(tempfile.mkdtemp(prefix="nats-", dir=stage.folder))
    nats = NatsServer(store)
    await nats.start()
    processes: dict[str, Process] = {}
    try:
        nats_pid = int((store / "server.lock").read_text())
        for role in roles:
            place = ("--url", databases[role], "--nats", nats.url, "--port", str(ports[role]))
            processes[role] = Process(
                stage, f"floor-{role}", "tests.benchmarks.chain", role, *place
            )
        for role, process in processes.items():
            await process.answers(f"http://127.0.0.1:{ports[role]}/")
        yield House(stage, nats, nats_pid, databases, processes, ports)
    finally:
        for process in processes.values():
            process.stop()
        await nats.stop()
        for url in databases.values():
            await stage.postgres.drop(url)


@asynccontextmanager
async def house(
    stage: Stage, services: tuple[str, ...], *, is_batching: bool = True
) -> AsyncIterator[House]:
    """Run services as processes, with the definitions in force; stop them at the end."""
    databases = {name: await stage.migrated(name) for name in services}
    ports = {name: stage.free_port() for name in services}
    store = Path(tempfile.mkdtemp(prefix="nats-", dir=stage.folder))
    nats = NatsServer(store)
    await nats.start()
    processes: dict[str, Process] = {}
    try:
        nats_pid = int((store / "server.lock").read_text())
        for name in services:
            env = _environment(stage, name, databases[name], nats.url, ports[name], is_batching)
            processes[name] = Process(stage, name, f"services.{name}", "serve", **env)
        for name, process in processes.items():
            await process.answers(f"http://127.0.0.1:{ports[name]}/{name}/ready")
        if "router" in services:
            await _defined(stage, ports)
        yield House(stage, nats, nats_pid, databases, processes, ports)
    finally:
        for process in processes.values():
            process.stop()
        await nats.stop()
        for url in databases.values():
            await stage.postgres.drop(url)


def _environment(
    stage: Stage, name: str, database: str, nats_url: str, port: int, is_batching: bool
) -> dict[str, str]:
    told = {
        "DATABASE_URL": database,
        "NATS_URL": nats_url,
        "PORT": str(port),
        "KEYS_FILE": str(stage.keys_file),
        "LOG_LEVEL": "WARNING",
        "IS_BATCHING": str(is_batching).lower(),
    }
    if name == "router":
        told["DEFINITIONS_FOLDER"] = str(_ROOT / "bpmn")
    return {f"{name.upper()}_{key}": value for key, value in told.items()}


async def _defined(stage: Stage, ports: dict[str, int]) -> None:
    """Return when intake has heard of the catalogue."""
    if "intake" not in ports:
        return
    url = f"http://127.0.0.1:{ports['intake']}/intake/ready"
    async with httpx.AsyncClient() as client:

        async def has_catalogue() -> bool:
            checks = (await client.get(url)).json()["checks"]
            return bool(checks["catalogue"]["is_well"])

        await until(has_catalogue, within_s=_START_S)


async def load(
    stage: Stage,
    port: int,
    request: bytes,
    *,
    connections: int = 50,
    count: int | None = None,
    seconds: float | None = None,
    rate: float = 0.0,
    has_ids: bool = False,
) -> dict[str, Any]:
    """Run the load generator against a port and return what it told."""
    arguments = ["--port", str(port), "--connections", str(connections), "--rate", str(rate)]
    arguments += ["--count", str(count)] if count is not None else []
    arguments += ["--seconds", str(seconds)] if seconds is not None else []
    arguments += ["--ids"] if has_ids else []
    told = stage.folder / "told"
    generator = _generator(stage.folder / "request", told, request, arguments)
    machine = SystemTime()
    try:
        while generator.poll() is None:
            await machine.sleep(0.02)
    finally:
        if generator.poll() is None:
            generator.kill()
            generator.wait()
    if generator.returncode:
        raise RuntimeError("the load generator failed")
    found: dict[str, Any] = orjson.loads(told.read_bytes())
    if found["refused"] or found["lost"]:
        raise RuntimeError(f"{found['refused']} refused, {found['lost']} lost")
    return found


def _generator(
    source: Path, told: Path, request: bytes, arguments: list[str]
) -> subprocess.Popen[bytes]:
    """Start the load generator; it reads `source` and writes `told`."""
    source.write_bytes(request)
    with source.open("rb") as given, told.open("wb") as taken:
        return subprocess.Popen(
            [sys.executable, "-m", "tests.benchmarks.load", *arguments],
            stdin=given,
            stdout=taken,
            cwd=_ROOT,
        )
