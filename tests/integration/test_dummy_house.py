"""The kit's round: call, event, handler, timer, event."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.harness.dummies import kit
from tests.harness.world import living_house

if TYPE_CHECKING:
    from pathlib import Path


async def test_a_posted_request_is_assigned_at_once_and_closed_when_its_time_has_come(
    tmp_path: Path,
) -> None:
    async with living_house(tmp_path) as house:
        request_id = house.world.ids.new()

        await house.intake.post(request_id)
        await house.settled()
        before = await house.intake.texts(request_id)
        await house.world.pass_time(60)

        assert before == ["posted", "assigned"]
        assert await house.intake.texts(request_id) == ["posted", "assigned", "closed"]
        assert await house.router.texts(request_id) == ["submitted", "due"]
        assert await house.intake.count(kit.outbox) == 0
        assert await house.router.count(kit.timers) == 0
