"""What a calendar must satisfy before anyone computes with it; all findings, not the first."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import date
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from shared.business_time.errors import CalendarInvalid, finding
from shared.business_time.holiday_data import SOURCES
from shared.business_time.values import DAY_S, WEEKDAYS, Window
from shared.errors import Finding

if TYPE_CHECKING:
    from shared.business_time.calendar import Calendar

#: Years between which zones have rules worth trusting and clocks can run.
FIRST_YEAR, LAST_YEAR = 1900, 2199

#: Combinations of combinations: more levels are a mistake, and a deep file must not end the stack.
DEEPEST = 8

#: Twenty-five years of weekly lists fit; more is a wrong file, not a calendar.
MOST_DAYS = 10_000

#: One every half hour; a file with more would make every year slow to expand.
MOST_WINDOWS = 48

#: Calendars in one document, members of members included: aliases in YAML multiply quickly.
MOST_MEMBERS = 100

_KEY = re.compile(r"[A-Za-z0-9._-]{1,64}", re.ASCII)

_WEEKLY_ONLY = (
    ("week", "windows"),
    ("holidays", "holidays"),
    ("source_key", "holidays.source"),
    ("make_up_days", "make_up_days"),
    ("make_up_windows", "make_up_windows"),
    ("exceptions", "exceptions"),
    ("covered_from", "covered_from"),
    ("covered_until", "covered_until"),
)


def refuse_unusable(calendar: Calendar) -> None:
    """Raise `CalendarInvalid` with everything that is wrong with `calendar`."""
    findings = tuple(_findings(calendar))
    if findings:
        raise CalendarInvalid(findings, key=calendar.key)


def _findings(calendar: Calendar) -> Iterator[Finding]:
    told = [*_identity(calendar), *_validity(calendar)]
    if calendar.kind == "weekly":
        told += _weekly(calendar)
    else:
        told += _not_weekly(calendar)
    yield from told
    if not told:
        yield from _never_open(calendar)


def _identity(calendar: Calendar) -> Iterator[Finding]:
    if not _KEY.fullmatch(calendar.key):
        yield finding("key", "key-malformed", value=calendar.key)
    if calendar.version < 1:
        yield finding("version", "version-malformed", value=calendar.version)
    if not is_zone(calendar.zone):
        yield finding("zone", "zone-unknown", value=calendar.zone)


def is_zone(name: str) -> bool:
    """Return whether `name` is an IANA zone whose rules are installed."""
    if not name or len(name) > 64:
        return False
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        # Unknown; not a relative path; a folder such as "Asia".
        return False
    return True


def _validity(calendar: Calendar) -> Iterator[Finding]:
    yield from _in_order("valid_from", calendar.valid_from, "valid_until", calendar.valid_until)
    for name in ("valid_from", "valid_until"):
        yield from _in_range(name, getattr(calendar, name))


def _in_order(
    from_field: str, since: date | None, until_field: str, until: date | None
) -> Iterator[Finding]:
    if since is not None and until is not None and until < since:
        yield finding(
            until_field,
            "dates-reversed",
            from_field=from_field,
            since=since,
            until_field=until_field,
            until=until,
        )


def _in_range(path: str, day: date | None) -> Iterator[Finding]:
    if day is not None and not FIRST_YEAR <= day.year <= LAST_YEAR:
        yield finding(path, "date-out-of-range", value=day)


def _not_weekly(calendar: Calendar) -> Iterator[Finding]:
    for attribute, name in _WEEKLY_ONLY:
        value = getattr(calendar, attribute)
        if value is not None and any(value if isinstance(value, tuple) else (value,)):
            yield finding(name, "field-not-for-kind", field=name, kind=calendar.kind)
    if calendar.kind == "24x7":
        if calendar.members:
            yield finding("of", "field-not-for-kind", field="of", kind=calendar.kind)
        return
    if len(calendar.members) < 2:
        yield finding(
            "of",
            "members-missing",
            kind=calendar.kind,
            needed="at least 2",
            found=len(calendar.members),
        )
    elif _depth(calendar) > DEEPEST:
        yield finding("of", "nested-too-deep", limit=DEEPEST)


def _depth(calendar: Calendar) -> int:
    return 1 + max((_depth(member) for member in calendar.members), default=0)


def _weekly(calendar: Calendar) -> Iterator[Finding]:
    if calendar.members:
        yield finding("of", "field-not-for-kind", field="of", kind=calendar.kind)
    for name, windows in zip(WEEKDAYS, calendar.week, strict=True):
        yield from _too_many(f"windows.{name}", windows)
    yield from _week_overlaps(calendar.week)
    yield from _special_days(calendar)
    if calendar.source_key is not None and calendar.source_key not in SOURCES:
        yield finding(
            "holidays.source",
            "source-unknown",
            value=calendar.source_key,
            known=", ".join(SOURCES),
        )
    else:
        yield from _coverage(calendar)


def _week_overlaps(week: Sequence[Sequence[Window]]) -> Iterator[Finding]:
    # Laid out on one line of seconds from Monday 00:00; the week comes a second time, since a
    # Sunday night may run into Monday, and only that second Monday is new in it.
    spans = sorted(
        (weekday * DAY_S + window.start_s, weekday * DAY_S + window.end_s, weekday, position)
        for weekday, windows in enumerate(week)
        for position, window in enumerate(windows)
    )
    again = [(s + 7 * DAY_S, e + 7 * DAY_S, day, n) for s, e, day, n in spans if day == 0]
    told: set[str] = set()
    longest = (0, 0, 0, 0)
    for span in (*spans, *again):
        start, end, weekday, position = span
        path = f"windows.{WEEKDAYS[weekday]}[{position}]"
        if start < longest[1] and path not in told:
            told.add(path)
            yield finding(
                path,
                "windows-overlap",
                value=week[weekday][position],
                other=week[longest[2]][longest[3]],
                other_path=f"windows.{WEEKDAYS[longest[2]]}[{longest[3]}]",
            )
        longest = span if end > longest[1] else longest


def overlaps(path: str, windows: Sequence[Window]) -> Iterator[Finding]:
    """Yield a finding for each window of one date that overlaps an earlier one."""
    longest: tuple[Window, int] | None = None
    for window, position in sorted((window, n) for n, window in enumerate(windows)):
        if longest is not None and window.start_s < longest[0].end_s:
            yield finding(
                f"{path}[{position}]",
                "windows-overlap",
                value=window,
                other=longest[0],
                other_path=f"{path}[{longest[1]}]",
            )
        if longest is None or window.end_s > longest[0].end_s:
            longest = (window, position)


def _too_many(path: str, windows: Sequence[Window]) -> Iterator[Finding]:
    if len(windows) > MOST_WINDOWS:
        yield finding(path, "list-too-long", found=len(windows), limit=MOST_WINDOWS)


def _special_days(calendar: Calendar) -> Iterator[Finding]:
    holidays = "holidays.also" if calendar.source_key else "holidays"
    holiday_days = [holiday.day for holiday in calendar.holidays]
    make_up_days = [made_up.day for made_up in calendar.make_up_days]
    yield from _dates(holidays, holiday_days)
    yield from _dates("make_up_days", make_up_days)
    yield from _dates("exceptions", [exception.day for exception in calendar.exceptions])
    places = {day: position for position, day in enumerate(holiday_days)}
    for position, day in enumerate(make_up_days):
        if day in places:
            other = f"{holidays}[{places[day]}].date"
            path = f"make_up_days[{position}].date"
            yield finding(path, "date-contradicted", value=day, other_path=other)
    for position, made_up in enumerate(calendar.make_up_days):
        yield from _own_windows(f"make_up_days[{position}].windows", made_up.windows)
    yield from _own_windows("make_up_windows", calendar.make_up_windows)
    yield from _exceptions(calendar)


def _own_windows(path: str, windows: Sequence[Window] | None) -> Iterator[Finding]:
    if windows is None:
        return
    if not windows:
        yield finding(path, "day-without-windows")
    yield from _too_many(path, windows)
    yield from overlaps(path, windows)


def _exceptions(calendar: Calendar) -> Iterator[Finding]:
    for position, exception in enumerate(calendar.exceptions):
        path = f"exceptions[{position}]"
        has_hours = exception.windows is not None or bool(exception.breaks)
        if exception.is_closed and has_hours:
            yield finding(path, "exception-contradicts-itself")
        if not exception.is_closed and not has_hours:
            yield finding(path, "exception-says-nothing")
        yield from _own_windows(f"{path}.windows", exception.windows)
        yield from _too_many(f"{path}.breaks", exception.breaks)
        yield from overlaps(f"{path}.breaks", exception.breaks)


def _dates(path: str, days: Sequence[date]) -> Iterator[Finding]:
    if len(days) > MOST_DAYS:
        yield finding(path, "list-too-long", found=len(days), limit=MOST_DAYS)
        return
    seen: dict[date, int] = {}
    for position, day in enumerate(days):
        here = f"{path}[{position}].date"
        yield from _in_range(here, day)
        if day in seen:
            other = f"{path}[{seen[day]}].date"
            yield finding(here, "date-repeated", value=day, other_path=other)
        seen.setdefault(day, position)


def _coverage(calendar: Calendar) -> Iterator[Finding]:
    since, until = calendar.known_from, calendar.known_until
    listed = [
        *(holiday.day for holiday in calendar.holidays),
        *(made_up.day for made_up in calendar.make_up_days),
    ]
    yield from _in_order("covered_from", since, "covered_until", until)
    yield from _in_range("covered_from", calendar.covered_from)
    yield from _in_range("covered_until", calendar.covered_until)
    if until is None:
        if listed:
            yield finding("covered_until", "coverage-missing")
        return
    if listed and max(listed) > until:
        yield finding("covered_until", "coverage-too-short", value=max(listed), until=until)
    yield from _beyond_source(calendar, until, listed)


def _beyond_source(calendar: Calendar, until: date, listed: Iterable[date]) -> Iterator[Finding]:
    if calendar.source is None:
        return
    last = calendar.source.covered_until
    years = {day.year for day in listed}
    for year in range(last.year + 1, until.year + 1):
        if year not in years:
            params = {"source": calendar.source_key, "until": last, "year": year}
            yield finding("covered_until", "coverage-too-long", **params)
            return


def _never_open(calendar: Calendar) -> Iterator[Finding]:
    # The timeline is built from calendars, so it can only be imported once they exist.
    from shared.business_time.timeline import has_open_time

    if not has_open_time(calendar):
        path = "windows" if calendar.kind == "weekly" else "of"
        yield finding(path, "no-open-time")
