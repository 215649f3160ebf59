"""The live stream: told once of each change, ended when the server stops."""

from __future__ import annotations

import asyncio
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING

import orjson

from services.insight.api.live import AT_LEAST_S, HEARTBEAT_S, Live
from services.insight.domain.board import Scope
from shared.time_source import ManualTime
from tests.harness.insight_site import Site, one_request, site_at_work
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def watching(site: Site, last_id: str | None = None) -> AsyncIterator[asyncio.Queue[bytes]]:
    """Collect what a viewer is told."""
    assert site.insight.live is not None
    told: asyncio.Queue[bytes] = asyncio.Queue()
    live = site.insight.live

    async def watch() -> None:
        async for part in live.stream(Scope(), last_id):
            told.put_nowait(part)
        told.put_nowait(b"end")

    task = asyncio.create_task(watch())
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _next(told: asyncio.Queue[bytes]) -> bytes:
    async with asyncio.timeout(5):
        return await told.get()


async def test_a_viewer_is_told_of_a_change_once_and_of_nothing_by_heartbeats(
    tmp_path: Path,
) -> None:
    pace = ManualTime(new_world().time.now())
    async with site_at_work(tmp_path, pace=pace) as site, watching(site) as told:
        assert await _next(told) == b"retry: 3000\n\n"
        first = await _next(told)
        assert first.startswith(b"id: ")
        before = orjson.loads(first.split(b"data: ")[1])

        await site.hear(one_request(site.world, "VPN").said)
        await site.world.settled()
        pace.advance(timedelta(seconds=AT_LEAST_S))
        second = await _next(told)

        after = orjson.loads(second.split(b"data: ")[1])
        assert after["counts"]["open"] == before["counts"]["open"] + 1
        await site.world.settled()
        pace.advance(timedelta(seconds=HEARTBEAT_S))
        assert await _next(told) == b": nothing new\n\n"


async def test_whoever_comes_back_with_the_last_id_hears_nothing_until_something_changes(
    tmp_path: Path,
) -> None:
    pace = ManualTime(new_world().time.now())
    async with site_at_work(tmp_path, pace=pace) as site:
        async with watching(site) as told:
            await _next(told)
            last_id = (await _next(told)).split(b"\n")[0].removeprefix(b"id: ").decode()

        async with watching(site, last_id) as told:
            await _next(told)
            assert await _next(told) == b": nothing new\n\n"


async def test_every_stream_ends_when_the_server_stops(tmp_path: Path) -> None:
    pace = ManualTime(new_world().time.now())
    async with site_at_work(tmp_path, pace=pace) as site, watching(site) as told:
        assert site.insight.live is not None
        await _next(told)
        await _next(told)
        assert site.insight.live.viewers == 1
        stopping = asyncio.Event()
        site.insight.live.close_when(stopping)

        stopping.set()

        assert await _next(told) == b"end"
        assert site.insight.live.viewers == 0


async def test_the_stream_needs_the_key_and_says_what_it_is(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        assert (await site.client.get("/insight/v1/live")).status_code == 401
        assert site.insight.live is not None
        site.insight.live.close()  # so that the answer has an end

        answer = await site.get("/insight/v1/live")

        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text == "retry: 3000\n\n"


async def test_a_replica_that_is_full_says_when_to_come_back(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        live = site.insight.live
        assert isinstance(live, Live)
        live.viewers = 500

        answer = await site.get("/insight/v1/live")

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "15"
