"""Time that passes only while somebody sleeps: hours of waiting in no time."""

from __future__ import annotations

from shared.time_source import SystemTime


class PassingTime(SystemTime):
    """The machine's time, in which sleeping takes none and is remembered."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def monotonic(self) -> float:
        """Return how many seconds were slept through so far."""
        return sum(self.slept)

    async def sleep(self, seconds: float) -> None:
        """Let so many seconds pass."""
        self.slept.append(seconds)
