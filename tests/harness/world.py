"""Small worlds for tests: time that is moved, a bus in memory, services on real databases."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING

from shared.bus.memory import MemoryBus
from shared.consuming import MOVED_TIME
from shared.database.engine import Database
from shared.http.auth import KeyRing
from shared.id_source import SeededIds
from shared.service import Surroundings
from shared.time_source import Activity, ManualTime
from tests.harness import dummies

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from shared.consuming import Knobs
    from tests.harness.dummies import Dummy

#: A Monday morning.
MORNING = datetime(2026, 3, 2, 9, tzinfo=UTC)


@dataclass(slots=True)
class World:
    """Time, ids and a bus that several services share."""

    time: ManualTime
    activity: Activity
    bus: MemoryBus
    ids: SeededIds
    given: Surroundings = field(init=False)
    knobs: Knobs = MOVED_TIME

    def __post_init__(self) -> None:
        """Bundle what services are given."""
        keys = KeyRing(None, self.time)
        self.given = Surroundings(self.time, self.ids, self.bus, self.activity, keys, self.knobs)

    async def settled(self) -> None:
        """Return when everything that was begun is done."""
        await self.activity.settled()

    async def pass_time(self, seconds: float) -> None:
        """Move time to the next due moment and so on, up to `seconds` from now."""
        end = self.time.now() + timedelta(seconds=seconds)
        await self.settled()
        while (due := self.time.next_moment()) is not None and due <= end:
            self.time.advance_to(due)
            await self.settled()
        self.time.advance_to(end)
        await self.settled()


def new_world(seed: int = 1, knobs: Knobs = MOVED_TIME) -> World:
    """Return a world that stands still on a Monday morning."""
    time, activity = ManualTime(MORNING), Activity()
    return World(time, activity, MemoryBus(time, activity), SeededIds(time, seed), knobs=knobs)


@dataclass(slots=True)
class House:
    """The two dummies at work in one world."""

    world: World
    intake: Dummy
    router: Dummy

    async def settled(self) -> None:
        """Return when everything that was begun is done."""
        await self.world.settled()

    async def stop(self) -> None:
        """Stop both services and the bus."""
        for service in (self.intake, self.router):
            await service.runtime.stop()
            await service.database.close()
        await self.world.bus.close()


async def dummy_house(urls: dict[str, str], world: World | None = None) -> House:
    """Start both dummies on the databases given by service name; tables are made where missing."""
    world = world or new_world()
    built = []
    for name, build in (("intake", dummies.intake), ("router", dummies.router)):
        database = Database(urls[name], is_durable=False)
        await dummies.create_tables(database)
        built.append(build(database, world.given))
    for service in built:
        await service.runtime.start()
    return House(world, *built)


@asynccontextmanager
async def living_house(urls: dict[str, str], world: World | None = None) -> AsyncIterator[House]:
    """Run the dummies' house for as long as the block lasts."""
    house = await dummy_house(urls, world)
    try:
        yield house
    finally:
        await house.stop()
