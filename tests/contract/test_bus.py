"""What every bus promises, on the real one and on its twin."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

import pytest

from shared.bus.port import (
    DEFINITIONS_STREAM,
    MAX_MESSAGE_BYTES,
    Bus,
    BusClosed,
    ConsumerSpec,
    Delivery,
    Message,
    MessageTooLarge,
    SubjectUnknown,
    Subscription,
)
from shared.time_source import SystemTime
from tests.harness.buses import MemoryStage, Stage, nats_stage
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


SHORT = timedelta(seconds=0.4)
CLOCK = ConsumerSpec("LEVEE_ROUTER", "clock", ack_wait=SHORT)


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.nats)])
async def stage(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stage]:
    if request.param == "memory":
        memory = MemoryStage()
        yield memory
        await memory.memory.close()
    else:
        async with nats_stage(tmp_path) as real:
            yield real


@pytest.fixture
async def bus(stage: Stage) -> Bus:
    return await stage.bus()


def a_fact(number: int, subject: str = "levee.router.request.routed.v1") -> Message:
    return Message(subject, UUID(int=number), b'{"n": %d}' % number)


def facts(count: int) -> list[Message]:
    return [a_fact(number) for number in range(1, count + 1)]


def numbers(deliveries: list[Delivery]) -> list[int]:
    return [delivery.message.id.int for delivery in deliveries]


async def taken(subscription: Subscription, count: int, within_s: float = 4.0) -> list[Delivery]:
    """Take until `count` are here, and ack nothing."""
    found: list[Delivery] = []
    async with asyncio.timeout(within_s):
        while len(found) < count:
            found += await subscription.take(count - len(found))
    return found


async def nothing_comes(subscription: Subscription, within_s: float) -> bool:
    try:
        await taken(subscription, 1, within_s)
    except TimeoutError:
        return True
    return False


async def test_what_is_published_arrives_as_it_was(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    said = Message("levee.router.request.routed.v1", UUID(int=7), b"\x00body", {"ce-x": "流 1"})

    sequences = await bus.publish([said])

    (heard,) = await taken(subscription, 1)
    assert heard.message == said
    assert heard.attempt == 1
    assert list(sequences) == [1]
    assert await bus.last_sequence("LEVEE_ROUTER") == 1


async def test_what_is_published_twice_is_delivered_once(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])

    first = await bus.publish([a_fact(1), a_fact(2), a_fact(1)])
    again = await bus.publish([a_fact(2), a_fact(3)])

    assert (list(first), list(again)) == ([1, 2, 1], [2, 3])
    assert numbers(await taken(subscription, 3)) == [1, 2, 3]


async def test_messages_come_in_the_order_in_which_they_were_stored(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])

    sequences = await bus.publish(facts(1200))

    assert list(sequences) == list(range(1, 1201))
    assert numbers(await taken(subscription, 1200)) == list(range(1, 1201))


async def test_taking_never_waits_for_a_batch_to_fill(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    await bus.publish([a_fact(1)])

    async with asyncio.timeout(1):
        batch = await subscription.take(500)

    assert numbers(list(batch)) == [1]


async def test_a_batch_is_never_larger_than_asked_for(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    await bus.publish(facts(20))

    sizes = [len(await subscription.take(3)) for _ in range(6)]

    assert max(sizes) <= 3


async def test_taking_waits_until_something_is_there(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    waiting = asyncio.ensure_future(taken(subscription, 1))
    await bus.publish([a_fact(1)])

    assert numbers(await waiting) == [1]


async def test_one_subscription_hears_several_streams(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK, ConsumerSpec("LEVEE_INTAKE", "clock")])

    await bus.publish([a_fact(1), a_fact(2, "levee.intake.request.submitted.v1")])

    assert sorted(numbers(await taken(subscription, 2))) == [1, 2]


async def test_what_is_acked_does_not_come_again(stage: Stage, bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    await bus.publish(facts(2))
    for delivery in await taken(subscription, 2):
        await delivery.ack()
    stage.pass_time(2)

    assert await nothing_comes(subscription, SHORT.total_seconds() * 2)
    assert await bus.lag(CLOCK) == 0


async def test_what_is_not_settled_comes_again_after_its_ack_wait(stage: Stage, bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    await bus.publish(facts(2))
    first, _second = await taken(subscription, 2)
    await first.ack()
    stage.pass_time(1)

    (again,) = await taken(subscription, 1)

    assert (again.message.id.int, again.attempt) == (2, 2)


async def test_a_retry_comes_again_after_its_delay_and_not_before(stage: Stage, bus: Bus) -> None:
    patient = ConsumerSpec("LEVEE_ROUTER", "patient", ack_wait=timedelta(minutes=1))
    subscription = await bus.subscribe([patient])
    await bus.publish([a_fact(1)])
    (delivery,) = await taken(subscription, 1)
    await delivery.retry(after_s=0.5)

    assert await nothing_comes(subscription, 0.2)
    stage.pass_time(0.6)
    (again,) = await taken(subscription, 1)
    assert (again.message.id.int, again.attempt) == (1, 2)


async def test_no_more_than_max_ack_pending_are_unsettled(bus: Bus) -> None:
    narrow = ConsumerSpec("LEVEE_ROUTER", "narrow", max_ack_pending=3)
    subscription = await bus.subscribe([narrow])
    await bus.publish(facts(5))
    held = await taken(subscription, 3)

    assert await nothing_comes(subscription, 0.2)
    await held[0].ack()
    assert numbers(await taken(subscription, 1)) == [4]


async def test_two_subscriptions_of_one_durable_share_the_work(bus: Bus) -> None:
    patient = ConsumerSpec("LEVEE_ROUTER", "patient", ack_wait=timedelta(minutes=1))
    replicas = [await bus.subscribe([patient]) for _ in range(2)]
    heard: list[list[Delivery]] = [[], []]

    async def work(replica: int) -> None:
        while True:
            for delivery in await replicas[replica].take(5):
                heard[replica].append(delivery)
                await delivery.ack()
            # Handling takes at least one round of the loop.
            await SystemTime().sleep(0)

    workers = [asyncio.ensure_future(work(replica)) for replica in range(2)]
    for message in facts(200):
        await bus.publish([message])
    await until(lambda: sum(map(len, heard)) >= 200)
    for worker in workers:
        worker.cancel()
    await asyncio.gather(*workers, return_exceptions=True)

    assert sorted(numbers(heard[0] + heard[1])) == list(range(1, 201))
    assert all(heard)


async def test_a_latecomer_hears_only_the_last_of_what_supersedes_itself(bus: Bus) -> None:
    said = [
        a_fact(number, f"levee.definitions.definition.{key}")
        for number, key in enumerate(["vpn", "vpn", "mail", "vpn"], start=1)
    ]
    await bus.publish(said)

    subscription = await bus.subscribe([ConsumerSpec(DEFINITIONS_STREAM, "clock")])

    assert numbers(await taken(subscription, 2)) == [3, 4]
    assert await nothing_comes(subscription, 0.2)


async def test_a_new_durable_hears_everything_kept_so_far(bus: Bus) -> None:
    await bus.publish(facts(3))

    subscription = await bus.subscribe([CLOCK])

    assert numbers(await taken(subscription, 3)) == [1, 2, 3]


async def test_a_durable_goes_on_where_it_was_when_opened_again(stage: Stage, bus: Bus) -> None:
    patient = ConsumerSpec("LEVEE_ROUTER", "patient", ack_wait=timedelta(minutes=1))
    subscription = await bus.subscribe([patient])
    await bus.publish(facts(3))
    for delivery in await taken(subscription, 2):
        await delivery.ack()
    await subscription.close()

    reopened = await (await stage.bus()).subscribe([patient])

    assert numbers(await taken(reopened, 1)) == [3]


async def test_whoever_waits_on_a_subscription_hears_that_it_is_closed(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    waiting = asyncio.ensure_future(subscription.take(1))
    await bus.publish([])
    await subscription.close()

    with pytest.raises(BusClosed):
        async with asyncio.timeout(2):
            await waiting
    with pytest.raises(BusClosed):
        await subscription.take(1)


async def test_a_message_that_is_too_large_is_refused_before_anything_is_sent(bus: Bus) -> None:
    large = Message("levee.router.request.routed.v1", UUID(int=2), b"x" * (MAX_MESSAGE_BYTES + 1))

    with pytest.raises(MessageTooLarge):
        await bus.publish([a_fact(1), large])

    assert await bus.last_sequence("LEVEE_ROUTER") == 0


async def test_the_largest_message_allowed_arrives(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    large = Message("levee.router.request.routed.v1", UUID(int=2), b"x" * MAX_MESSAGE_BYTES)

    assert list(await bus.publish([large])) == [1]

    (heard,) = await taken(subscription, 1)
    assert len(heard.message.body) == MAX_MESSAGE_BYTES


@pytest.mark.parametrize(
    "subject",
    [
        "levee.nobody.x.v1",
        "levee.router",
        "other.router.x",
        "levee.router.a b",
        "levee.router.a..b",
    ],
)
async def test_a_subject_no_stream_stores_is_refused(bus: Bus, subject: str) -> None:
    with pytest.raises(SubjectUnknown):
        await bus.publish([a_fact(1, subject)])


async def test_lag_is_what_is_not_settled(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    assert await bus.lag(CLOCK) == 0
    await bus.publish(facts(5))
    held = await taken(subscription, 3)
    await held[0].ack()

    async def is_four() -> bool:
        return await bus.lag(CLOCK) == 4

    await until(is_four)


async def test_what_is_settled_ends_before_the_first_message_that_is_not(bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    await bus.publish(facts(5))
    held = await taken(subscription, 5)
    assert await bus.settled_upto(CLOCK) == 0
    for delivery in (held[0], held[1], held[3]):
        await delivery.ack()

    async def is_settled_up_to(sequence: int) -> bool:
        return await bus.settled_upto(CLOCK) == sequence

    await until(lambda: is_settled_up_to(2))
    await held[4].ack()
    await held[2].ack()
    await until(lambda: is_settled_up_to(5))


async def test_nobody_knows_the_lag_of_a_durable_that_is_not_there(bus: Bus) -> None:
    assert await bus.lag(ConsumerSpec("LEVEE_ROUTER", "nobody")) is None
    assert await bus.settled_upto(ConsumerSpec("LEVEE_ROUTER", "nobody")) is None


async def test_a_broker_that_is_away_raises_nothing_and_everything_works_afterwards(
    stage: Stage, bus: Bus
) -> None:
    subscription = await bus.subscribe([CLOCK])
    assert list(await bus.publish([a_fact(1)])) == [1]
    (held,) = await taken(subscription, 1)
    waiting = asyncio.ensure_future(subscription.take(10))

    await stage.break_down()
    async with asyncio.timeout(4):
        assert list(await bus.publish(facts(600)[1:])) == [None] * 599
    await until(lambda: not bus.is_connected)
    await held.ack()
    await held.retry(0)
    assert await bus.last_sequence("LEVEE_ROUTER") is None
    assert await bus.lag(CLOCK) is None
    assert await bus.settled_upto(CLOCK) is None
    await stage.come_back()

    await until(lambda: bus.is_connected, within_s=3)
    assert bus.reconnects == 1
    sequences = await bus.publish(facts(2))
    assert list(sequences) == [1, 2]
    async with asyncio.timeout(3):
        woken = await waiting
    assert woken
    # The first was handed out before; whether its ack got through is not known.
    assert set(numbers(list(woken))) <= {1, 2}


async def test_what_was_acknowledged_to_the_publisher_survives_the_crash_of_the_broker(
    stage: Stage, bus: Bus
) -> None:
    await bus.publish(facts(50))
    await stage.break_down()
    await stage.come_back()
    subscription = await bus.subscribe([CLOCK])

    assert numbers(await taken(subscription, 50)) == list(range(1, 51))


async def test_a_subscription_made_while_the_broker_is_away_pulls_when_it_is_back(
    stage: Stage, bus: Bus
) -> None:
    await bus.publish(facts(2))
    await stage.break_down()
    await until(lambda: not bus.is_connected)
    subscription = await bus.subscribe([CLOCK])
    waiting = asyncio.ensure_future(taken(subscription, 2))
    await stage.come_back()

    assert numbers(await waiting) == [1, 2]


async def test_activity_is_settled_when_every_open_durable_has_acked(
    stage: Stage, bus: Bus
) -> None:
    subscriptions = [
        await bus.subscribe([ConsumerSpec("LEVEE_ROUTER", name)])
        for name in ("clock", "clock", "insight")
    ]

    await bus.publish([*facts(3), a_fact(2), a_fact(9, "levee.intake.request.submitted.v1")])

    assert stage.activity.count == 6
    for delivery in await taken(subscriptions[0], 3):
        await delivery.ack()
        await delivery.ack()
    assert stage.activity.count == 3
    for delivery in await taken(subscriptions[2], 3):
        await delivery.ack()
    assert stage.activity.count == 0
    async with asyncio.timeout(1):
        await stage.activity.settled()


async def test_what_is_superseded_before_it_is_handed_out_is_no_activity(
    stage: Stage, bus: Bus
) -> None:
    subscription = await bus.subscribe([ConsumerSpec(DEFINITIONS_STREAM, "clock")])

    await bus.publish([a_fact(n, "levee.definitions.definition.vpn") for n in (1, 2, 3)])

    assert stage.activity.count == 1
    for delivery in await taken(subscription, 1):
        await delivery.ack()
    assert stage.activity.count == 0


async def test_a_message_delivered_again_does_not_count_again(stage: Stage, bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    await bus.publish([a_fact(1)])
    await taken(subscription, 1)
    stage.pass_time(1)
    (again,) = await taken(subscription, 1)

    assert stage.activity.count == 1
    await again.ack()
    assert stage.activity.count == 0


async def test_what_a_closed_durable_has_not_settled_is_no_activity(stage: Stage, bus: Bus) -> None:
    subscription = await bus.subscribe([CLOCK])
    await bus.publish(facts(3))
    (held,) = await taken(subscription, 1)

    await subscription.close()

    assert stage.activity.count == 0
    await held.ack()
    assert stage.activity.count == 0
