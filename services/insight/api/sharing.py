"""Many viewers, one reading: whoever asks while one runs shares the next one."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Generic, TypeVar

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Hashable

Key = TypeVar("Key", bound="Hashable")
Answer = TypeVar("Answer")


class Shared(Generic[Key, Answer]):
    """Reads each key at most once at a time, however many ask.

    An answer was never read before its question was asked: what somebody was just told of is in
    it.
    """

    def __init__(self, read: Callable[[Key], Awaitable[Answer]]) -> None:
        self._read = read
        self._running: dict[Key, asyncio.Task[Answer]] = {}
        self._next: dict[Key, asyncio.Task[Answer]] = {}

    async def ask(self, key: Key) -> Answer:
        """Return a reading that began after this question; raises what the reading raises."""
        task = self._next.get(key)
        if task is None:
            task = asyncio.create_task(self._turn(key, self._running.get(key)))
            # Whoever asked may be gone before it fails.
            task.add_done_callback(lambda done: done.cancelled() or done.exception())
            self._next[key] = task
        # Shielded: somebody who leaves does not take the reading from the others.
        return await asyncio.shield(task)

    async def _turn(self, key: Key, before: asyncio.Task[Answer] | None) -> Answer:
        if before is not None:
            await asyncio.wait([before])
        mine = self._running[key] = self._next.pop(key)
        try:
            return await self._read(key)
        finally:
            if self._running.get(key) is mine:
                del self._running[key]
