"""Numbers for people: `R-2026-000123`, never parsed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo


def number_of(year: int, count: int) -> str:
    """Return the number of the `count`-th request of a year; it grows beyond six digits."""
    return f"R-{year}-{count:06d}"


def year_at(moment: datetime, zone: tzinfo) -> int:
    """Return the year people in `zone` write at `moment`."""
    return moment.astimezone(zone).year
