"""One year of open time, laid out for searching: starts, ends and what came before each."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections.abc import Sequence
from itertools import accumulate

from shared.business_time.spans import Span


class Chunk:
    """The open spans of one UTC year with their running total; every question is a bisection.

    Spans are sorted, do not touch and lie inside the year; one that runs on into the next year
    ends here at the year's end and starts there at its beginning.
    """

    __slots__ = ("before", "ends", "starts", "total")

    def __init__(self, spans: Sequence[Span]) -> None:
        self.starts = [start for start, _ in spans]
        self.ends = [end for _, end in spans]
        #: Open microseconds before the span of the same position; the last entry is the total.
        self.before = [0, *accumulate(end - start for start, end in spans)]
        self.total = self.before[-1]

    @property
    def spans(self) -> list[Span]:
        """The open spans."""
        return list(zip(self.starts, self.ends, strict=True))

    def measure(self, instant: int) -> int:
        """Return the open time of this year before `instant`."""
        position = bisect_right(self.starts, instant)
        if position == 0:
            return 0
        return self.before[position - 1] + (
            min(instant, self.ends[position - 1]) - self.starts[position - 1]
        )

    def reaching(self, total: int) -> int:
        """Return the first instant before which `total` open time lies; 0 < total <= all of it."""
        position = bisect_left(self.before, total) - 1
        return self.starts[position] + total - self.before[position]

    def leaving(self, total: int) -> int:
        """Return the last instant before which `total` open time lies; 0 <= total < all of it."""
        position = bisect_right(self.before, total) - 1
        return self.starts[position] + total - self.before[position]

    def span_after(self, instant: int) -> Span | None:
        """Return the first span that ends after `instant`."""
        position = bisect_right(self.ends, instant)
        return (self.starts[position], self.ends[position]) if position < len(self.ends) else None

    def span_before(self, instant: int) -> Span | None:
        """Return the last span that starts before `instant`."""
        position = bisect_left(self.starts, instant) - 1
        return (self.starts[position], self.ends[position]) if position >= 0 else None
