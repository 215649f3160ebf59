"""A service as a process: what it says about wrong settings, and how it leaves."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from shared.database.engine import Database
from shared.id_source import SeededIds
from shared.time_source import SystemTime
from tests.harness.dummies import entries
from tests.harness.nats import nats_server
from tests.harness.processes import ServiceProcess, free_port
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import Mapping

ROOT = Path(__file__).resolve().parents[2]


def run(verb: str, env: Mapping[str, str]) -> subprocess.CompletedProcess[str]:
    clean = {name: value for name, value in os.environ.items() if not name.startswith("CLOCK_")}
    return subprocess.run(
        [sys.executable, "-m", "services.clock", verb],
        cwd=ROOT,
        env={**clean, **env},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


@pytest.mark.parametrize(
    ("name", "value", "told"),
    [
        ("CLOCK_PORT", "many", "valid integer"),
        ("CLOCK_PORT", "70000", "less than or equal to 65535"),
        ("CLOCK_DATABASE_URL", "mysql://somewhere/x", "postgresql+asyncpg"),
        ("CLOCK_DATABASE_URL", "nonsense", "not a database URL"),
        ("CLOCK_LOG_LEVEL", "LOUD", "'DEBUG', 'INFO'"),
    ],
)
def test_a_wrong_setting_ends_with_2_and_names_the_variable(
    name: str, value: str, told: str
) -> None:
    done = run("serve", {name: value})

    assert done.returncode == 2
    assert done.stderr.startswith(f"{name}: ")
    assert told in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    ("plain", "told"),
    [
        ({}, "CLOCK_NATS_PASSWORD_FILE: [Errno 2]"),
        ({"CLOCK_NATS_PASSWORD": "x"}, "CLOCK_NATS_PASSWORD_FILE: CLOCK_NATS_PASSWORD is set as"),
    ],
)
def test_a_secret_nobody_can_read_says_which(plain: dict[str, str], told: str) -> None:
    done = run("check", {"CLOCK_NATS_PASSWORD_FILE": "nowhere", **plain})

    assert done.returncode == 2
    assert told in done.stderr.splitlines()[-1]


def test_every_setting_may_be_read_from_a_file(tmp_path: Path) -> None:
    secret = tmp_path / "database-url"
    secret.write_text(f"sqlite+aiosqlite:///{tmp_path / 'elsewhere.db'}\n")

    assert run("migrate", {"CLOCK_DATABASE_URL_FILE": str(secret)}).returncode == 0
    assert (tmp_path / "elsewhere.db").exists()


def test_a_database_nobody_migrated_is_refused_until_it_is(tmp_path: Path) -> None:
    env = {
        "CLOCK_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'clock.db'}",
        "CLOCK_NATS_URL": f"nats://127.0.0.1:{free_port()}",
    }

    before = run("check", env)
    migrated = run("migrate", env)
    after = run("check", env)

    assert before.returncode == 1
    # Once in each language.
    assert before.stderr.count("schema-behind: ") == 2
    assert migrated.returncode == 0
    assert "database at" in migrated.stdout
    assert after.returncode == 0
    assert "bus: not connected" in after.stdout
    assert "Traceback" not in before.stderr + migrated.stderr + after.stderr


def test_a_key_file_nobody_can_read_is_told_at_the_start(tmp_path: Path) -> None:
    keys = tmp_path / "keys.json"
    keys.write_text("{")
    env = {
        "CLOCK_DATABASE_URL": f"sqlite+aiosqlite:///{tmp_path / 'clock.db'}",
        "CLOCK_NATS_URL": f"nats://127.0.0.1:{free_port()}",
        "CLOCK_KEYS_FILE": str(keys),
    }

    done = run("check", env)

    assert done.returncode == 1
    assert "bad-key-file" in done.stderr


@pytest.mark.nats
async def test_a_service_told_to_stop_under_load_answers_what_it_took_and_keeps_it(
    tmp_path: Path,
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'intake.db'}"
    machine = SystemTime()
    ids = SeededIds(machine, 3)
    accepted: list[UUID] = []
    broken: list[UUID] = []
    async with nats_server(tmp_path / "nats") as broker:
        port = free_port()
        arguments = ["intake", "--database", url, "--nats", broker.url, "--port", str(port)]
        log = tmp_path / "log"
        process = ServiceProcess("intake", "tests.chaos.dummy_process", arguments, port, log)
        process.start()
        await process.answers()

        async def client(http: httpx.AsyncClient) -> None:
            while True:
                request_id = ids.new()
                try:
                    answer = await http.post(f"{process.base}/posts", json={"id": str(request_id)})
                except httpx.ConnectError:
                    return
                except httpx.TransportError:
                    broken.append(request_id)
                    return
                if answer.status_code == 201:
                    accepted.append(request_id)

        async with httpx.AsyncClient(timeout=20) as http:
            clients = [asyncio.create_task(client(http)) for _ in range(8)]
            await until(lambda: len(accepted) > 50, within_s=20)
            code = await asyncio.to_thread(process.stop)
            await asyncio.gather(*clients)

    assert code == 0
    database = Database(url)
    async with database.reading() as connection:
        stored = set((await connection.execute(select(entries.c.key))).scalars())
    await database.close()
    assert set(map(str, accepted)) <= stored
    # A keep-alive connection may be closed while the client is writing to it, nothing else.
    assert len(broken) <= 8
    assert "Traceback" not in process.told()
