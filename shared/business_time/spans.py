"""Arithmetic on sorted, disjoint, half-open spans of instants. No calendars, no zones."""

from __future__ import annotations

from collections.abc import Iterable

Span = tuple[int, int]


def merged(spans: Iterable[Span]) -> list[Span]:
    """Return the spans sorted, with those that touch or overlap joined and empty ones gone."""
    result: list[Span] = []
    for start, end in sorted(spans):
        if end <= start:
            continue
        if result and start <= result[-1][1]:
            result[-1] = (result[-1][0], max(end, result[-1][1]))
        else:
            result.append((start, end))
    return result


def intersected(left: Iterable[Span], right: Iterable[Span]) -> list[Span]:
    """Return what lies in both; each side sorted and disjoint."""
    result: list[Span] = []
    others = list(right)
    position = 0
    for start, end in left:
        while position < len(others) and others[position][1] <= start:
            position += 1
        ahead = position
        while ahead < len(others) and others[ahead][0] < end:
            result.append((max(start, others[ahead][0]), min(end, others[ahead][1])))
            ahead += 1
    return result


def subtracted(left: Iterable[Span], right: Iterable[Span]) -> list[Span]:
    """Return what lies in `left` and not in `right`; each side sorted and disjoint."""
    result: list[Span] = []
    others = list(right)
    position = 0
    for start, end in left:
        while position < len(others) and others[position][1] <= start:
            position += 1
        ahead = position
        while ahead < len(others) and others[ahead][0] < end:
            if others[ahead][0] > start:
                result.append((start, others[ahead][0]))
            start = max(start, others[ahead][1])
            ahead += 1
        if start < end:
            result.append((start, end))
    return result


def clipped(spans: Iterable[Span], low: int, high: int) -> list[Span]:
    """Return the parts of the spans that lie in [low, high)."""
    return [(max(s, low), min(e, high)) for s, e in spans if s < high and e > low]
