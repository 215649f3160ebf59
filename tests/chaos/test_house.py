"""The real house under load, each of its processes and the broker killed: nothing lost or doubled.

Every request is posted under a key of its own until it is answered, so each accepted one must be
in every service exactly once, with one set of clocks, one open work item and three people told.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import pytest

from levee.house import NAMES
from tests.harness.town_processes import town_in_one, town_of_processes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Databases
    from tests.harness.town import Town

pytestmark = pytest.mark.nats


async def survive(town: Town, *, clients: int, posts: int, rounds: int, every_s: float) -> None:
    """Load and kill at once, wait for rest, stop decently, look at every row."""

    async def kill() -> None:
        for _ in range(rounds):
            await town.kill_each(every_s)

    async def load_and_kill() -> None:
        pause_s = rounds * every_s * len(town.victims) / posts
        await asyncio.gather(town.load(clients, posts, pause_s), kill())
        is_over.set()

    is_over = asyncio.Event()
    _, accused = await asyncio.gather(load_and_kill(), town.audit_until(is_over))
    await town.comes_to_rest(within_s=120)
    assert accused == [], "an auditor took what was under way for lost"
    await town.assert_adds_up()
    await town.stop()

    assert len(town.accepted) == clients * posts
    assert town.tried_again > 0, "nobody noticed a kill"
    await town.assert_nothing_lost_or_doubled()


def sqlite_files(folder: Path) -> dict[str, str]:
    """Return a database file per service."""
    return {name: f"sqlite+aiosqlite:///{folder / name}.db" for name in NAMES}


async def test_every_service_and_the_broker_may_be_killed_under_load(tmp_path: Path) -> None:
    async with town_of_processes(tmp_path, sqlite_files(tmp_path)) as town:
        await survive(town, clients=6, posts=8, rounds=1, every_s=1.0)


async def test_a_house_in_one_process_may_be_killed_under_load(tmp_path: Path) -> None:
    async with town_in_one(tmp_path) as town:
        await survive(town, clients=6, posts=8, rounds=2, every_s=2.5)


@pytest.mark.slow
async def test_a_long_storm_on_sqlite(tmp_path: Path) -> None:
    async with town_of_processes(tmp_path, sqlite_files(tmp_path)) as town:
        await survive(town, clients=12, posts=40, rounds=5, every_s=1.5)


@pytest.mark.slow
@pytest.mark.postgres
async def test_two_replicas_of_each_service_on_three_brokers_may_be_killed_under_load(
    tmp_path: Path, postgres: Databases
) -> None:
    urls = {name: await postgres.new() for name in NAMES}
    async with town_of_processes(tmp_path, urls, replicas=2, nodes=3) as town:
        await survive(town, clients=12, posts=20, rounds=2, every_s=3.0)
