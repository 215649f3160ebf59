"""Two replicas of notify on one PostgreSQL: nothing is sent twice, limits are shared."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from services.notify.domain.people import Route
from services.notify.handlers import claim
from services.notify.main import NotifyService, build
from services.notify.store import bucket_key
from tests.harness.notify import a_stage, ann, settings
from tests.harness.services import at_work
from tests.harness.waiting import until
from tests.harness.world import new_world

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.notify import Stage

pytestmark = pytest.mark.postgres
ROBOT = "https://robot.example/send?key=k"


async def claimed(service: NotifyService, delivery: UUID, request: UUID, lane: str) -> bool:
    found: Any = await service.runtime.do(
        lambda work: claim(delivery, work),
        locks=[request, bucket_key(lane)],
        loads=[str(delivery)],
    )
    return found is not None


async def test_a_delivery_is_claimed_once_and_a_limit_holds_for_both(
    postgres_url: str, tmp_path: Path
) -> None:
    world = new_world()
    person = ann("wecom_robot", wecom_robot=ROBOT)
    async with AsyncExitStack() as both:
        stage = await both.enter_async_context(a_stage(postgres_url, world, tmp_path))
        assert stage.service.sender is not None
        await stage.service.sender.abandon()  # this test claims by hand
        await stage.introduce(person)
        for number in range(1, 31):
            await stage.tell("ann", number=number, request=world.ids.new(), is_awaited=False)
        await until(lambda: _has(stage, 30))
        elsewhere = new_world(seed=2)
        other = build(settings(postgres_url), elsewhere.given)
        await both.enter_async_context(at_work(other, elsewhere))
        assert other.sender is not None
        await other.sender.abandon()
        copies = (await stage.http.get("/notify/v1/deliveries?limit=500")).json()["items"]
        lane = Route("wecom_robot", ROBOT).lane

        asked = [
            claimed(service, UUID(entry["id"]), UUID(entry["request_id"]), lane)
            for entry in copies
            for service in (stage.service, other)
        ]
        answers = await asyncio.gather(*asked)

        assert sum(answers) == 20
        log = await stage.log()
        assert sorted({entry["attempts"] for entry in log}) == [0, 1]
        assert sum(entry["waits_for"] == "limit" for entry in log) == 10


async def _has(stage: Stage, count: int) -> bool:
    return len(await stage.log()) == count
