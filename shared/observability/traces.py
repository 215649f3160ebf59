"""One request is one trace, across services, timers and notifications (docs/decisions/0013).

A trace goes on in the `traceparent` of envelopes and timers. Where nobody brought one, the trace id
is the request's own id and its first span the root, so that whoever meets the request later, an
agent's call or a timer armed before, finds the same trace without anything being stored.

Spans are recorded after the commit of what they tell of. A request that is not sampled costs a
look at one character; where tracing is off nothing here is called at all.
"""

from __future__ import annotations

import contextlib
import contextvars
import re
import secrets
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal
from uuid import UUID

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from datetime import datetime

Kind = Literal["server", "consumer", "internal"]

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-([0-9a-f]{32})-([0-9a-f]{16})-([0-9a-f]{2})(-.*)?")
#: What consistent sampling looks at (W3C Trace Context level 2): the last 56 bits are random,
#: also in a UUIDv7.
_RANDOM = 1 << 56
#: Last digits of the flags of what is not sampled.
_EVEN = frozenset("02468ace")


@dataclass(frozen=True, slots=True)
class Context:
    """A place in a trace: what `traceparent` says."""

    trace_id: int
    span_id: int
    is_sampled: bool

    @property
    def traceparent(self) -> str:
        """The W3C form."""
        return f"00-{self.trace_id:032x}-{self.span_id:016x}-{int(self.is_sampled):02x}"


@dataclass(slots=True)
class Span:
    """One thing that was done, from when to when; `error` is why it failed."""

    name: str
    kind: Kind
    context: Context
    parent_id: int | None
    began_at: datetime
    attributes: dict[str, str | int | float | bool]
    ended_at: datetime | None = None
    error: str | None = None


@dataclass(slots=True)
class Edge:
    """Where work comes in from outside: whose trace it goes on in, once that is known.

    A call without a trace of its own belongs to the trace of the request it is about, which is
    known only when its transaction begins.
    """

    #: The span of whoever called; None when nobody said.
    caller: Context | None = None
    #: The span of the edge itself, begun with its first transaction.
    span: Span | None = None
    #: Whether the edge has a span of its own; what merely goes on has none.
    is_served: bool = False


_edge: contextvars.ContextVar[Edge | None] = contextvars.ContextVar("levee_edge", default=None)


def read(traceparent: str | None) -> Context | None:
    """Return what a traceparent says; None for none, and for one that is not valid."""
    # What a stranger published may hold anything there.
    if not isinstance(traceparent, str) or traceparent.startswith("ff"):
        return None
    found = _TRACEPARENT.fullmatch(traceparent)
    if found is None:
        return None
    context = Context(int(found[1], 16), int(found[2], 16), bool(int(found[3], 16) & 1))
    return context if context.trace_id and context.span_id else None


def of_request(subject: str | None) -> Context | None:
    """Return the root of a request's own trace; None for what is not a request."""
    try:
        whole = UUID(subject or "").int
    except ValueError:
        return None
    return Context(whole, whole & (2**64 - 1), is_sampled=True)


@contextlib.contextmanager
def coming_from(edge: Edge) -> Iterator[None]:
    """Let the calls made inside go on in the trace of `edge`."""
    token = _edge.set(edge)
    try:
        yield
    finally:
        _edge.reset(token)


def edge() -> Edge | None:
    """Return where the present call came in; None for what the service does by itself."""
    return _edge.get()


@dataclass(slots=True)
class Tracer:
    """Begins spans of one service and hands finished ones to `export`."""

    service: str
    export: Callable[[Sequence[Span]], None]
    now: Callable[[], datetime]
    #: Share of requests traced when no caller decided; a caller's decision is kept.
    ratio: float = 1.0
    #: Whether a caller's decision counts.
    is_parent_based: bool = True
    _kept: int = field(init=False)

    def __post_init__(self) -> None:
        self._kept = round(self.ratio * _RANDOM)

    def begin(
        self,
        name: str,
        kind: Kind,
        parent: Context | None,
        subject: str | None,
        *,
        is_first: bool = False,
    ) -> Span | None:
        """Begin a span below `parent`, or else in the trace of the request; None: not sampled.

        `is_first` says that the request begins here: its root.
        """
        root = None if parent is not None else of_request(subject)
        above = parent or root
        if above is None or not self._is_sampled(parent, above.trace_id):
            return None
        is_root = is_first and root is not None
        own = above.span_id if is_root else secrets.randbits(64) or 1
        attributes: dict[str, str | int | float | bool] = {"levee.service": self.service}
        if subject is not None:
            attributes["levee.request_id"] = subject
        return Span(
            name,
            kind,
            Context(above.trace_id, own, is_sampled=True),
            None if is_root else above.span_id,
            self.now(),
            attributes,
        )

    def leaves_out(self, traceparent: str | None) -> bool:
        """Tell at a glance, for the hot path, that a caller decided against a trace."""
        is_told = self.is_parent_based and isinstance(traceparent, str)
        return is_told and str(traceparent)[-1:] in _EVEN

    def failed(
        self, name: str, subject: str | None, traceparent: str | None, error: str, **told: str | int
    ) -> None:
        """Record that something failed; `told` are further attributes, levee. before each."""
        span = self.begin(name, "consumer", read(traceparent), subject)
        if span is not None:
            span.error = error
            span.attributes |= {f"levee.{key}": value for key, value in told.items()}
            span.ended_at = self.now()
            self.export([span])

    def _is_sampled(self, parent: Context | None, trace_id: int) -> bool:
        if parent is not None and self.is_parent_based:
            return parent.is_sampled
        return trace_id % _RANDOM < self._kept
