"""Holidays and exceptions from and to iCalendar files (RFC 5545, the part all-day lists need).

Read: VEVENTs with DTSTART;VALUE=DATE, optional DTEND (excluded, RFC 5545 3.6.1) and SUMMARY;
cancelled ones are left out. Rules of recurrence, times of day and durations are refused by line,
never guessed. What we write, we read back: CATEGORIES and two X- properties carry what a plain
all-day event cannot say.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from typing import Any

from shared.business_time.calendar import Calendar
from shared.business_time.checks import FIRST_YEAR, LAST_YEAR, MOST_DAYS
from shared.business_time.days import source_days
from shared.business_time.errors import HolidayFileInvalid, InstantWithoutZone, finding
from shared.business_time.values import DayException, Holiday, Label, MakeUpDay, Window
from shared.business_time.writing import written_exception, written_holiday, written_make_up_day
from shared.errors import Finding

_DAY = timedelta(days=1)

#: RFC 5545 3.1: lines of at most 75 octets, continued after a line break and one space.
_LINE_OCTETS = 75

_LINE = re.compile(r"([A-Za-z0-9-]+)((?:;[^:;\"]+=(?:\"[^\"]*\"|[^:;\"]*))*):(.*)", re.DOTALL)
_BREAK = re.compile(r"\r\n|\n|\r")
_UNSUPPORTED = frozenset({"RRULE", "RDATE", "EXDATE", "DURATION", "RECURRENCE-ID"})
_ESCAPES = {"\\": "\\\\", ";": "\\;", ",": "\\,", "\n": "\\n"}


@dataclass(frozen=True, slots=True)
class SpecialDays:
    """What a file says about single dates, in its order."""

    holidays: tuple[Holiday, ...] = ()
    make_up_days: tuple[MakeUpDay, ...] = ()
    exceptions: tuple[DayException, ...] = ()


@dataclass(frozen=True, slots=True)
class _Line:
    number: int
    name: str
    params: str
    value: str


def read_icalendar(text: str) -> SpecialDays:
    """Return the special days of a file; `HolidayFileInvalid` names every line that is wrong."""
    findings: list[Finding] = []
    holidays: list[Holiday] = []
    make_up_days: list[MakeUpDay] = []
    exceptions: list[DayException] = []
    for event in _events(text, findings):
        if event.get("STATUS", _NOTHING).value.upper() == "CANCELLED":
            continue
        for read in _special_days(event, findings):
            if isinstance(read, Holiday):
                holidays.append(read)
            elif isinstance(read, MakeUpDay):
                make_up_days.append(read)
            else:
                exceptions.append(read)
        if len(holidays) + len(make_up_days) + len(exceptions) > MOST_DAYS:
            findings.append(finding("VCALENDAR", "list-too-long", found="more", limit=MOST_DAYS))
            break
    if findings:
        raise HolidayFileInvalid(findings)
    return SpecialDays(tuple(holidays), tuple(make_up_days), tuple(exceptions))


def write_icalendar(calendar: Calendar, stamped_at: datetime, language: str = "zh-CN") -> str:
    """Return a calendar's special days, its source's included, as an iCalendar file.

    `stamped_at` becomes DTSTAMP, which the standard requires of every event.
    """
    if stamped_at.tzinfo is None:
        raise InstantWithoutZone(name="stamped_at", value=stamped_at.isoformat())
    stamp = stamped_at.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")
    holidays, make_up_days = source_days(calendar)
    days: list[Holiday | MakeUpDay | DayException] = [
        *(*holidays, *calendar.holidays),
        *(*make_up_days, *calendar.make_up_days),
        *calendar.exceptions,
    ]
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Levee//business_time//EN"]
    for day in sorted(days, key=lambda it: it.day):
        lines += _event(day, calendar.key, stamp, language)
    lines.append("END:VCALENDAR")
    return "".join(f"{folded}\r\n" for line in lines for folded in _folded(line))


def with_special_days(
    document: Mapping[str, Any], special: SpecialDays, covered_until: date | None
) -> dict[str, Any]:
    """Return a calendar's file form with the days of a file in it; a later file wins per date.

    `covered_until` is the last date the file speaks for; a calendar that lists holidays must
    say it, so when absent the document's own must reach that far.
    """
    merged = dict(document)
    written: dict[str, list[dict[str, object]]] = {
        "holidays": [written_holiday(day) for day in special.holidays],
        "make_up_days": [written_make_up_day(day) for day in special.make_up_days],
        "exceptions": [written_exception(day) for day in special.exceptions],
    }
    for name, days in written.items():
        if days:
            merged[name] = _merged(merged.get(name), days)
    if covered_until is not None:
        merged["covered_until"] = covered_until.isoformat()
    return merged


def _merged(before: Any, days: list[dict[str, object]]) -> Any:
    if isinstance(before, dict):
        return {**before, "also": _merged(before.get("also"), days)}
    new = {str(day["date"]) for day in days}
    kept = [day for day in before or () if str(day["date"]) not in new]
    return sorted((*kept, *days), key=lambda day: str(day["date"]))


def _event(
    day: Holiday | MakeUpDay | DayException, key: str, stamp: str, language: str
) -> Iterator[str]:
    category = _category(day)
    yield "BEGIN:VEVENT"
    yield f"UID:{category.lower()}-{day.day:%Y%m%d}@{key}.levee"
    yield f"DTSTAMP:{stamp}"
    yield f"DTSTART;VALUE=DATE:{day.day:%Y%m%d}"
    yield f"DTEND;VALUE=DATE:{day.day + _DAY:%Y%m%d}"
    yield f"SUMMARY:{_escaped(day.label.text(language) or category)}"
    yield f"CATEGORIES:{category}"
    windows = None if isinstance(day, Holiday) else day.windows
    if windows is not None:
        yield f"X-LEVEE-WINDOWS:{' '.join(str(window) for window in windows)}"
    if isinstance(day, DayException) and day.breaks:
        yield f"X-LEVEE-BREAKS:{' '.join(str(window) for window in day.breaks)}"
    yield "TRANSP:TRANSPARENT"
    yield "END:VEVENT"


def _category(day: Holiday | MakeUpDay | DayException) -> str:
    if isinstance(day, Holiday):
        return "HOLIDAY"
    if isinstance(day, MakeUpDay):
        return "MAKE-UP-DAY"
    return "CLOSED" if day.is_closed else "HOURS"


_NOTHING = _Line(0, "", "", "")


def _events(text: str, findings: list[Finding]) -> Iterator[dict[str, _Line]]:
    """Yield the properties of each VEVENT, the last of a name; what wraps them is not looked at."""
    event: dict[str, _Line] | None = None
    for line in _lines(text, findings):
        if line.name == "BEGIN" and line.value.upper() == "VEVENT":
            event = {}
        elif line.name == "END" and line.value.upper() == "VEVENT" and event is not None:
            yield event | {"END": line}
            event = None
        elif event is not None:
            event[line.name] = line


def _lines(text: str, findings: list[Finding]) -> Iterator[_Line]:
    unfolded: list[tuple[int, str]] = []
    # Not splitlines(): it also breaks at U+2028 and others, which may stand in a summary.
    for number, raw in enumerate(_BREAK.split(text.removeprefix("\ufeff")), start=1):
        if raw[:1] in (" ", "\t") and unfolded:
            unfolded[-1] = (unfolded[-1][0], unfolded[-1][1] + raw[1:])
        elif raw.strip():
            unfolded.append((number, raw))
    for number, raw in unfolded:
        matched = _LINE.fullmatch(raw)
        if matched is None:
            path = f"line {number}"
            findings.append(finding(path, "line-malformed", line=number, value=raw[:80]))
        else:
            name, params, value = matched.groups()
            yield _Line(number, name.upper(), params.upper(), value)


def _special_days(
    event: dict[str, _Line], findings: list[Finding]
) -> Iterator[Holiday | MakeUpDay | DayException]:
    ended = event["END"].number
    for name in sorted(_UNSUPPORTED & set(event)):
        findings.append(_unsupported(event[name]))
    if "DTSTART" not in event:
        params = {"line": ended, "field": "DTSTART;VALUE=DATE"}
        findings.append(finding(f"line {ended}", "event-incomplete", **params))
        return
    first = _date(event["DTSTART"], findings)
    after = _date(event["DTEND"], findings) if "DTEND" in event else None
    if first is None or ("DTEND" in event and after is None):
        return
    # RFC 5545 3.6.1: an all-day event without DTEND lasts one day; so does one that ends at once.
    last = max(first, (after or first) - _DAY)
    if (last - first).days > 366:
        findings.append(_unsupported(event["DTEND"]))
        return
    for ahead in range((last - first).days + 1):
        yield _special(event, first + ahead * _DAY, findings)


def _special(
    event: dict[str, _Line], day: date, findings: list[Finding]
) -> Holiday | MakeUpDay | DayException:
    text = _unescaped(event.get("SUMMARY", _NOTHING).value)
    label, category = Label(text, text), event.get("CATEGORIES", _NOTHING).value.upper()
    windows = _windows(event, "X-LEVEE-WINDOWS", findings)
    if category == "MAKE-UP-DAY":
        return MakeUpDay(day, label, windows)
    if category == "CLOSED":
        return DayException(day, label, is_closed=True)
    if category == "HOURS":
        breaks = _windows(event, "X-LEVEE-BREAKS", findings) or ()
        return DayException(day, label, windows=windows, breaks=breaks)
    return Holiday(day, label)


def _windows(
    event: dict[str, _Line], name: str, findings: list[Finding]
) -> tuple[Window, ...] | None:
    if name not in event:
        return None
    line = event[name]
    try:
        return tuple(Window.parse(text) for text in line.value.split())
    except ValueError as wrong:
        findings.append(finding(f"line {line.number}", str(wrong), value=line.value))
        return None


def _date(line: _Line, findings: list[Finding]) -> date | None:
    if not re.fullmatch(r"\d{8}", line.value.strip(), re.ASCII):
        findings.append(_unsupported(line))
        return None
    try:
        day = datetime.strptime(line.value.strip(), "%Y%m%d").replace(tzinfo=UTC).date()
    except ValueError:
        findings.append(finding(f"line {line.number}", "date-malformed", value=line.value))
        return None
    if not FIRST_YEAR <= day.year <= LAST_YEAR:
        findings.append(finding(f"line {line.number}", "date-out-of-range", value=day))
        return None
    return day


def _unsupported(line: _Line) -> Finding:
    field = f"{line.name}:{line.value[:40]}"
    return finding(f"line {line.number}", "event-unsupported", field=field, line=line.number)


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(letter, letter) for letter in text.replace("\r\n", "\n"))


def _unescaped(text: str) -> str:
    # RFC 5545 3.3.11 knows four escapes; anything else after a backslash stays as it is.
    return re.sub(r"\\([\\;,nN])", lambda m: "\n" if m[1] in "nN" else str(m[1]), text)


def _folded(line: str) -> Iterator[str]:
    """Yield the line in pieces of at most 75 octets, never inside a character."""
    piece, octets = "", 0
    for letter in line:
        width = len(letter.encode())
        if octets + width > _LINE_OCTETS:
            yield piece
            piece, octets = " ", 1
        piece, octets = piece + letter, octets + width
    yield piece
