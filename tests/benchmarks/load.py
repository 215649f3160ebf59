"""The load generator, a process of its own: `python -m tests.benchmarks.load`.

Sends one prepared request over and over on kept connections, as fast as each is answered, or at a
steady rate; reads of an answer only what it needs. So it takes some 20 µs per request and the
figures are those of the service. Prints one line of JSON.
"""

from __future__ import annotations

import argparse
import asyncio
import re
import resource
import sys
import time
from collections import deque
from dataclasses import dataclass, field
from typing import cast

import orjson
import uvloop

from shared.time_source import SystemTime

_LENGTH = re.compile(rb"content-length: (\d+)", re.IGNORECASE)
_ID = re.compile(rb'"id":"([0-9a-f-]{36})"')


@dataclass(slots=True)
class Load:
    """What is sent and what came of it."""

    request: bytes
    left: int
    until: float
    keeps_ids: bool = False
    #: Seconds from sending (at a rate: from the moment it was to be sent) to the whole answer.
    latencies: list[float] = field(default_factory=list)
    refused: int = 0
    #: request id -> when it was sent, in seconds of the machine's monotonic clock
    ids: dict[str, float] = field(default_factory=dict)
    open: int = 0
    idle: deque[_Connection] = field(default_factory=deque)
    is_steady: bool = False
    done: asyncio.Event = field(default_factory=asyncio.Event)

    def take(self) -> bool:
        """Return whether another one is to be sent."""
        if self.left <= 0 or time.perf_counter() >= self.until:
            return False
        self.left -= 1
        return True


class _Connection(asyncio.Protocol):
    def __init__(self, load: Load) -> None:
        self._load = load
        self._sent_at = 0.0
        self._is_open = False
        self._read = bytearray()
        self._transport: asyncio.Transport | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)

    def send(self, due_at: float | None = None) -> None:
        assert self._transport is not None
        self._sent_at = time.perf_counter() if due_at is None else due_at
        self._load.open += 1
        self._is_open = True
        self._transport.write(self._load.request)

    def data_received(self, data: bytes) -> None:
        self._read += data
        head = self._read.find(b"\r\n\r\n")
        if head < 0:
            return
        length = _LENGTH.search(self._read, 0, head)
        assert length is not None, bytes(self._read)
        if len(self._read) >= head + 4 + int(length[1]):
            self._answered()

    def connection_lost(self, error: Exception | None) -> None:
        if self._is_open:
            self._load.done.set()
        elif self in self._load.idle:
            self._load.idle.remove(self)

    def _answered(self) -> None:
        load = self._load
        load.latencies.append(time.perf_counter() - self._sent_at)
        load.open -= 1
        self._is_open = False
        load.refused += not self._read.startswith(b"HTTP/1.1 20")
        if load.keeps_ids and (found := _ID.search(self._read)) is not None:
            load.ids[found[1].decode()] = self._sent_at
        self._read.clear()
        if load.is_steady:
            load.idle.append(self)
        elif load.take():
            self.send()
        elif load.open == 0:
            load.done.set()


async def run(port: int, load: Load, connections: int, rate: float) -> dict[str, object]:
    """Send until nothing is left or the time is over; return what came of it."""
    loop = asyncio.get_running_loop()
    made = [
        (await loop.create_connection(lambda: _Connection(load), "127.0.0.1", port))[1]
        for _ in range(connections)
    ]
    began = time.perf_counter()
    load.until += began
    load.is_steady = rate > 0
    if load.is_steady:
        await _steadily(load, made, rate)
    else:
        for connection in made:
            if load.take():
                connection.send()
        await load.done.wait()
    ended = time.perf_counter()
    return _told(load, began, ended)


async def _steadily(load: Load, made: list[_Connection], rate: float) -> None:
    load.idle.extend(made)
    machine, due_at = SystemTime(), time.perf_counter()
    while load.take():
        due_at += 1 / rate
        while not load.idle or time.perf_counter() < due_at:
            await machine.sleep(max(0.0005, due_at - time.perf_counter()))
        # The one used last: servers close what has been idle for some seconds.
        load.idle.pop().send(due_at)
    while load.open:
        await machine.sleep(0.001)


def _told(load: Load, began: float, ended: float) -> dict[str, object]:
    used = resource.getrusage(resource.RUSAGE_SELF)
    ordered = sorted(load.latencies)
    return {
        "count": len(ordered),
        "refused": load.refused,
        "lost": load.open,
        "began": began,
        "ended": ended,
        "p50_s": ordered[len(ordered) // 2] if ordered else 0.0,
        "p99_s": ordered[len(ordered) * 99 // 100] if ordered else 0.0,
        "used_s": used.ru_utime + used.ru_stime,
        "ids": load.ids,
    }


def main() -> None:
    """Read the request from stdin, send it, print what came of it."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--port", type=int, required=True)
    parser.add_argument("--connections", type=int, default=50)
    parser.add_argument("--count", type=int, default=sys.maxsize)
    parser.add_argument("--seconds", type=float, default=3_600.0)
    parser.add_argument("--rate", type=float, default=0.0, help="per second; 0: as fast as it goes")
    parser.add_argument("--ids", action="store_true", help="tell each request's id and moment")
    asked = parser.parse_args()
    load = Load(sys.stdin.buffer.read(), asked.count, asked.seconds, asked.ids)
    told = uvloop.run(run(asked.port, load, asked.connections, asked.rate))
    sys.stdout.buffer.write(orjson.dumps(told))


if __name__ == "__main__":
    main()
