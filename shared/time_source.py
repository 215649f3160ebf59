"""Where time comes from. Nothing else in the code base may ask the machine what time it is.

Four kinds: the machine's own (`SystemTime`), one a test moves (`ManualTime`), one that runs
faster (`ScaledTime`), and one in which the world jumps from due moment to due moment
(`SimulatedTime`). Durable deadlines are rows (shared.database.timers); what sleeps here is
only the loop that watches them.
"""

from __future__ import annotations

import asyncio
import heapq
import time as _machine
from contextlib import contextmanager
from contextvars import ContextVar
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

if TYPE_CHECKING:
    from collections.abc import Iterator

#: Rounds of the event loop after which every task that was woken has reached its next await.
_ROUNDS_TO_REST = 6
#: Sleepers kept without looking whether they still sleep.
_SLEEPERS = 64


class TimeSource(Protocol):
    """Tells the time and waits for it."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        ...

    def monotonic(self) -> float:
        """Return seconds of real time, for measuring how long work took; never for deadlines."""
        ...

    async def sleep(self, seconds: float) -> None:
        """Return when `seconds` of this source's time have passed."""
        ...

    async def wait(self, event: asyncio.Event, until: datetime | None) -> bool:
        """Return True as soon as `event` is set, or False once `until` is reached."""
        ...


class Activity:
    """Counts what is unsettled: outbox rows, deliveries, firings, calls to the outside.

    Simulated time moves only when nothing is; a stopping service drains until nothing is.
    """

    def __init__(self) -> None:
        self._count = 0
        self._idle = asyncio.Event()
        self._idle.set()

    @property
    def count(self) -> int:
        """How many things are unsettled."""
        return self._count

    def begin(self, count: int = 1) -> None:
        """Note that `count` more things are unsettled."""
        if count:
            self._count += count
            self._idle.clear()

    def end(self, count: int = 1) -> None:
        """Note that `count` things are settled."""
        self._count -= count
        if self._count < 0:
            raise AssertionError("more was settled than begun")
        if self._count == 0:
            self._idle.set()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Count one unsettled thing for as long as the block runs."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    async def settled(self) -> None:
        """Return when nothing is unsettled and every woken task has come to rest."""
        rested = 0
        while rested < _ROUNDS_TO_REST:
            if self._count:
                await self._idle.wait()
                rested = 0
            await asyncio.sleep(0)  # noqa: TID251  gives the loop one round, waits for no time
            rested = 0 if self._count else rested + 1


class SystemTime:
    """The machine's own time."""

    def now(self) -> datetime:
        """Return the present moment, in UTC."""
        return datetime.now(UTC)  # noqa: TID251  the one place that may

    def monotonic(self) -> float:
        """Return seconds of real time."""
        return _machine.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep."""
        await asyncio.sleep(max(seconds, 0))  # noqa: TID251  the one place that may

    async def wait(self, event: asyncio.Event, until: datetime | None) -> bool:
        """Wait for the event or the moment."""
        seconds = None if until is None else (until - self.now()).total_seconds()
        return await _wait_really(event, seconds)


class ScaledTime:
    """Time that starts at `start` and runs `factor` times as fast as the machine's."""

    def __init__(self, start: datetime, factor: float) -> None:
        if factor <= 0:
            raise ValueError("a time factor must be above zero")
        self._start, self._factor, self._began = start, factor, _machine.monotonic()

    def now(self) -> datetime:
        """Return the scaled moment, in UTC."""
        return self._start + timedelta(seconds=(_machine.monotonic() - self._began) * self._factor)

    def monotonic(self) -> float:
        """Return seconds of real time."""
        return _machine.monotonic()

    async def sleep(self, seconds: float) -> None:
        """Sleep for `seconds` of scaled time."""
        await asyncio.sleep(max(seconds, 0) / self._factor)  # noqa: TID251  the one place

    async def wait(self, event: asyncio.Event, until: datetime | None) -> bool:
        """Wait for the event or the scaled moment."""
        seconds = None if until is None else (until - self.now()).total_seconds() / self._factor
        return await _wait_really(event, seconds)


class ManualTime:
    """Time that stands still until somebody moves it."""

    def __init__(self, start: datetime) -> None:
        self._now = start
        self._sleepers: list[tuple[datetime, int, asyncio.Future[bool]]] = []
        #: At this size those who were woken otherwise are swept out.
        self._sweep_at = _SLEEPERS
        self._order = 0

    def now(self) -> datetime:
        """Return the moment that has been reached."""
        return self._now

    def monotonic(self) -> float:
        """Return seconds of real time."""
        return _machine.monotonic()

    def next_moment(self) -> datetime | None:
        """Return the earliest moment anybody waits for."""
        while self._sleepers and self._sleepers[0][2].done():
            heapq.heappop(self._sleepers)
        return self._sleepers[0][0] if self._sleepers else None

    def advance(self, by: timedelta) -> None:
        """Move time forward by `by` and wake whom that concerns, the earliest first."""
        self.advance_to(self._now + by)

    def advance_to(self, moment: datetime) -> None:
        """Move time forward to `moment`; time never goes back."""
        self._now = max(self._now, moment)
        while (due := self.next_moment()) is not None and due <= self._now:
            _, _, sleeper = heapq.heappop(self._sleepers)
            sleeper.set_result(False)

    def set_by(self, by: timedelta) -> None:
        """Set the clock forward or back (below zero), as an operator or NTP does.

        No time passes: whoever waits goes on waiting for as long as before.
        """
        self._now += by
        self._sleepers = [(moment + by, order, entry) for moment, order, entry in self._sleepers]

    async def sleep(self, seconds: float) -> None:
        """Sleep until time has been moved far enough."""
        await self._sleep_until(self._now + timedelta(seconds=max(seconds, 0)))

    async def wait(self, event: asyncio.Event, until: datetime | None) -> bool:
        """Wait for the event or for time to be moved to `until`."""
        if event.is_set():
            return True
        if until is None:
            return await event.wait()
        if until <= self._now:
            return False
        sleeper = self._add(until)
        told = asyncio.ensure_future(event.wait())
        try:
            either: list[asyncio.Future[Any]] = [sleeper, told]
            await asyncio.wait(either, return_when=asyncio.FIRST_COMPLETED)
            return event.is_set()
        finally:
            told.cancel()
            sleeper.cancel()

    async def _sleep_until(self, moment: datetime) -> None:
        if moment > self._now:
            await self._add(moment)

    def _add(self, moment: datetime) -> asyncio.Future[bool]:
        sleeper: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self._order += 1
        if len(self._sleepers) >= self._sweep_at:
            self._sleepers = [entry for entry in self._sleepers if not entry[2].done()]
            heapq.heapify(self._sleepers)
            self._sweep_at = max(_SLEEPERS, 2 * len(self._sleepers))
        heapq.heappush(self._sleepers, (moment, self._order, sleeper))
        return sleeper


class SimulatedTime(ManualTime):
    """Time in which the world jumps from due moment to due moment, in one process.

    It moves only when `activity` is settled. Due moments closer together than `grain` are
    taken in one jump (the grain is shorter than any delay a rule can ask for, so nothing that
    happens inside it can be caused by something else inside it); each record keeps its own
    moment.
    """

    def __init__(
        self, start: datetime, activity: Activity, grain: timedelta = timedelta(0)
    ) -> None:
        super().__init__(start)
        self.activity = activity
        self._grain = grain
        self._standing: ContextVar[datetime | None] = ContextVar("standing", default=None)

    def now(self) -> datetime:
        """Return the moment that has been reached, or the earlier one somebody stands at."""
        return self._standing.get() or self._now

    @contextmanager
    def standing_at(self, moment: datetime) -> Iterator[None]:
        """Let what the block does (itself, not whom it wakes) happen at an earlier moment."""
        token = self._standing.set(min(moment, self._now))
        try:
            yield
        finally:
            self._standing.reset(token)

    async def run_until(self, moment: datetime) -> None:
        """Let everything happen that is due up to `moment`, in order, then stand at `moment`."""
        await self.activity.settled()
        while (due := self.next_moment()) is not None and due <= moment:
            self.advance_to(min(due + self._grain, moment))
            await self.activity.settled()
        self.advance_to(moment)
        await self.activity.settled()


async def _wait_really(event: asyncio.Event, seconds: float | None) -> bool:
    if event.is_set():
        return True
    if seconds is not None and seconds <= 0:
        return False
    try:
        async with asyncio.timeout(seconds):
            await event.wait()
    except TimeoutError:
        return False
    return True
