"""The last release beside this tree, under load: upgraded one by one, rolled back, finished.

All six services begin as released. Each is upgraded in turn (pre migration, new code), then each
in turn runs as released once more, on the new schema, while the five others are new. At the end
come the post migrations. No error line, nothing lost, nothing doubled.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import httpx
import pytest

from levee.house import NAMES
from shared.http.auth import add_to_file, new_key
from tests.golden.freeze import WAITING_V1
from tests.harness.journey import P1, a_post
from tests.harness.nats import nats_server
from tests.harness.processes import ServiceProcess, free_port
from tests.harness.town import Town
from tests.harness.town_processes import (
    has_catalogue,
    quick_definitions,
    service_process,
)
from tests.harness.waiting import until
from tools.released import ROOT, ReleaseMissing, last_release

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.conftest import Databases

pytestmark = [pytest.mark.nats, pytest.mark.postgres, pytest.mark.slow]


@dataclass
class Street:
    """Six services, each of which can be of either version."""

    released: Mapping[str, ServiceProcess]
    new: Mapping[str, ServiceProcess]
    running: dict[str, ServiceProcess] = field(default_factory=dict)

    async def run(self, name: str, version: Mapping[str, ServiceProcess]) -> None:
        """Stop a service decently and start it again at a version."""
        if name in self.running:
            code = await asyncio.to_thread(self.running.pop(name).stop)
            assert code == 0, f"{name} ended with {code}"
        self.running[name] = version[name]
        version[name].start()
        await version[name].answers(within_s=240)

    async def migrate(self, name: str, version: Mapping[str, ServiceProcess], *step: str) -> None:
        """Run a version's migration job."""
        process = version[name]
        command = [sys.executable, "-m", process.module, "migrate", *step]
        done = await asyncio.to_thread(
            subprocess.run, command, cwd=process.root, env=process.env, capture_output=True
        )
        assert done.returncode == 0, done.stderr.decode()

    async def stop(self) -> None:
        """Stop what runs."""
        for name in list(self.running):
            code = await asyncio.to_thread(self.running.pop(name).stop)
            assert code == 0, f"{name} ended with {code}"

    def kill(self) -> None:
        """End what runs, whatever happened."""
        for process in self.running.values():
            process.kill()

    def error_lines(self) -> list[str]:
        """Return what any of them logged as an error."""
        return [line for process in self.new.values() for line in process.error_lines()]


async def more_requests(town: Town) -> None:
    """Return once eight more were accepted: the house works in its present state."""
    async with asyncio.timeout(240):
        await town.load(clients=4, posts=2, pause_s=0.2)


async def upgrade_and_roll_back(town: Town, street: Street) -> None:
    """Take every service through every state an upgrade can leave a house in."""
    await more_requests(town)
    for name in NAMES:
        await street.migrate(name, street.new, "--step", "pre")
        await more_requests(town)  # released code on the new schema
        await street.run(name, street.new)
        await more_requests(town)
    for name in NAMES:
        await street.run(name, street.released)
        await more_requests(town)  # one as released, the others new
        await street.run(name, street.new)
    for name in NAMES:
        await street.migrate(name, street.new)
    await more_requests(town)


async def test_any_service_as_released_lives_among_new_ones(
    tmp_path: Path, postgres: Databases
) -> None:
    try:
        old_root = last_release().export(tmp_path / "released")
    except ReleaseMissing as missing:
        pytest.skip(str(missing))
    assert_is_code_of(old_root)
    key, kept = new_key("test", ("*",))
    add_to_file(tmp_path / "keys.json", kept)
    definitions = quick_definitions(tmp_path / "definitions", old_root / "bpmn")
    urls = {name: await postgres.new() for name in NAMES}
    async with nats_server(tmp_path / "nats", port=free_port()) as broker:
        new = {
            name: service_process(tmp_path, name, 1, urls[name], definitions, _at(name, broker.url))
            for name in NAMES
        }
        street = Street({n: replace(p, root=old_root) for n, p in new.items()}, new)
        bases = {name: f"http://127.0.0.1:{process.port}" for name, process in new.items()}
        town = Town(bases, key, urls, {}, street.stop)
        try:
            for name in NAMES:
                await street.migrate(name, street.released)
                await street.run(name, street.released)
            await has_catalogue(town)
            await live_through(town, street)
        finally:
            street.kill()

    await town.assert_nothing_lost_or_doubled()
    assert street.error_lines() == []


async def live_through(town: Town, street: Street) -> None:
    """Load the house for as long as its services come and go; stop it at rest."""
    enough = asyncio.Event()
    # Few enough that clocks of many minutes ago, which warn by and by, leave moments of rest,
    # however long a busy machine takes.
    load = asyncio.create_task(town.load(2, 10_000, 5.0, enough))
    try:
        await upgrade_and_roll_back(town, street)
    finally:
        enough.set()
        await load
    await town.comes_to_rest(within_s=120)
    await street.stop()


async def test_a_process_that_waits_since_the_last_release_goes_on(
    tmp_path: Path, postgres: Databases
) -> None:
    """A service task nobody was offered, then a message nobody was heard for: both are there."""
    try:
        old_root = last_release().export(tmp_path / "released")
    except ReleaseMissing as missing:
        pytest.skip(str(missing))
    key, kept = new_key("test", ("*",))
    add_to_file(tmp_path / "keys.json", kept)
    definitions = quick_definitions(tmp_path / "definitions", old_root / "bpmn")
    shutil.copy(WAITING_V1 / "process.bpmn", definitions / "standard-path.bpmn")
    async with nats_server(tmp_path / "nats", port=free_port()) as broker:
        new = {
            name: service_process(
                tmp_path,
                name,
                1,
                await postgres.new(),
                definitions,
                _at(name, broker.url),
            )
            for name in ("router", "intake")
        }
        street = Street({n: replace(p, root=old_root) for n, p in new.items()}, new)
        headers = {"Authorization": f"Bearer {key}"}
        try:
            for name in new:
                await street.migrate(name, street.released)
                await street.run(name, street.released)
            async with httpx.AsyncClient(timeout=30, headers=headers) as http:
                number = await ask(http, new)
                await street.migrate("router", street.new)
                await street.run("router", street.new)
                await work_off(http, new["router"].base, number)
            await street.stop()
        finally:
            street.kill()
    assert street.error_lines() == []


async def ask(http: httpx.AsyncClient, processes: Mapping[str, ServiceProcess]) -> str:
    """Post a request and return its number once the released router has it at its service task."""
    posts, requests = (
        f"{processes['intake'].base}/v1/requests",
        f"{processes['router'].base}/v1/requests",
    )

    async def is_taken() -> str:
        keyed = {"Idempotency-Key": "first"}
        answer = await http.post(posts, json=a_post("Printer on fire", **P1), headers=keyed)
        return str(answer.json()["number"]) if answer.is_success else ""

    async def is_routed() -> bool:
        return bool((await http.get(requests)).json()["total"])

    await until(is_taken, 240)
    await until(is_routed, 240)
    return await is_taken()


async def work_off(http: httpx.AsyncClient, router: str, number: str) -> None:
    """Be the worker, then send the message; a person has it afterwards and nothing is missing."""
    taken: list[Any] = []

    async def take() -> bool:
        body = {"worker": "robot-1", "types": ["stock.check"], "limit": 5, "lease_s": 60}
        answer = await http.post(f"{router}/v1/jobs/take", json=body)
        taken.extend(answer.json()["items"] if answer.is_success else [])
        return bool(taken)

    await until(take, 240)
    [job] = taken
    assert (job["variables"], job["headers"]) == ({"item": "desk"}, {"site": "sh"})
    done = {"attempt": job["attempt"], "result": {"count": 3}}
    assert (await http.post(f"{router}/v1/jobs/{job['id']}/complete", json=done)).is_success
    told = {"name": "parcel", "request": number, "message_id": "p-1"}
    assert (await http.post(f"{router}/v1/messages", json=told)).is_success

    async def is_with_somebody() -> bool:
        found = (await http.get(f"{router}/v1/work-items?state=open")).json()
        return [item["element_id"] for item in found["items"]] == ["after"]

    await until(is_with_somebody, 60)
    accounts = (await http.get(f"{router}/v1/audit/requests")).json()["items"]
    assert [account["faults"] for account in accounts] == [[]]


def _at(name: str, url: str) -> Mapping[str, str]:
    return {f"{name.upper()}_NATS_URL": url}


def assert_is_code_of(root: Path) -> None:
    """The interpreter of the tests, started in the release's folder, runs the release's code."""
    asked = "import shared, services.clock as c; print(shared.__file__, c.__file__)"
    told = subprocess.run(
        [sys.executable, "-c", asked],
        cwd=root,
        env=dict(os.environ),
        capture_output=True,
        text=True,
    ).stdout.split()
    assert told
    assert all(place.startswith(str(root)) for place in told)
    assert root != ROOT
