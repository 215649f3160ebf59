"""What a weekly calendar says about one date, before any zone comes into it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import date

from shared.business_time.calendar import Calendar
from shared.business_time.codes import Code
from shared.business_time.values import (
    NO_LABEL,
    DayException,
    Holiday,
    Label,
    MakeUpDay,
    Window,
)


@dataclass(frozen=True, slots=True)
class DayPlan:
    """The windows of one date, and the reason it has those or none."""

    windows: tuple[Window, ...]
    code: Code
    label: Label = NO_LABEL
    breaks: tuple[Window, ...] = ()
    break_label: Label = NO_LABEL


def source_days(calendar: Calendar) -> tuple[tuple[Holiday, ...], tuple[MakeUpDay, ...]]:
    """Return the days the calendar takes from its source: covered, and without days of its own.

    A source's day beyond `covered_until` is left out, so that a pinned calendar, which lists
    only what is covered, gives the same instants.
    """
    source = calendar.source
    if source is None:
        return (), ()
    own = {holiday.day for holiday in calendar.holidays}
    own |= {made_up.day for made_up in calendar.make_up_days}
    since, until = calendar.known_from or date.min, calendar.known_until or date.max
    return (
        tuple(d for d in source.holidays if since <= d.day <= until and d.day not in own),
        tuple(d for d in source.make_up_days if since <= d.day <= until and d.day not in own),
    )


_INVALID = DayPlan((), Code.OUTSIDE_VALIDITY)


class Days:
    """The plan of every date of one weekly calendar; special dates looked up, not searched."""

    def __init__(self, calendar: Calendar) -> None:
        self._valid_from = calendar.valid_from or date.min
        self._valid_until = calendar.valid_until or date.max
        self._week = tuple(
            DayPlan(windows, Code.WORKING if windows else Code.REST_DAY)
            for windows in calendar.week
        )
        self._make_up_windows = calendar.make_up_windows or next(
            (windows for windows in calendar.week[:5] if windows), None
        )
        self._special: dict[date, DayPlan] = {}
        self._learn(calendar)

    @property
    def special(self) -> tuple[date, ...]:
        """The dates that differ from the week."""
        return tuple(self._special)

    def plan(self, day: date) -> DayPlan:
        """Return what the calendar says about `day`."""
        if not self._valid_from <= day <= self._valid_until:
            return _INVALID
        return self._special.get(day) or self._week[day.weekday()]

    def _learn(self, calendar: Calendar) -> None:
        # Later entries win: an organisation's own days over the source's, exceptions over all.
        holidays, make_up_days = source_days(calendar)
        for holiday in (*holidays, *calendar.holidays):
            self._special[holiday.day] = DayPlan((), Code.HOLIDAY, holiday.label)
        for made_up in (*make_up_days, *calendar.make_up_days):
            self._make_up(made_up)
        for exception in calendar.exceptions:
            self._except(exception)

    def _make_up(self, made_up: MakeUpDay) -> None:
        windows = made_up.windows or self._make_up_windows
        if windows is None:
            # A calendar that is closed from Monday to Friday has no working day to make up.
            self._special.pop(made_up.day, None)
            return
        self._special[made_up.day] = DayPlan(windows, Code.MAKE_UP_DAY, made_up.label)

    def _except(self, exception: DayException) -> None:
        if exception.is_closed:
            plan = DayPlan((), Code.CLOSED_BY_EXCEPTION, exception.label)
        elif exception.windows is not None:
            plan = DayPlan(
                exception.windows,
                Code.EXCEPTION_HOURS,
                exception.label,
                exception.breaks,
                exception.label,
            )
        else:
            usual = self._special.get(exception.day) or self._week[exception.day.weekday()]
            plan = replace(usual, breaks=exception.breaks, break_label=exception.label)
        self._special[exception.day] = plan
