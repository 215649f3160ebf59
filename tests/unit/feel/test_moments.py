"""Dates, times and durations, with offsets and named zones."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from zoneinfo import ZoneInfo

import pytest

from shared.feel import (
    FeelDateTime,
    compile_expression,
    from_datetime,
    to_datetime,
    to_feel,
    to_json,
)

CASES = {
    'date("2026-02-30")': None,
    'date("26-02-03")': None,
    'date("-2017-12-31")': "-2017-12-31",
    'date("999999999-12-31")': "999999999-12-31",
    "date(2026, 11, 5)": "2026-11-05",
    'date(@"2026-11-05T10:00:00Z")': "2026-11-05",
    'date("2026-01-31") + duration("P1M")': "2026-02-28",
    'date("2024-02-29") - duration("P1Y")': "2023-02-28",
    'date("2026-11-05") + duration("PT25H")': "2026-11-06",
    'date("2026-11-05") - date("2026-11-01")': "P4D",
    'time("10:00:00+08:00").time offset': "PT8H",
    'time("25:00:00")': None,
    'time("10:00:00@Mars/Olympus")': None,
    'time("10:00:00@../../etc/passwd")': None,
    'time(11, 59, 1.3, duration("-PT1H"))': "11:59:01.3-01:00",
    'time("23:30:00") + duration("PT1H")': "00:30:00",
    'time("10:00:00Z") - time("10:00:00+02:00")': "PT2H",
    'date and time("2026-11-05")': "2026-11-05T00:00:00",
    'date and time("2026-11-05T10:00:00@Asia/Shanghai").time offset': "PT8H",
    'date and time(date("2026-11-05"), time("10:00:00"))': "2026-11-05T10:00:00",
    '@"2026-03-29T01:30:00@Europe/Berlin" + @"PT1H"': "2026-03-29T03:30:00@Europe/Berlin",
    '@"2026-10-25T02:30:00@Europe/Berlin" + @"PT24H"': "2026-10-26T01:30:00@Europe/Berlin",
    '@"2026-10-24T12:00:00@Europe/Berlin" + @"P1M"': "2026-11-24T12:00:00@Europe/Berlin",
    '@"2026-11-05T10:00:00+08:00" = @"2026-11-05T02:00:00Z"': True,
    'is(@"2026-11-05T10:00:00+08:00", @"2026-11-05T02:00:00Z")': False,
    'is(@"10:00:00Z", @"10:00:00+00:00")': True,
    '@"2026-11-05T10:00:00" < @"2026-11-05T02:00:00Z"': None,
    '@"2026-11-05T10:00:00Z" > @"2026-11-05T11:00:00+02:00"': True,
    'duration("P1Y2M").months': 2,
    'duration("P1DT2H3M4.5S").seconds': 4.5,
    'duration("PT1000M")': "PT16H40M",
    'duration("P1Y1D")': None,
    'duration("P1Y") = duration("P365D")': None,
    'years and months duration(date("2011-12-22"), date("2013-08-24"))': "P1Y8M",
    'years and months duration(date("2013-08-24"), date("2011-12-22"))': "-P1Y8M",
    'date("2026-11-05").weekday': 4,
    'day of week(@"2026-11-05")': "Thursday",
    'month of year(@"2026-11-05")': "November",
    'day of year(@"2026-12-31")': 365,
    'week of year(@"2027-01-03")': 53,
    'week of year(@"2026-01-01")': 1,
}


@pytest.mark.parametrize(("text", "expected"), CASES.items())
def test_moments_follow_the_calendar(text: str, expected: object) -> None:
    assert to_json(compile_expression(text).evaluate({})) == expected


@pytest.mark.parametrize(
    "moment",
    [
        datetime(2026, 3, 29, 3, 30, tzinfo=ZoneInfo("Europe/Berlin")),
        datetime(2026, 11, 5, 9, 30, 15, 250_000, tzinfo=timezone(timedelta(hours=8))),
        datetime(1, 1, 2, tzinfo=UTC),
    ],
)
def test_a_python_moment_survives_the_way_into_feel_and_back(moment: datetime) -> None:
    assert to_datetime(from_datetime(moment)) == moment


def test_a_local_moment_has_no_place_on_the_time_line() -> None:
    local = to_feel(datetime(2026, 11, 5, 9, 30))  # noqa: DTZ001 - a wall clock without zone

    assert isinstance(local, FeelDateTime)
    assert to_datetime(local) is None
