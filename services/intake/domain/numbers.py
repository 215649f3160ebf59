"""Numbers for people: `R-2026-000123`, never parsed."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

_NUMBER = re.compile(r"R-\d{4}-\d{6,}")


def number_of(year: int, count: int) -> str:
    """Return the number of the `count`-th request of a year; it grows beyond six digits."""
    return f"R-{year}-{count:06d}"


def year_at(moment: datetime, zone: tzinfo) -> int:
    """Return the year people in `zone` write at `moment`."""
    return moment.astimezone(zone).year


def looks_like_number(text: str) -> bool:
    """Tell a number from an id, to know where to look; says nothing about its existence."""
    return _NUMBER.fullmatch(text) is not None
