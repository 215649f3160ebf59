"""Waiting for facts, in the machine's time and with a deadline."""

from __future__ import annotations

import asyncio
import inspect
from typing import TYPE_CHECKING

from shared.time_source import SystemTime

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable


async def until(
    fact: Callable[[], object] | Callable[[], Awaitable[object]], within_s: float = 5.0
) -> None:
    """Return as soon as `fact()` is true; TimeoutError after `within_s` seconds."""
    machine = SystemTime()
    async with asyncio.timeout(within_s):
        while True:
            found = fact()
            if inspect.isawaitable(found):
                found = await found
            if found:
                return
            await machine.sleep(0.005)
