"""A house in simulated time: the world jumps from due moment to due moment."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Literal

from levee.embedded import DEFINITIONS, house_options
from levee.house import House, build_house
from shared.bus import nats
from shared.bus.memory import MemoryBus
from shared.bus.server import NatsServer
from shared.consuming import MOVED_TIME, Knobs
from shared.database.tables import to_us
from shared.database.turns import Turns
from shared.http.auth import KeyRing
from shared.id_source import SeededIds
from shared.service import Surroundings
from shared.time_source import Activity, SimulatedTime

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Collection, Mapping
    from datetime import datetime
    from pathlib import Path
    from uuid import UUID

    from shared.bus.port import Bus

BusKind = Literal["memory", "nats"]

#: Due moments of the services closer together than this are taken in one jump. No rule can ask
#: for a shorter delay: escalation repeats are at least a minute apart (definitions.models).
GRAIN = timedelta(seconds=59)
#: Events the read side takes in at a time.
_LAG = 400


@dataclass(slots=True)
class SimulatedHouse:
    """All services, the time they live in and their bus."""

    house: House
    time: SimulatedTime
    activity: Activity
    bus: Bus
    turns: Turns | None = None

    async def pass_until(self, moment: datetime, bounds: Mapping[UUID, datetime]) -> None:
        """Let everything happen that is due up to `moment`, each subject's own in their order.

        About the subjects in `bounds` only what is due up to the moment given there.
        """
        assert self.turns is not None, "made without has_turns"
        await self.time.run_until(moment)
        bounds_us = {str(key): to_us(bound) for key, bound in bounds.items()}
        await self.turns.take(to_us(moment), bounds_us)


@asynccontextmanager
async def simulated_house(
    folder: Path,
    start: datetime,
    *,
    seed: int = 1,
    bus_kind: BusKind = "memory",
    definitions: Path = DEFINITIONS,
    options: Mapping[str, Mapping[str, Any]] | None = None,
    knobs: Knobs = MOVED_TIME,
    url: str = "http://127.0.0.1:8080",
    lagging: Collection[str] = ("insight",),
    deaf: Collection[str] = (),
    has_turns: bool = False,
) -> AsyncIterator[SimulatedHouse]:
    """Run all services in simulated time from `start` (UTC) until the block ends.

    Nothing leaves the house: notifications are recorded. `lagging` services take in many events
    at a time, and the rest at the end: the read side always may, on which nothing depends.
    `deaf` services hear of definitions only. `has_turns` lets many moments pass in one step, each
    subject's own in their order (`SimulatedHouse.pass_until`).
    Databases lie in `folder` and are not synced to disk at each commit; what is simulated can be
    simulated again.
    """
    activity = Activity()
    time = SimulatedTime(start, activity, GRAIN)
    turns = Turns(activity) if has_turns else None
    knobs = replace(knobs, turns=turns)
    server: NatsServer | None = None
    if bus_kind == "nats":
        server = NatsServer(folder / "nats")
        await server.start()
        bus: Bus = await nats.connect(server.url, name="levee", time=time, activity=activity)
    else:
        bus = MemoryBus(time, activity, max_age=timedelta(hours=1))
    given = Surroundings(
        time,
        SeededIds(time, seed),
        bus,
        activity,
        KeyRing(folder / "keys.json", time),
        knobs,
    )
    own = house_options(url, definitions, options)
    for name in ("intake", "router", "clock", "escalation", "notify", "insight"):
        own[name] = {"is_durable": False, **own.get(name, {})}
    own["notify"]["delivery"] = "record"
    special = {name: replace(knobs, lag=_LAG) for name in lagging}
    special |= {name: replace(knobs, hears_facts=False) for name in deaf}
    house = build_house(given, folder / "data", own, knobs=special)
    await house.start()
    await _caught_up(house, activity)
    try:
        yield SimulatedHouse(house, time, activity, bus, turns)
        await _caught_up(house, activity)
    finally:
        await house.stop()
        await bus.close()
        if server is not None:
            await server.stop()


async def _caught_up(house: House, activity: Activity) -> None:
    """Let everything settle, and lagging services take in what they have put by."""
    await activity.settled()
    for service in house.services.values():
        await service.runtime.catch_up()
    await activity.settled()
