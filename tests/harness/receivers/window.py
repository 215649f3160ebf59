"""How the robots' providers count: so many messages in any minute, then a refusal."""

from __future__ import annotations

from datetime import datetime, timedelta


class Window:
    """Counts what was let through; written apart from the sender's rules, so as to check them."""

    def __init__(self, count: int, within: timedelta, shut_for: timedelta = timedelta(0)) -> None:
        self._count, self._within, self._shut_for = count, within, shut_for
        self._moments: list[datetime] = []
        self._shut_until: datetime | None = None

    def has_room(self, now: datetime) -> bool:
        """Return whether another message passes; one too many may shut the door for a while."""
        if self._shut_until is not None and now < self._shut_until:
            return False
        self._moments = [moment for moment in self._moments if now - moment < self._within]
        if len(self._moments) < self._count:
            return True
        if self._shut_for:
            self._shut_until = now + self._shut_for
        return False

    def count(self, now: datetime) -> None:
        """Count one that passed."""
        self._moments.append(now)

    def fill(self, now: datetime) -> None:
        """Leave no room, as if somebody else had used this robot."""
        self._moments = [now] * self._count
