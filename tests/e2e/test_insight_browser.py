"""The board in a real browser: it renders, nothing is blocked, and it changes by itself."""

from __future__ import annotations

import asyncio
import os
import random
import signal
import socket
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from services.insight.main import build
from services.insight.settings import Settings
from shared.service import serve_app
from tests.harness.browser import CHROMIUM, browser
from tests.harness.insight import as_message, directory, lives
from tests.harness.services import at_work
from tests.harness.waiting import until
from tests.harness.world import new_world

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no chromium on this machine"),
]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


async def test_the_board_of_a_browser_changes_by_itself_and_nothing_is_blocked(
    tmp_path: Path,
) -> None:
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path / 'insight.db'}"
    insight = build(Settings(database_url=url, is_durable=False, open_pages=True), world.given)
    port = _free_port()
    async with at_work(insight, world), browser(tmp_path / "browser") as tab:
        app = insight.app(world.given.keys)
        serving = asyncio.create_task(serve_app(app, "127.0.0.1", port))
        now = world.time.now()
        said = lives(random.Random(1), world.ids, 30, now, timedelta(days=2))

        async def answers() -> bool:
            try:
                _, writer = await asyncio.open_connection("127.0.0.1", port)
            except OSError:
                return False
            writer.close()
            return True

        async def shows(text: str) -> bool:
            return text in str(await tab.evaluate("document.getElementById('main').innerText"))

        async def is_live() -> bool:
            told = await tab.evaluate("document.getElementById('live').textContent")
            return str(told) == "Live"

        await until(answers)
        await tab.open(f"http://127.0.0.1:{port}/insight/?lang=en")
        await until(lambda: shows("Nothing is being timed."), within_s=20)
        await until(is_live, within_s=20)

        await world.bus.publish([as_message(e) for e in [*directory(world.ids, now), *said]])
        await until(lambda: shows("R-2026-0000"), within_s=20)

        told = await tab.evaluate("document.getElementById('told').textContent")
        wide = "document.documentElement.scrollWidth <= window.innerWidth"
        await tab.call(
            "Emulation.setDeviceMetricsOverride",
            width=390,
            height=800,
            deviceScaleFactor=1,
            mobile=False,
        )
        assert "overdue" in told
        assert await tab.evaluate(wide), "the page is wider than a phone"
        assert tab.complaints == []
        assert insight.live is not None
        assert insight.live.viewers == 1
        os.kill(os.getpid(), signal.SIGTERM)
        async with asyncio.timeout(5):  # a viewer's stream does not hold the stop up
            await serving
