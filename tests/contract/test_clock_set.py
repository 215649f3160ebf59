"""A clock that is set forward or back while a service works: what is due by it fires, once.

The rule: a due moment is a moment of the clock on the wall. Set forward, what lies between is due
at once; set back, it is due again later, when the clock gets there. What is armed after that counts
from the clock as it is then, and nobody waits for the clock of before.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import update

from shared.consuming import Knobs
from shared.database.tables import to_us
from tests.harness.dummies import kit
from tests.harness.lab import Lab, laboratory
from tests.harness.waiting import until
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from tests.conftest import Databases
    from tests.harness.dummies import NoteWork

HOUR = timedelta(hours=1)
REAL = Knobs(tick=timedelta(0), keep_published=timedelta(minutes=10))
#: How soon a service sees that its clock was set: half its horizon, and a little.
SEEN_S = 3


@pytest.fixture
async def lab(databases: Databases) -> AsyncIterator[Lab]:
    async with laboratory(await databases.for_dummies(), new_world(knobs=REAL)) as lab:
        yield lab


async def arm(lab: Lab, key: UUID, after_s: float, name: str = "fine") -> None:
    due_at = lab.world.time.now() + timedelta(seconds=after_s)

    def act(work: NoteWork) -> None:
        work.arm("close", key, name, due_at)

    await lab.dummy.runtime.do(act, locks=[key])


async def fired(lab: Lab, key: UUID, within_s: float) -> bool:
    """Tell whether a timer fires while so much time passes, and only once."""
    for _ in range(round(within_s)):
        await lab.world.pass_time(1)
    texts = await lab.dummy.texts(key)
    assert len(texts) <= 1
    return bool(texts)


async def test_what_is_armed_after_the_clock_was_set_back_fires_in_its_time(lab: Lab) -> None:
    before, after = lab.world.ids.new(), lab.world.ids.new()
    await arm(lab, before, 60)
    await lab.world.pass_time(10)

    lab.world.time.set_by(-HOUR)
    await lab.world.pass_time(SEEN_S)
    await arm(lab, after, 30)

    assert not await fired(lab, after, 28)
    assert await fired(lab, after, 6)
    assert not await fired(lab, before, 600)
    await lab.world.pass_time(3_000)
    assert await fired(lab, before, 60)


async def test_what_was_near_when_the_clock_was_set_back_fires_when_it_gets_there(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    await arm(lab, key, 4)  # within the horizon: in memory already

    lab.world.time.set_by(-HOUR)

    assert not await fired(lab, key, 60)
    await lab.world.pass_time(3_600 - 60 - 10)
    assert not await fired(lab, key, 10)
    assert await fired(lab, key, SEEN_S + 5)


async def test_what_lies_between_is_due_at_once_when_the_clock_is_set_forward(lab: Lab) -> None:
    keys = [lab.world.ids.new() for _ in range(3)]
    for key, after_s in zip(keys, (1_800, 600, 7_200), strict=True):
        await arm(lab, key, after_s)

    lab.world.time.set_by(HOUR)

    assert await fired(lab, keys[1], SEEN_S)
    assert await fired(lab, keys[0], 1)
    assert not await fired(lab, keys[2], 60)
    order = [header.subject for header in await lab.said()]
    assert order == [str(keys[1]), str(keys[0])]


async def test_a_firing_that_lacked_something_is_tried_again_by_the_clock_as_it_is(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    lab.behaviour.is_away = True
    await lab.world.pass_time(7_200)
    await arm(lab, key, 0, "away")
    await lab.world.pass_time(20)  # tried, and to be tried again
    due_us = {row.key: row.due_us for row in await lab.rows(kit.timers)}

    lab.world.time.set_by(-timedelta(seconds=30))
    lab.behaviour.is_away = False
    await lab.world.pass_time(60)

    assert due_us.keys() == {str(key)}
    assert len(await lab.dummy.texts(key)) == 1


async def test_a_held_message_whose_neighbour_is_back_does_not_wait_for_the_old_clock(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    lab.behaviour.is_away = True
    await lab.hear(lab.event(key, 2, "away"))
    await lab.hear(lab.event(key, 1, "fine"))
    tried = lab.behaviour.attempts

    lab.world.time.set_by(-HOUR)
    lab.behaviour.is_away = False
    for _ in range(30):
        await lab.world.pass_time(1)

    assert tried >= 1
    assert await lab.sequences(key) == [1, 2]


async def test_what_a_killed_process_said_is_published_although_its_clock_was_set_back(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    lab.world.bus.disconnect()
    await lab.speak(key, times=3)
    for task in lab.dummy.runtime._tasks:  # the kill: nothing is drained
        task.cancel()
    lab.world.activity.end(lab.world.activity.count)
    lab.world.time.set_by(-HOUR)
    lab.world.bus.reconnect()

    await lab.restart()
    await until(lambda: lab.dummy.runtime.relay.published == 3)

    assert [header.sequence for header in await lab.said()] == [1, 2, 3]


@pytest.mark.postgres
async def test_timers_of_a_replica_that_died_before_the_clock_was_set_back_are_taken_over(
    postgres: Databases,
) -> None:
    url, world = await postgres.for_dummies(), new_world(knobs=REAL)
    async with laboratory(url, world) as one:
        key = world.ids.new()
        await arm(one, key, 8)
        await world.pass_time(SEEN_S + 1)  # its lease is taken
        for task in one.dummy.runtime._tasks:
            task.cancel()
        world.time.set_by(-HOUR)
        await arm_row(one, key)

        async with laboratory(url, world) as two:
            assert await fired(two, key, 30)


async def arm_row(lab: Lab, key: UUID) -> None:
    """Make the leased timer due by the clock as it is now."""
    due_us = to_us(lab.world.time.now() + timedelta(seconds=10))
    async with lab.database.transaction() as tx:
        await tx.execute(
            update(kit.timers).where(kit.timers.c.key == str(key)).values(due_us=due_us)
        )
