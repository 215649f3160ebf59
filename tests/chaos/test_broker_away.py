"""The broker is away for minutes: posts go on being answered, and it all flows when it is back."""

from __future__ import annotations

import sys
from collections import defaultdict
from typing import TYPE_CHECKING

import nats
import orjson
import pytest

from levee.house import NAMES
from shared.bus.port import STREAMS, publisher_of
from shared.time_source import SystemTime
from tests.benchmarks.processor import resident_mb
from tests.harness.town_processes import town_of_processes
from tests.harness.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.town import Town

pytestmark = pytest.mark.nats

#: Nothing is purged before the rows are compared at the end.
_KEPT = {name: {"KEEP_PUBLISHED_S": "7200"} for name in NAMES}
#: What a service may grow by while it publishes nothing: allocators keep what they once had, and
#: 20,000 rows wait in memory at most.
_GROWN_MB = 48.0
#: How long what waited may take to leave the outboxes, on a busy machine.
_DRAINED_S, _PER_S = 20.0, 40.0


async def stay_away(town: Town, seconds: float, clients: int, pause_s: float) -> None:
    """Stop the broker under load, let posts go on, bring it back, and come to rest."""
    machine, (node,) = SystemTime(), town.nodes
    intake = next(p for p in town.processes if p.name.startswith("intake"))
    await town.load(clients=2, posts=4, pause_s=0.1)  # every code path has been gone
    async with town.under_load(clients, pause_s):
        await town.more_requests(5)
        node.stop()
        before, refused, grown_from = len(town.accepted), town.tried_again, resident_mb(intake.pid)
        await machine.sleep(seconds)
        taken, grown_mb = len(town.accepted) - before, resident_mb(intake.pid) - grown_from
        waiting = await unpublished(town)
        assert town.tried_again == refused, "a post was refused although only the broker was away"
        assert taken > seconds / 4 / pause_s, "posts did not go on as before"
        assert waiting >= taken, "the outbox did not hold what was accepted"
        assert grown_mb < _GROWN_MB
        assert await says_so(town)
        await node.start()
        began = machine.monotonic()
        await until(lambda: is_drained(town), _DRAINED_S + waiting / _PER_S)
        took_s = machine.monotonic() - began
    sys.stderr.write(
        f"away {seconds:g} s: {taken} accepted, {waiting} rows of intake waited, it grew by "
        f"{grown_mb:.1f} MB, drained after {took_s:.1f} s\n"
    )
    await town.comes_to_rest(within_s=60 + taken / 4)


async def unpublished(town: Town) -> int:
    """Return how many rows wait in intake's outbox, as its readiness tells."""
    async with town.http() as http:
        told = (await http.get(f"{town.bases['intake']}/intake/ready")).json()
    return int(told["checks"]["outbox"]["detail"].split()[0])


async def says_so(town: Town) -> bool:
    """Tell whether every service says that it works and that the bus is away."""
    async with town.http() as http:
        for name in NAMES:
            answer = await http.get(f"{town.bases[name]}/{name}/ready")
            told = answer.json()
            is_so = told["status"] == "degraded" and not told["checks"]["bus"]["is_well"]
            if answer.status_code != 200 or not is_so:
                return False
    return True


async def is_drained(town: Town) -> bool:
    """Tell whether intake has published what waited: what is new leaves at once."""
    return await unpublished(town) < 50


async def assert_order_was_kept(town: Town, folder: Path) -> None:
    """What each publisher said of a request stands in its stream in the order it was said."""
    password = (folder / "secrets" / "operator" / "nats-password").read_text()
    url = f"nats://127.0.0.1:{town.nodes[0].port}"
    client = await nats.connect(url, user="operator", password=password)
    try:
        for spec in STREAMS:
            if spec.is_last_per_subject or publisher_of(spec.name) not in NAMES:
                continue
            stream = client.jetstream()
            info = await stream.stream_info(spec.name)
            pull = await stream.pull_subscribe("", durable=None, stream=spec.name)
            heard: dict[str, list[int]] = defaultdict(list)
            left = info.state.messages
            while left:
                for message in await pull.fetch(min(left, 500), timeout=10):
                    event = orjson.loads(message.data)
                    heard[event["subject"]].append(event["sequence"])
                    await message.ack()
                    left -= 1
            for subject, numbers in heard.items():
                assert numbers == list(range(1, len(numbers) + 1)), (spec.name, subject)
    finally:
        await client.close()


async def survive(folder: Path, seconds: float, clients: int, pause_s: float) -> None:
    """Do without the broker, then compare every row."""
    urls = {name: f"sqlite+aiosqlite:///{folder / name}.db" for name in NAMES}
    async with town_of_processes(folder, urls, told=_KEPT) as town:
        await stay_away(town, seconds, clients, pause_s)
        await town.assert_adds_up()
        await assert_order_was_kept(town, folder)
        await town.stop()
        await town.assert_nothing_lost_or_doubled()
        assert [line for process in town.processes for line in process.error_lines()] == []


async def test_a_broker_that_is_away_for_a_while_stops_nobody_from_posting(
    tmp_path: Path,
) -> None:
    await survive(tmp_path, seconds=8, clients=4, pause_s=0.2)


@pytest.mark.slow
async def test_a_broker_that_is_away_for_minutes(tmp_path: Path) -> None:
    await survive(tmp_path, seconds=180, clients=4, pause_s=0.8)
