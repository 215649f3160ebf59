"""How fast the bus is with nothing around it: `python -m tests.benchmarks.bus_floor`.

Publishes messages of 1 KB with three headers, then takes and acks them, on the twin in memory and
on an embedded nats-server, on uvloop. `client µs` is the processor time of this process per
message; reading each message (`message`) is part of taking it.
"""

from __future__ import annotations

import argparse
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import TYPE_CHECKING, NamedTuple
from uuid import UUID

import uvloop

from shared.bus.memory import MemoryBus
from shared.bus.nats import connect
from shared.bus.port import ConsumerSpec, Message
from shared.bus.server import NatsServer
from shared.time_source import SystemTime
from tests.benchmarks.report import Section, progress

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.bus.port import Bus

_BATCH = 200
_BODY = b"x" * 1024
_CONSUMER = ConsumerSpec("LEVEE_ROUTER", "floor")


def _messages(count: int) -> Sequence[Message]:
    headers = {"ce-type": "request.routed.v1", "ce-source": "router", "traceparent": "0" * 55}
    return [
        Message("levee.router.request.routed.v1", UUID(int=n), _BODY, headers)
        for n in range(1, count + 1)
    ]


class Speed(NamedTuple):
    """How fast something went: messages per second, processor time of this process for each."""

    what: str
    per_second: float
    used_us: float

    def line(self) -> str:
        """Return it as a line of text."""
        return f"{self.what:<28}{self.per_second:>12,.0f}/s {self.used_us:>8.1f} client µs\n"


class _Stopwatch:
    def __init__(self) -> None:
        self._wall_s, self._processor_s = time.perf_counter(), self._used_s()

    def read(self, what: str, count: int) -> Speed:
        wall_s = time.perf_counter() - self._wall_s
        processor_s = self._used_s() - self._processor_s
        return Speed(what, count / wall_s, processor_s / count * 1e6)

    @staticmethod
    def _used_s() -> float:
        used = resource.getrusage(resource.RUSAGE_SELF)
        return used.ru_utime + used.ru_stime


async def measure(name: str, bus: Bus, messages: Sequence[Message]) -> tuple[Speed, Speed]:
    """Return how fast a bus stores messages, and how fast they are taken and acknowledged."""
    watch = _Stopwatch()
    for start in range(0, len(messages), _BATCH):
        stored = await bus.publish(messages[start : start + _BATCH])
        if None in stored:
            raise RuntimeError("the bus did not store everything")
    published = watch.read(f"{name}: publish", len(messages))
    subscription = await bus.subscribe([_CONSUMER])
    watch, count = _Stopwatch(), 0
    while count < len(messages):
        batch = await subscription.take(_BATCH)
        for delivery in batch:
            if not delivery.message.body:
                raise RuntimeError("a message arrived empty")
            await delivery.ack()
        count += len(batch)
    return published, watch.read(f"{name}: take and ack", count)


async def both(count: int) -> list[Speed]:
    """Measure the twin in memory, then an embedded nats-server."""
    messages, now = _messages(count), SystemTime()
    memory = MemoryBus(now)
    told = list(await measure("memory", memory, messages))
    await memory.close()
    with tempfile.TemporaryDirectory() as store:
        server = NatsServer(Path(store))
        await server.start()
        try:
            bus = await connect(server.url, name="floor", time=now)
            told += await measure("nats", bus, messages)
            await bus.close()
        finally:
            await server.stop()
    return told


async def section(count: int) -> Section:
    """Return the figures as part of a run."""
    progress("the bus alone")
    found = Section("bus", "Bus alone: messages of 1 KB, 200 at a time")
    speeds = await both(count)
    for speed, memory in zip(speeds, [None, None, *speeds[:2]], strict=True):
        ratio = speed.per_second / memory.per_second if memory is not None else None
        found.add(speed.what, speed.per_second, "/s", ratio, "the twin in memory")
        found.add(f"{speed.what}: processor of the client", speed.used_us, "µs/message")
    return found


async def main(count: int) -> None:
    """Measure both buses and print what came out."""
    for speed in await both(count):
        sys.stdout.write(speed.line())


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--messages", type=int, default=30_000)
    uvloop.run(main(parser.parse_args().messages))
