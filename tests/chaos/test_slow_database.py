"""PostgreSQL on a slow disk, and with tables somebody holds: late, told, and nothing lost.

Every flush takes 2 ms more than it does (a library put before the server's own calls), and a table
of each service is locked for seconds under load, once for longer than a statement waits.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from contextlib import asynccontextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import asyncpg
import pytest

from levee.house import NAMES
from shared.time_source import SystemTime
from tests.harness.journey import a_post
from tests.harness.postgres import PostgresServer
from tests.harness.town_processes import town_of_processes

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from tests.harness.town import Town

pytestmark = [pytest.mark.nats, pytest.mark.postgres, pytest.mark.slow]

_SHIM = Path(__file__).resolve().parents[1] / "harness" / "slow_disk.c"
_FLUSH_S = 0.002
#: Commits that are timed to see that the disk is slow indeed.
_COMMITS = 50
CLIENTS, PAUSE_S = 6, 0.3
#: What somebody holds, and for how many seconds: below the ten a statement waits, then above.
_HELD = (
    ("intake", "requests", 4),
    ("router", "subjects", 4),
    ("clock", "timers", 4),
    ("escalation", "outbox", 3),
    ("notify", "deliveries", 3),
    ("insight", "timeline", 3),
)
_TOO_LONG = ("intake", "outbox", 14)


@pytest.fixture
def slow_server() -> Iterator[PostgresServer]:
    """A server that writes as in production, onto a slow disk."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if compiler is None or sys.platform != "linux":
        pytest.skip("needs gcc on Linux to make flushes slow")
    with tempfile.TemporaryDirectory(prefix="levee-pg-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # so that `nobody` reaches what lies inside
        shim = folder / "slow_disk.so"
        subprocess.run([compiler, "-shared", "-fPIC", "-O1", "-o", shim, _SHIM, "-ldl"], check=True)
        environment = {"LD_PRELOAD": str(shim), "SLOW_FLUSH_US": f"{_FLUSH_S * 1e6:.0f}"}
        server = PostgresServer(folder / "server", is_durable=True, environment=environment)
        server.start()
        try:
            yield server
        finally:
            server.stop()


async def commit_s(url: str) -> float:
    """Return how long a commit takes."""
    machine, connection = SystemTime(), await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute("CREATE TABLE timed (n int)")
        began = machine.monotonic()
        for n in range(_COMMITS):
            await connection.execute("INSERT INTO timed VALUES ($1)", n)
        took_s = machine.monotonic() - began
        await connection.execute("DROP TABLE timed")
    finally:
        await connection.close()
    return took_s / _COMMITS


@asynccontextmanager
async def held(url: str, table: str) -> AsyncIterator[None]:
    """Hold a table as somebody who changes it by hand."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute("BEGIN")
        await connection.execute(f"LOCK TABLE {table} IN ACCESS EXCLUSIVE MODE")
        yield
        await connection.execute("ROLLBACK")
    finally:
        await connection.close()


async def assert_told_to_come_again(town: Town) -> None:
    """A caller who waits too long for the table is told so, in its language."""
    place = f"{town.bases['intake']}/intake/v1/requests"
    headers = {"Accept-Language": "zh-CN"}
    async with town.http() as http:
        answer = await http.post(place, json=a_post("Locked"), headers=headers, timeout=30)
    assert answer.status_code == 503, answer.text
    assert int(answer.headers["Retry-After"]) > 0
    assert answer.json()["code"] in ("database-unavailable", "too-many-calls")


async def test_a_slow_disk_and_held_tables_lose_nothing(
    tmp_path: Path, slow_server: PostgresServer
) -> None:
    machine, urls = SystemTime(), {name: await slow_server.create() for name in NAMES}
    took_s = await commit_s(urls["insight"])
    assert took_s > _FLUSH_S, "the disk is not slow: the library was not taken in"
    sys.stderr.write(f"a commit takes {took_s * 1e3:.1f} ms\n")
    async with town_of_processes(tmp_path, urls) as town:
        async with town.under_load(CLIENTS, PAUSE_S):
            await town.more_requests(20)
            for service, table, seconds in _HELD:
                refused = town.tried_again
                async with held(urls[service], table):
                    await machine.sleep(seconds)
                await town.more_requests(4)
                assert town.tried_again == refused, f"{service}.{table}: a caller was refused"
            service, table, seconds = _TOO_LONG
            async with held(urls[service], table):
                await assert_told_to_come_again(town)
                await machine.sleep(seconds - 10)
            await town.more_requests(10)
        await town.comes_to_rest(within_s=120)
        await town.assert_adds_up()
        await town.stop()

        await town.assert_nothing_lost_or_doubled()
        assert [line for process in town.processes for line in process.error_lines()] == []
