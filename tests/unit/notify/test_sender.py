"""Many deliveries at once, each provider at its own pace."""

from __future__ import annotations

import asyncio
from uuid import UUID

from services.notify.gateways import Job, Sender
from shared.time_source import Activity
from tests.harness.waiting import until
from tests.unit.notify.builders import a_delivery


class Carrier:
    """Holds jobs of the lanes it was told to hold; lets the others through."""

    def __init__(self, *held: str) -> None:
        self.held, self.begun, self.done = set(held), list[Job](), list[Job]()
        self.release = asyncio.Event()

    async def carry(self, job: Job) -> None:
        self.begun.append(job)
        if job.lane in self.held:
            await self.release.wait()
        self.done.append(job)


def offer(sender: Sender, number: int, lane: str, *, is_urgent: bool = False) -> None:
    channel = lane.partition(":")[0]
    sender.offer(a_delivery(id=UUID(int=number), channel=channel, lane=lane, is_urgent=is_urgent))


async def test_a_slow_provider_keeps_only_its_own_lane_busy() -> None:
    carrier, activity = Carrier("webhook:slow"), Activity()
    sender = Sender(activity, drain_s=0)
    sender.carry_with(carrier.carry)
    running = asyncio.create_task(sender.run())
    for number in range(20):
        offer(sender, number, "webhook:slow")
    for number in range(20, 40):
        offer(sender, number, "webhook:fast")

    await until(lambda: len(carrier.done) == 20)

    assert {job.lane for job in carrier.done} == {"webhook:fast"}
    assert (sender.running, sender.waiting) == (2, 18)
    carrier.release.set()
    await activity.settled()
    assert len(carrier.done) == 40
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_urgent_deliveries_go_first_and_the_others_in_their_order() -> None:
    carrier, activity = Carrier(), Activity()
    sender = Sender(activity)
    sender.carry_with(carrier.carry)
    for number in (1, 2, 3):
        offer(sender, number, "wecom_robot:a")
    offer(sender, 4, "wecom_robot:a", is_urgent=True)
    running = asyncio.create_task(sender.run())

    await activity.settled()

    assert [job.delivery_id.int for job in carrier.begun] == [4, 1, 2, 3]
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_delivery_that_is_here_already_is_not_taken_twice() -> None:
    carrier, activity = Carrier("email"), Activity()
    sender = Sender(activity, drain_s=0)
    sender.carry_with(carrier.carry)
    running = asyncio.create_task(sender.run())
    offer(sender, 1, "email")
    await until(lambda: carrier.begun)
    offer(sender, 1, "email")

    carrier.release.set()
    await activity.settled()

    assert len(carrier.begun) == 1
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_stopping_sender_lets_what_runs_finish_and_begins_nothing_new() -> None:
    carrier, activity = Carrier("email"), Activity()
    sender = Sender(activity, drain_s=5)
    sender.carry_with(carrier.carry)
    running = asyncio.create_task(sender.run())
    for number in range(12):
        offer(sender, number, "email")
    await until(lambda: len(carrier.begun) == 8)

    running.cancel()
    carrier.release.set()
    await asyncio.gather(running, return_exceptions=True)

    assert (len(carrier.done), activity.count) == (8, 0)


async def test_a_fault_of_ours_leaves_the_lane_open(announced_errors: object) -> None:
    announced_errors.expect("failed here")  # type: ignore[attr-defined]
    activity, seen = Activity(), list[UUID]()

    async def carry(job: Job) -> None:
        seen.append(job.delivery_id)
        raise ValueError("no")

    sender = Sender(activity)
    sender.carry_with(carry)
    running = asyncio.create_task(sender.run())
    for number in range(5):
        offer(sender, number, "wecom_robot:a")

    await activity.settled()

    assert len(seen) == 5
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
