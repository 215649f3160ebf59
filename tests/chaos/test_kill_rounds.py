"""Every service, nats-server and PostgreSQL killed in turn under load, round after round.

Who is next and when is drawn from a seed, which is printed: LEVEE_FAULT_SEED repeats a run,
LEVEE_FAULT_ROUNDS makes it shorter than fifty.
"""

from __future__ import annotations

import asyncio
import os
import random
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from levee.house import NAMES
from shared.time_source import SystemTime
from tests.harness.postgres import PostgresServer
from tests.harness.town_processes import town_of_processes

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Iterator, Mapping

    from tests.harness.town import Town

pytestmark = [pytest.mark.nats, pytest.mark.postgres, pytest.mark.slow]

_PAUSE_S = 1.5


@pytest.fixture
def own_server() -> Iterator[PostgresServer]:
    """A server nobody else uses, which writes as in production."""
    with tempfile.TemporaryDirectory(prefix="levee-pg-") as folder:
        Path(folder).chmod(0o755)  # so that `nobody` reaches the data folder inside
        server = PostgresServer(Path(folder) / "server", is_durable=True)
        server.start()
        try:
            yield server
        finally:
            server.stop()


def killing(server: PostgresServer) -> Callable[[], Awaitable[None]]:
    """Return what kills a database server and brings it back at once."""

    async def kill() -> None:
        await asyncio.to_thread(server.kill)
        await asyncio.to_thread(server.start)

    return kill


async def kill_in_rounds(
    victims: Mapping[str, Callable[[], Awaitable[None]]], rounds: int, seed: int
) -> None:
    """Kill one after another, everybody once before anybody twice."""
    machine, chance = SystemTime(), random.Random(seed)
    left: list[str] = []
    for number in range(rounds):
        if not left:
            left = sorted(victims)
            chance.shuffle(left)
        name = left.pop()
        await machine.sleep(_PAUSE_S * chance.uniform(0.3, 1.7))
        sys.stderr.write(f"seed {seed}, round {number + 1}/{rounds}: {name}\n")
        await victims[name]()


async def survive(folder: Path, server: PostgresServer, rounds: int, seed: int) -> None:
    """Load and kill, come to rest, add up, stop, and look at every row."""
    urls = {name: await server.create() for name in NAMES}
    async with town_of_processes(folder, urls) as town:
        victims = {**town.victims, "postgresql": killing(server)}
        async with town.under_load(clients=6, pause_s=0.4):
            await town.more_requests(6)
            await kill_in_rounds(victims, rounds, seed)
            await town.more_requests(6)
        await town.comes_to_rest(within_s=120)
        ended = [process.name for process in town.processes if process.has_ended]
        assert ended == [], "a service gave up, where it should have waited for its database"
        await town.assert_adds_up()
        await town.stop()
        await town.assert_nothing_lost_or_doubled()
        assert errors_of(town) == []


def errors_of(town: Town) -> list[str]:
    """Return what any service logged as an error."""
    return [line for process in town.processes for line in process.error_lines()]


async def test_postgresql_and_a_service_may_be_killed_under_load(
    tmp_path: Path, own_server: PostgresServer
) -> None:
    await survive(tmp_path, own_server, rounds=3, seed=4)


async def test_fifty_rounds(tmp_path: Path, own_server: PostgresServer) -> None:
    rounds = int(os.environ.get("LEVEE_FAULT_ROUNDS", "50"))
    await survive(tmp_path, own_server, rounds, int(os.environ.get("LEVEE_FAULT_SEED", "1")))
