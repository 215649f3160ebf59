"""Cron texts of cycle timers: `0 0 9 * * MON-FRI @Asia/Shanghai` (pure).

Six fields as Camunda 8 has them: second, minute, hour, day of the month, month, day of the week
(0 and 7 are Sunday); `*`, `?`, lists, ranges and steps. When both days are given, both must hold.
The zone is not left out: nobody would know whose nine o'clock it is.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from .timers import NotATime

_NAMES = {
    name: str(number)
    for names in (
        ("SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"),
        ("", "JAN", "FEB", "MAR", "APR", "MAY", "JUN", "JUL", "AUG", "SEP", "OCT", "NOV", "DEC"),
    )
    for number, name in enumerate(names)
    if name
}
_FIELDS = (
    ("second", 0, 59),
    ("minute", 0, 59),
    ("hour", 0, 23),
    ("day of the month", 1, 31),
    ("month", 1, 12),
    ("day of the week", 0, 7),
)
_PART = re.compile(r"(?P<first>\*|\?|\d{1,2})(?:-(?P<last>\d{1,2}))?(?:/(?P<step>\d{1,2}))?")
#: The 29th of February comes once in at most eight years.
_DAYS = 366 * 9


def is_cron(text: str) -> bool:
    """Return whether a cycle is written as cron: fields with spaces between."""
    return len(text.split()) >= 5


@dataclass(frozen=True, slots=True)
class Cron:
    """Moments that come again by the calendar and the clock of a zone."""

    seconds: tuple[int, ...]
    minutes: tuple[int, ...]
    hours: tuple[int, ...]
    days: frozenset[int]
    months: frozenset[int]
    weekdays: frozenset[int]
    zone: ZoneInfo

    def after(self, moment: datetime) -> datetime | None:
        """Return the first moment later than this one, in UTC; None when there is none.

        An hour the clock leaves out in spring has no moments; one it repeats has them once.
        """
        local = moment.astimezone(self.zone)
        for number in range(_DAYS):
            day = local.date() + timedelta(days=number)
            if not self._has(day):
                continue
            found = self._on(day, moment)
            if found is not None:
                return found
        return None

    def _has(self, day: date) -> bool:
        is_day = day.day in self.days and day.month in self.months
        return is_day and day.isoweekday() % 7 in self.weekdays

    def _on(self, day: date, moment: datetime) -> datetime | None:
        """Return the first moment of a day later than this one."""
        for hour in self.hours:
            last = self._at(day, time(hour, self.minutes[-1], self.seconds[-1]))
            if last <= moment:
                continue
            for minute in self.minutes:
                for second in self.seconds:
                    wanted = time(hour, minute, second)
                    found = self._at(day, wanted)
                    is_there = found.astimezone(self.zone).time() == wanted
                    if found > moment and is_there:
                        return found
        return None

    def _at(self, day: date, clock: time) -> datetime:
        return datetime.combine(day, clock, tzinfo=self.zone).astimezone(UTC)


def parse_cron(text: str) -> Cron:
    """Read a cron text with its zone. Raises NotATime."""
    fields, _, zone = text.partition("@")
    parts = fields.upper().split()
    if not zone.strip():
        raise NotATime(f"{text!r} has no zone; write 0 0 9 * * MON-FRI @Asia/Shanghai")
    if len(parts) != len(_FIELDS):
        raise NotATime(f"{text!r} has {len(parts)} fields; a cron text has six, seconds first")
    found = [_field(part, *field) for part, field in zip(parts, _FIELDS, strict=True)]
    weekdays = frozenset(day % 7 for day in found[5])
    try:
        place = ZoneInfo(zone.strip())
    except (ValueError, OSError, ZoneInfoNotFoundError):
        raise NotATime(f"there is no zone {zone.strip()!r}") from None
    seconds, minutes, hours = (tuple(sorted(field)) for field in found[:3])
    days, months = frozenset(found[3]), frozenset(found[4])
    cron = Cron(seconds, minutes, hours, days, months, weekdays, place)
    if cron.after(datetime(2026, 1, 1, tzinfo=UTC)) is None:
        raise NotATime(f"{text!r} never fires")
    return cron


def _field(text: str, name: str, low: int, high: int) -> set[int]:
    for word, number in _NAMES.items():
        text = text.replace(word, number)
    found: set[int] = set()
    for part in text.split(","):
        read = _PART.fullmatch(part)
        if read is None:
            raise NotATime(f"{part!r} is no {name} of a cron text")
        first, last, step = read["first"], read["last"], int(read["step"] or 1)
        begin = low if first in "*?" else int(first)
        end = int(last) if last else (high if first in "*?" or read["step"] else begin)
        if not (low <= begin <= end <= high) or step < 1 or (last and first in "*?"):
            raise NotATime(f"{part!r} is no {name} of a cron text ({low} to {high})")
        found.update(range(begin, end + 1, step))
    return found
