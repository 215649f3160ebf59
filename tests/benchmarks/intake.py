"""Intake on PostgreSQL against the floor and the peer, in turns."""

from __future__ import annotations

from dataclasses import dataclass, field
from statistics import median
from typing import TYPE_CHECKING, Any

from tests.benchmarks.processor import used_s
from tests.benchmarks.report import Section, progress
from tests.benchmarks.stage import Process, house, load

if TYPE_CHECKING:
    from tests.benchmarks.stage import Stage

#: What is posted: some 330 bytes, an ordinary access request.
BODY: dict[str, Any] = {
    "type": "it-access",
    "source": "portal",
    "channel": "portal",
    "urgency": "high",
    "impact": "medium",
    "requester": {"id": "emp-1024", "name": "王芳", "tier": "vip"},
    "title": "开通财务系统权限 / access to the finance system",
    "description": "入职第二周, 需要读取报销单 / second week, has to read expense claims",
    "form": {"system": "finance", "level": "read"},
}
_FLOOR, _BARE, _ORM = "FastAPI, group commit", "no framework, group commit", "ORM, 1 per request"


@dataclass(slots=True)
class Contestant:
    """One endpoint under load; what each round gave."""

    name: str
    process: Process
    port: int
    rates: list[float] = field(default_factory=list)
    used_us: list[float] = field(default_factory=list)
    postgres_us: list[float] = field(default_factory=list)
    p50_ms: list[float] = field(default_factory=list)
    p99_ms: list[float] = field(default_factory=list)

    async def play(self, stage: Stage, request: bytes, seconds: float) -> None:
        """Load it for some seconds."""
        before = self.process.used_s, used_s(stage.postgres_pid)
        told = await load(stage, self.port, request, seconds=seconds)
        after = self.process.used_s, used_s(stage.postgres_pid)
        count = told["count"]
        self.rates.append(count / (told["ended"] - told["began"]))
        self.used_us.append((after[0] - before[0]) / count * 1e6)
        self.postgres_us.append((after[1] - before[1]) / count * 1e6)
        self.p50_ms.append(told["p50_s"] * 1e3)
        self.p99_ms.append(told["p99_s"] * 1e3)

    @property
    def rate(self) -> float:
        """Requests per second, the median of the rounds."""
        return median(self.rates)


async def measure(stage: Stage, *, rounds: int, seconds: float) -> Section:
    """Post to each in turns, several rounds; the figures are medians of the rounds."""
    section = Section("intake", "Intake: POST to 201, 50 connections, PostgreSQL")
    request = stage.request(BODY)
    peers: list[Contestant] = []
    async with house(stage, ("intake", "router")) as world:
        # The router was there for the catalogue; the path is measured with it further down.
        levee = Contestant("intake", world.processes["intake"], world.ports["intake"])
        world.processes.pop("router").stop()
        try:
            for kind, name in (("bare", _BARE), ("group", _FLOOR), ("orm", _ORM)):
                peers.append(await _peer(stage, kind, name))
            everybody = [levee, *peers]
            for one in everybody:
                await load(stage, one.port, request, count=300)
            for number in range(rounds):
                for one in everybody:
                    progress(f"intake: round {number + 1} of {rounds}, {one.name}")
                    await one.play(stage, request, seconds)
        finally:
            for peer in peers:
                peer.process.stop()
    _tell(section, levee, {peer.name: peer for peer in peers})
    return section


async def _peer(stage: Stage, kind: str, name: str) -> Contestant:
    port, url = stage.free_port(), await stage.postgres.create()
    arguments = (kind, "--url", url, "--port", str(port))
    process = Process(stage, f"peer-{kind}", "tests.benchmarks.peers", *arguments)
    await process.answers(f"http://127.0.0.1:{port}/")
    return Contestant(name, process, port)


def _tell(section: Section, levee: Contestant, peers: dict[str, Contestant]) -> None:
    floor, orm = peers[_FLOOR], peers[_ORM]
    section.add("intake: posts", levee.rate, "/s", levee.rate / floor.rate, f"floor ({_FLOOR})")
    section.add("  the same", levee.rate, "/s", levee.rate / orm.rate, f"peer ({_ORM})")
    for one in (floor, peers[_BARE], orm):
        section.add(f"{one.name}: posts", one.rate, "/s")
    for one in (levee, floor, peers[_BARE], orm):
        section.add(f"{one.name}: latency p50", median(one.p50_ms), "ms")
        section.add(f"{one.name}: latency p99", median(one.p99_ms), "ms")
        section.add(f"{one.name}: processor of the service", median(one.used_us), "µs/request")
        section.add(f"{one.name}: of PostgreSQL", median(one.postgres_us), "µs/request")
    section.note(
        "Floor and peer store two rows; intake stores the request, its timeline, its place in the"
    )
    section.note("event order, the outbox row and the watch over its routing, and publishes.")
