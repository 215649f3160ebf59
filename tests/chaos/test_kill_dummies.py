"""Processes and the broker are killed under load: nothing is lost and nothing is doubled."""

from __future__ import annotations

import asyncio
import random
from collections import Counter
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

import httpx
import pytest
from sqlalchemy import select

from shared.bus.server import NatsServer
from shared.database.engine import Database
from shared.id_source import SeededIds
from shared.time_source import SystemTime
from tests.harness.dummies import entries, kit, notes
from tests.harness.nats import nats_server
from tests.harness.processes import ServiceProcess, free_port
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conftest import Databases

pytestmark = pytest.mark.nats

CLIENTS = 12


@dataclass
class Street:
    """The houses and the broker between them, each of which may be killed."""

    processes: list[ServiceProcess]
    broker: NatsServer
    urls: dict[str, str]
    accepted: list[UUID] = field(default_factory=list)
    doubtful: list[UUID] = field(default_factory=list)
    kills: Counter[str] = field(default_factory=Counter)

    @property
    def intake(self) -> ServiceProcess:
        return self.processes[0]

    async def post_for(self, seconds: float) -> None:
        """Let clients post, each as fast as it is answered, whatever happens."""
        machine = SystemTime()
        ends = machine.monotonic() + seconds
        ids = SeededIds(machine, 5)

        async def client(http: httpx.AsyncClient) -> None:
            while machine.monotonic() < ends:
                request_id = ids.new()
                try:
                    answer = await http.post(
                        f"{self.intake.base}/posts", json={"id": str(request_id)}
                    )
                except httpx.ConnectError:
                    await machine.sleep(0.05)  # nobody was there: certainly not stored
                    continue
                except httpx.TransportError:
                    self.doubtful.append(request_id)
                    continue
                if answer.status_code == 201:
                    self.accepted.append(request_id)
                else:
                    self.doubtful.append(request_id)

        async with httpx.AsyncClient(timeout=10) as http:
            await asyncio.gather(*(client(http) for _ in range(CLIENTS)))

    async def kill_for(self, seconds: float, every_s: float, chance: random.Random) -> None:
        """Kill somebody, again and again, and start him again at once."""
        machine = SystemTime()
        for _ in range(int(seconds / every_s)):
            await machine.sleep(every_s * chance.uniform(0.6, 1.4))
            victim = chance.choice([*self.processes, None])
            if victim is None:
                await self.broker.kill()
                await self.broker.start()
            else:
                victim.kill()
                victim.start()
            self.kills[victim.name if victim else "nats"] += 1

    async def comes_to_rest(self, within_s: float = 60) -> None:
        """Return when nothing waits any more anywhere."""
        for process in self.processes:
            await process.answers()
        async with httpx.AsyncClient() as http:

            async def states() -> list[dict[str, int]]:
                return [(await http.get(f"{p.base}/state")).json() for p in self.processes]

            async def is_at_rest() -> bool:
                found = await states()
                waiting = sum(s["unpublished"] + s["timers"] + s["held"] for s in found)
                posted = found[0]["entries"] / 3
                return waiting == 0 and posted >= len(self.accepted) and posted == int(posted)

            try:
                await until(is_at_rest, within_s)
            except TimeoutError:
                pytest.fail(f"no rest: {await states()}, kills {self.kills}")


@asynccontextmanager
async def street(folder: Path, urls: dict[str, str], replicas: int) -> AsyncIterator[Street]:
    """Start everything; end it, whatever happened."""
    async with nats_server(folder / "nats", port=free_port()) as broker:
        names = [("intake", 1), *(("router", n + 1) for n in range(replicas))]
        processes = []
        for name, replica in names:
            port = free_port()
            arguments = [name, "--database", urls[name], "--nats", broker.url]
            arguments += ["--port", str(port), "--replica", f"replica-{replica}"]
            if urls[name].startswith("postgresql"):
                arguments.append("--has-tables")
            log = folder / f"{name}-{replica}.log"
            module = "tests.chaos.dummy_process"
            processes.append(ServiceProcess(f"{name}-{replica}", module, arguments, port, log))
        for process in processes:
            process.start()
        try:
            for process in processes:
                await process.answers()
            yield Street(processes, broker, urls)
        finally:
            for process in processes:
                process.kill()


async def entries_of(url: str) -> Counter[tuple[str, str]]:
    """Return how often each text was noted about each request."""
    database = Database(url)
    async with database.reading() as connection:
        found = await connection.execute(select(entries.c.key, entries.c.text))
        noted = Counter((row.key, row.text) for row in found)
        counted = {row.key: row.count for row in await connection.execute(select(notes))}
        held = (await connection.execute(select(kit.held.c.event_id))).all()
    await database.close()
    assert held == []
    per_key = Counter(key for key, _ in noted.elements())
    assert per_key == counted, "an update was lost or doubled"
    return noted


async def survive(
    folder: Path, urls: dict[str, str], *, replicas: int, seconds: float, every_s: float, seed: int
) -> Street:
    """Post and kill, wait for rest, stop decently, and look at every row."""
    async with street(folder, urls, replicas) as world:
        await asyncio.gather(
            world.post_for(seconds), world.kill_for(seconds, every_s, random.Random(seed))
        )
        await world.comes_to_rest()
        codes = [process.stop() for process in world.processes]
        intake, router = [await entries_of(urls[name]) for name in ("intake", "router")]

        posted = {key for key, text in intake if text == "posted"}
        accepted = set(map(str, world.accepted))
        assert codes == [0] * len(codes)
        assert accepted, "nothing was accepted"
        assert accepted <= posted <= accepted | set(map(str, world.doubtful))
        once = {(key, text): 1 for key in posted for text in ("posted", "assigned", "closed")}
        assert intake == once
        assert router == {(key, text): 1 for key in posted for text in ("submitted", "due")}
        return world


async def test_nothing_is_lost_or_doubled_on_sqlite_when_everybody_is_killed(
    tmp_path: Path,
) -> None:
    urls = {name: f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in ("intake", "router")}

    await survive(tmp_path, urls, replicas=1, seconds=5, every_s=0.8, seed=1)


@pytest.mark.postgres
async def test_nothing_is_lost_or_doubled_on_postgresql_with_two_replicas(
    tmp_path: Path, postgres: Databases
) -> None:
    urls = {name: await postgres.for_dummies() for name in ("intake", "router")}

    await survive(tmp_path, urls, replicas=2, seconds=5, every_s=0.8, seed=2)


@pytest.mark.slow
@pytest.mark.postgres
@pytest.mark.parametrize("seed", range(3))
async def test_nothing_is_lost_or_doubled_in_a_long_storm(
    tmp_path: Path, postgres: Databases, seed: int
) -> None:
    urls = {"intake": f"sqlite+aiosqlite:///{tmp_path}/intake.db"}
    urls["router"] = await postgres.for_dummies()

    world = await survive(tmp_path, urls, replicas=2, seconds=40, every_s=1.0, seed=seed)

    assert sum(world.kills.values()) >= 30
