"""From a calendar to its file form; reading it back gives an equal calendar."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from shared.business_time.calendar import Calendar, Kind
from shared.business_time.days import source_days
from shared.business_time.values import (
    NO_LABEL,
    WEEKDAYS,
    DayException,
    Holiday,
    Label,
    MakeUpDay,
    Window,
)


def write_calendar(calendar: Calendar, is_pinned: bool) -> dict[str, object]:
    """Return the file form, dates as strings; pinned, with the source's days written out."""
    document: dict[str, object] = {
        "key": calendar.key,
        "version": calendar.version,
        "kind": calendar.kind.value,
        "zone": calendar.zone,
        **_named(calendar.label),
    }
    if calendar.kind is Kind.WEEKLY:
        document |= _weekly(calendar, is_pinned)
    if calendar.members:
        document["of"] = [write_calendar(member, is_pinned) for member in calendar.members]
    return document | _dates(valid_from=calendar.valid_from, valid_until=calendar.valid_until)


def _weekly(calendar: Calendar, is_pinned: bool) -> dict[str, object]:
    holidays, make_up_days = calendar.holidays, calendar.make_up_days
    since, until = calendar.covered_from, calendar.covered_until
    if is_pinned and calendar.source is not None:
        holidays, make_up_days = _written_out(calendar)
        since, until = calendar.known_from, calendar.known_until
    document: dict[str, object] = {
        "windows": {
            name: _windows(windows)
            for name, windows in zip(WEEKDAYS, calendar.week, strict=True)
            if windows
        }
    }
    listed = [written_holiday(holiday) for holiday in holidays]
    if calendar.source_key is not None and not is_pinned:
        document["holidays"] = {"source": calendar.source_key} | (
            {"also": listed} if listed else {}
        )
    elif listed:
        document["holidays"] = listed
    if make_up_days:
        document["make_up_days"] = [written_make_up_day(made_up) for made_up in make_up_days]
    if calendar.make_up_windows is not None:
        document["make_up_windows"] = _windows(calendar.make_up_windows)
    if calendar.exceptions:
        document["exceptions"] = [written_exception(exception) for exception in calendar.exceptions]
    return document | _dates(covered_from=since, covered_until=until)


def _written_out(calendar: Calendar) -> tuple[tuple[Holiday, ...], tuple[MakeUpDay, ...]]:
    """Return the source's days with the calendar's own in their place where it has some."""
    holidays, make_up_days = source_days(calendar)
    return (
        tuple(sorted((*holidays, *calendar.holidays), key=lambda day: day.day)),
        tuple(sorted((*make_up_days, *calendar.make_up_days), key=lambda day: day.day)),
    )


def written_holiday(holiday: Holiday) -> dict[str, object]:
    """Return the file form of a holiday."""
    return {"date": holiday.day.isoformat(), **_named(holiday.label)}


def written_make_up_day(made_up: MakeUpDay) -> dict[str, object]:
    """Return the file form of a make-up day."""
    document: dict[str, object] = {"date": made_up.day.isoformat(), **_named(made_up.label)}
    if made_up.windows is not None:
        document["windows"] = _windows(made_up.windows)
    return document


def written_exception(exception: DayException) -> dict[str, object]:
    """Return the file form of an exception."""
    document: dict[str, object] = {"date": exception.day.isoformat(), **_named(exception.label)}
    if exception.is_closed:
        document["closed"] = True
    if exception.windows is not None:
        document["windows"] = _windows(exception.windows)
    if exception.breaks:
        document["breaks"] = _windows(exception.breaks)
    return document


def _windows(windows: Iterable[Window]) -> list[str]:
    return [str(window) for window in windows]


def _named(label: Label) -> dict[str, object]:
    return {} if label == NO_LABEL else {"name": label.as_json()}


def _dates(**dates: date | None) -> dict[str, object]:
    return {name: day.isoformat() for name, day in dates.items() if day is not None}
