"""What FEEL asks about working time; who hands it in knows the calendars."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from datetime import datetime, timedelta


class WorkingTime(Protocol):
    """Answers from calendars by their names; None where there is no such calendar or answer."""

    def between(self, calendar: str, start: datetime, end: datetime) -> timedelta | None:
        """Return how much working time lies between two moments, negative when they are swapped."""
        ...

    def after(self, calendar: str, start: datetime, target: timedelta) -> datetime | None:
        """Return when so much working time has passed, in UTC."""
        ...
