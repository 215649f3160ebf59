"""The sender: many deliveries at once, each provider at its own pace, none in the way of another.

A lane is what shares one provider: the mail server, one robot, one endpoint. A lane and a channel
each have a bound on what runs at once, so a slow far end keeps only its own lane busy. The queue
is in memory and may be lost: every delivery in it has a durable timer that brings it back.
"""

from __future__ import annotations

import asyncio
import heapq
import logging
from collections import Counter
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING
from uuid import UUID

from services.notify.domain.people import EMAIL, WEBHOOK

if TYPE_CHECKING:
    from services.notify.domain.deliveries import Delivery
    from shared.time_source import Activity

_log = logging.getLogger(__name__)

#: Calls at once per channel. A mail server takes some conversations, not hundreds; webhooks lead
#: to many places.
_PER_CHANNEL: Mapping[str, int] = {EMAIL: 8, WEBHOOK: 32}
_OTHERS = 16
#: Calls at once per lane: one robot or endpoint hears things in about the order they were said.
_PER_LANE = 2


@dataclass(frozen=True, slots=True, order=True)
class Job:
    """A delivery whose time has come; urgent ones first, then in the order of arrival."""

    rank: tuple[bool, int]
    delivery_id: UUID = field(compare=False)
    request_id: UUID = field(compare=False)
    channel: str = field(compare=False)
    lane: str = field(compare=False)
    #: The trace in which somebody asked for it.
    traceparent: str | None = field(default=None, compare=False)


class Sender:
    """Lets `carry` deal with deliveries; each counts as unsettled until it has."""

    def __init__(self, activity: Activity, *, drain_s: float = 10.0) -> None:
        """Prepare; `drain_s` is how long a stopping sender lets running calls finish."""
        self._activity = activity
        self._drain_s = drain_s
        self._carry: Callable[[Job], Awaitable[None]] | None = None
        self._waiting: dict[str, list[Job]] = {}
        self._known: set[UUID] = set()
        self._in_lane: Counter[str] = Counter()
        self._in_channel: Counter[str] = Counter()
        self._running: set[asyncio.Task[None]] = set()
        self._count = 0
        self._is_open = False

    @property
    def waiting(self) -> int:
        """Deliveries in the queue."""
        return sum(len(jobs) for jobs in self._waiting.values())

    @property
    def running(self) -> int:
        """Deliveries on their way out."""
        return len(self._running)

    def carry_with(self, carry: Callable[[Job], Awaitable[None]]) -> None:
        """Say what is done with a job: claim it, send it, record what became of it."""
        self._carry = carry

    def offer(self, delivery: Delivery, traceparent: str | None = None) -> None:
        """Take a delivery whose time has come; one that is here already is not taken twice."""
        if delivery.id in self._known:
            return
        self._known.add(delivery.id)
        self._activity.begin()
        self._count += 1
        rank = (not delivery.is_urgent, self._count)
        job = Job(
            rank, delivery.id, delivery.request_id, delivery.channel, delivery.lane, traceparent
        )
        heapq.heappush(self._waiting.setdefault(job.lane, []), job)
        self._pump()

    async def run(self) -> None:
        """Send until cancelled; then let what runs come to its end, and forget the rest."""
        self._is_open = True
        self._pump()
        try:
            await asyncio.Event().wait()
        finally:
            self._is_open = False
            if self._running:
                await asyncio.wait(self._running, timeout=self._drain_s)
            await self.abandon()

    async def abandon(self) -> None:
        """Drop everything at once, as a kill would: timers bring it back."""
        self._is_open = False
        for task in tuple(self._running):
            task.cancel()
        await asyncio.gather(*self._running, return_exceptions=True)
        for jobs in self._waiting.values():
            for job in jobs:
                self._forget(job)
        self._waiting.clear()

    def _pump(self) -> None:
        """Start what has room, the most pressing of all lanes first."""
        if not self._is_open:
            return
        while (job := self._next()) is not None:
            heapq.heappop(self._waiting[job.lane])
            if not self._waiting[job.lane]:
                del self._waiting[job.lane]
            self._start(job)

    def _next(self) -> Job | None:
        ready = [
            jobs[0]
            for lane, jobs in self._waiting.items()
            if self._in_lane[lane] < self._room_in_lane(jobs[0].channel)
            and self._in_channel[jobs[0].channel] < _PER_CHANNEL.get(jobs[0].channel, _OTHERS)
        ]
        return min(ready, default=None)

    def _room_in_lane(self, channel: str) -> int:
        return _PER_CHANNEL[EMAIL] if channel == EMAIL else _PER_LANE

    def _start(self, job: Job) -> None:
        assert self._carry is not None, "a sender is told what to do before it runs"
        self._in_lane[job.lane] += 1
        self._in_channel[job.channel] += 1
        task = asyncio.ensure_future(self._carry(job))
        assert isinstance(task, asyncio.Task)
        self._running.add(task)
        task.add_done_callback(lambda done: self._ended(job, done))

    def _ended(self, job: Job, task: asyncio.Task[None]) -> None:
        self._running.discard(task)
        self._in_lane[job.lane] -= 1
        if not self._in_lane[job.lane]:
            del self._in_lane[job.lane]
        self._in_channel[job.channel] -= 1
        if not task.cancelled() and (error := task.exception()) is not None:
            # Its timer brings the delivery back, marked as possibly repeated.
            _log.error("delivery %s failed here: %s", job.delivery_id, error, exc_info=error)
        self._pump()
        self._forget(job)

    def _forget(self, job: Job) -> None:
        self._known.discard(job.delivery_id)
        self._activity.end()
