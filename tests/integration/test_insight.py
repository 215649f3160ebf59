"""Insight hears the others: the same read model whoever comes first, and nothing twice."""

from __future__ import annotations

import asyncio
import random
import tempfile
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from services.insight.main import build
from services.insight.settings import Settings
from services.insight.store import metadata
from shared.database import migrations
from shared.events import clock, intake, router
from shared.vocabulary import Metric
from tests.harness.insight import Telling, directory, life, lives, shuffled
from tests.harness.insight_house import Rows, house_at_work
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.events.base import Envelope, EventData


async def _model_of(said: Sequence[Envelope[EventData]], at_once: int) -> Rows:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'insight.db'}"
        async with house_at_work(url, is_durable=False) as house:
            await house.hear(said, at_once)
            held, _ = await house.insight.runtime.held.find()
            assert held == []
            return await house.rows()


@settings(max_examples=12, deadline=None)
@given(seed=st.integers(0, 2**32), at_once=st.sampled_from([1, 3, 50]))
def test_any_interleaving_of_the_publishers_gives_the_same_read_model(
    seed: int, at_once: int
) -> None:
    world, rng = new_world(seed), random.Random(seed)
    now = world.time.now()
    said = [*directory(world.ids, now), *lives(rng, world.ids, 3, now, timedelta(days=2))]

    async def both() -> tuple[Rows, Rows]:
        return await _model_of(said, 200), await _model_of(shuffled(rng, said), at_once)

    in_order, otherwise = asyncio.run(both())

    assert in_order == otherwise


async def test_a_handover_takes_everything_of_the_request_to_the_new_team(
    tmp_path: Path,
) -> None:
    async with house_at_work(f"sqlite+aiosqlite:///{tmp_path / 'i.db'}") as house:
        rng, now = random.Random(3), house.world.time.now()
        said = lives(rng, house.world.ids, 60, now, timedelta(days=3))
        await house.hear(said)

        rows = await house.rows()

        places = {row["id"]: (row["team"], row["domain"]) for row in rows["requests"]}
        moved = [e for e in said if e.type == "request.handed_over.v1"]
        assert moved
        for kind in ("clocks", "escalations", "deliveries"):
            assert rows[kind]
            for row in rows[kind]:
                assert (row["team"], row["domain"]) == places[row["request_id"]]


async def test_a_batch_of_many_events_takes_a_handful_of_statements(tmp_path: Path) -> None:
    async with house_at_work(f"sqlite+aiosqlite:///{tmp_path / 'i.db'}") as house:
        rng, now = random.Random(5), house.world.time.now()
        said = lives(rng, house.world.ids, 12, now, timedelta(days=3))[:200]
        statements: list[str] = []

        house.insight.runtime.database.ears.append(statements.append)
        await house.hear(said, at_once=200)
        batches = house.insight.runtime.stats.batches
        house.insight.runtime.database.ears.clear()

        assert len(said) > 150
        assert batches <= 2
        assert len(statements) <= 16 * batches


async def test_what_is_heard_twice_counts_once(tmp_path: Path) -> None:
    async with house_at_work(f"sqlite+aiosqlite:///{tmp_path / 'i.db'}") as house:
        rng, now = random.Random(9), house.world.time.now()
        said = life(rng, house.world.ids, 1, now - timedelta(days=1), now)
        await house.hear(said)
        before = await house.rows()

        house.world.time.advance(timedelta(minutes=5))  # the broker forgets that it sent them
        await house.hear(said, at_once=1)

        assert await house.rows() == before
        assert house.insight.runtime.stats.duplicates == len(said)


async def test_an_older_directory_does_not_bring_old_names_back(tmp_path: Path) -> None:
    async with house_at_work(f"sqlite+aiosqlite:///{tmp_path / 'i.db'}") as house:
        telling = Telling(house.world.ids, "directory")
        for version, name in ((2, "新服务台"), (1, "旧服务台")):
            team = router.Team(id="desk", name={"zh-CN": name})
            telling.say(
                router.DirectoryChanged(version=version, teams=(team,)), house.world.time.now()
            )
            await house.hear(telling.said[-1:])

        assert house.insight.desk is not None
        voice = await house.insight.desk.voice("zh-CN")
        assert voice.name("team", "desk") == "新服务台"
        assert (await house.insight.desk.voice("en")).name("team", "desk") == "新服务台"


async def test_a_catalogue_names_request_types(tmp_path: Path) -> None:
    catalogue = "types:\n  - {key: vpn, name: {zh-CN: VPN 故障, en: VPN fault}, domain: IT}\n"
    async with house_at_work(f"sqlite+aiosqlite:///{tmp_path / 'i.db'}") as house:
        telling = Telling(house.world.ids, "catalogue/catalogue")
        for version, content in ((1, catalogue), (2, "types: ["), (3, None)):
            released = router.DefinitionReleased(
                kind="catalogue",
                key="catalogue",
                version=version,
                content_hash="0" * 64,
                content=content,
                released_by="folder",
            )
            telling.say(released, house.world.time.now())
            await house.hear(telling.said[-1:])

        assert house.insight.desk is not None
        voice = await house.insight.desk.voice("zh-CN")
        assert voice.name("request_type", "vpn") == "VPN 故障"


async def test_events_about_a_request_nobody_posted_yet_make_no_request(tmp_path: Path) -> None:
    async with house_at_work(f"sqlite+aiosqlite:///{tmp_path / 'i.db'}") as house:
        telling = Telling(house.world.ids, house.world.ids.new())
        met = clock.ClockMet(
            clock_id=house.world.ids.new(),
            metric=Metric.RESOLUTION,
            elapsed_s=1,
            paused_s=0,
            target_s=2,
            is_breached=False,
        )
        telling.say(met, house.world.time.now())
        telling.say(intake.RequestRated(score=4), house.world.time.now())
        await house.hear(telling.said)

        assert house.insight.desk is not None
        assert (await house.insight.desk.board()).counts.open == 0
        counts = await house.insight.desk.counts()
        assert counts["requests"]["total"] == 0


async def test_counts_tell_reports_what_the_rows_say(tmp_path: Path) -> None:
    async with house_at_work(f"sqlite+aiosqlite:///{tmp_path / 'i.db'}") as house:
        rng, now = random.Random(11), house.world.time.now()
        await house.hear(lives(rng, house.world.ids, 40, now, timedelta(days=90)))
        rows = await house.rows()

        assert house.insight.desk is not None
        counts = await house.insight.desk.counts()

        assert counts["requests"]["total"] == 40
        assert counts["escalations"]["raised"] == len(rows["escalations"])
        assert counts["escalations"]["by_tier"]["1"] == sum(
            row["tier"] >= 1 for row in rows["escalations"]
        )
        assert sum(counts["notifications"]["by_outcome"].values()) == len(rows["deliveries"])


async def test_migrations_make_the_tables_the_code_uses(database_url: str) -> None:
    service = build(Settings(database_url=database_url), new_world().given)
    database = service.runtime.database
    await migrations.upgrade("insight", database)
    async with database.transaction() as tx:
        differences = await tx.run_sync(
            lambda c: compare_metadata(MigrationContext.configure(c), metadata)
        )
    await database.close()
    assert differences == []


@pytest.mark.parametrize("table", ["ix_requests_urgent", "ix_clocks_elapsed"])
async def test_boards_and_percentiles_read_their_index(tmp_path: Path, table: str) -> None:
    asked = {
        "ix_requests_urgent": "SELECT id FROM requests WHERE is_open = 1 "
        "AND urgent_us IS NOT NULL ORDER BY urgent_us LIMIT 5",
        "ix_clocks_elapsed": "SELECT elapsed_s FROM clocks WHERE metric = 'resolution' "
        "AND elapsed_s IS NOT NULL AND met_us >= 5 ORDER BY elapsed_s",
    }
    url = f"sqlite+aiosqlite:///{tmp_path / 'i.db'}"
    async with house_at_work(url) as house, house.insight.runtime.database.reading() as connection:
        plan = await connection.execute(text(f"EXPLAIN QUERY PLAN {asked[table]}"))
        told = " ".join(str(row) for row in plan)
    assert table in told
    assert "TEMP B-TREE" not in told
