"""The inbox with 100,000 open work items, on PostgreSQL and SQLite, through the router's API."""

from __future__ import annotations

import random
import time
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import asyncpg
import httpx

from services.router.main import build
from services.router.settings import Settings
from services.router.store import tables
from shared.bus.memory import MemoryBus
from shared.database import migrations
from shared.http.auth import KeyRing
from shared.id_source import RandomIds
from shared.service import Surroundings
from shared.time_source import Activity, SystemTime
from tests.benchmarks.report import Section, progress
from tests.harness.inboxes import PEOPLE, TEAMS, fill

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable

    from services.router.main import RouterService
    from tests.benchmarks.stage import Stage

OPEN = 100_000
_FLOOR = "floor: the 50 rows of a page by their ids"
#: What people look at: a page of a team, of a person, with counts, filtered, and everything.
_ASKED: dict[str, Callable[[random.Random], str]] = {
    "a person's inbox": lambda r: f"person={r.choice(PEOPLE)}",
    "a person's, with counts": lambda r: f"person={r.choice(PEOPLE)}&counts=true",
    "a team's, with counts": lambda r: f"team={r.choice(TEAMS)}&counts=true",
    "a team's P1 nobody has": lambda r: f"team={r.choice(TEAMS)}&priority=P1&state=open",
    "a team's, by text": lambda r: f"team={r.choice(TEAMS)}&text=vpn%20drops",
    "a person's, by a number": lambda r: f"person={r.choice(PEOPLE)}&text=-{r.randrange(OPEN):06}",
    "everything, with counts": lambda r: "counts=true",
}


async def measure(stage: Stage, *, rounds: int) -> Section:
    """Ask each many times; p99 of all of them, and of each."""
    section = Section("inbox", f"Inbox: {OPEN:,} open work items, 50 to a page")
    for name, url in (
        ("PostgreSQL", await stage.postgres.create()),
        ("SQLite", f"sqlite+aiosqlite:///{stage.folder}/inbox.db"),
    ):
        async with _router(stage, url) as (service, api):
            progress(f"inbox: filling {name}")
            await fill(service.runtime.database, OPEN, service.runtime.time.now())
            if name == "PostgreSQL":
                await _vacuum(url)
            await _ask(section, name, service, api, rounds)
    return section


async def _ask(
    section: Section, name: str, service: RouterService, api: httpx.AsyncClient, rounds: int
) -> None:
    chance, every = random.Random(3), list[float]()
    floor = _quantile(await _by_ids(service, rounds), 0.5)
    for asked, query in _ASKED.items():
        progress(f"inbox: {name}, {asked}")
        took = []
        for _ in range(rounds):
            began = time.perf_counter()
            answer = await api.get(f"/router/v1/inbox?{query(chance)}")
            took.append(time.perf_counter() - began)
            assert answer.status_code == 200, answer.text
        every += took
        middle = _quantile(took, 0.5)
        section.add(f"{name}: {asked}, p50", middle * 1e3, "ms", middle / floor, _FLOOR)
        section.add("  p99", _quantile(took, 0.99) * 1e3, "ms")
    section.add(f"{name}: all of these, p99", _quantile(every, 0.99) * 1e3, "ms")
    section.add(f"{name}: {_FLOOR}", floor * 1e3, "ms")


async def _vacuum(url: str) -> None:
    """Do what autovacuum does within a minute of so many inserts."""
    connection = await asyncpg.connect(url.replace("+asyncpg", ""))
    try:
        await connection.execute("VACUUM ANALYZE")
    finally:
        await connection.close()


async def _by_ids(service: RouterService, rounds: int) -> list[float]:
    """Read as many rows as a page shows, by their primary keys."""
    table, took = tables.work_items, []
    async with service.runtime.database.reading() as connection:
        found = await connection.execute(table.select().where(table.c.team == TEAMS[0]).limit(50))
        ids = [row.id for row in found.all()]
        for _ in range(rounds):
            began = time.perf_counter()
            await connection.execute(table.select().where(table.c.id.in_(ids)))
            took.append(time.perf_counter() - began)
    return took


@asynccontextmanager
async def _router(stage: Stage, url: str) -> AsyncIterator[tuple[RouterService, httpx.AsyncClient]]:
    """The router's API over a database, nothing else of it running."""
    moment, activity = SystemTime(), Activity()
    bus = MemoryBus(moment, activity)
    keys = KeyRing(stage.keys_file, moment)
    given = Surroundings(moment, RandomIds(moment), bus, activity, keys)
    service = build(Settings(database_url=url), given)
    await migrations.upgrade("router", service.runtime.database)
    transport = httpx.ASGITransport(service.app(keys))
    try:
        async with httpx.AsyncClient(
            transport=transport,
            base_url="http://levee.test",
            headers={"Authorization": f"Bearer {stage.key}"},
        ) as api:
            yield service, api
    finally:
        await service.runtime.database.close()
        await bus.close()


def _quantile(took: list[float], part: float) -> float:
    ordered = sorted(took)
    return ordered[min(len(ordered) - 1, int(len(ordered) * part))]
