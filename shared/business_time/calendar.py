"""Calendars: what is open when, as people agreed it. A value that was checked when made."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import StrEnum
from functools import cached_property

from shared.business_time import checks
from shared.business_time.holiday_data import HolidaySource, holiday_source
from shared.business_time.values import NO_LABEL, DayException, Holiday, Label, MakeUpDay, Window

Week = tuple[
    tuple[Window, ...],
    tuple[Window, ...],
    tuple[Window, ...],
    tuple[Window, ...],
    tuple[Window, ...],
    tuple[Window, ...],
    tuple[Window, ...],
]

EMPTY_WEEK: Week = ((), (), (), (), (), (), ())


class Kind(StrEnum):
    """How a calendar says when it is open."""

    ALWAYS = "24x7"
    WEEKLY = "weekly"
    UNION = "union"
    INTERSECTION = "intersection"
    MINUS = "minus"


@dataclass(frozen=True)
class Calendar:
    """When someone works: windows by local date, special days, validity, coverage.

    Made by `Calendar.from_dict` or by keyword; either way refused with `CalendarInvalid`, whose
    findings name each element, what is wrong with it and how to mend it. Dates are local to
    `zone` and included at both ends. For one date an exception beats a make-up day, which
    beats a holiday, which beats the week. `covered_until` is the last date whose holidays are
    known: results that depend on later days are flagged provisional. Outside `valid_from` to
    `valid_until` the calendar is closed. `union`, `intersection` and `minus` combine `members`
    (minus takes the later ones away from the first); each member keeps its own zone, and the
    combination's `zone` decides only what a date is for working-day questions.
    """

    key: str
    kind: Kind
    zone: str = "UTC"
    version: int = 1
    label: Label = NO_LABEL
    week: Week = EMPTY_WEEK
    holidays: tuple[Holiday, ...] = ()
    source_key: str | None = None
    make_up_days: tuple[MakeUpDay, ...] = ()
    make_up_windows: tuple[Window, ...] | None = None
    exceptions: tuple[DayException, ...] = ()
    covered_from: date | None = None
    covered_until: date | None = None
    valid_from: date | None = None
    valid_until: date | None = None
    members: tuple[Calendar, ...] = ()
    _hash: int = field(init=False, repr=False, compare=False, default=0)

    def __post_init__(self) -> None:
        """Remember the hash, it is asked for often; refuse what cannot be computed with."""
        object.__setattr__(self, "_hash", self._content_hash())
        checks.refuse_unusable(self)

    def _content_hash(self) -> int:
        return hash(
            (
                *(self.key, self.kind, self.zone, self.version, self.week, self.holidays),
                *(self.source_key, self.make_up_days, self.make_up_windows, self.exceptions),
                *(self.covered_from, self.covered_until, self.valid_from, self.valid_until),
                self.members,
            )
        )

    def __hash__(self) -> int:
        """Return the hash of the content, computed once."""
        return self._hash

    def __setstate__(self, state: dict[str, object]) -> None:
        """Take the content over and hash it anew: strings hash differently in every process."""
        self.__dict__.update(state)
        object.__setattr__(self, "_hash", self._content_hash())

    @classmethod
    def from_dict(
        cls, document: Mapping[str, object], known: Mapping[str, Calendar] | None = None
    ) -> Calendar:
        """Read the file form (docs/working-time.md); `known` are calendars `of` may name."""
        # The reader makes calendars, so it can only be imported once this class exists.
        from shared.business_time.reading import read_calendar

        return read_calendar(document, known or {})

    def to_dict(self, is_pinned: bool = False) -> dict[str, object]:
        """Return the file form; pinned, a holiday source is written out day by day.

        A pinned document gives the same instants for ever, whichever data package is installed.
        """
        from shared.business_time.writing import write_calendar

        return write_calendar(self, is_pinned=is_pinned)

    @cached_property
    def source(self) -> HolidaySource | None:
        """The data behind `source_key`, None when the days are listed or there are none."""
        return None if self.source_key is None else holiday_source(self.source_key)

    @cached_property
    def known_from(self) -> date | None:
        """The first date whose holidays are known; None when no date is too early."""
        if self.covered_from is None and self.source is not None:
            return self.source.covered_from
        return self.covered_from

    @cached_property
    def known_until(self) -> date | None:
        """The last date whose holidays are known; None when nothing has to be known."""
        if self.covered_until is None and self.source is not None:
            return self.source.covered_until
        return self.covered_until

    @property
    def data_version(self) -> str | None:
        """Which edition of which holiday data stands behind this calendar, e.g. for pinning."""
        return None if self.source is None else f"{self.source.key}:{self.source.version}"


def always(key: str = "24x7", zone: str = "UTC") -> Calendar:
    """Return the calendar that never closes."""
    return Calendar(key=key, kind=Kind.ALWAYS, zone=zone)
