"""The whole path: posted, stored, routed by BPMN, clocks armed, work item open."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson

from services.clock.events_in import SUBSCRIPTIONS as CLOCK_HEARS
from services.escalation.events_in import SUBSCRIPTIONS as ESCALATION_HEARS
from services.insight.events_in import SUBSCRIPTIONS as INSIGHT_HEARS
from services.intake.events_in import SUBSCRIPTIONS as INTAKE_HEARS
from services.notify.events_in import SUBSCRIPTIONS as NOTIFY_HEARS
from services.router.events_in import SUBSCRIPTIONS as ROUTER_HEARS
from shared.bus.nats import connect
from shared.bus.port import ConsumerSpec
from shared.consuming.runtime import consumers_of
from shared.time_source import SystemTime
from tests.benchmarks import chain
from tests.benchmarks import stage as staging
from tests.benchmarks.intake import BODY
from tests.benchmarks.report import Section, progress
from tests.benchmarks.stage import house, load

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.bus.port import Bus
    from tests.benchmarks.stage import House, Stage

#: The three services the path goes through.
PATH = ("intake", "router", "clock")
#: Those that follow it, for the whole house.
FOLLOWERS = ("escalation", "notify", "insight")
_HEARS: dict[str, Sequence[Any]] = {
    "intake": INTAKE_HEARS,
    "router": ROUTER_HEARS,
    "clock": CLOCK_HEARS,
    "escalation": ESCALATION_HEARS,
    "notify": NOTIFY_HEARS,
    "insight": INSIGHT_HEARS,
}
#: Nothing moved for so long: something is lost.
_STALLED_S = 20.0
_WARM_UP = 200
_FLOOR = "the same commits and publishes"


@dataclass(frozen=True, slots=True)
class Passed:
    """What one house did with one load."""

    count: int
    #: POSTs answered, and requests with clocks armed and a work item open, per second.
    accepted: float
    done: float
    #: The same until every service has heard everything.
    settled: float
    #: Processor time by process.
    used_us: dict[str, float]
    #: POST to clock.started, at so many requests per second.
    steady_rate: float
    p50_ms: float
    p99_ms: float

    @property
    def used_in_all_us(self) -> float:
        """Processor time of all processes."""
        return sum(self.used_us.values())


async def measure(
    stage: Stage, *, seconds: float, sustained_s: float, rate: float, has_followers: bool
) -> Section:
    """Play the same load through the path, its floor, and one message per transaction.

    The path itself is loaded for `sustained_s`; latency is taken at `rate` requests a second.
    """
    section = Section("path", "Whole path: POST to work item open and clocks armed, PostgreSQL")
    progress("whole path, batched")
    batched = await _through(stage, PATH, seconds, rate, sustained_s=sustained_s)
    progress("whole path, the floor: the same commits and publishes")
    floor = await _through_chain(stage, seconds, batched.steady_rate)
    progress("whole path, one message per transaction")
    single = await _through(stage, PATH, seconds, rate, is_batching=False)
    against = "one message per transaction"
    ratio = batched.done / floor.done
    section.add("whole path: requests", batched.done, "/s", ratio, f"floor ({_FLOOR})")
    section.add("  the same", batched.done, "/s", batched.done / single.done, against)
    for name, ours, bare in (
        ("p50", batched.p50_ms, floor.p50_ms),
        ("p99", batched.p99_ms, floor.p99_ms),
    ):
        title = f"POST to clock.started at {batched.steady_rate:.0f}/s, {name}"
        section.add(title, ours, "ms", ours / bare, f"floor ({_FLOOR})")
    ratio = single.used_in_all_us / batched.used_in_all_us
    section.add(f"{against}: processor", single.used_in_all_us, "µs/request", ratio, "batched")
    _tell(section, "batched", batched)
    _tell(section, "floor", floor)
    _tell(section, against, single)
    if has_followers:
        progress("whole path with escalation, notify and insight")
        everybody = await _through(stage, (*PATH, *FOLLOWERS), seconds, rate)
        ratio = everybody.done / batched.done
        section.add("six services: requests", everybody.done, "/s", ratio, "the path's three")
        _tell(section, "six services", everybody)
    section.note(f"As fast as it goes for {sustained_s:.0f} s. The reference machine's floor was")
    section.note("2,700/s, so 600/s there are 0.22 of it, and 1,000/s are 0.37.")
    section.note("Rows counted at the end: every request has its work item, ledger and timer.")
    return section


def specs_of(services: Sequence[str]) -> list[ConsumerSpec]:
    """Return what these services consume."""
    return [spec for name in services for spec in consumers_of(name, _HEARS[name])]


async def _through(
    stage: Stage,
    services: tuple[str, ...],
    seconds: float,
    rate: float,
    *,
    sustained_s: float | None = None,
    is_batching: bool = True,
) -> Passed:
    async with house(stage, services, is_batching=is_batching) as world:
        passed, count = await _play(
            world, specs_of(services), seconds, rate, sustained_s or seconds
        )
        await verify(world, count)
    return passed


async def _through_chain(stage: Stage, seconds: float, rate: float) -> Passed:
    async with staging.chain(stage, PATH) as world:
        passed, count = await _play(world, list(chain.HEARS.values()), seconds, rate, seconds)
        found = await world.count("clock", "SELECT count(*) FROM done")
        if found != count:
            raise RuntimeError(f"the floor stored {found}, not {count}")
    return passed


async def _play(
    world: House, specs: Sequence[ConsumerSpec], seconds: float, rate: float, sustained_s: float
) -> tuple[Passed, int]:
    """Load a house; return what it did, and how many requests it was given in all."""
    stage = world.stage
    request, port = stage.request(BODY), world.ports["intake"]
    bus = await connect(world.nats.url, name="bench", time=SystemTime())
    try:
        progress("  warming up")
        await load(stage, port, request, count=_WARM_UP)
        await settled(specs, bus, _WARM_UP)
        progress("  as fast as it goes")
        before = world.used_s()
        told = await load(stage, port, request, seconds=sustained_s)
        count = told["count"]
        done_at = await _armed(bus, _WARM_UP + count)
        settled_at = await settled(specs, bus, _WARM_UP + count)
        after = world.used_s()
        rate = min(rate, count / (done_at - told["began"]) / 2)
        progress(f"  at {rate:.0f}/s")
        steady, latencies = await _steadily(stage, port, bus, request, seconds, rate)
        await settled(specs, bus, _WARM_UP + count + steady)
    finally:
        await bus.close()
    passed = Passed(
        count,
        count / (told["ended"] - told["began"]),
        count / (done_at - told["began"]),
        count / (settled_at - told["began"]),
        {name: (after[name] - before[name]) / count * 1e6 for name in after},
        rate,
        latencies[len(latencies) // 2] * 1e3,
        latencies[len(latencies) * 99 // 100] * 1e3,
    )
    return passed, _WARM_UP + count + steady


async def _armed(bus: Bus, count: int) -> float:
    """Return when the clocks of so many requests were announced; each is announced once.

    The work item is stored with the routing that the clock waits for.
    """
    machine = SystemTime()
    seen, moved_at = 0, time.perf_counter()
    while True:
        now = time.perf_counter()
        found = await bus.last_sequence("LEVEE_CLOCK") or 0
        if found >= count:
            return now
        if found > seen:
            seen, moved_at = found, now
        if now - moved_at > _STALLED_S:
            raise RuntimeError(f"only {found} of {count} requests came through")
        await machine.sleep(0.02)


async def settled(specs: Sequence[ConsumerSpec], bus: Bus, count: int) -> float:
    """Return when everybody has heard everything about so many requests."""
    await _armed(bus, count)
    machine = SystemTime()
    give_up = time.perf_counter() + 60 + _STALLED_S
    while True:
        lags = [await bus.lag(spec) for spec in specs]
        if not any(lags):
            return time.perf_counter()
        if time.perf_counter() > give_up:
            raise RuntimeError(f"not settled: {lags}")
        await machine.sleep(0.05)


async def _steadily(
    stage: Stage, port: int, bus: Bus, request: bytes, seconds: float, rate: float
) -> tuple[int, list[float]]:
    """Post at a steady rate; return how many, and the times from POST to clocks announced."""
    spec = ConsumerSpec("LEVEE_CLOCK", "bench")
    heard: dict[str, float] = {}
    subscription = await bus.subscribe([spec])

    async def listen() -> None:
        while True:
            for delivery in await subscription.take(500):
                now = time.perf_counter()
                event = orjson.loads(delivery.body)
                heard[event["subject"]] = now
                await delivery.ack()

    listening = asyncio.create_task(listen())
    try:
        await _heard_all(bus, spec)
        count = max(10, int(rate * seconds))
        before = await bus.last_sequence("LEVEE_CLOCK") or 0
        told = await load(stage, port, request, count=count, rate=rate, has_ids=True)
        await _armed(bus, before + count)
        await _heard_all(bus, spec)
    finally:
        listening.cancel()
        await asyncio.gather(listening, return_exceptions=True)
        await subscription.close()
    return count, sorted(heard[id_] - sent_at for id_, sent_at in told["ids"].items())


async def _heard_all(bus: Bus, spec: ConsumerSpec) -> None:
    machine = SystemTime()
    async with asyncio.timeout(_STALLED_S):
        while await bus.lag(spec):
            await machine.sleep(0.01)


async def verify(world: House, count: int) -> None:
    """Raise unless every request was stored, routed, given an open work item and clocks."""
    queries = {
        ("intake", "requests"): "SELECT count(*) FROM requests",
        ("router", "work items"): (
            "SELECT count(DISTINCT request_id) FROM work_items WHERE state IN ('open', 'claimed')"
        ),
        ("clock", "ledgers"): "SELECT count(*) FROM requests",
        ("clock", "armed requests"): "SELECT count(DISTINCT key) FROM timers",
    }
    for (service, what), query in queries.items():
        found = await world.count(service, query)
        if found != count:
            raise RuntimeError(f"{service} has {found} {what}, not {count}")
    for process in world.processes.values():
        if complaints := process.complaints():
            raise RuntimeError(f"{process.name} complained: {complaints[0][:500]}")


def _tell(section: Section, name: str, passed: Passed) -> None:
    section.add(f"{name}: accepted", passed.accepted, "/s")
    section.add(f"{name}: work item open, clocks armed", passed.done, "/s")
    section.add(f"{name}: heard by everybody", passed.settled, "/s")
    steady = f"{name}: POST to clock.started at {passed.steady_rate:.0f}/s"
    section.add(f"{steady}, p50", passed.p50_ms, "ms")
    section.add(f"{steady}, p99", passed.p99_ms, "ms")
    for who, used in passed.used_us.items():
        section.add(f"{name}: processor of {who}", used, "µs/request")
    section.add(f"{name}: processor in all", passed.used_in_all_us, "µs/request")
