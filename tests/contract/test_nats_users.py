"""One NATS user per service: each may do its own work on a real server, and nothing else."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING
from uuid import UUID

import nats
import orjson
import pytest
from pydantic import SecretStr

from services.clock.settings import Settings
from shared.bus.nats import connect
from shared.bus.port import STREAMS, ConsumerSpec, Message, publisher_of
from shared.events.register import PUBLISHERS
from shared.service import surroundings
from shared.time_source import SystemTime
from tests.harness.nats_house import NatsHouse, nats_house
from tests.harness.receivers.certificates import make_certificate
from tests.harness.waiting import until
from tools.nats_users import ROOT, SERVICES, files, permissions

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.client import Client

    from shared.bus.nats import NatsBus


def test_the_committed_permissions_are_those_of_the_code() -> None:
    for path, text in files().items():
        assert (ROOT / path).read_text(encoding="utf-8") == text, "run make events"


def test_nobody_may_publish_for_another() -> None:
    for service in SERVICES:
        facts = [s for s in permissions(service)["publish"] if s.startswith("levee.")]
        own = {f"levee.{service}.>"} | ({"levee.definitions.>"} if service == "router" else set())
        assert set(facts) == (own if service in PUBLISHERS else set())


@asynccontextmanager
async def connected(house: NatsHouse, service: str) -> AsyncIterator[NatsBus]:
    bus = await connect(
        house.url.split(","),
        name=service,
        time=SystemTime(),
        user=service,
        password=house.password_of(service),
        owner=service,
    )
    try:
        yield bus
    finally:
        await bus.close()


class Intruder:
    """A client with a service's user that tries what it must not."""

    def __init__(self, client: Client, refused: list[str]) -> None:
        self._client, self._refused = client, refused

    async def is_refused(self, subject: str, body: bytes = b"{}") -> bool:
        """Whether the server says no to publishing."""
        before = len(self._refused)
        await self._client.publish(subject, body)
        return await self._was_refused(before)

    async def may_not_hear(self, subject: str) -> bool:
        """Whether the server says no to listening."""
        before = len(self._refused)
        await self._client.subscribe(subject)
        return await self._was_refused(before)

    async def _was_refused(self, before: int) -> bool:
        await self._client.flush()
        try:
            await until(lambda: len(self._refused) > before, 0.5)
        except TimeoutError:
            return False
        return "permissions violation" in self._refused[-1].lower()


@asynccontextmanager
async def intruder(house: NatsHouse, service: str) -> AsyncIterator[Intruder]:
    refused: list[str] = []

    async def note(problem: Exception) -> None:
        refused.append(str(problem))

    password = house.password_of(service)
    client = await nats.connect(house.url, user=service, password=password, error_cb=note)
    try:
        yield Intruder(client, refused)
    finally:
        await client.close()


@pytest.mark.nats
@pytest.mark.announces("nats: encountered error")
async def test_each_user_may_do_its_own_work_and_nothing_else(tmp_path: Path) -> None:
    async with nats_house(tmp_path) as house:
        for number, service in enumerate(PUBLISHERS, 1):
            async with connected(house, service) as bus:
                fact = Message(f"levee.{service}.something.said.v1", UUID(int=number), b"{}")
                assert list(await bus.publish([fact])) == [1]
                assert await bus.last_sequence(f"LEVEE_{service.upper()}") == 1
        for service in SERVICES:
            async with connected(house, service) as bus:
                for heard in heard_by(service):
                    await bus.subscribe([heard])
                    assert await bus.settled_upto(heard) is not None
            async with intruder(house, service) as somebody:
                await assert_refused(somebody, service)


def heard_by(service: str) -> list[ConsumerSpec]:
    """Return the durables a service may use, as its user's permissions name them."""
    asked = [s.split(".") for s in permissions(service)["publish"] if ".CONSUMER.INFO." in s]
    return [ConsumerSpec(stream, durable) for *_, stream, durable in asked]


async def assert_refused(somebody: Intruder, service: str) -> None:
    for other in {*PUBLISHERS, "definitions"} - {service}:
        if (service, other) != ("router", "definitions"):
            assert await somebody.is_refused(f"levee.{other}.something.said.v1"), other
    for stream in STREAMS:
        assert await somebody.is_refused(f"$JS.API.STREAM.DELETE.{stream.name}")
        assert await somebody.is_refused(f"$JS.API.STREAM.PURGE.{stream.name}")
        if publisher_of(stream.name) != service:
            assert await somebody.is_refused(f"$JS.API.STREAM.UPDATE.{stream.name}")
            assert await somebody.is_refused(f"$JS.API.STREAM.CREATE.{stream.name}")
    assert await somebody.may_not_hear("levee.>")
    assert await somebody.may_not_hear("_INBOX.>")


@pytest.mark.nats
async def test_a_wrong_password_is_no_connection(tmp_path: Path) -> None:
    async with nats_house(tmp_path) as house:
        bus = await connect(
            house.url, name="clock", time=SystemTime(), user="clock", password="guessed"
        )
        try:
            assert not bus.is_connected
        finally:
            await bus.close()


@pytest.mark.nats
async def test_the_operator_may_look_at_every_stream(tmp_path: Path) -> None:
    async with nats_house(tmp_path) as house:
        async with connected(house, "intake"):
            pass
        password = house.password_of("operator")
        client = await nats.connect(house.url, user="operator", password=password)
        try:
            async with asyncio.timeout(5):
                answer = await client.request("$JS.API.STREAM.NAMES", b"")
            assert orjson.loads(answer.data)["streams"] == ["LEVEE_INTAKE"]
        finally:
            await client.close()


@pytest.mark.nats
@pytest.mark.parametrize("is_trusted", [True, False])
async def test_services_speak_tls_with_whom_they_trust(tmp_path: Path, is_trusted: bool) -> None:
    certificate = make_certificate(tmp_path)
    async with nats_house(tmp_path, tls=certificate) as house:
        settings = Settings(
            nats_url=house.url,
            nats_user="clock",
            nats_password=SecretStr(house.password_of("clock")),
            nats_ca=certificate.certificate if is_trusted else None,
        )
        async with surroundings(settings, "clock") as given:
            assert given.bus.is_connected == is_trusted
