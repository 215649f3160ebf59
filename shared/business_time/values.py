"""The small values calendars are made of: labels, windows, special days, pauses."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime

#: Keys of the weekdays in calendar files, Monday first as in `date.weekday()`.
WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")

DAY_S = 86_400

_WINDOW = re.compile(
    r"(\d{2}):(\d{2})(?::(\d{2}))?\s*[-–]\s*(\d{2}):(\d{2})(?::(\d{2}))?", re.ASCII
)


@dataclass(frozen=True, slots=True)
class Label:
    """What people call a day or a calendar, in both languages."""

    zh: str
    en: str

    def text(self, language: str) -> str:
        """Return the label in `language` (zh-CN or en)."""
        return self.zh if language.startswith("zh") else self.en

    def as_json(self) -> str | dict[str, str]:
        """Return the file form: one string where both languages say the same."""
        return self.zh if self.zh == self.en else {"zh-CN": self.zh, "en": self.en}


NO_LABEL = Label("", "")


@dataclass(frozen=True, slots=True, order=True)
class Window:
    """A span of wall time on one date, in seconds from its local midnight, end excluded.

    `start_s` lies in [0, 86400); an `end_s` above 86400 runs over midnight and still belongs
    to the date it started on; 86400 is 24:00.
    """

    start_s: int
    end_s: int

    @classmethod
    def parse(cls, text: str) -> Window:
        """Read "09:00-12:00", "22:00-06:00" or "00:00-24:00"; ValueError says what is wrong.

        The error's text is a rule of `errors.RULES`: window-malformed or window-empty.
        """
        matched = _WINDOW.fullmatch(text.strip())
        if matched is None:
            raise ValueError("window-malformed")
        parts = [int(part or 0) for part in matched.groups()]
        start_s, end_s = _seconds(*parts[:3]), _seconds(*parts[3:])
        if start_s >= DAY_S:
            raise ValueError("window-malformed")
        if start_s == end_s:
            raise ValueError("window-empty")
        return cls(start_s, end_s if end_s > start_s else end_s + DAY_S)

    def __str__(self) -> str:
        """Write it as it is read."""
        end_s = self.end_s if self.end_s <= DAY_S else self.end_s - DAY_S
        return f"{_clock(self.start_s)}-{_clock(end_s)}"


def _seconds(hours: int, minutes: int, seconds: int) -> int:
    total = hours * 3600 + minutes * 60 + seconds
    if minutes > 59 or seconds > 59 or total > DAY_S:
        raise ValueError("window-malformed")
    return total


def _clock(total_s: int) -> str:
    text = f"{total_s // 3600:02d}:{total_s % 3600 // 60:02d}"
    return f"{text}:{total_s % 60:02d}" if total_s % 60 else text


@dataclass(frozen=True, slots=True)
class Holiday:
    """A date on which the calendar is closed, and why."""

    day: date
    label: Label = NO_LABEL


@dataclass(frozen=True, slots=True)
class MakeUpDay:
    """A date worked in exchange for a day off (调休), with windows of its own if given."""

    day: date
    label: Label = NO_LABEL
    windows: tuple[Window, ...] | None = None


@dataclass(frozen=True, slots=True)
class DayException:
    """What differs on one date: closed, other windows, breaks in them; beats everything else."""

    day: date
    label: Label = NO_LABEL
    is_closed: bool = False
    windows: tuple[Window, ...] | None = None
    breaks: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Pause:
    """A span during which a clock stands still; `end` is None while it lasts.

    Both instants carry an offset. `reason` is a code (e.g. waiting_for_requester).
    """

    start: datetime
    end: datetime | None = None
    reason: str = ""


def label_of(value: str | Mapping[str, str]) -> Label:
    """Return the label a file's string or {"zh-CN": …, "en": …} stands for."""
    if isinstance(value, str):
        return Label(value, value)
    zh, en = value.get("zh-CN", ""), value.get("en", "")
    return Label(zh or en, en or zh)
