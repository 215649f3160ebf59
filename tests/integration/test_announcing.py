"""A bus that lost the definitions is told them again; one that has them is left alone."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from services.router.api.announcing import Announcer
from shared.bus.port import DEFINITIONS_STREAM
from tests.harness.auditing import a_morning, opened
from tests.harness.journey import whole_house

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_new_store_is_told_everything_in_force(tmp_path: Path) -> None:
    morning = await asyncio.to_thread(a_morning, tmp_path)
    async with opened(morning, tmp_path / "data") as house:
        router = house.router
        assert router.desk is not None
        await router.start()
        announcer = Announcer(router.runtime, router.desk.repository)
        known = len(router.desk.repository.all_in_force())
        # The directory, too.
        assert await announcer.look() == known + 1
        await house.given.activity.settled()
        last = await router.runtime.bus.last_sequence(DEFINITIONS_STREAM)
        assert last is not None
        assert last >= known + 1
        again = Announcer(router.runtime, router.desk.repository)
        assert await again.look() == 0
        await router.stop()


async def test_a_bus_that_has_them_hears_nothing(tmp_path: Path) -> None:
    async with whole_house(tmp_path) as world:
        router = world.house.router
        assert router.desk is not None
        before = await world.bus.last_sequence(DEFINITIONS_STREAM)
        assert await Announcer(router.runtime, router.desk.repository).look() == 0
        await world.settled()
        assert await world.bus.last_sequence(DEFINITIONS_STREAM) == before
