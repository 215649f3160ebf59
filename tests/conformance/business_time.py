"""Runs business-time vectors taken from other projects' suites against shared/business_time.

    python -m tests.conformance.business_time FILE.json

One line per failure, then what was skipped and why, then `N passed, M failed, K skipped`; the
exit code is 1 when anything failed. Operations on rotations and on-call rules belong to the
escalation service and are skipped by name. A vector marked `divergent` has a semantics of its
own: for those we know, our answer must follow our rule *and* theirs must follow from ours by
the named difference alone (docs/working-time.md); one we do not know is skipped by name.
"""

from __future__ import annotations

import json
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from shared import business_time as bt
from shared.business_time.holiday_data import SOURCES
from shared.errors import Invalid

Vector = Mapping[str, Any]

#: Operations of the escalation service (on-call), not of calendars.
ELSEWHERE = frozenset(
    {
        "rotation_shift_start",
        "rotation_shift_end",
        "oncall_active",
        "oncall_window_start",
        "oncall_window_end",
    }
)

#: The vectors' calendars say nothing about coverage: what they list is complete.
_COMPLETE = "2199-12-31"

#: What a vector's calendar may say; another word is a meaning we do not know.
_CALENDAR_FIELDS = frozenset({"tz", "weekly", "holidays", "date_hours", "breaks", "country"})
#: Words about a calendar that change nothing.
_PROSE = frozenset({"rule", "note", "name", "about", "source", "id", "comment", "description"})
#: What the boundary of a budget that ends at closing time may be called.
_BOUNDARIES = frozenset({"closing", "next_opening", "previous_closing", "opening"})

_OFFICE_HOURS = ["09:00-12:00", "13:00-18:00"]


@dataclass(frozen=True, slots=True)
class Result:
    """What became of one vector: `passed`, `failed` or `skipped`, and why."""

    id: str
    verdict: str
    reason: str = ""


def calendar_of(vector: Vector) -> bt.Calendar:
    """Return our calendar for a vector's; there a holiday closes a date whatever else it says."""
    given = vector["calendar"]
    if "country" in given:
        week = {day: _OFFICE_HOURS for day in ("mon", "tue", "wed", "thu", "fri")}
        return bt.Calendar.from_dict(
            {
                "key": "country",
                "zone": "Asia/Shanghai",
                "windows": week,
                "holidays": {"source": given["country"].lower()},
            }
        )
    holidays = set(given.get("holidays", []))
    document: dict[str, object] = {
        "key": vector["id"],
        "zone": given["tz"],
        "windows": {day: _windows(spans) for day, spans in given.get("weekly", {}).items()},
        "exceptions": _exceptions(given, holidays),
    }
    if holidays:
        document["holidays"] = [{"date": day} for day in sorted(holidays)]
        document["covered_until"] = _COMPLETE
    return bt.Calendar.from_dict(document)


def _exceptions(given: Mapping[str, Any], holidays: set[str]) -> list[dict[str, object]]:
    hours, breaks = given.get("date_hours", {}), given.get("breaks", {})
    exceptions: list[dict[str, object]] = []
    for day in sorted((set(hours) | set(breaks)) - holidays):
        exception: dict[str, object] = {"date": day}
        if day in hours and not hours[day]:
            exception["closed"] = True
        elif day in hours:
            exception["windows"] = _windows(hours[day])
        if day in breaks and "closed" not in exception:
            exception["breaks"] = _windows(breaks[day])
        exceptions.append(exception)
    return exceptions


def _windows(spans: list[list[str]]) -> list[str]:
    return [f"{start}-{end}" for start, end in spans]


def _at(text: str) -> datetime:
    return datetime.fromisoformat(text)


def _utc(at: datetime | None) -> str | None:
    return None if at is None else at.astimezone(UTC).isoformat()


def _pauses(vector: Vector) -> list[bt.Pause]:
    return [
        bt.Pause(_at(start), None if end is None else _at(end))
        for start, end in vector.get("pauses", [])
    ]


def _due(calendar: bt.Calendar, vector: Vector) -> str | None:
    start, target = _at(vector["start"]), timedelta(seconds=vector["duration_s"])
    if not target:
        # We refuse a target of nothing; what the suites mean by it is this question.
        return _utc(bt.open_at_or_after(calendar, start).at)
    answer = bt.due_with_pauses(calendar, start, target, _pauses(vector))
    is_later = vector.get("boundary") == "next_opening"
    return _utc(answer.breaches_after if is_later else answer.due_at)


def _due_backward(calendar: bt.Calendar, vector: Vector) -> str | None:
    end, target = _at(vector["start"]), timedelta(seconds=vector["duration_s"])
    if not target:
        return _utc(bt.open_at_or_before(calendar, end).at)
    answer = bt.due_backward(calendar, end, target)
    is_earlier = vector.get("boundary") in ("next_opening", "previous_closing")
    return _utc(answer.same_from if is_earlier else answer.start_at)


def _elapsed(calendar: bt.Calendar, vector: Vector) -> float:
    start, end = _at(vector["start"]), _at(vector["end"])
    # We refuse reversed spans; the suites that allow them mean the negative of the span.
    first, last = sorted((start, end))
    told = bt.ledger(calendar, first, last, _pauses(vector))
    passed = bt.elapsed(calendar, first, last, _pauses(vector)).time
    if told.elapsed != passed:
        raise AssertionError(f"the ledger sums to {told.elapsed}, elapsed is {passed}")
    seconds = passed.total_seconds()
    if "whole minutes" in vector.get("unit", ""):
        seconds = seconds // 60 * 60
    return seconds if start <= end else -seconds


def _is_plain_date(text: str) -> bool:
    return len(text) == len("2014-04-08")


def _keep_clock(calendar: bt.Calendar, vector: Vector) -> str | None:
    if _is_plain_date(vector["start"]):
        moved = bt.add_working_days(calendar, date.fromisoformat(vector["start"]), vector["days"])
        return None if moved.day is None else moved.day.isoformat()
    return _utc(bt.add_working_days_at(calendar, _at(vector["start"]), vector["days"]).at)


def _then_snap(calendar: bt.Calendar, vector: Vector) -> str | None:
    moved = bt.add_working_days_at(calendar, _at(vector["start"]), vector["days"])
    if moved.at is None:
        return None
    snap = bt.open_at_or_before if vector["days"] < 0 else bt.open_at_or_after
    return _utc(snap(calendar, moved.at).at)


def _is_workday(calendar: bt.Calendar, vector: Vector) -> bool:
    return bt.is_working_day(calendar, date.fromisoformat(vector["date"]))


def _workdays_between(calendar: bt.Calendar, vector: Vector) -> int:
    start, end = date.fromisoformat(vector["start"]), date.fromisoformat(vector["end"])
    return bt.working_days_between(calendar, start, end).count


def _open_periods(calendar: bt.Calendar, vector: Vector) -> list[list[str | None]]:
    is_backward = vector.get("direction") == "backward"
    ask = bt.open_periods_before if is_backward else bt.open_periods
    periods = ask(calendar, _at(vector["start"]), vector["take"])
    return [[_utc(period.start), _utc(period.end)] for period in periods]


def _moment(
    ask: Callable[[bt.Calendar, datetime], bt.Moment],
) -> Callable[[bt.Calendar, Vector], str | None]:
    return lambda calendar, vector: _utc(ask(calendar, _at(vector["at"])).at)


OPERATIONS: dict[str, Callable[[bt.Calendar, Vector], object]] = {
    "due": _due,
    "due_backward": _due_backward,
    "elapsed": _elapsed,
    "add_workdays_keep_clock": _keep_clock,
    "add_workdays_then_snap": _then_snap,
    "is_open": lambda calendar, vector: bt.is_open(calendar, _at(vector["at"])),
    "is_workday": _is_workday,
    "workdays_between": _workdays_between,
    "open_periods": _open_periods,
    "open_moment_at_or_after": _moment(bt.open_at_or_after),
    "open_moment_at_or_before": _moment(bt.open_at_or_before),
    "next_closing": _moment(bt.next_closing),
    "next_opening_after_current_span": _moment(bt.next_opening),
}


def _origin_rolls_first(calendar: bt.Calendar, vector: Vector, expected: object) -> str | None:
    """Ours counts from the date as given; theirs rolls it onto a working day first."""
    days = vector["days"]
    start = date.fromisoformat(vector["start"][:10])
    ours = bt.add_working_days(calendar, start, days).day
    if ours != _walked(calendar, start, days):
        return f"our rule gives {_walked(calendar, start, days)}, we answered {ours}"
    roll = bt.working_day_at_or_after if days > 0 else bt.working_day_at_or_before
    rolled = roll(calendar, start).day
    if rolled is None:
        return "there is no working day to roll to"
    theirs = _keep_clock(calendar, {**vector, "start": rolled.isoformat() + vector["start"][10:]})
    return None if _same(theirs, expected, vector) else f"rolled first gives {theirs}"


def _walked(calendar: bt.Calendar, start: date, days: int) -> date:
    """Return our rule written down a second time, naively: the start itself never counts."""
    step = timedelta(days=1 if days > 0 else -1)
    left, day = abs(days), start
    while left:
        day += step
        left -= bt.is_working_day(calendar, day)
    return day


#: Known semantics of other suites that differ from ours: returns what is wrong, None if nothing.
DIVERGENCES: dict[str, Callable[[bt.Calendar, Vector, object], str | None]] = {
    "origin_rolls_to_workday_first": _origin_rolls_first,
}


def _expected(vector: Vector) -> object:
    return vector["expected_s"] if "expected_s" in vector else vector["expected"]


def _same(ours: object, expected: object, vector: Vector) -> bool:
    if isinstance(ours, list) and isinstance(expected, list):
        return len(ours) == len(expected) and all(
            _same(our, other, vector) for our, other in zip(ours, expected, strict=True)
        )
    if isinstance(ours, str) and isinstance(expected, str):
        return _same_text(ours, expected, timedelta(seconds=vector.get("tolerance_s", 0)))
    if isinstance(ours, float) and isinstance(expected, int | float):
        return bool(abs(ours - expected) <= vector.get("tolerance_s", 0))
    return ours == expected


def _same_text(ours: str, expected: str, tolerance: timedelta) -> bool:
    if _is_plain_date(expected):
        return ours[:10] == expected
    return abs(_at(ours) - _at(expected)) <= tolerance


def run_one(vector: Vector) -> Result:
    """Return what became of one vector; nothing a file says makes the run itself fail."""
    name, operation = str(vector.get("id", "?")), str(vector.get("op"))
    unknown = _unknown(operation, vector)
    if unknown is not None:
        return Result(name, "skipped", f"{operation}: {unknown}")
    try:
        wrong = _wrong(operation, vector)
    except (Invalid, AssertionError, LookupError, ValueError, TypeError, ArithmeticError) as error:
        wrong = f"{type(error).__name__}: {error}"
    if wrong is None:
        return Result(name, "passed")
    return Result(name, "failed", f"{operation}: {wrong}")


def _unknown(operation: str, vector: Vector) -> str | None:
    """Return why a vector cannot be asked of us, None when it can."""
    if operation in ELSEWHERE:
        return "belongs to on-call, not to calendars"
    if operation not in OPERATIONS:
        return "unknown operation"
    divergent = vector.get("divergent")
    if divergent is not None and divergent not in DIVERGENCES:
        return f"unknown divergence {divergent}"
    boundary = vector.get("boundary")
    if boundary is not None and boundary not in _BOUNDARIES:
        return f"unknown boundary {boundary}"
    return _unknown_calendar(vector.get("calendar"))


def _unknown_calendar(given: object) -> str | None:
    if not isinstance(given, Mapping):
        return "no calendar"
    fields = sorted(set(given) - _CALENDAR_FIELDS - _PROSE)
    if fields:
        return f"unknown calendar field {', '.join(fields)}"
    country = str(given.get("country", "")).lower()
    if country and country not in SOURCES:
        return f"no holidays of {country.upper()} with us"
    return None


def _wrong(operation: str, vector: Vector) -> str | None:
    calendar, expected = calendar_of(vector), _expected(vector)
    if "divergent" in vector:
        return DIVERGENCES[vector["divergent"]](calendar, vector, expected)
    ours = OPERATIONS[operation](calendar, vector)
    return None if _same(ours, expected, vector) else f"expected {expected}, got {ours}"


def run(path: Path) -> list[Result]:
    """Return what became of each vector of a file."""
    return [run_one(vector) for vector in json.loads(path.read_text("utf-8"))["vectors"]]


def report(results: list[Result]) -> str:
    """Return the lines to print: failures, what was skipped by reason, and the count."""
    lines = [f"FAILED {r.id} {r.reason}" for r in results if r.verdict == "failed"]
    skipped = Counter(r.reason for r in results if r.verdict == "skipped")
    lines += [f"skipped {count} x {reason}" for reason, count in sorted(skipped.items())]
    count = Counter(r.verdict for r in results)
    lines.append(f"{count['passed']} passed, {count['failed']} failed, {count['skipped']} skipped")
    return "\n".join(lines)


def main(arguments: list[str]) -> int:
    """Run the file named on the command line; 0 when nothing failed, 2 when it was not named."""
    if len(arguments) != 1:
        sys.stderr.write("usage: python -m tests.conformance.business_time FILE.json\n")
        return 2
    try:
        results = run(Path(arguments[0]))
    except (OSError, ValueError, KeyError, TypeError) as error:
        sys.stderr.write(f"{arguments[0]} is no file of vectors: {error!r}\n")
        return 2
    sys.stdout.write(report(results) + "\n")
    return int(any(result.verdict == "failed" for result in results))


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
