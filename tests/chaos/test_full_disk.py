"""A disk that is full, a database somebody holds: said clearly, nothing half done.

A process may be forbidden to let files grow (RLIMIT_FSIZE), while it runs and from outside: every
write at the end of its database fails then, as on a full disk, and reading goes on.
"""

from __future__ import annotations

import resource
import sqlite3
from contextlib import contextmanager
from typing import TYPE_CHECKING

import httpx
import pytest

from levee.house import NAMES
from tests.harness.journey import a_post
from tests.harness.town_processes import town_of_processes
from tests.harness.waiting import until

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.harness.processes import ServiceProcess
    from tests.harness.town import Town

pytestmark = [pytest.mark.nats, pytest.mark.slow]

#: Far below what a database of ours and its log have grown to, above what a process has logged.
_ROOM_BYTES = 64 * 1024
CLIENTS, PAUSE_S = 4, 0.2


@contextmanager
def full_disk(process: ServiceProcess) -> Iterator[None]:
    """Let no file of a running process grow until the block ends."""
    if not hasattr(resource, "prlimit"):
        pytest.skip("only Linux lets one process limit another")
    soft, hard = resource.prlimit(process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (_ROOM_BYTES, hard))
    try:
        yield
    finally:
        resource.prlimit(process.pid, resource.RLIMIT_FSIZE, (soft, hard))


@contextmanager
def held_database(folder: Path, name: str) -> Iterator[None]:
    """Hold a service's file as another program would that writes to it for long."""
    holder = sqlite3.connect(folder / f"{name}.db", isolation_level=None)
    holder.execute("BEGIN IMMEDIATE")
    try:
        yield
    finally:
        holder.execute("ROLLBACK")
        holder.close()


async def test_a_full_disk_or_a_held_file_stops_one_service_and_loses_nothing(
    tmp_path: Path,
) -> None:
    urls = {name: f"sqlite+aiosqlite:///{tmp_path / name}.db" for name in NAMES}
    async with town_of_processes(tmp_path, urls) as town:
        processes = {process.name.removesuffix("-1"): process for process in town.processes}
        async with town.under_load(CLIENTS, PAUSE_S):
            await town.more_requests(10)
            with full_disk(processes["intake"]):
                await assert_refuses_clearly(town)
                await until(lambda: is_ready(town, "intake", is_ready=False), 20)
            await until(lambda: is_ready(town, "intake"), 20)
            await town.more_requests(10)
            with full_disk(processes["router"]):
                await town.more_requests(10)
                await until(lambda: is_ready(town, "router", is_ready=False), 20)
            await until(lambda: is_ready(town, "router"), 20)
            with held_database(tmp_path, "clock"):
                await town.more_requests(10)
            await town.more_requests(10)
        await town.comes_to_rest(within_s=60)
        await town.assert_adds_up()
        await town.stop()

        await town.assert_nothing_lost_or_doubled()
        assert [line for process in town.processes for line in process.error_lines()] == []


async def assert_refuses_clearly(town: Town) -> None:
    """A caller is told in its language that nothing was stored, and when to come again."""
    place = f"{town.bases['intake']}/intake/v1/requests"
    async with town.http() as http:

        async def refused() -> httpx.Response | None:
            answer = await http.post(
                place, json=a_post("No room"), headers={"Accept-Language": "en"}
            )
            return answer if answer.status_code == 503 else None

        answer = await refused()
    assert answer is not None, "a request was taken that could not be stored"
    told = answer.json()
    assert answer.headers["content-type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    assert told["code"] == "database-unavailable"
    assert set(told["sentences"]) == {"zh-CN", "en"}


async def is_ready(town: Town, name: str, *, is_ready: bool = True) -> bool:
    """Tell whether a service says of itself that it can (or cannot) work."""
    async with town.http() as http:
        answer = await http.get(f"{town.bases[name]}/{name}/ready")
    return (answer.status_code == 200) == is_ready
