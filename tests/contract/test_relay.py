"""From the outbox to the bus: nothing said is lost, whatever the bus does meanwhile."""

from __future__ import annotations

import asyncio
import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.bus.memory import MemoryBus
from shared.consuming import Knobs
from tests.harness.dummies import kit
from tests.harness.lab import Lab, laboratory
from tests.harness.waiting import until
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from shared.bus.port import Message
    from shared.time_source import Activity, ManualTime
    from tests.conftest import Databases

#: Time is moved, everything else is as in production.
REAL = Knobs(tick=timedelta(0), keep_published=timedelta(minutes=10))
OURS = "LEVEE_CLOCK"


@pytest.fixture
async def lab(databases: Databases) -> AsyncIterator[Lab]:
    async with laboratory(await databases.for_dummies(), new_world(knobs=REAL)) as lab:
        yield lab


async def unpublished(lab: Lab) -> int:
    return (await lab.dummy.runtime.relay.unpublished())[0]


async def test_what_is_said_reaches_the_bus_at_once_and_in_order(lab: Lab) -> None:
    key = lab.world.ids.new()

    await lab.speak(key, times=5)
    await lab.world.settled()

    rows = sorted(await lab.rows(kit.outbox), key=lambda row: row.id)
    assert [header.sequence for header in await lab.said()] == [1, 2, 3, 4, 5]
    assert [row.stream_sequence for row in rows] == [1, 2, 3, 4, 5]
    assert await unpublished(lab) == 0


async def test_the_next_transaction_notes_what_was_published_or_else_a_moment_later(
    databases: Databases,
) -> None:
    knobs = Knobs(tick=timedelta(0), patience=timedelta(seconds=1))
    async with laboratory(await databases.for_dummies(), new_world(knobs=knobs)) as lab:
        relay, keys = lab.dummy.runtime.relay, [lab.world.ids.new() for _ in range(2)]
        await lab.speak(keys[0], times=3)
        await lab.world.settled()
        after_publishing = await unpublished(lab)
        await lab.speak(keys[1])
        await lab.world.settled()
        after_another = await unpublished(lab)
        await lab.world.pass_time(1)
        await until(lambda: not relay._mine)

        assert (after_publishing, after_another, await unpublished(lab)) == (3, 1, 0)
        assert relay.published == 4


async def test_what_a_kill_left_unnoted_is_published_again_and_dropped(
    databases: Databases,
) -> None:
    knobs = Knobs(tick=timedelta(0), patience=timedelta(hours=1))
    async with laboratory(await databases.for_dummies(), new_world(knobs=knobs)) as lab:
        await lab.speak(lab.world.ids.new(), times=3)
        await lab.world.settled()
        lab.dummy.runtime.relay._unmarked.clear()  # as a kill would

        await lab.restart()
        await until(lambda: lab.dummy.runtime.relay.published == 3)

        assert [header.sequence for header in await lab.said()] == [1, 2, 3]


async def test_what_is_said_while_the_bus_is_away_is_published_when_it_is_back(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    lab.world.bus.disconnect()

    for _ in range(3):
        await lab.speak(key)
    waiting = await unpublished(lab)
    lab.world.time.advance(timedelta(minutes=10))
    age_s = (await lab.dummy.runtime.relay.unpublished())[1]
    lab.world.bus.reconnect()
    lab.world.time.advance(timedelta(seconds=1))
    await lab.world.settled()

    assert (waiting, age_s) == (3, 600)
    assert [header.sequence for header in await lab.said()] == [1, 2, 3]
    assert await unpublished(lab) == 0


async def test_what_a_killed_process_had_not_published_is_swept_up_at_the_next_start(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    lab.world.bus.disconnect()
    await lab.speak(key, times=3)
    runtime = lab.dummy.runtime
    for task in runtime._tasks:  # the kill: nothing is drained
        task.cancel()
    lab.world.activity.end(lab.world.activity.count)
    lab.world.bus.reconnect()

    await lab.restart()
    await until(lambda: lab.dummy.runtime.relay.published == 3)

    assert [header.sequence for header in await lab.said()] == [1, 2, 3]


async def test_what_the_broker_forgot_is_published_again(lab: Lab) -> None:
    keys = [lab.world.ids.new() for _ in range(6)]
    for key in keys:
        await lab.speak(key)
    await lab.world.settled()

    lab.world.bus.disconnect()
    lab.world.bus.forget_after(OURS, 2)
    lab.world.bus.reconnect()
    lab.world.time.advance(timedelta(seconds=3))
    await until(lambda: lab.dummy.runtime.relay.published == 6 + 4)

    assert [header.subject for header in await lab.said()] == [str(key) for key in keys]
    assert await unpublished(lab) == 0


async def test_a_broker_that_forgot_is_noticed_before_anything_new_covers_the_gap(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    await lab.speak(key, times=3)
    await lab.world.settled()

    lab.world.bus.disconnect()
    lab.world.bus.forget_after(OURS, 1)
    lab.world.bus.reconnect()
    await lab.speak(key, times=5)
    await until(lambda: lab.dummy.runtime.relay.published == 3 + 2 + 5)

    assert sorted(header.sequence for header in await lab.said()) == list(range(1, 9))


async def test_published_rows_are_kept_for_ten_minutes_and_then_forgotten(lab: Lab) -> None:
    key = lab.world.ids.new()
    await lab.speak(key, times=3)
    await lab.world.settled()

    lab.world.time.advance(timedelta(minutes=9))
    await lab.speak(key)
    await lab.world.settled()
    kept = len(await lab.rows(kit.outbox))
    lab.world.time.advance(timedelta(minutes=2))
    await lab.world.settled()
    await until(lambda: purged_to(lab, 1))

    assert kept == 4


async def purged_to(lab: Lab, wanted: int) -> bool:
    await lab.dummy.runtime.keeper.go_through()
    return await count(lab, wanted)


async def count(lab: Lab, wanted: int) -> bool:
    return len(await lab.rows(kit.outbox)) == wanted


async def test_rows_beyond_what_memory_holds_are_read_from_the_table(lab: Lab) -> None:
    relay = lab.dummy.runtime.relay
    relay._in_memory = 10
    lab.world.bus.disconnect()
    keys = [lab.world.ids.new() for _ in range(12)]

    for key in keys:
        await lab.speak(key, times=4)
    in_memory = relay.backlog
    lab.world.bus.reconnect()
    lab.world.time.advance(timedelta(seconds=1))
    await until(lambda: relay.published == 48)

    heard = [(header.subject, header.sequence) for header in await lab.said()]
    assert in_memory <= 10
    assert sorted(heard) == sorted((str(key), n) for key in keys for n in (1, 2, 3, 4))


class GatedBus(MemoryBus):
    """A bus that takes nothing of ours while its gate is closed."""

    def __init__(self, time: ManualTime, activity: Activity) -> None:
        super().__init__(time, activity)
        self.gate = asyncio.Event()

    async def publish(self, messages: Sequence[Message]) -> Sequence[int | None]:
        """Store messages once the gate is open."""
        if messages and messages[0].subject.startswith("levee.clock."):
            await self.gate.wait()
        return await super().publish(messages)


async def test_a_consumer_takes_no_more_while_the_outbox_is_too_full(
    databases: Databases,
) -> None:
    world = new_world(knobs=Knobs(tick=timedelta(0), backlog_limit=5))
    bus = GatedBus(world.time, world.activity)
    world = World(world.time, world.activity, bus, world.ids, knobs=world.knobs)
    bus.gate.set()
    async with laboratory(await databases.for_dummies(), world) as lab:
        bus.gate.clear()
        stats = lab.dummy.runtime.stats
        await bus.publish([lab.event(world.ids.new(), 1) for _ in range(10)])
        await until(lambda: stats.handled == 10)

        await bus.publish([lab.event(world.ids.new(), 1) for _ in range(10)])
        for _ in range(5):  # time in which the consumer would have gone on
            await lab.dummy.runtime.do(lambda work: work.note("k", "call"), locks=["k"])
        while_closed = stats.handled
        bus.gate.set()
        await until(lambda: lab.dummy.runtime.relay.published == 20)

        assert while_closed == 10
        assert stats.handled == 20


async def test_a_stopping_service_publishes_what_it_said(lab: Lab) -> None:
    key = lab.world.ids.new()

    await lab.speak(key, times=700)
    await lab.dummy.runtime.stop()

    assert len(await lab.said()) == 700
    assert await unpublished(lab) == 0


async def test_a_batch_takes_as_many_statements_however_large_it_is(lab: Lab) -> None:
    async def statements_for(size: int) -> int:
        told: list[str] = []
        # However slow this machine is just now: batches shrink when they take long.
        lab.dummy.runtime._messages._size = 200
        lab.database.ears.append(told.append)
        await lab.hear(*(lab.event(lab.world.ids.new(), 1) for _ in range(size)))
        lab.database.ears.remove(told.append)
        return len([words for words in told if words not in ("BEGIN", "BEGIN IMMEDIATE", "COMMIT")])

    await statements_for(5)

    assert await statements_for(100) == await statements_for(3) <= 12


async def test_batches_grow_while_they_are_quick_and_full(lab: Lab) -> None:
    events = [lab.event(lab.world.ids.new(), 1) for _ in range(2_000)]

    await lab.hear(*events)

    assert 100 < lab.dummy.runtime.stats.largest_batch <= 500
    assert lab.dummy.runtime.stats.handled == 2_000


@pytest.mark.postgres
async def test_two_replicas_share_the_work_and_apply_each_event_once(
    postgres: Databases,
) -> None:
    url = await postgres.for_dummies()
    world = new_world(knobs=REAL)
    async with laboratory(url, world) as one, laboratory(url, world) as two:
        keys = [world.ids.new() for _ in range(30)]
        events = [one.event(key, n) for n in range(1, 11) for key in keys]
        chance = random.Random(3)
        chance.shuffle(events)
        for lab in (one, two):
            lab.dummy.runtime._messages._size = 7

        for start in range(0, len(events), 50):
            await world.bus.publish(events[start : start + 50])
        await until(lambda: count_entries(one, len(events)), within_s=20)
        await world.settled()

        for key in keys:
            assert await one.sequences(key) == list(range(1, 11))
        shares = [lab.dummy.runtime.stats.handled for lab in (one, two)]
        assert sum(shares) == len(events)
        assert min(shares) > 0
        assert await one.rows(kit.held) == []
        heard = [(header.subject, header.sequence) for header in await one.said()]
        assert sorted(heard) == sorted((str(key), n) for key in keys for n in range(1, 11))


async def count_entries(lab: Lab, wanted: int) -> bool:
    return await lab.dummy.count() == wanted
