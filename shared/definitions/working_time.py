"""The released calendars, as FEEL asks them."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from shared.business_time import due, elapsed
from shared.definitions.calendars import CalendarFiles
from shared.errors import LeveeError

if TYPE_CHECKING:
    from datetime import datetime

    from shared.business_time import Calendar


class Calendars:
    """Calendars by their keys; the newest of each counts, for running instances too.

    A calendar says what the world is like: a holiday that is announced holds for everybody.
    """

    def __init__(self) -> None:
        self._files = CalendarFiles()

    def put(self, key: str, content: str) -> None:
        """Take a calendar as its file has it; what it is made of may come later."""
        self._files.put(key, content)

    def find(self, key: str) -> Calendar | None:
        """Return a calendar; None where there is none, or one nobody can read."""
        try:
            return self._files.read(key)
        except (KeyError, LeveeError):
            return None

    def between(self, calendar: str, start: datetime, end: datetime) -> timedelta | None:
        """Return how much working time lies between two moments, negative when they are swapped."""
        found = self.find(calendar)
        if found is None:
            return None
        if end < start:
            swapped = self.between(calendar, end, start)
            return None if swapped is None else -swapped
        try:
            return elapsed(found, start, end).time
        except LeveeError:
            return None

    def after(self, calendar: str, start: datetime, target: timedelta) -> datetime | None:
        """Return when so much working time has passed, in UTC; at once for none."""
        found = self.find(calendar)
        if found is None or target < timedelta():
            return None
        try:
            return start if not target else due(found, start, target).due_at
        except LeveeError:
            return None
