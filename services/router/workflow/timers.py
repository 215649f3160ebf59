"""ISO 8601 dates, durations and repeating intervals, as BPMN timers write them (pure)."""

from __future__ import annotations

import calendar
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

_DURATION = re.compile(
    r"P(?:(?P<years>\d{1,4})Y)?(?:(?P<months>\d{1,5})M)?(?:(?P<weeks>\d{1,5})W)?(?:(?P<days>\d{1,6})D)?"
    r"(?:T(?:(?P<hours>\d{1,7})H)?(?:(?P<minutes>\d{1,8})M)?(?:(?P<seconds>\d{1,9}(?:\.\d{1,9})?)S)?)?"
)
_REPEAT = re.compile(r"R(?P<count>\d{0,6})/(?:(?P<start>[^/P][^/]*)/)?(?P<interval>P[^/]+)")


class NotATime(ValueError):
    """A text is not the date, duration or repeating interval it should be."""


@dataclass(frozen=True, slots=True)
class Span:
    """A duration: calendar months and an exact part."""

    months: int
    exact: timedelta

    def after(self, moment: datetime) -> datetime:
        """Return the moment this much later; the 31st plus one month is the month's last day."""
        index = moment.year * 12 + moment.month - 1 + self.months
        year, month = divmod(index, 12)
        if year > 9999:
            raise NotATime("the date lies beyond the year 9999")
        day = min(moment.day, calendar.monthrange(year, month + 1)[1])
        try:
            return moment.replace(year=year, month=month + 1, day=day) + self.exact
        except OverflowError:
            raise NotATime("the date lies beyond the year 9999") from None


@dataclass(frozen=True, slots=True)
class Repeat:
    """A repeating interval: how often (None: without end), from when (None: a span from now)."""

    count: int | None
    start: datetime | None
    every: Span


def parse_duration(text: str) -> Span:
    """Read P…Y…M…W…DT…H…M…S; negative ones are refused, for no timer fires before it is set.

    Raises NotATime.
    """
    found = _DURATION.fullmatch(text.strip())
    if found is None or text.strip() in {"P", "PT"} or text.strip().endswith("T"):
        raise NotATime(f"{text!r} is not an ISO 8601 duration such as PT8H or P5D")
    part = {name: float(value or 0) for name, value in found.groupdict().items()}
    exact = timedelta(
        weeks=part["weeks"],
        days=part["days"],
        hours=part["hours"],
        minutes=part["minutes"],
        seconds=part["seconds"],
    )
    return Span(months=int(part["years"] * 12 + part["months"]), exact=exact)


def parse_date(text: str) -> datetime:
    """Read a date and time with an offset; a naive one is refused, for nobody knows whose it is.

    Returns UTC. Raises NotATime.
    """
    plain, _, zone = text.strip().partition("@")
    try:
        moment = datetime.fromisoformat(plain)
        # FEEL writes named zones behind an @: 2026-01-31T09:00:00@Asia/Shanghai.
        moment = moment.replace(tzinfo=ZoneInfo(zone)) if zone else moment
    except (ValueError, ZoneInfoNotFoundError):
        raise NotATime(f"{text!r} is not an ISO 8601 date and time") from None
    if moment.tzinfo is None:
        raise NotATime(f"{text!r} has no offset; write 2026-01-31T09:00:00+08:00")
    return moment.astimezone(UTC)


def parse_repeat(text: str) -> Repeat:
    """Read R[n]/[start/]duration. Raises NotATime."""
    found = _REPEAT.fullmatch(text.strip())
    if found is None:
        raise NotATime(f"{text!r} is not an ISO 8601 repeating interval such as R3/PT1H or R/P1D")
    every = parse_duration(found["interval"])
    if not every.months and every.exact < timedelta(seconds=1):
        raise NotATime(f"{text!r} repeats faster than once a second")
    count = int(found["count"]) if found["count"] else None
    if count == 0:
        raise NotATime(f"{text!r} never fires")
    return Repeat(count, parse_date(found["start"]) if found["start"] else None, every)


def following(
    every: Span, last: datetime, left: int | None, now: datetime
) -> tuple[datetime, int | None] | None:
    """Return the first moment of the grid later than `now`, and how many firings are left with it.

    `left` counts the firings after `last` (None = without end). Moments missed while nobody could
    fire them count as used, so there is no burst of late reminders. None when all are used up.
    """
    if every.exact and not every.months:
        missed = max((now - last) // every.exact, 0)
        if left is not None:
            missed, left = min(missed, left), left - min(missed, left)
        last += missed * every.exact
    while left is None or left > 0:
        last = every.after(last)
        if last > now:
            return last, left
        left = None if left is None else left - 1
    return None


def check(kind: str, text: str) -> None:
    """Read a literal timer text of the kind date, duration or cycle. Raises NotATime."""
    {"date": parse_date, "duration": parse_duration, "cycle": parse_repeat}[kind](text)


def as_text(moment: datetime) -> str:
    """Write a moment as states hold it: ISO 8601 in UTC."""
    return moment.astimezone(UTC).isoformat()
