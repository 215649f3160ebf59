"""Both kinds of bus, and what a test may do to the world around each."""

from __future__ import annotations

from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Protocol

from shared.bus.memory import MemoryBus
from shared.bus.nats import NatsBus, connect
from shared.time_source import Activity, ManualTime, SystemTime
from tests.harness.nats import nats_server

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from shared.bus.port import Bus
    from shared.bus.server import NatsServer


class Stage(Protocol):
    """One kind of bus, and what a test may do to the world around it."""

    activity: Activity

    async def bus(self) -> Bus: ...

    def pass_time(self, seconds: float) -> None: ...

    async def break_down(self) -> None: ...

    async def come_back(self) -> None: ...


class MemoryStage:
    def __init__(self) -> None:
        self.activity = Activity()
        self.time = ManualTime(datetime(2026, 3, 2, 9, tzinfo=UTC))
        self.memory = MemoryBus(self.time, self.activity)

    async def bus(self) -> Bus:
        return self.memory

    def pass_time(self, seconds: float) -> None:
        self.time.advance(timedelta(seconds=seconds))

    async def break_down(self) -> None:
        self.memory.disconnect()

    async def come_back(self) -> None:
        self.memory.reconnect()


class NatsStage:
    """The real thing: its time passes by itself."""

    def __init__(self, server: NatsServer) -> None:
        self.activity = Activity()
        self.server = server
        self.opened: list[NatsBus] = []

    async def bus(self) -> Bus:
        bus = await connect(self.server.url, name="test", time=SystemTime(), activity=self.activity)
        self.opened.append(bus)
        return bus

    def pass_time(self, seconds: float) -> None:
        pass

    async def break_down(self) -> None:
        await self.server.kill()

    async def come_back(self) -> None:
        await self.server.start()


@asynccontextmanager
async def nats_stage(store: Path) -> AsyncIterator[NatsStage]:
    async with nats_server(store) as server:
        stage = NatsStage(server)
        try:
            yield stage
        finally:
            for bus in stage.opened:
                await bus.close()
