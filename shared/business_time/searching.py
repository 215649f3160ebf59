"""Questions to a line of open time: how much lies between, where does so much end, what is next.

All in whole microseconds. A search ends at the horizon with an answer that says so; none spins.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from functools import lru_cache

from shared.business_time.checks import FIRST_YEAR, LAST_YEAR
from shared.business_time.chunks import Chunk
from shared.business_time.instants import FIRST, LAST, year_bounds, year_of
from shared.business_time.spans import Span

#: How far a question looks before it answers "nothing there". Longer than any promise; at
#: about 5 ms a year to expand, the worst question still costs about 0.1 s, once.
HORIZON_YEARS = 20

#: A year of two windows a day takes about 60 kB, so this is about 60 MB at most.
_CHUNKS_KEPT = 1024


class Timeline(ABC):
    """The open spans of one calendar, and the instants between which they can be relied on."""

    #: Before and from these, holidays are not known: results are provisional.
    known_from: int = FIRST
    known_until: int = LAST
    #: Validity: nothing that starts before or from these is open.
    opens_at: int = FIRST
    ends_at: int = LAST

    @abstractmethod
    def spans(self, year: int) -> list[Span]:
        """Return the open spans of a UTC year: sorted, disjoint, clipped to it."""

    def chunk(self, year: int) -> Chunk:
        """Return the same laid out for searching, from the cache."""
        return _chunk(self, year)

    def is_open_in(self, year: int) -> bool:
        """Return whether anything is open in a UTC year."""
        return self.chunk(year).total > 0

    def measure(self, start: int, end: int) -> int:
        """Return the open time in [start, end); start <= end."""
        first, last = year_of(start), year_of(end)
        if first == last:
            chunk = self.chunk(first)
            return chunk.measure(end) - chunk.measure(start)
        chunk = self.chunk(first)
        between = sum(self.chunk(year).total for year in range(first + 1, last))
        return chunk.total - chunk.measure(start) + between + self.chunk(last).measure(end)

    def advance(self, start: int, need: int) -> tuple[int | None, int]:
        """Return the first instant at which `need` (> 0) open time has passed since `start`.

        The second value is what is still needed at the horizon when there is none.
        """
        year = year_of(start)
        chunk = self.chunk(year)
        done = chunk.measure(start)
        for ahead in range(year, _last_year(year) + 1):
            if ahead != year:
                chunk, done = self.chunk(ahead), 0
            if done + need <= chunk.total:
                return chunk.reaching(done + need), 0
            need -= chunk.total - done
        return None, need

    def retreat(self, end: int, need: int) -> tuple[int | None, int]:
        """Return the last instant from which `need` (> 0) open time passes until `end`."""
        year = year_of(end)
        chunk = self.chunk(year)
        have = chunk.measure(end)
        for back in range(year, _first_year(year) - 1, -1):
            if back != year:
                chunk = self.chunk(back)
                have = chunk.total
            if need <= have:
                return chunk.leaving(have - need), 0
            need -= have
        return None, need

    def span_after(self, instant: int) -> Span | None:
        """Return the first open span that ends after `instant`, whole also across years.

        A span that does not end (begin) within the horizon ends at LAST (begins at FIRST).
        """
        year = year_of(instant)
        for ahead in range(year, _last_year(year) + 1):
            found = self.chunk(ahead).span_after(instant)
            if found is not None:
                return self._left(found)[0], self._right(found)[1]
        return None

    def span_before(self, instant: int) -> Span | None:
        """Return the last open span that starts before `instant`, whole also across years."""
        year = year_of(instant)
        for back in range(year, _first_year(year) - 1, -1):
            found = self.chunk(back).span_before(instant)
            if found is not None:
                return self._left(found)[0], self._right(found)[1]
        return None

    def opening_from(self, instant: int) -> int | None:
        """Return the first open instant at or after `instant`."""
        year = year_of(instant)
        for ahead in range(year, _last_year(year) + 1):
            found = self.chunk(ahead).span_after(instant)
            if found is not None:
                return max(found[0], instant)
        return None

    def _right(self, span: Span) -> Span:
        """Follow a span over the ends of years; at the horizon it counts as never ending."""
        year = year_of(span[0])
        last = _last_year(year)
        for ahead in range(year, last):
            high = year_bounds(ahead)[1]
            following = self.chunk(ahead + 1).span_after(high) if span[1] == high else None
            if following is None or following[0] != high:
                return span
            span = (span[0], following[1])
        return (span[0], LAST) if span[1] == year_bounds(last)[1] else span

    def _left(self, span: Span) -> Span:
        """Follow a span back over the beginnings of years; at the horizon it never began."""
        year = year_of(span[0])
        first = _first_year(year)
        for back in range(year, first, -1):
            low = year_bounds(back)[0]
            leading = self.chunk(back - 1).span_before(low) if span[0] == low else None
            if leading is None or leading[1] != low:
                return span
            span = (leading[0], span[1])
        return (FIRST, span[1]) if span[0] == year_bounds(first)[0] else span


@lru_cache(maxsize=_CHUNKS_KEPT)
def _chunk(of: Timeline, year: int) -> Chunk:
    return Chunk(of.spans(year))


def _last_year(year: int) -> int:
    return min(year + HORIZON_YEARS, LAST_YEAR)


def _first_year(year: int) -> int:
    return max(year - HORIZON_YEARS, FIRST_YEAR)


class AlwaysTimeline(Timeline):
    """Open from `opens_at` to `ends_at` without a break; every answer costs the same."""

    def __init__(self, opens_at: int = FIRST, ends_at: int = LAST) -> None:
        self.opens_at, self.ends_at = opens_at, ends_at

    def spans(self, year: int) -> list[Span]:
        """Return the year, as far as the calendar is valid."""
        low, high = year_bounds(year)
        low, high = max(low, self.opens_at), min(high, self.ends_at)
        return [(low, high)] if low < high else []

    def measure(self, start: int, end: int) -> int:
        """Return the open time in [start, end): all of it that is valid."""
        return max(0, min(end, self.ends_at) - max(start, self.opens_at))

    def advance(self, start: int, need: int) -> tuple[int | None, int]:
        """Return start plus need, unless validity ends before."""
        begun = max(start, self.opens_at)
        left = begun + need - self.ends_at
        return (begun + need, 0) if left <= 0 else (None, min(need, left))

    def retreat(self, end: int, need: int) -> tuple[int | None, int]:
        """Return end minus need, unless validity begins after."""
        ended = min(end, self.ends_at)
        left = self.opens_at - (ended - need)
        return (ended - need, 0) if left <= 0 else (None, min(need, left))

    def span_after(self, instant: int) -> Span | None:
        """Return the one span there is, if it ends later."""
        return (self.opens_at, self.ends_at) if instant < self.ends_at else None

    def span_before(self, instant: int) -> Span | None:
        """Return the one span there is, if it starts earlier."""
        return (self.opens_at, self.ends_at) if self.opens_at < instant else None

    def opening_from(self, instant: int) -> int | None:
        """Return the instant itself, or the beginning of validity."""
        return max(instant, self.opens_at) if instant < self.ends_at else None
