"""What only the bus in memory does: simulated time, and a broker broken on purpose."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID

import pytest

from shared.bus.memory import MemoryBus
from shared.bus.port import (
    DUPLICATE_WINDOW,
    ConsumerSpec,
    Delivery,
    Message,
    Subscription,
    latest_subject,
)
from shared.time_source import Activity, SimulatedTime

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
CLOCK = ConsumerSpec("LEVEE_ROUTER", "clock")


class World:
    def __init__(self, max_age: timedelta | None = None) -> None:
        self.activity = Activity()
        self.time = SimulatedTime(NINE, self.activity)
        self.bus = MemoryBus(self.time, self.activity, max_age=max_age)


@pytest.fixture
def world() -> World:
    return World()


def a_fact(number: int) -> Message:
    return Message("levee.router.request.routed.v1", UUID(int=number), b"{}")


async def take(subscription: Subscription, limit: int = 100) -> list[Delivery]:
    async with asyncio.timeout(1):
        return list(await subscription.take(limit))


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [delivery.message.id.int for delivery in deliveries]


async def test_simulated_time_moves_on_to_a_retry_that_waits_for_it(world: World) -> None:
    subscription = await world.bus.subscribe([CLOCK])
    await world.bus.publish([a_fact(1)])
    (delivery,) = await take(subscription)
    await delivery.retry(after_s=90)
    assert world.activity.count == 0
    came_back: list[datetime] = []

    async def consume() -> None:
        for again in await subscription.take(1):
            came_back.append(world.time.now())
            await again.ack()

    consumer = asyncio.ensure_future(consume())
    async with asyncio.timeout(1):
        await world.time.run_until(NINE + timedelta(minutes=5))
        await consumer

    assert came_back == [NINE + timedelta(seconds=90)]
    assert world.activity.count == 0


async def test_simulated_time_does_not_pass_a_message_that_is_not_acked(world: World) -> None:
    subscription = await world.bus.subscribe([CLOCK])
    await world.bus.publish([a_fact(1)])
    (delivery,) = await take(subscription)
    running = asyncio.ensure_future(world.time.run_until(NINE + timedelta(days=1)))
    with pytest.raises(TimeoutError):
        async with asyncio.timeout(0.05):
            await asyncio.shield(running)

    assert world.time.now() == NINE
    await delivery.ack()
    async with asyncio.timeout(1):
        await running


async def test_an_ack_that_is_lost_brings_the_message_back_and_time_gets_there(
    world: World,
) -> None:
    subscription = await world.bus.subscribe([CLOCK])
    await world.bus.publish([a_fact(1)])
    (delivery,) = await take(subscription)
    world.bus.disconnect()
    await delivery.ack()
    world.bus.reconnect()

    async with asyncio.timeout(1):
        await asyncio.wait(
            {
                asyncio.ensure_future(world.time.run_until(NINE + timedelta(minutes=1))),
                again := asyncio.ensure_future(take(subscription)),
            },
            return_when=asyncio.FIRST_COMPLETED,
        )

    (delivery,) = await again
    assert world.time.now() == NINE + CLOCK.ack_wait
    assert delivery.attempt == 2
    await delivery.ack()


async def test_what_a_replica_held_when_it_left_goes_to_the_other_one(world: World) -> None:
    leaving, staying = await world.bus.subscribe([CLOCK]), await world.bus.subscribe([CLOCK])
    await world.bus.publish([a_fact(1), a_fact(2)])
    await take(leaving, 1)
    (kept,) = await take(staying)
    await kept.ack()
    await leaving.close()
    waiting = asyncio.ensure_future(take(staying))
    running = asyncio.ensure_future(world.time.run_until(NINE + timedelta(minutes=1)))

    (again,) = await waiting
    await again.ack()

    assert numbers([again]) == [1]
    async with asyncio.timeout(1):
        await running


async def test_an_id_is_remembered_for_the_duplicate_window_and_no_longer(world: World) -> None:
    await world.bus.publish([a_fact(1)])
    world.time.advance(DUPLICATE_WINDOW - timedelta(seconds=1))
    assert list(await world.bus.publish([a_fact(1)])) == [1]
    world.time.advance(timedelta(seconds=1))

    assert list(await world.bus.publish([a_fact(1)])) == [2]


async def test_a_broker_that_forgot_its_last_minutes_takes_them_again(world: World) -> None:
    subscription = await world.bus.subscribe([CLOCK])
    await world.bus.publish([a_fact(n) for n in (1, 2, 3)])
    for delivery in await take(subscription, 2):
        await delivery.ack()
    world.bus.disconnect()
    world.bus.forget_after("LEVEE_ROUTER", 1)
    world.bus.reconnect()

    assert await world.bus.last_sequence("LEVEE_ROUTER") == 1
    assert world.activity.count == 0
    assert list(await world.bus.publish([a_fact(n) for n in (1, 2, 3)])) == [1, 2, 3]
    assert numbers(await take(subscription)) == [2, 3]
    assert await world.bus.lag(CLOCK) == 2


async def test_messages_older_than_the_retention_are_gone_and_are_no_activity() -> None:
    world = World(max_age=timedelta(hours=1))
    subscription = await world.bus.subscribe([CLOCK])
    await world.bus.publish([a_fact(1)])
    world.time.advance(timedelta(minutes=30))
    await world.bus.publish([a_fact(2)])
    world.time.advance(timedelta(minutes=30))
    await world.bus.publish([a_fact(3)])

    assert numbers(await take(subscription)) == [2, 3]
    assert world.activity.count == 2
    assert await world.bus.lag(CLOCK) == 2


async def test_a_backlog_counts_as_activity_from_the_moment_somebody_listens(
    world: World,
) -> None:
    await world.bus.publish([a_fact(1), a_fact(2)])
    assert world.activity.count == 0

    subscription = await world.bus.subscribe([CLOCK])

    assert world.activity.count == 2
    for delivery in await take(subscription):
        await delivery.ack()
    assert world.activity.count == 0


async def test_a_busy_stream_does_not_starve_another(world: World) -> None:
    subscription = await world.bus.subscribe([CLOCK, ConsumerSpec("LEVEE_INTAKE", "clock")])
    await world.bus.publish([a_fact(n) for n in range(1, 101)])
    await world.bus.publish([Message("levee.intake.request.submitted.v1", UUID(int=999), b"")])

    batches = [await take(subscription, 10) for _ in range(2)]

    assert 999 in numbers(batches[0] + batches[1])


@pytest.mark.parametrize("key", ["vpn", "a/b", "/a//b/", "", "名 称", "x.y>*"])
async def test_state_about_anything_has_a_subject_that_can_be_published_to(
    world: World, key: str
) -> None:
    subject = latest_subject("definition.released.v1", key)

    assert list(await world.bus.publish([Message(subject, UUID(int=1), b"{}")])) == [1]
