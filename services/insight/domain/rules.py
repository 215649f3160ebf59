"""The rules behind figures: nearest rank, windows, and when a team is red, yellow or green."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

#: Percentiles the board tells.
PERCENTS = (50, 90, 95)
#: Share of open requests that may be overdue before the team is red: a promise is to be
#: reviewed when reality departs from it by more than a tenth (product, Agreements).
RED_SHARE = 0.10
#: Upper edges in seconds of the bars of a distribution; the last bar has none.
SPREAD_S = (60, 300, 900, 1800, 3600, 7200, 14400, 28800, 86400, 259200)


class Window(StrEnum):
    """How far back a figure looks."""

    TODAY = "today"
    WEEK = "7d"
    MONTH = "30d"
    ALL = "all"


class Light(StrEnum):
    """How a team stands."""

    RED = "red"
    YELLOW = "yellow"
    GREEN = "green"


def begin_of(window: Window, now: datetime, zone: ZoneInfo) -> datetime | None:
    """Return the first moment of a window; `today` begins at midnight in `zone`."""
    if window is Window.TODAY:
        return now.astimezone(zone).replace(hour=0, minute=0, second=0, microsecond=0)
    days = {Window.WEEK: 7, Window.MONTH: 30}.get(window)
    return None if days is None else now - timedelta(days=days)


def nearest_rank(percent: int, count: int) -> int:
    """Return which of `count` ordered values (from 1) is the percentile; 0 of none.

    The smallest value that at least `percent` of all values do not exceed: always a value that
    really occurred.
    """
    return -(-percent * count // 100)


@dataclass(frozen=True, slots=True)
class Standing:
    """What decides a team's light."""

    open: int = 0
    due_soon: int = 0
    overdue: int = 0
    overdue_p1: int = 0
    unanswered: int = 0
    exhausted: int = 0


def light(team: Standing) -> tuple[Light, str]:
    """Return a team's light and the code of the reason, the gravest first."""
    if team.overdue_p1:
        return Light.RED, "p1_overdue"
    if team.exhausted:
        return Light.RED, "nobody_answered"
    if team.overdue > RED_SHARE * team.open:
        return Light.RED, "many_overdue"
    if team.overdue:
        return Light.YELLOW, "some_overdue"
    if team.unanswered:
        return Light.YELLOW, "unanswered"
    if team.due_soon:
        return Light.YELLOW, "due_soon"
    return Light.GREEN, "in_time"
