"""An ear on the bus: brings what the services say to the watcher."""

from __future__ import annotations

import asyncio
import contextlib
from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson

from shared.bus.port import BusClosed, ConsumerSpec
from shared.events.register import PUBLISHERS

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from levee.demo.watcher import Watcher
    from shared.bus.port import Bus, Subscription

_AT_ONCE = 500


@dataclass(slots=True)
class Ear:
    """Listens from `open_up` to `shut`; what it takes counts as activity until it is noted."""

    bus: Bus
    watcher: Watcher
    _task: asyncio.Task[None] | None = None
    _pull: Subscription | None = None

    async def open_up(self) -> None:
        """Begin to listen to every publisher."""
        specs = [ConsumerSpec(f"LEVEE_{name.upper()}", f"demo-{name}") for name in PUBLISHERS]
        self._pull = await self.bus.subscribe(specs)
        self._task = asyncio.create_task(self._listen(self._pull))

    async def shut(self) -> None:
        """Stop listening."""
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
        if self._pull is not None:
            await self._pull.close()

    async def _listen(self, pull: Subscription) -> None:
        with contextlib.suppress(BusClosed):
            while True:
                deliveries = await pull.take(_AT_ONCE)
                events = [orjson.loads(delivery.body) for delivery in deliveries]
                for event in _as_told(events):
                    self.watcher.note(event)
                for delivery in deliveries:
                    await delivery.ack()


def _as_told(events: Iterable[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """Return the events of several streams in the order in which they happened."""
    return sorted(events, key=lambda event: str(event["occurredat"]))
