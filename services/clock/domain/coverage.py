"""What there is to say of a calendar's known holidays: that they end soon, that more are known.

The alarm is given once per calendar and last known date, whatever versions come between.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date, datetime
from functools import lru_cache
from uuid import UUID

from shared.business_time import Calendar, alarm_at, covered_until
from shared.id_source import derived

#: What the ids of calendars as subjects of events are derived from: a request's is made of time
#: (version 7), so that nobody takes a calendar for one.
_CALENDARS = UUID("5d0b2c1e-8f3a-5c57-9e0d-6b1f2a7c4e90")


@lru_cache(maxsize=1024)
def subject_of(key: str) -> UUID:
    """Return the subject of what is said about a calendar."""
    return derived(_CALENDARS, f"calendar/{key}")


@dataclass(frozen=True, slots=True)
class Known:
    """What was told of one calendar: seen in which version, known until when, warned of what."""

    calendar: str
    version: int = 0
    until: date | None = None
    warned_until: date | None = None


@dataclass(frozen=True, slots=True)
class Outlook:
    """What a look at a calendar leads to, and when to look again."""

    known: Known
    #: The last known date before, where it has moved on since the look before.
    extended_from: date | None = None
    #: Whether requests may be pinned to versions that knew less.
    has_older: bool = False
    is_ending: bool = False
    next_at: datetime | None = None


def outlook(calendar: Calendar, known: Known, now: datetime) -> Outlook:
    """Return what there is to say about a calendar in force, seen at `now`."""
    until, alarm = covered_until(calendar), alarm_at(calendar)
    seen = replace(known, version=calendar.version, until=until)
    if until is None or alarm is None:
        return Outlook(seen)
    is_further = known.until is not None and until > known.until
    # Seen for the first time: what came before this release of the clock was not looked at.
    has_older = is_further or (known.version == 0 and calendar.version > 1)
    is_ending = now >= alarm and known.warned_until != until
    return Outlook(
        replace(seen, warned_until=until) if is_ending else seen,
        extended_from=known.until if is_further else None,
        has_older=has_older,
        is_ending=is_ending,
        next_at=alarm if now < alarm else None,
    )
