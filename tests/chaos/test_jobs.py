"""Workers and the router killed in the middle of jobs: each is done for the diagram once.

Requests pass a job, an operation of Levee's own and a message from outside, one after the other.
Some workers take a job and are never heard of again; the router is killed again and again.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from levee.house import NAMES
from shared.time_source import SystemTime
from tests.harness.town_processes import town_of_processes
from tests.harness.waiting import until
from tests.unit.router.workflow.builders import (
    BEGIN,
    catch,
    ends,
    io,
    job,
    message,
    path,
    rule,
    user,
    xml,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Databases
    from tests.harness.town import Town

pytestmark = pytest.mark.nats

_DIAGRAM = xml(
    BEGIN,
    rule("set_priority", "priority", "priority", io({"urgency": '="low"', "impact": '="low"'})),
    rule("choose_team", "team", "team"),
    job("check", "stock.check", io({"number": "=request.number"}, {"left": "=count"})),
    job("say", "levee:publish-event", io({"name": '="checked"', "payload": "={left: left}"})),
    catch("parcel", message("M_parcel")),
    user("handle", "=team"),
    ends("e"),
    path("begin", "set_priority", "choose_team", "check", "say", "parcel", "handle", "e"),
    roots='<bpmn:message id="M_parcel" name="parcel"/>',
    process='id="standard-path" isExecutable="true"',
)
#: Jobs a worker takes without ever answering: each costs a lease.
_SILENT_EVERY = 7
_LEASE_S = 1.5


@dataclass
class Workers:
    """Take jobs, do them, answer; now and then one of them dies."""

    town: Town
    #: How often each job was done, by job id.
    done: Counter[str] = field(default_factory=Counter)
    answers: Counter[str] = field(default_factory=Counter)
    taken: int = 0
    sent: set[str] = field(default_factory=set)

    async def run(self, name: str) -> None:
        """Work until cancelled."""
        machine = SystemTime()
        async with self.town.http() as http:
            while True:
                for given in await self._take(http, name):
                    self.taken += 1
                    if self.taken % _SILENT_EVERY:
                        await self._do(http, given)
                await machine.sleep(0.05)

    async def _take(self, http: httpx.AsyncClient, name: str) -> list[dict[str, Any]]:
        body = {"worker": name, "types": ["stock.check"], "limit": 3, "lease_s": _LEASE_S}
        answer = await self._post(http, "jobs/take", body)
        found: list[dict[str, Any]] = answer.json()["items"] if answer.is_success else []
        return found

    async def _do(self, http: httpx.AsyncClient, given: dict[str, Any]) -> None:
        self.done[given["id"]] += 1
        # Every request's message goes out while its job is still under way: early.
        number = given["variables"]["number"]
        if number not in self.sent:
            self.sent.add(number)
            told = {"name": "parcel", "request": number, "message_id": f"parcel-{number}"}
            await self._until_answered(http, "messages", told)
        body = {"attempt": given["attempt"], "result": {"count": 1}}
        answer = await self._until_answered(http, f"jobs/{given['id']}/complete", body)
        self.answers[f"{answer.status_code}"] += 1

    async def _until_answered(
        self, http: httpx.AsyncClient, where: str, body: Mapping[str, Any]
    ) -> httpx.Response:
        machine = SystemTime()
        while True:
            answer = await self._post(http, where, body)
            if answer.status_code not in (502, 503):
                return answer
            await machine.sleep(0.05)

    async def _post(
        self, http: httpx.AsyncClient, where: str, body: Mapping[str, Any]
    ) -> httpx.Response:
        try:
            return await http.post(f"{self.town.bases['router']}/router/v1/{where}", json=body)
        except httpx.TransportError:
            return httpx.Response(502)


async def survive(town: Town, clients: int, posts: int, kills: int, every_s: float) -> None:
    workers, machine = Workers(town), SystemTime()
    running = [asyncio.create_task(workers.run(f"robot-{n}")) for n in range(3)]

    async def kill() -> None:
        for _ in range(kills):
            await machine.sleep(every_s)
            await town.victims["router-1"]()

    await asyncio.gather(town.load(clients, posts, every_s * kills / posts), kill())
    wanted = len(town.accepted)

    async def at_rest() -> bool:
        async with town.http() as http:
            try:
                path = f"{town.bases['router']}/router/v1/work-items?state=open&limit=1"
                return bool((await http.get(path)).json()["total"] == wanted)
            except httpx.TransportError:
                return False

    await until(at_rest, within_s=90)
    report = await town.audit()
    for task in running:
        task.cancel()
    await asyncio.gather(*running, return_exceptions=True)
    assert report.findings == [], report.findings
    await town.stop()

    assert town.withdrawn == set(), "the load is to leave requests as they are"
    jobs = await town.rows("router", "SELECT request_id, state, id FROM jobs")
    assert Counter(row[0] for row in jobs) == dict.fromkeys(town.accepted.values(), 1)
    assert {row[1] for row in jobs} == {"completed"}
    assert set(workers.done) == {row[2] for row in jobs}
    items = await town.rows("router", "SELECT request_id, element_id FROM work_items")
    assert sorted(map(tuple, items)) == sorted((r, "handle") for r in town.accepted.values())
    messages = await town.rows("router", "SELECT state, request_id FROM messages")
    assert Counter(messages_of := [row[1] for row in messages]) == dict.fromkeys(messages_of, 1)
    assert {row[0] for row in messages} == {"correlated"}
    assert len(messages) == wanted
    # Attempts of workers that fell silent were counted, and gave the job to others.
    assert workers.taken > wanted


def sqlite_files(folder: Path) -> dict[str, str]:
    return {name: f"sqlite+aiosqlite:///{folder / name}.db" for name in NAMES}


async def test_the_router_and_workers_may_die_between_any_two_steps_of_a_job(
    tmp_path: Path,
) -> None:
    files = sqlite_files(tmp_path)
    async with town_of_processes(tmp_path, files, diagram=_DIAGRAM) as town:
        await survive(town, clients=6, posts=3, kills=4, every_s=2.0)


@pytest.mark.slow
@pytest.mark.postgres
async def test_a_long_storm_over_jobs_on_postgresql(tmp_path: Path, postgres: Databases) -> None:
    urls = {name: await postgres.new() for name in NAMES}
    async with town_of_processes(tmp_path, urls, diagram=_DIAGRAM) as town:
        await survive(town, clients=20, posts=3, kills=15, every_s=2.0)
