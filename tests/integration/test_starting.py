"""Services that start before what they need: PostgreSQL and NATS come late, or say no."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from levee.house import NAMES
from shared.bus.server import NatsServer
from shared.database import migrations
from shared.database.engine import Database
from shared.database.trouble import DatabaseRefused
from shared.errors import Unavailable
from shared.http.auth import add_to_file, new_key
from tests.harness.postgres import PostgresServer
from tests.harness.processes import ServiceProcess, free_port
from tests.harness.town_processes import service_process
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Mapping

pytestmark = [pytest.mark.nats, pytest.mark.postgres]

#: In every run: the one whose start does most.
ONE = "router"
ROOT = Path(__file__).resolve().parents[2]


@pytest.fixture
async def server() -> AsyncIterator[PostgresServer]:
    """A database server of its own, which runs and asks `clock` for a password."""
    with tempfile.TemporaryDirectory(prefix="levee-pg-") as folder:
        os.chmod(folder, 0o755)  # so that `nobody` reaches the data folder inside
        started = PostgresServer(Path(folder) / "server", asks_password_of=["clock"])
        started.start()
        await started.add_user("clock", "right")
        try:
            yield started
        finally:
            started.stop()


async def migrated(server: PostgresServer, name: str) -> str:
    """Return the URL of a database with the tables of a service."""
    url = await server.create()
    database = Database(url)
    await migrations.upgrade(name, database)
    await database.close()
    return url


def a_job(verb: str, url: str, *arguments: str) -> subprocess.Popen[str]:
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CLOCK_")}
    nowhere = f"nats://127.0.0.1:{free_port()}"
    return subprocess.Popen(
        [sys.executable, "-m", "services.clock", verb, *arguments],
        cwd=ROOT,
        env={**environment, "CLOCK_DATABASE_URL": url, "CLOCK_NATS_URL": nowhere},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


async def ended(job: subprocess.Popen[str]) -> tuple[int, str, str]:
    """Return exit code, output and errors."""
    out, errors = await asyncio.to_thread(job.communicate, timeout=120)
    return job.returncode, out, errors


def a_service(folder: Path, name: str, url: str, bus: Mapping[str, str]) -> ServiceProcess:
    add_to_file(folder / "keys.json", new_key("test", ("*",))[1])
    return service_process(folder, name, 1, url, ROOT / "bpmn", bus)


def as_clock(url: str, password: str) -> str:
    return url.replace("//levee@", f"//clock:{password}@")


async def readiness(http: httpx.AsyncClient, process: ServiceProcess) -> tuple[int, dict[str, Any]]:
    answer = await http.get(f"{process.base}/ready")
    return answer.status_code, answer.json()


def warnings_of(process: ServiceProcess, about: str) -> list[str]:
    lines = [json.loads(line) for line in process.told().splitlines()]
    return [one["message"] for one in lines if about in one["message"]]


@pytest.mark.parametrize(
    "name", [ONE, *(pytest.param(n, marks=pytest.mark.slow) for n in NAMES if n != ONE)]
)
async def test_a_service_waits_for_its_database_and_for_nats_and_becomes_ready_by_itself(
    name: str, server: PostgresServer, tmp_path: Path
) -> None:
    url = await migrated(server, name)
    server.stop()
    broker = NatsServer(tmp_path / "nats", port=free_port())
    bus: Mapping[str, str] = {f"{name.upper()}_NATS_URL": broker.url}
    process = a_service(tmp_path, name, url, bus)
    process.start()
    try:
        await process.answers(within_s=60)
        async with httpx.AsyncClient(timeout=10) as http:
            status, told = await readiness(http, process)
            assert (status, told["status"]) == (503, "not_ready")
            assert told["checks"]["start"]["detail"] == "waits for the database"
            assert "Connect" in told["checks"]["database"]["detail"]
            assert "not connected: Connect" in told["checks"]["bus"]["detail"]
            assert b"levee_ready" in (await http.get(f"{process.base}/metrics")).content
            for language, sentence in (("zh-CN", "正在启动"), ("en", "is starting")):
                asked = {"Accept-Language": language}
                answer = await http.get(f"{process.base}/v1/anything", headers=asked)
                assert answer.status_code == 503
                assert answer.json()["code"] == "not-started"
                assert sentence in answer.json()["title"]
                assert int(answer.headers["Retry-After"]) > 0

            server.start()
            await until(lambda: is_open(http, process), within_s=60)
            status, told = await readiness(http, process)
            assert (status, told["status"]) == (200, "degraded")
            assert not told["checks"]["bus"]["is_well"]
            assert "start" not in told["checks"]

            await broker.start()
            try:
                await until(lambda: is_connected(http, process), within_s=60)
                assert await asyncio.to_thread(process.stop) == 0
            finally:
                await broker.stop()
    finally:
        process.kill()
    assert process.error_lines() == []
    said = warnings_of(process, "waiting (for ever)")
    assert url in said[0]
    assert len(said) < 8, said
    assert len(warnings_of(process, "nats-server: ")) < 8
    assert len(warnings_of(process, "the database answers after")) == 1


async def is_open(http: httpx.AsyncClient, process: ServiceProcess) -> bool:
    return (await readiness(http, process))[0] == 200


async def is_connected(http: httpx.AsyncClient, process: ServiceProcess) -> bool:
    return bool((await readiness(http, process))[1]["checks"]["bus"]["is_well"])


async def test_a_service_that_waits_can_be_stopped(tmp_path: Path) -> None:
    away = f"postgresql+asyncpg://clock@127.0.0.1:{free_port()}/clock"
    nowhere = {"CLOCK_NATS_URL": f"nats://127.0.0.1:{free_port()}"}
    process = a_service(tmp_path, "clock", away, nowhere)
    process.start()
    await process.answers(within_s=60)

    assert await asyncio.to_thread(process.stop) == 0
    assert process.error_lines() == []


@pytest.mark.parametrize("verb", ["serve", "migrate", "check"])
async def test_a_database_that_says_no_is_not_waited_for(verb: str, server: PostgresServer) -> None:
    url = await migrated(server, "clock")
    told = {
        as_clock(url, "wrong"): 'password authentication failed for user "clock"',
        url.rsplit("/", 1)[0] + "/nowhere": 'database "nowhere" does not exist',
    }
    for refused, reason in told.items():
        code, _, errors = await ended(a_job(verb, refused))

        assert code == 1
        zh, en = [line for line in errors.splitlines() if line.startswith("database-wrong: ")]
        for sentence in (zh, en):
            assert reason in sentence
            assert "CLOCK_DATABASE_URL" in sentence
            assert "wrong@" not in sentence
        assert "请修正" in zh
        assert "Traceback" not in errors

    code, _, errors = await ended(a_job("check", as_clock(url, "right")))
    assert code == 0, errors


async def test_a_database_without_tables_is_not_waited_for(server: PostgresServer) -> None:
    code, _, errors = await ended(a_job("serve", await server.create()))

    assert code == 1
    zh, en = [line for line in errors.splitlines() if line.startswith("schema-behind: ")]
    assert "migrate" in zh
    assert "migrate" in en
    assert "Traceback" not in errors


async def test_a_migration_waits_for_a_server_that_starts_beside_it(
    server: PostgresServer,
) -> None:
    url = await server.create()
    server.stop()
    job = a_job("migrate", url, "--step", "pre")
    stderr = job.stderr
    assert stderr is not None
    first = await asyncio.to_thread(stderr.readline)
    assert "waiting (60 s at most)" in first

    server.start()
    code, out, errors = await ended(job)

    assert code == 0, errors
    assert out.startswith("clock: database at ")


async def test_a_migration_does_not_wait_for_ever() -> None:
    away = f"postgresql+asyncpg://clock:secret@127.0.0.1:{free_port()}/clock"

    code, _, errors = await ended(a_job("migrate", away, "--wait", "1"))

    assert code == 1
    assert errors.count("database-stayed-away: ") == 2
    assert "secret" not in errors
    assert "Traceback" not in errors


async def test_a_password_changed_meanwhile_is_a_database_that_is_away(
    server: PostgresServer,
) -> None:
    """Who is at work tries again later, as with any database that is away."""
    url = await server.create()
    database = Database(as_clock(url, "wrong"))
    try:
        with pytest.raises(DatabaseRefused, match="password"):
            async with database.transaction():
                pass
    finally:
        await database.close()
    assert issubclass(DatabaseRefused, Unavailable)
