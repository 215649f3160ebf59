"""What the clock keeps: the same on both databases, and still there after a restart."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING
from uuid import UUID

from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext

from services.clock.main import build
from services.clock.settings import Settings
from services.clock.store import Shelf, metadata, snapshot
from services.clock.store.compiling import compile_calendar, write_calendar
from services.clock.store.tables import definitions
from shared.consuming import Glance
from shared.database import migrations
from shared.database.engine import Database
from shared.events.router import (
    DefinitionReleased,
    RequestResolved,
    RequestRouted,
    RequestWaitingStarted,
)
from shared.vocabulary import Lane, Priority
from tests.harness.services import Neighbour, at_work, published
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from shared.service import Service
    from tests.conftest import Databases

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
MINUTE = 60


def a_clock(world: World, url: str) -> Service:
    return build(Settings(database_url=url, is_durable=False), world.given)


async def release_shipped(router: Neighbour) -> None:
    files = {
        "decision/targets": "targets.dmn",
        "calendar/24x7": "calendars/24x7.yaml",
        "calendar/office-cn": "calendars/office-cn.yaml",
    }
    for place, file in files.items():
        kind, _, key = place.partition("/")
        data = DefinitionReleased.model_validate(
            {
                "kind": kind,
                "key": key,
                "version": 1,
                "content_hash": "0" * 64,
                "content": (BPMN / file).read_text(),
                "released_by": "liu.yang",
            }
        )
        await router.say(data, place)


def routed(world: World) -> RequestRouted:
    return RequestRouted(
        number="R-2026-000001",
        request_type="it-incident",
        domain="it",
        channel="portal",
        customer_tier="standard",
        priority=Priority.P1,
        lane=Lane.STANDARD,
        team="it-service-desk",
        submitted_at=world.time.now(),
        process="standard-path",
        process_version=1,
        instance_id=UUID(int=7),
    )


async def test_the_migrated_schema_is_the_one_the_code_writes_to(databases: Databases) -> None:
    database = Database(await databases.new())
    await migrations.upgrade("clock", database)

    def difference(connection: Connection) -> list[object]:
        return list(compare_metadata(MigrationContext.configure(connection), metadata))

    async with database.reading() as connection:
        found = await connection.run_sync(difference)
    await database.close()

    assert found == []


async def test_a_request_is_timed_the_same_on_both_databases(databases: Databases) -> None:
    world = new_world()
    service = a_clock(world, await databases.new())
    async with at_work(service, world):
        router = Neighbour(world, "router")
        await release_shipped(router)
        waiting, resolved = world.ids.new(), world.ids.new()
        for request_id in (waiting, resolved):
            await router.say(routed(world), request_id)
        await world.pass_time(8 * MINUTE)
        await router.say(RequestWaitingStarted(reason="requester"), waiting)
        await router.say(RequestResolved(resolution="fixed"), resolved)
        await world.pass_time(60 * MINUTE)

        told = await snapshot(service.runtime.database, world.time.now())

        states = {
            str(key): {c["metric"]: (c["state"], c["elapsed_s"]) for c in clocks}
            for key, clocks in told.items()
        }
        assert states == {
            str(waiting): {
                "first_response": ("breached", 68 * 60),
                "assignment": ("breached", 68 * 60),
                "resolution": ("paused", 8 * 60),
            },
            str(resolved): {
                "first_response": ("met", 8 * 60),
                "assignment": ("met", 8 * 60),
                "resolution": ("met", 8 * 60),
            },
        }
        breached = published(world, "clock", "clock.breached.v1")
        assert sorted(e["data"]["metric"] for e in breached) == ["assignment", "first_response"]


async def test_a_due_moment_that_passed_while_it_was_down_is_announced_once_with_its_moment(
    tmp_path: Path,
) -> None:
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path}/clock.db"
    router, request_id = Neighbour(world, "router"), world.ids.new()
    async with at_work(a_clock(world, url), world):
        await release_shipped(router)
        await router.say(routed(world), request_id)
        await world.pass_time(8 * MINUTE)

    world.time.advance(timedelta(minutes=30))
    async with at_work(a_clock(world, url), world):
        await world.pass_time(5)

    said = published(world, "clock", "clock.warned.v1", "clock.breached.v1")
    first = [e for e in said if e["data"]["metric"] == "first_response"]
    moments = [e["occurredat"] for e in first]
    assert moments == [
        "2026-03-02T09:07:30Z",
        "2026-03-02T09:11:15Z",
        "2026-03-02T09:13:30Z",
        "2026-03-02T09:15:00Z",
    ]


async def test_after_a_start_what_happened_meanwhile_is_heard_before_anything_is_announced(
    tmp_path: Path,
) -> None:
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path}/clock.db"
    router, request_id = Neighbour(world, "router"), world.ids.new()
    async with at_work(a_clock(world, url), world):
        await release_shipped(router)
        await router.say(routed(world), request_id)

    world.time.advance(timedelta(minutes=4))
    await router.say(RequestResolved(resolution="fixed"), request_id)
    world.time.advance(timedelta(minutes=56))
    async with at_work(a_clock(world, url), world):
        await world.pass_time(10)

    assert not published(world, "clock", "clock.warned.v1", "clock.breached.v1")
    assert len(published(world, "clock", "clock.met.v1")) == 3


async def test_another_replicas_release_is_in_force_here_within_half_a_second(
    databases: Databases,
) -> None:
    database = Database(await databases.new())
    await migrations.upgrade("clock", database)
    text = (BPMN / "calendars/24x7.yaml").read_text()
    stored = write_calendar(compile_calendar("24x7", 1, text, {}).calendar)
    seconds = [1_000.0]
    asked: list[str] = []
    database.ears.append(asked.append)
    shelf = Shelf(glance=Glance(lambda: seconds[0], timedelta(milliseconds=500)))

    async def release(version: int) -> None:
        row = {"kind": "calendar", "key": "24x7", "version": version, "content": stored}
        row |= {"content_hash": "0" * 64, "released_by": "liu.yang", "released_us": 0}
        async with database.transaction() as tx:
            await tx.execute(definitions.insert(), [row])

    async def seen(key: str = "0197a1f2-0000-7000-8000-000000000001") -> int | None:
        async with database.transaction() as tx:
            return (await shelf.look(tx, [key])).calendar_versions().get("24x7")

    try:
        await release(1)
        assert await seen() == 1
        await release(2)
        asked.clear()

        assert await seen() == 1
        assert len(asked) == 2, "BEGIN and COMMIT: a transaction about requests asks nothing"
        assert await seen("calendar/24x7") == 2
        await release(3)
        seconds[0] += 0.5
        assert await seen() == 3
    finally:
        await database.close()
