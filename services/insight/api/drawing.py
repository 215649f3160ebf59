"""The drawing of a distribution: bars by length, with marks where the percentiles stand."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.insight.domain.rules import SPREAD_S

if TYPE_CHECKING:
    from services.insight.domain.board import Bar, MetricFigures

#: Units of the drawing: a bar's width with its gap, and the height of the highest.
STEP, HEIGHT = 16, 36
_GAP = 2


@dataclass(frozen=True, slots=True)
class Stack:
    """One bar: in time below, late on top."""

    x: float
    width: float
    in_time_y: float
    in_time_height: float
    late_y: float
    late_height: float
    bar: Bar


@dataclass(frozen=True, slots=True)
class Mark:
    """A percentile's place."""

    name: str
    x: float


@dataclass(frozen=True, slots=True)
class Drawing:
    """Everything a template needs to draw one distribution."""

    width: int
    height: int
    stacks: tuple[Stack, ...]
    marks: tuple[Mark, ...]


def draw(figures: MetricFigures) -> Drawing | None:
    """Return the drawing of a metric's distribution; None where nothing was measured."""
    if not figures.measured:
        return None
    highest = max(bar.in_time + bar.late for bar in figures.spread)
    told = (("p50", figures.p50_s), ("p90", figures.p90_s), ("p95", figures.p95_s))
    return Drawing(
        width=STEP * len(figures.spread),
        height=HEIGHT,
        stacks=tuple(_stack(at, bar, highest) for at, bar in enumerate(figures.spread)),
        marks=tuple(Mark(name, _place(value)) for name, value in told if value is not None),
    )


def _stack(at: int, bar: Bar, highest: int) -> Stack:
    in_time, late = _tall(bar.in_time, highest), _tall(bar.late, highest)
    return Stack(
        x=at * STEP + _GAP / 2,
        width=STEP - _GAP,
        in_time_y=round(HEIGHT - in_time, 1),
        in_time_height=in_time,
        late_y=round(HEIGHT - in_time - late, 1),
        late_height=late,
        bar=bar,
    )


def _tall(number: int, highest: int) -> float:
    """Return a height; a bar that stands for anything at all can be seen."""
    return round(max(HEIGHT * number / highest, 1.5), 1) if number else 0.0


def _place(seconds: float) -> float:
    """Return where a length stands: inside its bar by its logarithm, as the bars' edges are."""
    lower = 1.0
    for at, edge in enumerate(SPREAD_S):
        if seconds <= edge:
            inside = math.log(max(seconds, lower) / lower) / math.log(edge / lower)
            return round((at + min(inside, 1.0)) * STEP, 1)
        lower = float(edge)
    return round((len(SPREAD_S) + 0.5) * STEP, 1)
