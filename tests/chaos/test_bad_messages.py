"""Messages twice, late, early, broken or unknown, put among the real ones on a real broker."""

from __future__ import annotations

import sqlite3
from contextlib import asynccontextmanager, closing
from typing import TYPE_CHECKING, Any

import nats
import orjson
import pytest

from levee.house import NAMES
from shared.id_source import SeededIds
from shared.time_source import SystemTime
from tests.harness.journey import a_post
from tests.harness.town_processes import town_of_processes
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from nats.js import JetStreamContext

    from tests.harness.town import Town

pytestmark = [pytest.mark.nats, pytest.mark.slow]

IDS = SeededIds(SystemTime(), 7)
_SUBMITTED = "levee.intake.request.submitted.v1"
#: What a broken event claims to be about.
_NO_REQUEST = "of-no-request"
#: What nobody can make sense of.
_GARBAGE = (b"\xff\x00", b"", b"[]", b'{"id": 1}')


@asynccontextmanager
async def operator(town: Town, folder: Path) -> AsyncIterator[JetStreamContext]:
    """Be the user who may publish anything."""
    password = (folder / "secrets" / "operator" / "nats-password").read_text()
    client = await nats.connect(
        f"nats://127.0.0.1:{town.nodes[0].port}", user="operator", password=password
    )
    try:
        yield client.jetstream()
    finally:
        await client.close()


def said_by_intake(folder: Path) -> list[dict[str, Any]]:
    """Return the facts intake ever said, from its outbox, whether it runs or not."""
    with closing(sqlite3.connect(folder / "intake.db")) as database:
        wanted = "SELECT body FROM outbox WHERE stream = 'LEVEE_INTAKE' ORDER BY id"
        return [orjson.loads(row[0]) for row in database.execute(wanted)]


async def publish(stream: JetStreamContext, event: dict[str, Any]) -> None:
    """Publish an event as if the broker had never seen it."""
    subject = f"levee.intake.{event['type']}"
    headers = {"Nats-Msg-Id": str(IDS.new())}  # one it does not know: the broker drops nothing
    await stream.publish(subject, orjson.dumps(event), headers=headers)


async def test_what_comes_twice_early_or_broken_harms_nothing_and_is_visible(
    tmp_path: Path,
) -> None:
    urls = {name: f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in NAMES}
    async with town_of_processes(tmp_path, urls) as town:
        await town.load(clients=3, posts=4, pause_s=0)
        early = await says_early(town, tmp_path)
        async with operator(town, tmp_path) as stream:
            for event in reversed(said_by_intake(tmp_path)):
                await publish(stream, event)  # twice, late, and the last first
            await publish_broken(stream, said_by_intake(tmp_path)[0])
        town.invented.add(_NO_REQUEST)
        aside = await is_set_aside(town)
        await dismiss(town, aside)
        await town.comes_to_rest(within_s=60)
        await town.assert_adds_up()
        await town.stop()

        await town.assert_nothing_lost_or_doubled()
        errors = [line for process in town.processes for line in process.error_lines()]
        assert [line for line in errors if "set aside" not in line] == []
        heard = await town.rows("router", f"SELECT state FROM requests WHERE id = '{early}'")
        assert heard == [("cancelled",)]


async def says_early(town: Town, folder: Path) -> str:
    """Let a withdrawal be heard before the request it withdraws; return the request's id."""
    intake = next(process for process in town.processes if process.name.startswith("intake"))
    place = f"{town.bases['intake']}/intake/v1/requests"
    town.nodes[0].kill()
    async with town.http() as http:
        headers = {"Idempotency-Key": "early"}
        answer = await http.post(place, json=a_post("Early"), headers=headers)
        request_id = str(answer.json()["id"])
        town.accepted["early"] = request_id
        await http.post(f"{place}/{request_id}/withdraw", json={})
        town.withdrawn.add(request_id)
    intake.kill()
    await town.nodes[0].start()
    said = [event for event in said_by_intake(folder) if event["subject"] == request_id]
    async with operator(town, folder) as stream:
        await publish(stream, said[-1])
        await until(lambda: is_parked(town, request_id), 20)
    intake.start()
    await intake.answers(within_s=60)
    return request_id


async def is_parked(town: Town, request_id: str) -> bool:
    """Tell whether the router has something about a request that waits for its predecessor."""
    async with town.http() as http:
        place = f"{town.bases['router']}/router/v1/setaside?waiting=true&request_id={request_id}"
        return bool((await http.get(place)).json()["total"])


async def publish_broken(stream: JetStreamContext, model: dict[str, Any]) -> None:
    """Publish what cannot be read, what breaks the schema, and a version nobody knows yet."""
    for body in _GARBAGE:
        await stream.publish(_SUBMITTED, body)
    other = {**model, "subject": _NO_REQUEST, "correlation_id": _NO_REQUEST}
    await publish(stream, {**other, "id": str(IDS.new()), "sequence": 1, "data": {"title": 7}})
    unknown = {**other, "id": str(IDS.new()), "sequence": 2, "type": "request.submitted.v99"}
    await publish(stream, unknown)


async def is_set_aside(town: Town) -> dict[str, list[dict[str, Any]]]:
    """Return per service what was set aside, once all of it was."""
    found: dict[str, list[dict[str, Any]]] = {}

    async def is_all_there() -> bool:
        async with town.http() as http:
            for name in NAMES:
                told = (await http.get(f"{town.bases[name]}/{name}/v1/setaside")).json()
                found[name] = told["items"]
        return len(found["router"]) == len(_GARBAGE) + 1

    await until(is_all_there, 30)
    codes = {item["code"] for items in found.values() for item in items}
    assert codes == {"unreadable"}
    assert all(item["detail"] for items in found.values() for item in items)
    return found


async def dismiss(town: Town, aside: dict[str, list[dict[str, Any]]]) -> None:
    """Replay each (it fails again and stays), then give it up with a reason."""
    async with town.http() as http:
        for name, items in aside.items():
            for item in items:
                place = f"{town.bases[name]}/{name}/v1/setaside/{item['event_id']}"
                replayed = await http.post(f"{place}/replay")
                assert replayed.json()["is_done"] is False
                answer = await http.post(f"{place}/dismiss", json={"reason": "no event of ours"})
                assert answer.is_success, answer.text
