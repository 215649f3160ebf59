"""A cluster that has lost its leader: whoever starts meanwhile waits, and hears all of it later."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import nats
import pytest

from shared.bus.nats import connect
from shared.bus.nats.api import JetStreamAway, declare_consumer
from shared.bus.port import BusUnavailable, ConsumerSpec, Message
from shared.time_source import SystemTime
from tests.harness.nats_house import NatsHouse, nats_house
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from shared.bus.nats import NatsBus

pytestmark = [pytest.mark.nats, pytest.mark.slow]

OWN = ConsumerSpec("LEVEE_INTAKE", "insight-levee_intake")


@asynccontextmanager
async def connected(house: NatsHouse, service: str, nodes: int = 3) -> AsyncIterator[NatsBus]:
    bus = await connect(
        house.url.split(",")[:nodes],
        name=service,
        time=SystemTime(),
        user=service,
        password=house.password_of(service),
        replicas=3,
        owner=service,
    )
    try:
        yield bus
    finally:
        await bus.close()


async def test_who_declares_no_stream_may_start_on_a_cluster_without_a_leader(
    tmp_path: Path,
) -> None:
    async with nats_house(tmp_path, 3) as house, connected(house, "intake") as intake:
        await until(lambda: intake.is_connected, 60)
        fact = Message("levee.intake.request.submitted.v1", UUID(int=1), b"{}")
        assert list(await intake.publish([fact])) == [1]
        await loses_its_leader(house)

        async with connected(house, "insight", nodes=1) as insight:
            assert insight.is_connected
            subscription = await insight.subscribe([OWN])

            for node in house.nodes[1:]:
                await node.start()
            (delivery,) = await subscription.take(10)

            assert delivery.message == fact
            await delivery.ack()


async def loses_its_leader(house: NatsHouse) -> None:
    """Kill two of three; return once the third knows that there is no leader."""
    for node in house.nodes[1:]:
        node.kill()
    password = house.password_of("operator")
    url = f"nats://127.0.0.1:{house.nodes[0].port}"
    client = await nats.connect(url, user="operator", password=password)

    async def is_away() -> bool:
        try:
            await declare_consumer(client, OWN)
        except JetStreamAway:
            return True
        except BusUnavailable:  # it does not answer at all yet
            return False
        return False

    try:
        await until(is_away, 60)
    finally:
        await client.close()
