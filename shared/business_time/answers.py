"""What questions to a calendar answer: instants that exist, or the state that says why not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from shared.business_time.codes import NoAnswer


@dataclass(frozen=True, slots=True)
class Due:
    """When a target is used up.

    `due_at`: the first instant (UTC) at which the working time elapsed reaches the target.
    `breaches_after`: up to and including this instant the elapsed time stays at the target, so
    the clock breaches right after it; later than `due_at` only when the target is used up exactly
    at a closing (or at the start of a pause): then it is the next opening. None when no working
    time follows, that is when this promise cannot be breached any more (`due_at` is then set).
    `reason`: why there is no `due_at`; `left` is the working time still left then.
    `is_provisional`: an instant here depends on dates whose holidays are not known yet.
    """

    due_at: datetime | None
    breaches_after: datetime | None
    is_provisional: bool = False
    reason: NoAnswer | None = None
    left: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class LatestStart:
    """When work must begin so that a target fits before an end (a due counted backward).

    `start_at`: the last instant (UTC) from which the target's working time passes until the
    end. `same_from`: the earliest instant from which no more than that passes; it differs only
    when `start_at` is an opening: then it is the closing before it.
    """

    start_at: datetime | None
    same_from: datetime | None
    is_provisional: bool = False
    reason: NoAnswer | None = None
    left: timedelta = timedelta()


@dataclass(frozen=True, slots=True)
class Elapsed:
    """How much working time passed, exact to the microsecond."""

    time: timedelta
    is_provisional: bool = False


@dataclass(frozen=True, slots=True)
class Moment:
    """An instant (UTC) that was looked for, or why there is none."""

    at: datetime | None
    is_provisional: bool = False
    reason: NoAnswer | None = None


@dataclass(frozen=True, slots=True)
class Period:
    """A span of open time, half-open; `end` is None when it does not close within the horizon."""

    start: datetime
    end: datetime | None


@dataclass(frozen=True, slots=True)
class WorkingDay:
    """A date that was looked for, or why there is none."""

    day: date | None
    is_provisional: bool = False
    reason: NoAnswer | None = None


@dataclass(frozen=True, slots=True)
class WorkingDays:
    """A number of working days; negative when counted back."""

    count: int
    is_provisional: bool = False
