"""A house with a morning behind it, to be audited and damaged."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import text

from levee.auditing.sources import HttpSource, LocalSource
from levee.auditing.walk import Report, audit
from levee.house import NAMES, House, build_house
from shared.bus.memory import MemoryBus
from shared.consuming import MOVED_TIME
from shared.http.auth import KeyRing
from shared.id_source import SeededIds
from shared.service import Surroundings
from shared.time_source import Activity, ManualTime
from tests.harness.journey import P1, whole_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from levee.auditing.sources import Source
    from tests.harness.journey import World

#: In moved time nothing is on its way once the house has settled.
NO_GRACE = timedelta(0)
TOLERANCE = timedelta(seconds=60)


@dataclass(slots=True)
class Morning:
    """What stands in the files of a house that was stopped."""

    folder: Path
    stopped_at: datetime
    #: Breached, and climbing through its tiers.
    climbing: str
    #: Answered and resolved; a timer of its diagram waits for the confirmation.
    quiet: str
    withdrawn: str


def a_morning(folder: Path) -> Morning:
    """Run a house for a morning, in moved time, and stop it."""
    return asyncio.run(_morning(folder))


async def _morning(folder: Path) -> Morning:
    async with whole_house(folder) as world:
        climbing = await world.raise_request("Payroll is down", **P1)
        quiet = await world.raise_request("A mouse", urgency="low", impact="low")
        withdrawn = await world.raise_request("Never mind")
        await withdrawn.act("withdraw")
        await quiet.change("assign", assignee="lin", team="it-service-desk")
        await quiet.answer("lin", "Here is another one.")
        await quiet.change("resolve", by="lin")
        await world.fast_forward(minutes=22)
        await world.settled()
        return Morning(folder, world.time.now(), climbing.id, quiet.id, withdrawn.id)


@asynccontextmanager
async def opened(morning: Morning, folder: Path) -> AsyncIterator[House]:
    """Open a house's files at the moment it was stopped, without setting anything going."""
    time, activity = ManualTime(morning.stopped_at), Activity()
    bus = MemoryBus(time, activity)
    keys = KeyRing(None, time)
    given = Surroundings(time, SeededIds(time, 1), bus, activity, keys, MOVED_TIME)
    house = build_house(given, folder)
    try:
        yield house
    finally:
        for service in house.services.values():
            await service.runtime.database.close()
        await bus.close()


async def audited(house: House, notify: Source | None = None, **asked: Any) -> Report:
    """Audit a house that stands still: whatever was not heard never will be.

    `notify` takes the place of that service's own books.
    """
    sources: dict[str, Source] = {}
    for name, service in house.services.items():
        assert service.accounts is not None
        sources[name] = LocalSource(service.accounts, TOLERANCE)
    if notify is not None:
        sources["notify"] = notify
    given: Any = {"grace": NO_GRACE, "carried": lambda *_: False} | asked
    return await audit(sources, **given)


async def audited_from_outside(world: World, grace: timedelta = NO_GRACE) -> Report:
    """Audit a house at work through its API."""
    # In moved time what was published stands in the outbox until it is forgotten.
    for service in world.house.services.values():
        await service.runtime.relay.forget_published()
    sources = {name: HttpSource(world.http, name, TOLERANCE) for name in NAMES}
    return await audit(sources, grace=grace)


async def damage(house: House, service: str, statement: str, **values: Any) -> int:
    """Change a service's rows behind its back; return how many."""
    async with house.services[service].runtime.database.transaction() as tx:
        return int((await tx.execute(text(statement), values)).rowcount)
