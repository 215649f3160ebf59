"""The clock at size: due moments, rebuilding, thousands that cross together, a restart."""

from __future__ import annotations

import os
import time
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import insert, select, text

from services.clock.domain import steps
from services.clock.domain.facts import Fact, FactKind, Ledger, Routed
from services.clock.main import build
from services.clock.settings import Settings
from services.clock.store import Shelf, Shelved, tables
from services.clock.store.encoding import decode, encode
from shared.bus.memory import MemoryBus
from shared.bus.port import Message, event_subject, latest_subject
from shared.business_time import due, due_in_working_days
from shared.consuming import Knobs
from shared.database.engine import Database
from shared.database.tables import to_us
from shared.events.base import Envelope
from shared.events.router import DefinitionReleased, RequestRouted
from shared.http.auth import KeyRing
from shared.id_source import RandomIds
from shared.service import Surroundings
from shared.time_source import Activity, SystemTime
from shared.vocabulary import Lane, Priority
from tests.benchmarks import timers
from tests.benchmarks.compute import BPMN, Timed
from tests.benchmarks.processor import resident_mb
from tests.benchmarks.report import Section, progress
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Iterator

    from shared.events.base import EventData
    from shared.service import Service
    from tests.benchmarks.stage import Stage

#: A Monday, 10:00 in Shanghai.
_NOW = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)
_ROUNDS = 5
_PAGE = 2_000
_FAR = timedelta(days=2)
#: Requests routed a second while the others cross.
_LIVE = 20
#: The shipped first response of P1: half of it is the threshold that all cross.
_HALF = timedelta(minutes=7, seconds=30)


async def measure(
    stage: Stage, *, seconds: float, clocks: int, crossing: int, waiting: int
) -> Section:
    """Measure; `clocks` are rebuilt, `crossing` cross in one second, `waiting` are armed."""
    section = Section("clocks", "The clock at size: PostgreSQL, calendars warm")
    _due(section, seconds)
    await _rebuild(section, stage, clocks)
    await _cross(section, stage, crossing)
    await _restart(section, stage, waiting)
    return section


# ---- due moments -------------------------------------------------------------------------------


def _due(section: Section, seconds: float) -> None:
    calendar = _shipped().calendar("office-cn", 1)
    target = timedelta(hours=64)

    def add() -> datetime:
        return _NOW + target

    subjects = [
        ("due: 64 office hours (8 days); the bar is 50 µs", lambda: due(calendar, _NOW, target)),
        ("due: 8 working days", lambda: due_in_working_days(calendar, _NOW, 8)),
    ]
    floor = Timed(add)
    timed = [(name, Timed(act)) for name, act in subjects]
    for one in (floor, *(each for _, each in timed)):
        one.size(seconds / _ROUNDS)
    for _ in range(_ROUNDS):
        for one in (floor, *(each for _, each in timed)):
            one.round()
    for name, one in timed:
        ratio = one.best_us / floor.best_us
        section.add(name, one.best_us, "µs", ratio, f"an addition ({floor.best_us:.2f} µs)")


@cache
def _shipped() -> Shelved:
    """Return what ships, made once: a calendar made twice is compared day by day."""
    shelved = Shelved(Shelf(), {})
    for path in sorted((BPMN / "calendars").glob("*.yaml")):
        shelved.release("calendar", path.stem, 1, path.read_text(), _NOW)
    shelved.release("decision", "targets", 1, (BPMN / "targets.dmn").read_text(), _NOW)
    return shelved


# ---- rebuilding --------------------------------------------------------------------------------


async def _rebuild(section: Section, stage: Stage, clocks: int) -> None:
    """Compute clocks again from nothing but their facts, page by page, as they were kept."""
    library = _shipped()
    kept = _lived(UUID(int=1), library)
    each = len(kept.told)
    requests = -(-clocks // each)
    progress(f"clocks: {requests} ledgers")
    database = Database(await stage.migrated("clock"))
    try:
        await _store_ledgers(database, requests, encode(kept))
        floor_s = await _pages(database, lambda ledger: None)
        lowest, highest = resident_mb(os.getpid()), 0.0
        rebuilt = 0

        def rebuild(ledger: Ledger) -> None:
            nonlocal rebuilt
            again = _from_facts(ledger, library)
            if again.told.keys() != ledger.told.keys():
                raise AssertionError("a rebuilt ledger has other clocks")
            rebuilt += len(again.told)

        def page_done() -> None:
            nonlocal highest
            highest = max(highest, resident_mb(os.getpid()))

        took_s = await _pages(database, rebuild, page_done)
    finally:
        await database.close()
    section.add(
        f"rebuild of {rebuilt:,} clocks, processor; the bar is 60 s for 100,000",
        took_s,
        "s",
        took_s / floor_s,
        "reading the same ledgers",
    )
    section.add("rebuild: memory at most, beside the beginning", highest / lowest, "x")


def _lived(request_id: UUID, library: Shelved) -> Ledger:
    """Return a request that was asked, answered, waited and was solved, fact by fact."""
    routed = Routed(
        _NOW, _NOW, "R-1", "hr-leave", "hr", "portal", "standard", Priority.P3, "hr-service"
    )
    told = [
        (FactKind.ASSIGNED, 20, "router", "li.na"),
        (FactKind.REPLIED, 40, "intake", "li.na"),
        (FactKind.WAITING_STARTED, 60, "router", "requester"),
        (FactKind.ASKED, 180, "intake", ""),
        (FactKind.WAITING_ENDED, 180, "router", "requester"),
        (FactKind.REPLIED, 200, "intake", "li.na"),
        (FactKind.RESOLVED, 300, "router", ""),
    ]
    ledger = steps.route(Ledger(request_id), routed, library).ledger
    for number, (kind, minute, source, value) in enumerate(told, 1):
        fact = Fact(kind, _NOW + timedelta(minutes=minute), source, number, value)
        ledger = steps.note(ledger, fact, library).ledger
    return ledger


def _from_facts(ledger: Ledger, library: Shelved) -> Ledger:
    """Return the ledger made again from what happened alone."""
    assert ledger.routed is not None
    bare = replace(ledger, routed=None, told={}, reached_at=None)
    return steps.route(bare, ledger.routed, library).ledger


async def _store_ledgers(database: Database, count: int, body: bytes) -> None:
    for start in range(0, count, _PAGE):
        numbers = range(start, min(start + _PAGE, count))
        rows = [{"id": str(UUID(int=number)), "ledger": body} for number in numbers]
        async with database.transaction() as tx:
            await tx.execute(insert(tables.requests), rows)


async def _pages(database: Database, act: Any, page_done: Any = lambda: None) -> float:
    """Read every ledger in order and act on it; return the processor time it took."""
    table, after, began = tables.requests, "", time.process_time()
    async with database.reading() as connection:
        while True:
            wanted = select(table).where(table.c.id > after).order_by(table.c.id).limit(_PAGE)
            rows = (await connection.execute(wanted)).all()
            if not rows:
                return time.process_time() - began
            for row in rows:
                act(decode(UUID(row.id), row.ledger))
            page_done()
            after = rows[-1].id


# ---- crossing together -------------------------------------------------------------------------


@dataclass(slots=True)
class _House:
    """A clock at work, and who speaks to it."""

    service: Service
    bus: MemoryBus
    ids: RandomIds
    said: dict[str, int] = field(default_factory=dict)
    #: What the clock has published, read once.
    read: list[dict[str, Any]] = field(default_factory=list)

    async def say(self, *told: tuple[EventData, str]) -> None:
        """Say things as the router does."""
        messages = []
        for data, key in told:
            self.said[key] = self.said.get(key, 0) + 1
            now = SystemTime().now()
            envelope = Envelope(
                id=self.ids.new(), source="router", time=now, subject=key, occurred_at=now,
                sequence=self.said[key], correlation_id=key, causation_id=None, data=data,
            )  # fmt: skip
            is_latest = data.ordering == "latest"
            route = (
                latest_subject(data.type, key) if is_latest else event_subject("router", data.type)
            )
            messages.append(Message(route, envelope.id, envelope.to_bytes()))
        await self.bus.publish(messages)

    def heard(self, kind: str) -> list[dict[str, Any]]:
        """Return what the clock has published of a type."""
        stored = self.bus.stored("LEVEE_CLOCK")
        self.read += [orjson.loads(message.body) for message in stored[len(self.read) :]]
        return [event for event in self.read if event["type"] == kind]


@asynccontextmanager
async def _house(url: str) -> AsyncIterator[_House]:
    machine = SystemTime()
    bus, ids = MemoryBus(machine), RandomIds(machine)
    given = Surroundings(machine, ids, bus, Activity(), KeyRing(None, machine), Knobs())
    service = build(Settings(database_url=url, catch_up_s=0), given)
    await service.start()
    try:
        yield _House(service, bus, ids)
    finally:
        await service.stop()
        await bus.close()


def _routed(number: int, submitted_at: datetime) -> RequestRouted:
    return RequestRouted(
        number=f"R-{number}", request_type="it-incident", domain="it", channel="portal",
        customer_tier="standard", priority=Priority.P1, lane=Lane.STANDARD,
        team="it-service-desk", submitted_at=submitted_at, process="standard-path",
        process_version=1, instance_id=UUID(int=number + 1),
    )  # fmt: skip


def _definitions() -> Iterator[tuple[EventData, str]]:
    files = [("calendar", path) for path in sorted((BPMN / "calendars").glob("*.yaml"))]
    for kind, path in [*files, ("decision", BPMN / "targets.dmn")]:
        released = {
            "kind": kind, "key": path.stem, "version": 1, "content_hash": "0" * 64,
            "content": path.read_text(), "released_by": "bench",
        }  # fmt: skip
        yield DefinitionReleased.model_validate(released), f"{kind}/{path.stem}"


async def _cross(section: Section, stage: Stage, crossing: int) -> None:
    """Let thresholds of many requests be reached in one second, while others arrive."""
    plain_s = await _plain(await stage.postgres.create(), crossing)
    async with _house(await stage.migrated("clock")) as house:
        await house.say(*_definitions())
        await until(lambda: house.service.runtime.stats.handled >= 3, within_s=30)
        machine = SystemTime()
        # Long enough for all to be routed before the first one crosses.
        first = machine.now() + timedelta(seconds=10 + crossing / 150)
        progress(f"clocks: routing {crossing}")
        apart = timedelta(seconds=1) / crossing
        for start in range(0, crossing, 500):
            numbers = range(start, min(start + 500, crossing))
            await house.say(
                *((_routed(n, first - _HALF + n * apart), str(house.ids.new())) for n in numbers)
            )
        runtime = house.service.runtime
        await until(lambda: runtime.stats.handled >= crossing + 3, within_s=300)
        spare_s = (first - machine.now()).total_seconds()
        if spare_s < 0:
            raise AssertionError(f"routing took {-spare_s:.0f} s too long; ask for fewer")
        quiet = await _live(house, 2 * _LIVE, "quiet")
        await until(lambda: machine.now() >= first, within_s=spare_s + 60)
        began = time.perf_counter()
        busy = await _live(house, 2 * _LIVE, "busy")
        await until(lambda: _warnings(house) >= crossing, within_s=300)
        took_s = time.perf_counter() - began
        told = [(e["data"]["clock_id"], e["data"]["threshold_percent"])
                for e in house.heard("clock.warned.v1") if e["data"]["metric"] == "first_response"
                and e["data"]["threshold_percent"] == 50]  # fmt: skip
        batch = _largest_batch(house)
    section.add(
        f"{crossing:,} clocks crossing within a second: all announced after", took_s,
        "s",
        took_s / plain_s,
        f"timers with nothing to do ({plain_s:.1f} s)",
    )  # fmt: skip
    section.add("crossing: announced twice", len(told) - len(set(told)), "")
    section.add("crossing: thresholds in one transaction at most (500)", batch, "")
    section.add(
        f"crossing: {_LIVE}/s routed meanwhile, until clock.started, p90", busy * 1e3, "ms",
        busy / quiet, f"the same before ({quiet * 1e3:.0f} ms)",
    )  # fmt: skip


def _warnings(house: _House) -> int:
    told = (event["data"] for event in house.heard("clock.warned.v1"))
    return sum(d["threshold_percent"] == 50 and d["metric"] == "first_response" for d in told)


def _largest_batch(house: _House) -> float:
    """Return the bound below which every firing transaction stayed."""
    sizes = house.service.runtime.stats.measures.batches["timer"]
    filled = [at for at, count in enumerate(sizes.counts) if count]
    return (*sizes.bounds, float("inf"))[filled[-1]]


async def _plain(url: str, count: int) -> float:
    """Return the seconds in which so many timers are fired that are due in one second."""
    async with timers.at_work(url) as runtime:
        ahead = timedelta(seconds=3 + count / 1_000)
        first = runtime.time.now() + ahead
        await timers.arm_many(runtime, count, ahead, "plain", apart=timedelta(seconds=1) / count)
        await until(lambda: runtime.time.now() >= first, within_s=60)
        began = time.perf_counter()
        await until(lambda: runtime.timers.lateness.fired >= count, within_s=300)
        return time.perf_counter() - began


async def _live(house: _House, count: int, name: str) -> float:
    """Route requests one after another; return the p90 of the seconds until they were timed."""
    waited = []
    for number in range(count):
        key = str(house.ids.new())
        began = time.perf_counter()
        await house.say((_routed(100_000 + number, SystemTime().now()), key))
        before = began

        def is_timed(key: str = key) -> bool:
            return any(e["subject"] == key for e in house.heard("clock.started.v1")[-600:])

        await until(is_timed, within_s=60)
        waited.append(time.perf_counter() - before)
        await SystemTime().sleep(max(0.0, 1 / _LIVE - waited[-1]))
    return sorted(waited)[count * 9 // 10]


# ---- restart -----------------------------------------------------------------------------------


async def _restart(section: Section, stage: Stage, waiting: int) -> None:
    """Start the clock while many thresholds are armed, and without any."""
    empty_s = await _ready_after(await stage.migrated("clock"))
    url = await stage.migrated("clock")
    progress(f"clocks: arming {waiting} thresholds")
    await _arm(url, waiting)
    armed_s = await _ready_after(url)
    section.add(
        f"restart with {waiting:,} armed thresholds, ready; the bar is 1 s", armed_s, "s",
        armed_s / empty_s, f"without any ({empty_s:.2f} s)",
    )  # fmt: skip


async def _ready_after(url: str) -> float:
    """Return the seconds from building the service to its saying that it is ready."""
    began = time.perf_counter()
    async with _house(url) as house:
        readiness = await house.service.readiness()
        await until(lambda: house.service.runtime.timers._refill_at is not None)
        took_s = time.perf_counter() - began
        if readiness["status"] != "ready":
            raise AssertionError(readiness)
    return took_s


async def _arm(url: str, count: int) -> None:
    database = Database(url)
    rows = text(
        "INSERT INTO timers (id, kind, key, due_us, epoch, payload, armed_by)"
        " SELECT gen_random_uuid()::text, 'threshold', gen_random_uuid()::text,"
        " CAST(:due_us AS bigint) + n, 1, :body, gen_random_uuid()::text"
        " FROM generate_series(1, CAST(:count AS bigint)) AS n"
    )
    due_us = to_us(SystemTime().now() + _FAR)
    body = '{"name":"waiting","payload":{}}'
    async with database.transaction() as tx:
        await tx.execute(rows, {"due_us": due_us, "body": body, "count": count})
    async with database.transaction() as tx:
        await tx.execute(text("ANALYZE timers"))
    await database.close()
