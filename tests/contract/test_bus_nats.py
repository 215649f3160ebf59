"""What only the bus on NATS does: servers that are old, absent, replaced or tampered with."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import nats
import pytest

from shared.bus.nats import connect
from shared.bus.nats.bus import BusAddressInvalid, NkeysMissing
from shared.bus.port import (
    STREAMS,
    BusClosed,
    BusTooOld,
    BusUnavailable,
    ConsumerSpec,
    Message,
    kept_streams,
)
from shared.bus.server import NatsServer
from shared.time_source import Activity, SystemTime
from tests.harness.nats import nats_server
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.aio.client import Client

    from shared.bus.nats import NatsBus

pytestmark = pytest.mark.nats

CLOCK = ConsumerSpec("LEVEE_ROUTER", "clock")


def a_fact(number: int) -> Message:
    return Message("levee.router.request.routed.v1", UUID(int=number), b"{}")


def a_free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@asynccontextmanager
async def bus_on(*urls: str, activity: Activity | None = None) -> AsyncIterator[NatsBus]:
    bus = await connect(list(urls), name="test", time=SystemTime(), activity=activity)
    try:
        yield bus
    finally:
        await bus.close()


@asynccontextmanager
async def old_server(port: int = 0) -> AsyncIterator[str]:
    """Speak as much of the protocol as a nats-server 2.9.10 does before anything is asked."""
    writers: list[asyncio.StreamWriter] = []

    async def greet(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writers.append(writer)
        hello = {"server_id": "OLD", "version": "2.9.10", "max_payload": 1 << 20, "headers": True}
        writer.write(f"INFO {json.dumps(hello)}\r\n".encode())
        while line := await reader.readline():
            if line.startswith(b"PING"):
                writer.write(b"PONG\r\n")

    server = await asyncio.start_server(greet, "127.0.0.1", port)
    try:
        yield f"nats://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        for writer in writers:
            writer.close()
            await writer.wait_closed()
        await server.wait_closed()


@asynccontextmanager
async def an_operator(store: Path) -> AsyncIterator[tuple[NatsBus, Client]]:
    """Run a bus on a server, beside somebody who can do anything to it."""
    async with nats_server(store) as server, bus_on(server.url) as bus:
        client = await nats.connect(server.url)
        try:
            yield bus, client
        finally:
            await client.close()


async def config_of(client: Client, stream: str) -> dict[str, Any]:
    answer = await client.request(f"$JS.API.STREAM.INFO.{stream}", b"")
    config: dict[str, Any] = json.loads(answer.data)["config"]
    return config


async def test_a_server_older_than_2_12_is_refused() -> None:
    async with old_server() as url:
        with pytest.raises(BusTooOld, match=r"2\.9\.10 is older than 2\.12"):
            await connect(url, name="test", time=SystemTime())


async def test_an_older_server_met_after_a_reconnect_is_not_used(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server, bus_on(server.url) as bus:
        await server.stop()
        async with old_server(server.port or 0):
            await until(lambda: bus.refusal is not None)

            assert not bus.is_connected
            assert list(await bus.publish([a_fact(1)])) == [None]

        await server.start()
        await until(lambda: bus.is_connected)
        assert bus.refusal is None


async def test_a_bus_can_be_started_while_its_server_is_down(tmp_path: Path) -> None:
    server = NatsServer(tmp_path, port=a_free_port())
    activity = Activity()
    async with asyncio.timeout(10), bus_on(server.url, activity=activity) as bus:
        assert not bus.is_connected
        assert list(await bus.publish([a_fact(1)])) == [None]
        with pytest.raises(BusUnavailable):
            await bus.declare_streams()
        subscription = await bus.subscribe([CLOCK])
        waiting = asyncio.ensure_future(subscription.take(10))

        await server.start()
        try:
            await until(lambda: bus.is_connected, within_s=3)
            assert list(await bus.publish([a_fact(1)])) == [1]
            (delivery,) = await waiting
            assert delivery.message == a_fact(1)
            await delivery.ack()
            assert (activity.count, bus.reconnects) == (0, 0)
        finally:
            await server.stop()


async def test_a_bus_whose_server_never_came_can_be_closed() -> None:
    async with asyncio.timeout(5), bus_on(f"nats://127.0.0.1:{a_free_port()}") as bus:
        waiting = asyncio.ensure_future((await bus.subscribe([CLOCK])).take(1))
    with pytest.raises(BusClosed):
        await waiting


async def test_another_server_of_the_list_is_used_when_the_first_is_away(tmp_path: Path) -> None:
    away = f"nats://127.0.0.1:{a_free_port()}"
    async with nats_server(tmp_path) as server, bus_on(away, server.url) as bus:
        await until(lambda: bus.is_connected)


async def test_streams_are_as_declared_and_declaring_again_changes_nothing(
    tmp_path: Path,
) -> None:
    async with an_operator(tmp_path) as (bus, operator):
        await bus.declare_streams()

        for spec in STREAMS:
            config = await config_of(operator, spec.name)
            assert tuple(config["subjects"]) == spec.subjects
            assert config["storage"] == "file"
            assert config["duplicate_window"] == 120 * 10**9
            assert config["max_age"] == spec.max_age / timedelta(microseconds=1) * 1000
            assert config["max_msgs_per_subject"] == (1 if spec.is_last_per_subject else -1)


async def test_declaring_mends_what_differs_and_keeps_what_an_operator_added(
    tmp_path: Path,
) -> None:
    async with an_operator(tmp_path) as (bus, operator):
        config = await config_of(operator, "LEVEE_ROUTER")
        altered = {**config, "max_age": 10**12, "max_bytes": 10**9}
        await operator.request("$JS.API.STREAM.UPDATE.LEVEE_ROUTER", json.dumps(altered).encode())

        await bus.declare_streams()

        mended = await config_of(operator, "LEVEE_ROUTER")
        assert (mended["max_age"], mended["max_bytes"]) == (config["max_age"], 10**9)


async def test_a_stream_is_kept_as_long_and_as_large_as_its_publisher_was_told(
    tmp_path: Path,
) -> None:
    keeps = {"router": (timedelta(days=7), 256 * 2**20), "clock": (timedelta(days=3), None)}
    async with an_operator(tmp_path) as (_, operator):
        bus = await connect(
            operator.servers[0].geturl(),
            name="test",
            time=SystemTime(),
            streams=kept_streams(keeps),
        )
        await bus.close()

        kept = {name: await config_of(operator, f"LEVEE_{name}") for name in ("ROUTER", "CLOCK")}
        lasting = await config_of(operator, "LEVEE_DEFINITIONS")
        assert (kept["ROUTER"]["max_age"], kept["ROUTER"]["max_bytes"]) == (
            7 * 86_400 * 10**9,
            256 * 2**20,
        )
        assert (kept["CLOCK"]["max_age"], kept["CLOCK"]["max_bytes"]) == (3 * 86_400 * 10**9, -1)
        assert lasting["max_age"] == 0


async def test_a_consumer_deleted_by_hand_is_made_again_and_delivers(tmp_path: Path) -> None:
    async with an_operator(tmp_path) as (bus, operator):
        subscription = await bus.subscribe([CLOCK])
        waiting = asyncio.ensure_future(subscription.take(1))
        await operator.request("$JS.API.CONSUMER.DELETE.LEVEE_ROUTER.clock", b"")
        await bus.publish([a_fact(1)])

        async with asyncio.timeout(5):
            (delivery,) = await waiting
        assert delivery.message == a_fact(1)


async def test_a_stream_deleted_by_hand_is_made_again(tmp_path: Path) -> None:
    async with an_operator(tmp_path) as (bus, operator):
        await operator.request("$JS.API.STREAM.DELETE.LEVEE_ROUTER", b"")

        async def is_stored() -> bool:
            return list(await bus.publish([a_fact(1)])) == [1]

        await until(is_stored)


async def test_no_publisher_waits_longer_than_four_seconds_for_a_server_that_hangs(
    tmp_path: Path,
) -> None:
    async with nats_server(tmp_path) as server, bus_on(server.url) as bus:
        pid = int((tmp_path / "server.lock").read_text())
        os.kill(pid, signal.SIGSTOP)
        try:
            large = [Message(a_fact(1).subject, UUID(int=n), b"x" * 100_000) for n in range(1, 61)]
            async with asyncio.timeout(4.5):
                assert list(await bus.publish(large)) == [None] * 60
        finally:
            os.kill(pid, signal.SIGCONT)

        async def is_stored() -> bool:
            return None not in await bus.publish(large)

        await until(is_stored, within_s=10)
        assert await bus.last_sequence("LEVEE_ROUTER") == 60


async def test_nothing_is_lost_while_the_server_is_killed_again_and_again(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server, bus_on(server.url) as bus:
        spec = ConsumerSpec("LEVEE_ROUTER", "clock", ack_wait=timedelta(seconds=1))
        subscription = await bus.subscribe([spec])
        heard: set[int] = set()

        async def consume() -> None:
            while True:
                for delivery in await subscription.take(50):
                    heard.add(delivery.message.id.int)
                    await delivery.ack()

        async def disturb() -> None:
            for after in (100, 400, 700):
                await until(lambda after=after: len(heard) >= after, within_s=15)
                await server.kill()
                await server.start()

        consuming, disturbing = asyncio.ensure_future(consume()), asyncio.ensure_future(disturb())
        for start in range(1, 1001, 20):
            batch = [a_fact(number) for number in range(start, start + 20)]

            async def is_stored(batch: list[Message] = batch) -> bool:
                return None not in await bus.publish(batch)

            await until(is_stored, within_s=10)
        await disturbing
        await until(lambda: len(heard) == 1000, within_s=10)
        consuming.cancel()
        await asyncio.wait({consuming})

        assert await bus.last_sequence("LEVEE_ROUTER") == 1000
        assert bus.reconnects == 3


async def test_what_lies_prefetched_at_close_goes_back_at_once(tmp_path: Path) -> None:
    async with nats_server(tmp_path) as server, bus_on(server.url) as bus:
        first = await bus.subscribe([CLOCK])
        await bus.publish([a_fact(number) for number in range(1, 21)])
        (taken,) = await first.take(1)
        await taken.ack()
        await first.close()

        second = await bus.subscribe([CLOCK])
        heard: list[int] = []
        async with asyncio.timeout(2):
            while len(heard) < 19:
                heard += [d.message.id.int for d in await second.take(20)]

        assert sorted(heard) == list(range(2, 21))


async def test_what_strangers_publish_without_an_id_gets_one_each_and_keeps_it(
    tmp_path: Path,
) -> None:
    async with an_operator(tmp_path) as (bus, client):
        pull = await bus.subscribe([CLOCK])
        for body in (b"one", b"two"):
            await client.request("levee.router.request.routed.v1", body)
        heard: list[tuple[UUID, bytes]] = []
        async with asyncio.timeout(5):
            while len(heard) < 2:
                for delivery in await pull.take(10):
                    heard.append((delivery.message.id, delivery.message.body))
                    await delivery.retry(0)
            again = [d.message.id for d in await pull.take(10)]

        assert [body for _, body in heard] == [b"one", b"two"]
        assert len({id_ for id_, _ in heard}) == 2
        assert set(again) <= {id_ for id_, _ in heard}


@pytest.mark.parametrize("url", ["", "nats://", "http://host:80", "ws://host"])
async def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(BusAddressInvalid):
        await connect(url, name="test", time=SystemTime())


async def test_a_credentials_file_without_its_package_says_what_to_install(
    tmp_path: Path,
) -> None:
    with pytest.raises(NkeysMissing, match=r"pip install 'nats-py\[nkeys\]'"):
        await connect("nats://host", name="test", time=SystemTime(), creds=tmp_path)
