"""Thresholds: a percentage of the target, or working time before or after it.

`75` is three quarters of the target, `120` a fifth beyond it; `-PT30M` is half an hour of working
time before the target is used up, `+PT1H` one hour after.
"""

from __future__ import annotations

import re
from datetime import timedelta
from functools import lru_cache

from shared.targets.rows import Threshold

_DURATION = re.compile(
    r"P(?:(?P<d>\d+)D)?(?:T(?:(?P<h>\d+)H)?(?:(?P<m>\d+)M)?(?:(?P<s>\d+(?:\.\d+)?)S)?)?", re.ASCII
)


def duration(text: str) -> timedelta | None:
    """Return an ISO 8601 duration of days and less; None when the text is none, or beyond years."""
    found = _DURATION.fullmatch(text)
    if found is None or not any(found.groupdict().values()):
        return None
    d, h, m, s = (float(found[k] or 0) for k in "dhms")
    try:
        return timedelta(days=d, hours=h, minutes=m, seconds=s)
    except (OverflowError, ValueError):
        return None  # longer than a million years, which no clock can count


def offset(text: str) -> timedelta | None:
    """Return the working time a signed threshold lies after the target (below zero: before)."""
    span = duration(text[1:])
    if not span or text[:1] not in ("+", "-"):
        return None
    return -span if text[0] == "-" else span


def part_of(threshold: Threshold, target: timedelta) -> timedelta | None:
    """Return the working time at which a threshold is reached.

    None for one that lies before the clock's start: a warning half an hour before a target of a
    quarter of an hour is never given.
    """
    if isinstance(threshold, int):
        return target * threshold / 100
    moved = offset(threshold)
    part = None if moved is None else target + moved
    return part if part is not None and part > timedelta(0) else None


@lru_cache(maxsize=4096)
def in_order(thresholds: tuple[Threshold, ...], target: timedelta) -> tuple[Threshold, ...]:
    """Return the thresholds that can be reached, the earliest first."""
    parts = [(part_of(threshold, target), threshold) for threshold in set(thresholds)]
    reached = [(part, threshold) for part, threshold in parts if part is not None]
    ordered = sorted(reached, key=lambda one: (one[0], str(one[1])))
    return tuple(threshold for _, threshold in ordered)
