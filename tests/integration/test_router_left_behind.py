"""Processes a release left behind that knew neither jobs nor messages get what they wait for.

The states are those release 0.1 itself wrote (tests/golden); its database had no row for what they
wait for.
"""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import pytest
from sqlalchemy import delete, select, update

from services.router.api.left_behind import LeftBehind
from services.router.main import RouterService, build
from services.router.settings import Settings
from services.router.store import kit, tables
from tests.golden.freeze import WAITING, WAITING_V1
from tests.harness.services import Neighbour, at_work, caller, key_ring, published
from tests.harness.world import World, new_world
from tests.integration.test_router import BPMN, a_request
from tests.integration.test_router_jobs import act, open_incidents, take, waits_at

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.conftest import Databases


@dataclass(slots=True)
class Old:
    """A router at work, some of whose instances are as release 0.1 left them."""

    service: RouterService
    world: World
    api: httpx.AsyncClient
    intake: Neighbour

    async def leave(self, name: str, number: int = 1) -> UUID:
        """Have a request stand where a frozen state stands, without a row of what it waits for."""
        request = self.world.ids.new()
        await self.intake.say(a_request(number=f"R-2026-{number:06}"), request)
        frozen = orjson.loads((WAITING_V1 / f"{name}.state.json").read_bytes())
        async with self.service.runtime.database.transaction() as tx:
            of_it = tables.instances.c.request_id == str(request)
            instance = (await tx.execute(select(tables.instances.c.id).where(of_it))).scalar_one()
            state = orjson.dumps([frozen[0], instance, *frozen[2:]])
            await tx.execute(update(tables.instances).where(of_it).values(state=state))
            for table in (tables.jobs, tables.waiting, tables.work_items):
                await tx.execute(delete(table).where(table.c.request_id == str(request)))
            await tx.execute(delete(kit.timers).where(kit.timers.c.key == str(request)))
        return request

    async def look(self) -> int:
        """Let the router look for what was left behind."""
        assert self.service.left_behind is not None
        given = await self.service.left_behind.look()
        await self.world.settled()
        return given

    async def faults(self, request: UUID) -> list[str]:
        """Return what the router tells an auditor of a request."""
        answer = await self.api.get(f"/router/v1/audit/requests?named={request}")
        [account] = answer.json()["items"]
        return [fault["code"] for fault in account["faults"]]


@asynccontextmanager
async def old_router(folder: Path, url: str) -> AsyncIterator[Old]:
    definitions = folder / "bpmn"
    shutil.copytree(BPMN, definitions)
    shutil.copy(WAITING_V1 / "process.bpmn", definitions / "standard-path.bpmn")
    world = new_world()
    service = build(Settings(database_url=url, definitions_folder=definitions), world.given)
    ring, key = key_ring(folder, world)
    async with at_work(service, world), caller(service, ring, key) as api:
        yield Old(service, world, api, Neighbour(world, "intake"))


def said_of(world: World, request: UUID, *types: str) -> list[dict[str, Any]]:
    return [e for e in published(world, "router", *types) if e["subject"] == str(request)]


async def test_a_service_task_of_the_release_before_is_offered_once_and_done(
    tmp_path: Path, databases: Databases
) -> None:
    async with old_router(tmp_path, await databases.new()) as old:
        request = await old.leave("at-a-job")
        before = len(said_of(old.world, request, "job.requested.v1"))
        assert await old.faults(request) == ["job_missing"]
        assert await take(old.api) == []

        found = [await old.look(), await old.look()]

        assert found == [1, 0]
        assert await old.faults(request) == []
        assert len(said_of(old.world, request, "job.requested.v1")) == before + 1
        [job] = await take(old.api)
        assert (job["variables"], job["headers"]) == ({"item": "desk"}, {"site": "sh"})
        done = await act(old.api, job, "complete", result={"count": 3})
        assert done.json()["state"] == "completed"
        await old.world.settled()
        await goes_on_with_its_message(old, request)
        assert await old.look() == 0


async def goes_on_with_its_message(old: Old, request: UUID) -> None:
    told = (await old.api.get(f"/router/v1/requests/{request}")).json()
    message = {"name": "parcel", "request": told["number"], "message_id": "p-1"}
    answer = await old.api.post("/router/v1/messages", json=message)
    assert answer.status_code == 200, answer.text
    await old.world.settled()
    assert await waits_at(old.api, request) == ["after"]


async def test_an_operation_of_levees_own_is_done(tmp_path: Path, databases: Databases) -> None:
    async with old_router(tmp_path, await databases.new()) as old:
        request = await old.leave("at-an-operation")

        assert [await old.look(), await old.look()] == [1, 0]

        [event] = said_of(old.world, request, "process.announced.v1")
        assert event["data"]["name"] == "checked"
        assert await open_incidents(old.api) == []
        await goes_on_with_its_message(old, request)


async def test_a_message_finds_who_waits_since_the_release_before(
    tmp_path: Path, databases: Databases
) -> None:
    async with old_router(tmp_path, await databases.new()) as old:
        request = await old.leave("at-a-message")
        assert await old.faults(request) == ["message_wait_missing"]

        assert [await old.look(), await old.look()] == [1, 0]

        assert await old.faults(request) == []
        await goes_on_with_its_message(old, request)


async def test_a_message_that_came_before_the_look_is_taken(
    tmp_path: Path, databases: Databases
) -> None:
    async with old_router(tmp_path, await databases.new()) as old:
        request = await old.leave("at-a-message")
        number = (await old.api.get(f"/router/v1/requests/{request}")).json()["number"]
        message = {"name": "parcel", "request": number, "message_id": "p-1", "keep_s": 3600}
        assert (await old.api.post("/router/v1/messages", json=message)).status_code == 200
        await old.world.settled()
        assert await waits_at(old.api, request) == []

        await old.look()

        assert await waits_at(old.api, request) == ["after"]


async def test_many_are_looked_through_page_by_page_by_two_replicas_at_once(
    tmp_path: Path, databases: Databases
) -> None:
    async with old_router(tmp_path, await databases.new()) as old:
        names = [*WAITING] * 4
        left = [await old.leave(name, number) for number, name in enumerate(names, start=1)]
        desk = old.service.desk
        assert desk is not None
        both = [LeftBehind(old.service.runtime, desk.repository, page=5) for _ in range(2)]

        looking = asyncio.gather(*(one.look() for one in both))
        while not looking.done():
            await old.world.pass_time(1)
        given = await looking

        # Each was given to it by one of them; what an operation leads to is recorded as ever.
        assert sum(given) == len(left)
        for request in left:
            assert await old.faults(request) == []
        assert len(await take(old.api, limit=50)) == names.count("at-a-job")


async def test_who_is_over_or_moved_on_meanwhile_is_left_alone(
    tmp_path: Path, databases: Databases
) -> None:
    async with old_router(tmp_path, await databases.new()) as old:
        request = await old.leave("at-a-job")
        async with old.service.runtime.database.transaction() as tx:
            over = update(tables.instances).values(is_ended=True)
            await tx.execute(over.where(tables.instances.c.request_id == str(request)))

        assert await old.look() == 0
        assert await take(old.api) == []


@pytest.mark.parametrize("name", WAITING)
async def test_every_frozen_state_is_of_the_release_before(name: str) -> None:
    state = orjson.loads((WAITING_V1 / f"{name}.state.json").read_bytes())
    assert all(not isinstance(scope[1], list) for scope in state[8]), "it knew no pins"
