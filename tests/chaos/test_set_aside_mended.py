"""A message nobody could handle, its cause removed, replayed by an operator: all of it goes on.

A trigger in the router's database refuses one request, as a constraint of a botched change would.
The commands are those an operator types, against a running house.
"""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
from contextlib import closing
from typing import TYPE_CHECKING, Any

import orjson
import pytest

from tests.harness.journey import P1, a_post
from tests.harness.town_processes import town_in_one
from tests.harness.waiting import until

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.town import Town

pytestmark = pytest.mark.nats

_REFUSE = """
CREATE TRIGGER botched BEFORE INSERT ON requests WHEN NEW.number = '{number}'
BEGIN SELECT RAISE(ABORT, 'value not allowed here'); END
"""


def change(database: Path, statement: str) -> None:
    """Change the router's schema behind its back, as somebody with a shell would."""
    with closing(sqlite3.connect(database, timeout=10)) as connection, connection:
        connection.execute(statement)


async def levee(folder: Path, *arguments: str) -> tuple[int, str]:
    """Run the command line against the house on a folder; return its exit code and what it says."""
    command = [sys.executable, "-m", "levee", *arguments, "--data", str(folder)]
    done = await asyncio.to_thread(subprocess.run, command, capture_output=True, timeout=60)
    assert done.stderr == b"", done.stderr.decode()
    return done.returncode, done.stdout.decode()


async def post(town: Town, title: str) -> tuple[str, str]:
    """Post a request as the town's clients do; return its id and number."""
    place = f"{town.bases['intake']}/intake/v1/requests"
    async with town.http() as http:
        body = a_post(title, **P1)
        answer = await http.post(
            place, json=body, headers={"Idempotency-Key": title.replace(" ", "-")}
        )
    told: dict[str, Any] = answer.json()
    town.accepted[title] = str(told["id"])
    return str(told["id"]), str(told["number"])


async def withdraw(town: Town, request_id: str) -> None:
    """Withdraw it: an event that follows on the same request."""
    place = f"{town.bases['intake']}/intake/v1/requests/{request_id}/withdraw"
    async with town.http() as http:
        assert (await http.post(place, json={})).is_success
    town.withdrawn.add(request_id)


async def held(town: Town, *, is_waiting: bool = False) -> list[dict[str, Any]]:
    """Return what the router has set aside, or what waits behind that."""
    place = f"{town.bases['router']}/router/v1/setaside?waiting={str(is_waiting).lower()}"
    async with town.http() as http:
        found: list[dict[str, Any]] = (await http.get(place)).json()["items"]
    return found


async def state_of(town: Town, request_id: str) -> str | None:
    """Return a request's state as the router has it; None where it has none."""
    async with town.http() as http:
        answer = await http.get(f"{town.bases['router']}/router/v1/requests/{request_id}")
    return answer.json()["state"] if answer.is_success else None


async def test_a_message_whose_cause_was_removed_goes_through_when_it_is_replayed(
    tmp_path: Path,
) -> None:
    async with town_in_one(tmp_path) as town:
        data, router = tmp_path / "house", tmp_path / "house" / "data" / "router.db"
        _, first = await post(town, "Before")
        following = f"{first[:-6]}{int(first[-6:]) + 1:06d}"
        change(router, _REFUSE.format(number=following))
        refused, number = await post(town, "Refused by a botched change")
        assert number == following
        await until(lambda: held(town), 60)
        await withdraw(town, refused)
        await until(lambda: held(town, is_waiting=True), 20)
        other, _ = await post(town, "Others go on")
        await until(lambda: state_of(town, other), 20)
        before = await state_of(town, refused)

        (told,) = orjson.loads((await levee(data, "setaside", "list", "--json"))[1])
        event_id = told["event_id"]
        shown = orjson.loads((await levee(data, "setaside", "show", event_id))[1])
        too_early = await levee(data, "setaside", "replay", event_id)
        change(router, "DROP TRIGGER botched")
        done = await levee(data, "setaside", "replay", event_id)
        nothing_left = await levee(data, "setaside", "list", "--json")
        decisions = orjson.loads((await levee(data, "setaside", "history", "--json"))[1])

        await town.comes_to_rest(within_s=60)
        await town.assert_adds_up()
        await town.stop()
        await town.assert_nothing_lost_or_doubled()

    assert before is None
    assert (told["service"], told["request_id"]) == ("router", refused)
    assert "value not allowed here" in told["detail"]
    assert shown[0]["body"]["data"]["number"] == number
    assert (too_early[0], done[0]) == (1, 0), (too_early, done)
    assert orjson.loads(nothing_left[1]) == []
    assert [(one["verb"], one["event_id"]) for one in decisions] == [("replayed", event_id)] * 2
