"""A machine's clock that somebody sets forward or back while the machine goes on."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from shared.time_source import SystemTime


class ShiftedTime(SystemTime):
    """The machine's time, off by as much as it was set; what sleeps is not disturbed."""

    def __init__(self) -> None:
        self._off = timedelta(0)

    def set_by(self, by: timedelta) -> None:
        """Set the clock forward, or back (below zero)."""
        self._off += by

    def now(self) -> datetime:
        """Return what the clock on the wall shows, in UTC."""
        return super().now().astimezone(UTC) + self._off
