"""Due times and elapsed working time. State is a list of spans; no counter is kept anywhere."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import datetime, timedelta

from shared.business_time.answers import Due, Elapsed, LatestStart
from shared.business_time.calendar import Calendar
from shared.business_time.codes import NoAnswer
from shared.business_time.errors import EndBeforeStart, TargetNotPositive
from shared.business_time.instants import (
    FIRST,
    LAST,
    from_instant,
    from_microseconds,
    to_instant,
    to_microseconds,
)
from shared.business_time.pauses import pause_spans
from shared.business_time.searching import Timeline
from shared.business_time.spans import Span
from shared.business_time.timeline import timeline
from shared.business_time.values import Pause


def due(calendar: Calendar, start: datetime, target: timedelta) -> Due:
    """Return when `target` (> 0) working time has passed since `start`.

    A target used up exactly at a closing is due at the closing (sla.md 3.2).
    """
    line, begun, need = timeline(calendar), to_instant(start, "start"), _need(target)
    reached, left = line.advance(begun, need)
    if reached is None:
        return _not_due(line, need, left)
    return _due_at(line, begun, reached, line.opening_from(reached))


def due_with_pauses(
    calendar: Calendar, start: datetime, target: timedelta, pauses: Iterable[Pause]
) -> Due:
    """Return the same when the clock stood still during `pauses`, in any order, overlapping or not.

    Only the part of a pause inside windows moves the due time. While a pause has not ended the
    answer is "none yet, so much left" (reason PAUSED), unless the target was used up before it.
    """
    line, begun, need = timeline(calendar), to_instant(start, "start"), _need(target)
    still = pause_spans(pauses, low=begun)
    running, left = begun, need
    for paused_from, paused_until in still:
        counted = line.measure(running, paused_from)
        if left <= counted:
            break
        left -= counted
        running = paused_until
    if running >= LAST:
        return _paused(line, begun, still, left)
    reached, missing = line.advance(running, left)
    if reached is None:
        return _not_due(line, need, missing)
    return _due_at(line, begun, reached, _counting_from(line, reached, still))


def due_backward(calendar: Calendar, end: datetime, target: timedelta) -> LatestStart:
    """Return the last instant from which `target` (> 0) working time passes until `end`."""
    line, ended, need = timeline(calendar), to_instant(end, "end"), _need(target)
    reached, left = line.retreat(ended, need)
    if reached is None:
        is_over = line.opens_at > FIRST
        return LatestStart(
            start_at=None,
            same_from=None,
            is_provisional=line.known_from > FIRST,
            reason=NoAnswer.CALENDAR_ENDED if is_over else _why_none(need, left),
            left=from_microseconds(left),
        )
    before = line.span_before(reached)
    same = reached if before is None else min(before[1], reached)
    return LatestStart(
        start_at=from_instant(reached),
        same_from=from_instant(same),
        is_provisional=same < line.known_from or ended > line.known_until,
    )


def elapsed(
    calendar: Calendar, start: datetime, end: datetime, pauses: Iterable[Pause] = ()
) -> Elapsed:
    """Return the working time in [start, end) outside `pauses`; refused when end < start."""
    line, begun, ended = timeline(calendar), to_instant(start, "start"), to_instant(end, "end")
    if ended < begun:
        raise EndBeforeStart(start=start.isoformat(), end=end.isoformat())
    passed = line.measure(begun, ended)
    for paused_from, paused_until in pause_spans(pauses, low=begun, high=ended):
        passed -= line.measure(paused_from, paused_until)
    return Elapsed(
        time=from_microseconds(passed),
        is_provisional=begun < line.known_from or ended > line.known_until,
    )


def _need(target: timedelta) -> int:
    need = to_microseconds(target)
    if need <= 0:
        raise TargetNotPositive(target=target)
    return need


def _due_at(line: Timeline, begun: int, reached: int, resumed: int | None) -> Due:
    return Due(
        due_at=from_instant(reached),
        breaches_after=None if resumed is None else from_instant(resumed),
        is_provisional=begun < line.known_from
        or reached > line.known_until
        or (resumed is not None and resumed >= line.known_until),
    )


def _not_due(line: Timeline, need: int, left: int) -> Due:
    is_over = line.ends_at < LAST
    return Due(
        due_at=None,
        breaches_after=None,
        is_provisional=line.known_until < LAST,
        reason=NoAnswer.CALENDAR_ENDED if is_over else _why_none(need, left),
        left=from_microseconds(left),
    )


def _paused(line: Timeline, begun: int, still: Sequence[Span], left: int) -> Due:
    return Due(
        due_at=None,
        breaches_after=None,
        is_provisional=begun < line.known_from or still[-1][0] > line.known_until,
        reason=NoAnswer.PAUSED,
        left=from_microseconds(left),
    )


def _why_none(need: int, left: int) -> NoAnswer:
    return NoAnswer.NOTHING_WITHIN_HORIZON if left == need else NoAnswer.TARGET_BEYOND_HORIZON


def _counting_from(line: Timeline, instant: int, still: Sequence[Span]) -> int | None:
    """Return the first instant from which time counts again, neither closed nor paused."""
    moment = line.opening_from(instant)
    for paused_from, paused_until in still:
        if moment is not None and paused_from <= moment < paused_until:
            moment = line.opening_from(paused_until) if paused_until < LAST else None
    return moment
