"""The ledger of a clock: every span between start and end, counted or skipped, and why.

It is the explanation and the figure at once: the counted entries sum exactly to the elapsed
working time, all entries sum exactly to the time on the wall.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.business_time.calendar import Calendar
from shared.business_time.codes import Code
from shared.business_time.errors import EndBeforeStart
from shared.business_time.instants import from_instant, to_instant
from shared.business_time.pauses import pause_span
from shared.business_time.pieces import Piece, pieces_of
from shared.business_time.spans import Span, subtracted
from shared.business_time.timeline import timeline
from shared.business_time.values import NO_LABEL, Label, Pause


@dataclass(frozen=True, slots=True)
class Entry:
    """One half-open span (UTC) of a ledger: counted or skipped, the code and the name why."""

    start: datetime
    end: datetime
    is_counted: bool
    code: Code
    label: Label = NO_LABEL
    #: Key of the calendar that decided; telling in combinations.
    calendar_key: str = ""
    #: The local date the span belongs to; None for the hours between two working days.
    day: date | None = None
    #: The pause's own reason code, on entries with code PAUSED.
    pause_reason: str = ""

    @property
    def time(self) -> timedelta:
        """How long the span is, on the wall."""
        return self.end - self.start

    def as_json(self) -> dict[str, object]:
        """Return the form APIs and events carry: codes and parameters, no sentences."""
        return {
            "start": self.start.isoformat(),
            "end": self.end.isoformat(),
            "duration_s": self.time.total_seconds(),
            "is_counted": self.is_counted,
            "code": self.code.value,
            "name": {"zh-CN": self.label.zh, "en": self.label.en},
            "calendar": self.calendar_key,
            "date": None if self.day is None else self.day.isoformat(),
            "pause_reason": self.pause_reason,
        }


@dataclass(frozen=True, slots=True)
class Ledger:
    """The entries in order, without gap or overlap, and what makes them reproducible."""

    entries: tuple[Entry, ...]
    #: The zone in which people should read it.
    zone: str
    calendar_key: str
    calendar_version: int
    #: Which holiday data was used, None when the days are listed in the calendar.
    data_version: str | None = None
    is_provisional: bool = False
    #: The last date whose holidays are known; None when nothing has to be known.
    known_until: date | None = None

    @property
    def counted(self) -> tuple[Entry, ...]:
        """The entries that count."""
        return tuple(entry for entry in self.entries if entry.is_counted)

    @property
    def skipped(self) -> tuple[Entry, ...]:
        """The entries that do not count."""
        return tuple(entry for entry in self.entries if not entry.is_counted)

    @property
    def elapsed(self) -> timedelta:
        """The working time: the sum of what counts, exact to the microsecond."""
        return sum((entry.time for entry in self.counted), timedelta())

    def as_json(self) -> dict[str, object]:
        """Return the form APIs and events carry."""
        return {
            "zone": self.zone,
            "calendar": self.calendar_key,
            "calendar_version": self.calendar_version,
            "data_version": self.data_version,
            "is_provisional": self.is_provisional,
            "known_until": None if self.known_until is None else self.known_until.isoformat(),
            "elapsed_s": self.elapsed.total_seconds(),
            "entries": [entry.as_json() for entry in self.entries],
        }


def ledger(
    calendar: Calendar, start: datetime, end: datetime, pauses: Iterable[Pause] = ()
) -> Ledger:
    """Return how [start, end) was counted; refused when end < start."""
    low, high = to_instant(start, "start"), to_instant(end, "end")
    if high < low:
        raise EndBeforeStart(start=start.isoformat(), end=end.isoformat())
    line = timeline(calendar)
    stops = _stops(pauses, low, high)
    return Ledger(
        entries=tuple(
            entry for piece in pieces_of(calendar, low, high) for entry in _entries(piece, stops)
        ),
        zone=calendar.zone,
        calendar_key=calendar.key,
        calendar_version=calendar.version,
        data_version=_data_version(calendar),
        is_provisional=low < line.known_from or high > line.known_until,
        known_until=known_until(calendar),
    )


def _data_version(calendar: Calendar) -> str | None:
    found = {calendar.data_version} | {_data_version(member) for member in calendar.members}
    return ", ".join(sorted(name for name in found if name)) or None


def known_until(calendar: Calendar) -> date | None:
    """Return the last date whose holidays are known to a calendar and all its members."""
    known = [calendar.known_until, *(known_until(member) for member in calendar.members)]
    return min((day for day in known if day is not None), default=None)


def _stops(pauses: Iterable[Pause], low: int, high: int) -> list[tuple[Span, str]]:
    """Return the pauses cut to [low, high) and to one another: the earlier one gives the reason."""
    stops: list[tuple[Span, str]] = []
    reached = low
    told = sorted(((pause_span(pause), pause.reason) for pause in pauses), key=lambda it: it[0])
    for (start, end), reason in told:
        start, end = max(start, reached), min(end, high)
        if start < end:
            stops.append(((start, end), reason))
            reached = end
    return stops


def _entries(piece: Piece, stops: list[tuple[Span, str]]) -> Iterator[Entry]:
    if not piece.is_open:
        # What is closed stays closed during a pause: that part gives nothing back.
        yield _entry(piece, (piece.start, piece.end))
        return
    inside = [
        ((max(start, piece.start), min(end, piece.end)), reason)
        for (start, end), reason in stops
        if start < piece.end and end > piece.start
    ]
    running = subtracted([(piece.start, piece.end)], [span for span, _ in inside])
    yield from sorted(
        (
            *(_entry(piece, span) for span in running),
            *(_paused(piece, span, reason) for span, reason in inside),
        ),
        key=lambda entry: entry.start,
    )


def _entry(piece: Piece, span: Span) -> Entry:
    return Entry(
        start=from_instant(span[0]),
        end=from_instant(span[1]),
        is_counted=piece.is_open,
        code=piece.code,
        label=piece.label,
        calendar_key=piece.calendar,
        day=piece.day,
    )


def _paused(piece: Piece, span: Span, reason: str) -> Entry:
    return Entry(
        start=from_instant(span[0]),
        end=from_instant(span[1]),
        is_counted=False,
        code=Code.PAUSED,
        calendar_key=piece.calendar,
        day=piece.day,
        pause_reason=reason,
    )
