"""A newer package of holiday data is noticed at the start, once; time is moved."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import yaml
from sqlalchemy import select, update

from services.clock import store
from services.clock.main import build
from services.clock.settings import Settings
from services.clock.store.compiling import read_stored_calendar, write_calendar
from shared.business_time.holiday_data import holiday_source
from tests.harness.services import at_work, caller, key_ring
from tests.integration.test_clock import BPMN, Scene, clock
from tests.integration.test_clock_coverage import EXTENDED, OFFICE, a_request, until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from shared.service import Service

TEXT = (BPMN / "calendars/office-cn.yaml").read_text()
#: As `data` says it; the tests run with a newer one.
OLDER = "cn:chinesecalendar-1.10.0"
BOTH = "kind: union\nof: [office-cn, saturdays]\n"
SATURDAYS = 'zone: Asia/Shanghai\nwindows: {sat: ["09:00-12:00"]}\n'


def as_of(year: int) -> str:
    """Return office hours as a package that ends with `year` would write them out."""
    source, last = holiday_source("cn"), date(year, 12, 31)
    listed = {
        "holidays": [
            {"date": each.day, "name": each.label.as_json()}
            for each in source.holidays
            if each.day <= last
        ],
        "make_up_days": [
            {"date": each.day, "name": each.label.as_json()}
            for each in source.make_up_days
            if each.day <= last
        ],
        "covered_from": source.covered_from,
        "covered_until": last,
    }
    return yaml.safe_dump({**OFFICE, **listed}, allow_unicode=True)


async def stored_by_an_older_package(
    service: Service, text: str | None, data: str | None, key: str = "office-cn"
) -> None:
    """Let the rows of a calendar say what they are from."""
    table = store.metadata.tables["definitions"]
    async with service.runtime.database.transaction() as tx:
        wanted = update(table).where(table.c.kind == "calendar", table.c.key == key)
        await tx.execute(wanted.values(released_text=text, data=data))


@asynccontextmanager
async def promised(folder: Path) -> AsyncIterator[tuple[Scene, UUID]]:
    """Promise something across 1 May 2026 when nobody knows that year; then stop the clock."""
    async with clock(folder) as scene:
        await scene.release("calendar", "office-cn", as_of(2025), 2)
        await until(scene, "2026-04-30T16:00")
        request = await a_request(scene)
        before = (await scene.clocks(request))["resolution"]
        assert (before["is_provisional"], before["due_at"]) == (True, "2026-05-01T08:00:00Z")
        yield scene, request


@asynccontextmanager
async def again(scene: Scene, folder: Path) -> AsyncIterator[Scene]:
    """Start the clock anew, on the same database and bus."""
    settings = Settings(database_url=f"sqlite+aiosqlite:///{folder}/clock.db", is_durable=False)
    service = build(settings, scene.world.given)
    (folder / "again").mkdir(exist_ok=True)
    ring, key = key_ring(folder / "again", scene.world)
    async with at_work(service, scene.world), caller(service, ring, key) as api:
        await scene.world.pass_time(1)
        yield Scene(scene.world, service, api, scene.router, scene.intake, scene.escalation)


async def editions(service: Service) -> list[tuple[str, int, str]]:
    table = store.metadata.tables["editions"]
    async with service.runtime.database.reading() as connection:
        rows = await connection.execute(select(table).order_by(table.c.key, table.c.number))
        return [(row.key, row.number, row.data) for row in rows]


@pytest.mark.parametrize(
    ("text", "data"),
    [(TEXT, OLDER), (None, None)],
    ids=["kept with its file", "stored before that was kept"],
)
async def test_a_newer_package_moves_provisional_clocks_at_the_next_start(
    tmp_path: Path, text: str | None, data: str | None
) -> None:
    async with promised(tmp_path) as (scene, request):
        await stored_by_an_older_package(scene.service, text, data)
        await scene.service.stop()
        async with again(scene, tmp_path) as upgraded:
            after = (await upgraded.clocks(request))["resolution"]
            [kept] = await editions(upgraded.service)
            calendars = (await upgraded.api.get("/clock/v1/calendars")).json()["items"]
            [job] = (await upgraded.api.get("/clock/v1/moves")).json()["items"]

        assert (after["is_provisional"], after["due_at"]) == (False, "2026-05-06T08:00:00Z")
        assert (after["calendar_version"], after["calendar_edition"]) == (2, 1)
        [rebased] = scene.said("clock.rebased.v1")
        [now] = [c for c in rebased["data"]["clocks"] if c["metric"] == "resolution"]
        [was] = [c for c in rebased["data"]["before"] if c["clock_id"] == now["clock_id"]]
        assert rebased["data"]["reason"] == "coverage_extended"
        assert (was["due_at"], now["due_at"]) == ("2026-05-01T08:00:00Z", "2026-05-06T08:00:00Z")
        assert (was["calendar_version"], now["calendar_version"]) == (2, 2)
        [told] = scene.said(EXTENDED)
        assert (told["data"]["calendar_version"], told["data"]["covered_until"]) == (
            2,
            "2026-12-31",
        )
        assert kept[:2] == ("office-cn", 1_000_002)
        assert kept[2].startswith("cn:chinesecalendar-")
        named = [c for c in calendars if c["key"] == "office-cn" and c["version"] == 2]
        assert [(c["edition"], c["is_in_force"]) for c in named] == [(0, False), (1, True)]
        assert (job["extends"], job["calendar_editions"]) == ("office-cn", {"office-cn": 1})


async def test_it_is_noticed_once_and_what_is_routed_later_counts_by_it(tmp_path: Path) -> None:
    async with promised(tmp_path) as (scene, _):
        await stored_by_an_older_package(scene.service, TEXT, OLDER)
        await scene.service.stop()
        for _ in range(2):
            async with again(scene, tmp_path) as upgraded:
                later = await a_request(upgraded)
                clocks = await upgraded.clocks(later)
                accounts = upgraded.service.accounts
                assert accounts is not None
                look = await accounts.look([str(later)], timedelta())
                kept = await editions(upgraded.service)

        assert clocks["resolution"]["due_at"] == "2026-05-06T08:00:02Z"
        assert look["items"][0]["faults"] == []
        assert len(kept) == len(scene.said(EXTENDED)) == len(scene.said("clock.rebased.v1")) == 1


async def test_a_version_released_after_it_is_newer_than_every_edition(tmp_path: Path) -> None:
    async with promised(tmp_path) as (scene, _):
        await stored_by_an_older_package(scene.service, TEXT, OLDER)
        await scene.service.stop()
        async with again(scene, tmp_path) as upgraded:
            hours = TEXT.replace("13:00-18:00", "13:00-17:00")
            await upgraded.release("calendar", "office-cn", hours, 3)
            later = (await upgraded.clocks(await a_request(upgraded)))["resolution"]

        assert (later["calendar_version"], later.get("calendar_edition")) == (3, None)
        assert later["due_at"] == "2026-05-07T01:00:01Z"


async def test_an_older_package_takes_nothing_back(tmp_path: Path) -> None:
    async with promised(tmp_path) as (scene, request):
        await stored_by_an_older_package(scene.service, TEXT, "cn:chinesecalendar-99.1.0")
        await scene.service.stop()
        async with again(scene, tmp_path) as same:
            assert await editions(same.service) == []
            assert (await same.clocks(request))["resolution"]["is_provisional"]


async def test_corrected_days_are_for_later_requests_until_somebody_moves_the_others(
    tmp_path: Path,
) -> None:
    """Nothing more is known, but something else: that takes somebody's word (decision 21)."""
    async with clock(tmp_path) as scene:
        await until(scene, "2026-04-30T16:00")
        request = await a_request(scene)
        await scene.service.stop()
        table = store.metadata.tables["definitions"]
        wanted = table.c.kind == "calendar", table.c.key == "office-cn"
        async with scene.service.runtime.database.transaction() as tx:
            row = (await tx.execute(select(table).where(*wanted))).one()
            right = read_stored_calendar(row.content)
            days = tuple(each for each in right.holidays if each.day != date(2026, 5, 5))
            content = write_calendar(replace(right, holidays=days))
            await tx.execute(update(table).where(*wanted).values(content=content, data=OLDER))
        async with again(scene, tmp_path) as upgraded:
            stays = (await upgraded.clocks(request))["resolution"]
            later = (await upgraded.clocks(await a_request(upgraded)))["resolution"]

        assert stays["due_at"] == "2026-05-05T08:00:00Z"
        assert later["due_at"] == "2026-05-06T08:00:01Z"
        assert scene.said("clock.rebased.v1", EXTENDED) == []


async def test_a_combination_follows_the_calendars_it_is_made_of(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        await scene.release("calendar", "saturdays", SATURDAYS)
        await scene.release("calendar", "both", BOTH)
        await scene.release("calendar", "all", BOTH.replace("saturdays", "both"))
        before = await due_at(scene, "all")
        await scene.release("calendar", "saturdays", SATURDAYS.replace("12:00", "10:00"), 2)
        await scene.world.pass_time(1)
        after = await due_at(scene, "all")
        kept = await editions(scene.service)

        # Friday 17:00 and four hours: one, then three of Saturday's; then one, and Monday's.
        assert (before, after) == ("2026-03-07T04:00:00Z", "2026-03-09T03:00:00Z")
        assert [(key, number) for key, number, _ in kept] == [
            ("all", 1_000_001),
            ("both", 1_000_001),
        ]


async def due_at(scene: Scene, key: str) -> str:
    asked = {"target": "PT4H", "start": "2026-03-06T17:00:00+08:00"}
    told = (await scene.api.get(f"/clock/v1/calendars/{key}/due", params=asked)).json()
    return str(told["due_at"])


@pytest.mark.postgres
async def test_two_replicas_that_start_together_notice_it_once(
    postgres_url: str, tmp_path: Path
) -> None:
    async with clock(tmp_path) as scene:
        world = scene.world
        await scene.service.stop()
        settings = Settings(database_url=postgres_url, is_durable=False)
        async with at_work(build(settings, world.given), world) as first:
            await scene.release_shipped()
            await scene.release("calendar", "office-cn", as_of(2025), 2)
            await until(scene, "2026-04-30T16:00")
            await a_request(scene)
            await stored_by_an_older_package(first, TEXT, OLDER)
        one, two = (build(settings, world.given) for _ in range(2))
        async with at_work(one, world), at_work(two, world):
            await world.pass_time(1)
            kept = await editions(one)

        assert len(kept) == len(scene.said(EXTENDED)) == len(scene.said("clock.rebased.v1")) == 1
