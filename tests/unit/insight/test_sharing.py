"""Many questions, few readings, and no answer older than its question."""

from __future__ import annotations

import asyncio

import pytest

from services.insight.api.sharing import Shared
from tests.harness.waiting import until


class Reading:
    """Reads a number that goes up; each reading lasts until it is let go."""

    def __init__(self) -> None:
        self.version, self.begun = 0, 0
        self.gate = asyncio.Event()
        self.fault: Exception | None = None

    async def __call__(self, key: str) -> tuple[str, int]:
        self.begun += 1
        found = self.version
        await self.gate.wait()
        if self.fault is not None:
            raise self.fault
        return key, found


async def test_fifty_who_ask_at_once_share_one_reading() -> None:
    reading = Reading()
    shared: Shared[str, tuple[str, int]] = Shared(reading)
    asked = [asyncio.create_task(shared.ask("board")) for _ in range(50)]
    await until(lambda: reading.begun)
    reading.gate.set()

    assert set(await asyncio.gather(*asked)) == {("board", 0)}
    assert reading.begun == 1


async def test_who_asks_during_a_reading_gets_the_next_one() -> None:
    reading = Reading()
    shared: Shared[str, tuple[str, int]] = Shared(reading)
    first = asyncio.create_task(shared.ask("board"))
    await until(lambda: reading.begun)
    reading.version = 1
    later = [asyncio.create_task(shared.ask("board")) for _ in range(50)]
    # Each of them has asked by the time one that came after them has.
    asked: list[bool] = []
    asyncio.get_running_loop().call_soon(asked.append, True)
    await until(lambda: asked)
    assert reading.begun == 1
    reading.gate.set()

    assert await first == ("board", 0)
    assert set(await asyncio.gather(*later)) == {("board", 1)}
    assert reading.begun == 2


async def test_who_leaves_takes_the_reading_from_nobody_and_a_fault_ends_with_it() -> None:
    reading = Reading()
    shared: Shared[str, tuple[str, int]] = Shared(reading)
    leaving, staying = (asyncio.create_task(shared.ask("board")) for _ in range(2))
    await until(lambda: reading.begun)
    leaving.cancel()
    await until(leaving.cancelled)
    reading.fault = OSError("away")
    reading.gate.set()

    with pytest.raises(OSError, match="away"):
        await staying
    reading.fault = None
    assert await shared.ask("board") == ("board", 0)
