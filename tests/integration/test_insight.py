"""Insight hears the others: the same read model whoever comes first, the same figures counted."""

from __future__ import annotations

import asyncio
import random
import tempfile
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import event, select

from services.insight.domain.board import Scope
from services.insight.domain.rules import SPREAD_S, Window, begin_of
from services.insight.main import InsightService, build
from services.insight.settings import Settings
from services.insight.store import metadata, tables
from shared.database import migrations
from shared.events import clock, intake, router
from shared.vocabulary import Metric
from tests.harness.insight import Telling, as_message, directory, life, lives, shuffled
from tests.harness.services import at_work
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from shared.events.base import Envelope, EventData

SHANGHAI = ZoneInfo("Asia/Shanghai")
_MODEL = (
    tables.requests,
    tables.clocks,
    tables.escalations,
    tables.deliveries,
    tables.incidents,
    tables.timeline,
    tables.names,
)
Rows = dict[str, list[dict[str, Any]]]


@dataclass(slots=True)
class House:
    """Insight in a world of its own."""

    world: World
    insight: InsightService

    async def hear(self, said: Sequence[Envelope[EventData]], at_once: int = 200) -> None:
        """Publish events, so many at a time."""
        for start in range(0, len(said), at_once):
            part = [as_message(envelope) for envelope in said[start : start + at_once]]
            await self.world.bus.publish(part)
            await self.world.settled()

    async def rows(self) -> Rows:
        """Return the whole read model."""
        found: Rows = {}
        async with self.insight.runtime.database.reading() as connection:
            for table in _MODEL:
                order = list(table.primary_key)
                rows = await connection.execute(select(table).order_by(*order))
                found[table.name] = [dict(row._mapping) for row in rows]
        return found


@asynccontextmanager
async def house_at_work(url: str, **options: Any) -> AsyncIterator[House]:
    """Run insight for as long as the block lasts."""
    world = new_world()
    insight = build(Settings(database_url=url, **options), world.given)
    async with at_work(insight, world):
        yield House(world, insight)


async def _model_of(said: Sequence[Envelope[EventData]], at_once: int) -> Rows:
    with tempfile.TemporaryDirectory() as folder:
        url = f"sqlite+aiosqlite:///{Path(folder) / 'insight.db'}"
        async with house_at_work(url, is_durable=False) as house:
            await house.hear(said, at_once)
            held, _ = await house.insight.runtime.list_held()
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


# ---- figures ---------------------------------------------------------------------------------


def _met(rows: Rows, metric: str, since: int | None, scope: Scope) -> list[dict[str, Any]]:
    return [
        row
        for row in rows["clocks"]
        if row["metric"] == metric
        and row["elapsed_s"] is not None
        and (since is None or row["met_us"] >= since)
        and _is_in(row, scope)
    ]


def _is_in(row: dict[str, Any], scope: Scope) -> bool:
    is_team = scope.team is None or row["team"] == scope.team
    return is_team and (scope.domain is None or row["domain"] == scope.domain)


def _us(moment: datetime | None) -> int | None:
    epoch = datetime(1970, 1, 1, tzinfo=UTC)
    return None if moment is None else (moment - epoch) // timedelta(microseconds=1)


def _counted(rows: Rows, now: datetime, scope: Scope) -> dict[str, int]:
    """Count open requests from scratch, by the words of docs/figures.md."""
    until = _us(now + scope.due_within)
    found = dict.fromkeys(
        ("open", "waiting", "due_soon", "overdue", "unassigned", "in_triage", "unrouted"), 0
    )
    for request in rows["requests"]:
        if request["state"] not in ("submitted", "open", "waiting") or not _is_in(request, scope):
            continue
        clocks = [c for c in rows["clocks"] if c["request_id"] == request["id"]]
        running = [c for c in clocks if c["state"] == "running"]
        found["open"] += 1
        found["waiting"] += request["state"] == "waiting"
        found["due_soon"] += any(
            not c["is_breached"] and c["due_us"] is not None and c["due_us"] <= until
            for c in running
        )
        found["overdue"] += any(
            c["is_breached"] for c in clocks if c["state"] in ("running", "paused")
        )
        found["unassigned"] += request["assignee"] is None
        found["in_triage"] += request["team"] == "triage"
        found["unrouted"] += request["team"] == ""
    return found


def _ranked(values: list[float], percent: int) -> float | None:
    ordered = sorted(values)
    reaching = (v for v in ordered if 100 * sum(w <= v for w in ordered) >= percent * len(ordered))
    return min(reaching, default=None)


SCOPES = [
    Scope(window=Window.ALL),
    Scope(window=Window.TODAY, due_within=timedelta(hours=5)),
    Scope(team="hr-service", window=Window.WEEK),
    Scope(domain="IT", window=Window.MONTH),
    Scope(team="nobody", window=Window.ALL),
]


async def test_every_figure_equals_the_same_figure_counted_from_scratch(
    database_url: str,
) -> None:
    async with house_at_work(database_url, is_durable=False) as house:
        rng, now = random.Random(7), house.world.time.now()
        said = lives(rng, house.world.ids, 120, now, timedelta(days=12))
        await house.hear(shuffled(rng, said))
        rows = await house.rows()
        assert house.insight.desk is not None

        for scope in SCOPES:
            board = await house.insight.desk.board(scope)

            since = _us(begin_of(scope.window, now, SHANGHAI))
            counts = board.counts
            assert {name: getattr(counts, name) for name in _counted(rows, now, scope)} == (
                _counted(rows, now, scope)
            )
            for figures in board.metrics:
                _check_metric(rows, figures, scope, since, now)
            _check_escalations(rows, board.escalations, scope, since)
            deliveries = [
                row
                for row in rows["deliveries"]
                if _is_in(row, scope) and (since is None or row["accepted_us"] >= since)
            ]
            assert sum(board.notifications.by_outcome.values()) == len(deliveries)
            for outcome, number in board.notifications.by_outcome.items():
                assert number == sum(row["outcome"] == outcome for row in deliveries)
            assert sum(team.counts.open for team in board.teams) == (counts.open - counts.unrouted)
            assert sum(p.overdue for p in board.by_priority) == counts.overdue


def _check_metric(rows: Rows, figures: Any, scope: Scope, since: int | None, now: datetime) -> None:
    met = _met(rows, figures.metric, since, scope)
    lengths = [row["elapsed_s"] for row in met]
    assert figures.measured == len(met)
    assert figures.p50_s == _ranked(lengths, 50)
    assert figures.p90_s == _ranked(lengths, 90)
    assert figures.p95_s == _ranked(lengths, 95)
    edges = [0.0, *SPREAD_S, float("inf")]
    bars = [
        sum(low < length <= high or (low == 0.0 and length == 0) for length in lengths)
        for low, high in pairwise(edges)
    ]
    assert [bar.in_time + bar.late for bar in figures.spread] == (bars if met else [])
    own = [r for r in rows["clocks"] if r["metric"] == figures.metric and _is_in(r, scope)]
    assert figures.still_open == sum(row["state"] in ("running", "paused") for row in own)
    for window in Window:
        begin = _us(begin_of(window, now, SHANGHAI))
        late = sum(
            row["is_breached"] and (begin is None or row["breached_us"] >= begin)
            for row in own
            if row["state"] != "cancelled"
        )
        in_time = sum(
            row["state"] == "met"
            and not row["is_breached"]
            and (begin is None or row["met_us"] >= begin)
            for row in own
        )
        told = figures.attainment[window.value]
        assert (told.in_time, told.late) == (in_time, late)
        assert (told.share is None) is (in_time + late == 0)


def _check_escalations(rows: Rows, figures: Any, scope: Scope, since: int | None) -> None:
    own = [row for row in rows["escalations"] if _is_in(row, scope)]
    raised = [row for row in own if since is None or row["raised_us"] >= since]
    assert figures.raised == len(raised)
    assert figures.unanswered == sum(row["state"] in ("raised", "exhausted") for row in own)
    for tier in figures.by_tier:
        assert tier.reached == sum(row["tier"] >= tier.tier for row in raised)
    assert figures.by_tier or not any(row["tier"] for row in raised)


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

        def note(_c: Any, _cur: Any, statement: str, *_rest: Any) -> None:
            statements.append(statement)

        engine = house.insight.runtime.database.engine.sync_engine
        event.listen(engine, "before_cursor_execute", note)
        await house.hear(said, at_once=200)
        batches = house.insight.runtime.stats.batches
        event.remove(engine, "before_cursor_execute", note)

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
        plan = await connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {asked[table]}")
        told = " ".join(str(row) for row in plan)
    assert table in told
    assert "TEMP B-TREE" not in told
