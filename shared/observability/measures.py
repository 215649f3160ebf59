"""What a service counts and times while it works: plain numbers of one event loop, no locks.

`shared.observability.exposition` turns them into what Prometheus reads. Noting one value costs
well under a microsecond; prometheus-client's own histograms cost several (a lock per number).
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.observability import traces

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from shared.observability.traces import Edge, Span, Tracer

#: Upper bounds in seconds of what handlers take: rules on values, tens of microseconds.
HANDLER_BOUNDS_S = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0)
#: Upper bounds in seconds of transactions and calls from outside.
WAIT_BOUNDS_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0)
#: Upper bounds of entries per transaction; 500 is the most one takes.
SIZE_BOUNDS = (1.0, 2.0, 5.0, 10.0, 20.0, 50.0, 100.0, 200.0, 350.0, 500.0)


@dataclass(slots=True)
class Histogram:
    """Values sorted into buckets: counts per upper bound and one beyond, and their sum."""

    bounds: tuple[float, ...]
    counts: list[int] = field(default_factory=list)
    sum: float = 0.0

    def __post_init__(self) -> None:
        self.counts = self.counts or [0] * (len(self.bounds) + 1)

    def note(self, value: float) -> None:
        """Count one value; a value equal to a bound belongs below it."""
        self.counts[bisect_left(self.bounds, value)] += 1
        self.sum += value


@dataclass(slots=True)
class Measures:
    """Everything one service counts and times since its start."""

    #: (entry, type) -> seconds; entry is message, timer or call.
    handlers: dict[tuple[str, str], Histogram] = field(default_factory=dict)
    #: entry -> entries per committed transaction.
    batches: dict[str, Histogram] = field(default_factory=dict)
    #: entry -> seconds from asking for a transaction to its commit.
    transactions: dict[str, Histogram] = field(default_factory=dict)
    #: (method, route) -> seconds until an answer began.
    answers: dict[tuple[str, str], Histogram] = field(default_factory=dict)
    #: (method, route, status) -> answers.
    statuses: Counter[tuple[str, str, str]] = field(default_factory=Counter)
    #: (channel, outcome) -> notifications.
    notifications: Counter[tuple[str, str]] = field(default_factory=Counter)

    def answered(self, method: str, route: str, status: int, took_s: float) -> None:
        """Note a call from outside; `route` is a template, never a path somebody typed."""
        self.statuses[(method, route, str(status))] += 1
        times = self.answers.get((method, route))
        if times is None:
            times = self.answers[(method, route)] = Histogram(WAIT_BOUNDS_S)
        times.note(took_s)


class Handling:
    """Times one transaction: each handler in it, and the whole once it is committed.

    Where tracing is on, each sampled handling is also a span, handed over after the commit.
    """

    __slots__ = (
        "_began_s",
        "_entry",
        "_handler",
        "_measures",
        "_monotonic",
        "_span",
        "_spans",
        "_started_s",
        "_tracer",
    )

    def __init__(
        self,
        measures: Measures,
        entry: str,
        monotonic: Callable[[], float],
        tracer: Tracer | None = None,
    ) -> None:
        self._measures, self._entry, self._monotonic = measures, entry, monotonic
        self._tracer = tracer
        self._spans: list[Span] = []
        self._span: Span | None = None
        self._began_s = monotonic()
        self._started_s = 0.0
        self._handler: Histogram | None = None

    def begin(
        self, type_: str, subject: str | None = None, traceparent: str | None = None
    ) -> str | None:
        """A handler begins; return the traceparent of what it says. One that fails has no `end`."""
        handlers, place = self._measures.handlers, (self._entry, type_)
        handler = handlers.get(place)
        if handler is None:
            handler = handlers[place] = Histogram(HANDLER_BOUNDS_S)
        self._handler = handler
        if self._tracer is not None and not self._tracer.leaves_out(traceparent):
            self._span = self._tracer.begin(
                f"{self._entry} {type_}", "consumer", traces.read(traceparent), subject
            )
            if self._span is not None:
                self._span.attributes["levee.type"] = type_
                traceparent = self._span.context.traceparent
        else:
            self._span = None
        self._started_s = self._monotonic()
        return traceparent

    def begin_call(self, keys: Iterable[str], new: Sequence[str], edge: Edge | None) -> str | None:
        """A call begins: below the span of the edge it came in by, which begins with it."""
        if self._tracer is None:
            self.begin("call")
            return edge.caller.traceparent if edge is not None and edge.caller else None
        subject = next((key for key in (*new, *keys) if traces.of_request(key)), None)
        above = edge.caller if edge is not None else None
        if edge is not None:
            if edge.span is None and edge.is_served:
                edge.span = self._tracer.begin(
                    "edge", "server", edge.caller, subject, is_first=bool(new)
                )
            above = edge.span.context if edge.span is not None else edge.caller
        return self.begin("call", subject, above.traceparent if above is not None else None)

    def end(self) -> None:
        """The handler that began has returned."""
        assert self._handler is not None
        self._handler.note(self._monotonic() - self._started_s)
        if self._span is not None and self._tracer is not None:
            self._span.ended_at = self._tracer.now()
            self._spans.append(self._span)

    def committed(self, size: int) -> None:
        """The transaction with `size` entries is stored."""
        measures, entry = self._measures, self._entry
        if entry not in measures.batches:
            measures.batches[entry] = Histogram(SIZE_BOUNDS)
            measures.transactions[entry] = Histogram(WAIT_BOUNDS_S)
        measures.batches[entry].note(size)
        measures.transactions[entry].note(self._monotonic() - self._began_s)
        if self._spans and self._tracer is not None:
            self._tracer.export(self._spans)
