"""The kit's round: call, event, handler, timer, event."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from tests.harness.dummies import kit
from tests.harness.world import living_house

if TYPE_CHECKING:
    from tests.conftest import Databases


async def test_a_posted_request_is_assigned_at_once_and_closed_when_its_time_has_come(
    databases: Databases,
) -> None:
    urls = {"intake": await databases.for_dummies(), "router": await databases.new()}
    async with living_house(urls) as house:
        request_id = house.world.ids.new()

        await house.intake.post(request_id)
        await house.settled()
        before = await house.intake.texts(request_id)
        await house.world.pass_time(60)

        assert before == ["posted", "assigned"]
        assert await house.intake.texts(request_id) == ["posted", "assigned", "closed"]
        assert await house.router.texts(request_id) == ["submitted", "due"]
        assert house.intake.runtime.relay.published == 1
        assert await house.router.count(kit.timers) == 0


async def test_a_thousand_requests_at_once_each_go_the_same_way(databases: Databases) -> None:
    urls = {"intake": await databases.for_dummies(), "router": await databases.new()}
    async with living_house(urls) as house:
        requests = [house.world.ids.new() for _ in range(1_000)]

        await asyncio.gather(*(house.intake.post(request_id) for request_id in requests))
        await house.world.pass_time(60)

        assert await house.intake.count() == 3 * len(requests)
        assert await house.intake.texts(requests[-1]) == ["posted", "assigned", "closed"]
        assert await house.intake.count(kit.held) == 0
