"""A broker that comes back without what it had acknowledged: said again, and counted once.

A power cut takes what was not yet synced to the disk; a lost disk takes all. The store of a real
nats-server is put back as it was a while ago, while requests go on being answered.
"""

from __future__ import annotations

import asyncio
import shutil
from typing import TYPE_CHECKING

import pytest

from levee.house import NAMES
from tests.harness.town_processes import town_of_processes

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import Databases
    from tests.harness.nats_house import NatsNode
    from tests.harness.town import Town

pytestmark = pytest.mark.nats

CLIENTS, PAUSE_S = 6, 0.2


class Store:
    """The folder of a nats-server, and what it was like earlier."""

    def __init__(self, node: NatsNode) -> None:
        self._node = node
        self._data = node.folder / "data"
        self._copy = node.folder / "earlier"

    async def remember(self) -> None:
        """Copy the store as it is at a crash."""
        self._node.kill()
        await asyncio.to_thread(shutil.copytree, self._data, self._copy, dirs_exist_ok=True)
        await self._node.start()

    async def lose_all(self) -> None:
        """Come back with an empty disk."""
        self._node.kill()
        await asyncio.to_thread(shutil.rmtree, self._data)
        await self._node.start()

    async def fall_back(self) -> None:
        """Come back as it was when remembered: streams and durables."""
        self._node.kill()
        await asyncio.to_thread(shutil.rmtree, self._data)
        await asyncio.to_thread(shutil.copytree, self._copy, self._data)
        await self._node.start()

    async def fall_back_in_messages(self) -> None:
        """Come back with the messages remembered, but with durables that got further."""
        self._node.kill()
        for now in list(self._data.rglob("msgs")):
            then = self._copy / now.relative_to(self._data)
            await asyncio.to_thread(shutil.rmtree, now)
            if then.exists():
                await asyncio.to_thread(shutil.copytree, then, now)
        await self._node.start()


async def lose(town: Town, *ways: str) -> None:
    """Lose in each way while requests come in; then everything adds up again."""
    store = Store(town.nodes[0])
    async with town.under_load(CLIENTS, PAUSE_S):
        for way in ways:
            await town.more_requests(10)
            await store.remember()
            await town.more_requests(15)
            await getattr(store, way)()
            await town.more_requests(10)
    await town.comes_to_rest(within_s=60)
    await town.assert_adds_up()


async def assert_lost_nothing(town: Town) -> None:
    """Stop decently and look at every row and every log."""
    await town.stop()
    await town.assert_nothing_lost_or_doubled()
    assert [line for process in town.processes for line in process.error_lines()] == []
    told = "".join(process.told() for process in town.processes)
    assert "publishing" in told, "no service noticed that anything was lost"


async def test_what_the_broker_lost_is_said_again_and_counted_once(tmp_path: Path) -> None:
    urls = {name: f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in NAMES}
    async with town_of_processes(tmp_path, urls) as town:
        await lose(town, "fall_back", "lose_all")
        await assert_lost_nothing(town)


@pytest.mark.slow
@pytest.mark.postgres
async def test_two_replicas_say_again_what_the_broker_lost(
    tmp_path: Path, postgres: Databases
) -> None:
    urls = {name: await postgres.new() for name in NAMES}
    async with town_of_processes(tmp_path, urls, replicas=2) as town:
        for _ in range(3):
            for way in ("fall_back", "fall_back_in_messages", "lose_all"):
                await lose(town, way)
        await assert_lost_nothing(town)
