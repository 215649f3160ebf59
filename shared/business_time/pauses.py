"""Pauses as spans: sorted, joined, so that no moment is given back twice."""

from __future__ import annotations

from collections.abc import Iterable

from shared.business_time.errors import EndBeforeStart
from shared.business_time.instants import LAST, to_instant
from shared.business_time.spans import Span, merged
from shared.business_time.values import Pause


def pause_spans(pauses: Iterable[Pause], low: int, high: int = LAST) -> list[Span]:
    """Return the pauses' parts in [low, high), joined where they touch; open ones end at LAST."""
    return merged(
        (max(start, low), min(end, high)) for start, end in (pause_span(p) for p in pauses)
    )


def pause_span(pause: Pause) -> Span:
    """Return one pause as a span, LAST standing for "not ended"; refused when it runs backward."""
    start = to_instant(pause.start, "pause.start")
    if pause.end is None:
        return start, LAST
    end = to_instant(pause.end, "pause.end")
    if end < start:
        raise EndBeforeStart(start=pause.start.isoformat(), end=pause.end.isoformat())
    return start, end
