"""A stretch of time cut into pieces that each say why they count or not; no gaps, no overlaps."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import date, timedelta

from shared.business_time.calendar import Calendar, Kind
from shared.business_time.codes import Code
from shared.business_time.instants import local_date, wall_instant
from shared.business_time.searching import Timeline
from shared.business_time.spans import Span, clipped, merged, subtracted
from shared.business_time.timeline import WeeklyTimeline, timeline
from shared.business_time.values import NO_LABEL, Label

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class Piece:
    """A half-open span of instants, whether it is open, and the reason with its name."""

    start: int
    end: int
    is_open: bool
    code: Code
    label: Label = NO_LABEL
    #: Key of the calendar that decided.
    calendar: str = ""
    #: The local date the piece belongs to; None for the hours between two working days.
    day: date | None = None


def pieces_of(calendar: Calendar, low: int, high: int) -> list[Piece]:
    """Return [low, high) cut into pieces; the open ones are exactly the calendar's open time."""
    if low >= high:
        return []
    line = timeline(calendar)
    if isinstance(line, WeeklyTimeline):
        return _joined(_weekly(calendar, line, low, high))
    if calendar.kind is Kind.ALWAYS:
        return list(_within_validity(calendar, line, _always(calendar, low, high)))
    members = [pieces_of(member, low, high) for member in calendar.members]
    combined = members[0]
    for others in members[1:]:
        combined = list(_combined(calendar.kind, combined, others))
    return _joined(_within_validity(calendar, line, combined))


def _always(calendar: Calendar, low: int, high: int) -> list[Piece]:
    return [Piece(low, high, True, Code.ALWAYS_OPEN, calendar=calendar.key)]


def _within_validity(
    calendar: Calendar, line: Timeline, pieces: Iterable[Piece]
) -> Iterator[Piece]:
    since = line.opens_at if calendar.valid_from else None
    until = line.ends_at if calendar.valid_until else None
    for piece in pieces:
        for part in _cut(piece, [edge for edge in (since, until) if edge is not None]):
            is_outside = (since is not None and part.start < since) or (
                until is not None and part.start >= until
            )
            if is_outside:
                part = replace(
                    part,
                    is_open=False,
                    code=Code.OUTSIDE_VALIDITY,
                    label=NO_LABEL,
                    calendar=calendar.key,
                )
            yield part


def _cut(piece: Piece, edges: Iterable[int]) -> Iterator[Piece]:
    start = piece.start
    for edge in sorted(edges):
        if start < edge < piece.end:
            yield replace(piece, start=start, end=edge)
            start = edge
    yield replace(piece, start=start)


def _weekly(calendar: Calendar, line: WeeklyTimeline, low: int, high: int) -> Iterator[Piece]:
    # A night shift starts on the date before, so its name and windows are looked up there.
    days = list(_dates(local_date(low, line.zone) - _DAY, local_date(high, line.zone) + _DAY))
    breaks = merged(span for day in days for span in line.breaks(day))
    opened: list[Piece] = []
    reached = low
    for day in days:
        plan = line.days.plan(day)
        for start, end in clipped(merged(line.windows(day)), reached, high):
            spans = subtracted([(start, end)], breaks)
            opened += [
                Piece(*span, True, plan.code, plan.label, calendar.key, day) for span in spans
            ]
            reached = max(reached, end)
    yield from _with_gaps(calendar, line, opened, (low, high))


def _with_gaps(
    calendar: Calendar, line: WeeklyTimeline, opened: list[Piece], within: Span
) -> Iterator[Piece]:
    at, high = within
    for piece in opened:
        if at < piece.start:
            yield from _closed(calendar, line, at, piece.start)
        yield piece
        at = piece.end
    if at < high:
        yield from _closed(calendar, line, at, high)


def _closed(calendar: Calendar, line: WeeklyTimeline, low: int, high: int) -> Iterator[Piece]:
    """Cut a closed stretch at local midnights and at breaks, each part with its reason."""
    # One date more than the clock shows: where clocks go back over midnight (00:01 to 23:01,
    # St John's), the first midnight lies before instants that still show the old date.
    for day in _dates(local_date(low, line.zone), local_date(high, line.zone) + _DAY):
        plan = line.days.plan(day)
        midnight = (
            wall_instant(day, 0, line.zone),
            wall_instant(day + _DAY, 0, line.zone),
        )
        for part in clipped([midnight], low, high):
            if plan.windows:
                yield from _closed_on_working_day(calendar, line, day, part)
            else:
                yield Piece(*part, False, plan.code, plan.label, calendar.key, day)


def _closed_on_working_day(
    calendar: Calendar, line: WeeklyTimeline, day: date, part: Span
) -> Iterator[Piece]:
    # Last night's break may run over midnight.
    pauses = clipped(merged([*line.breaks(day - _DAY), *line.breaks(day)]), *part)
    key, label = calendar.key, line.days.plan(day).break_label
    found = [Piece(*span, False, Code.BREAK, label, key, day) for span in pauses]
    found += [
        Piece(*span, False, Code.OUTSIDE_HOURS, calendar=key) for span in subtracted([part], pauses)
    ]
    yield from sorted(found, key=lambda piece: piece.start)


def _dates(first: date, last: date) -> Iterator[date]:
    day = first
    while day <= last:
        yield day
        day += _DAY


def _combined(kind: Kind, left: list[Piece], right: list[Piece]) -> Iterator[Piece]:
    """Walk both at once; where they differ, the one that decides gives the reason."""
    position = other = 0
    at = left[0].start
    while position < len(left):
        end = min(left[position].end, right[other].end)
        yield _decided(kind, replace(left[position], start=at, end=end), right[other])
        at = end
        position += left[position].end == end
        other += right[other].end == end


def _decided(kind: Kind, left: Piece, right: Piece) -> Piece:
    right = replace(right, start=left.start, end=left.end)
    if kind is Kind.UNION:
        return right if right.is_open and not left.is_open else left
    if kind is Kind.INTERSECTION:
        return right if left.is_open and not right.is_open else left
    if left.is_open and right.is_open:
        return replace(
            left, is_open=False, code=Code.SUBTRACTED, label=right.label, calendar=right.calendar
        )
    return left


def _joined(pieces: Iterable[Piece]) -> list[Piece]:
    """Join neighbours that say the same, so that a night is one entry and each holiday its own."""
    result: list[Piece] = []
    for piece in pieces:
        if result and replace(result[-1], end=piece.end) == replace(piece, start=result[-1].start):
            result[-1] = replace(result[-1], end=piece.end)
        else:
            result.append(piece)
    return result
