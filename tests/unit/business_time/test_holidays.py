from __future__ import annotations

from datetime import date, timedelta

import holidays
import pytest

from shared.business_time import (
    Calendar,
    add_working_days,
    due,
    elapsed,
    is_covered,
    is_open,
    is_working_day,
    ledger,
    next_opening,
)
from shared.business_time.holiday_data import holiday_source
from tests.unit.business_time.builders import HOUR, WORKING_WEEK, at, office


def test_china_as_we_have_it_agrees_with_an_independent_transcription_but_for_one_day() -> None:
    calendar, source = office(), holiday_source("cn")
    years = range(source.covered_from.year, source.covered_until.year + 1)
    other = holidays.country_holidays("CN", years=years)

    days = [
        source.covered_from + timedelta(days=n)
        for n in range((source.covered_until - source.covered_from).days + 1)
    ]
    different = [d for d in days if is_working_day(calendar, d) != other.is_working_day(d)]

    # A transfer over the turn of the year, which the two read differently (sla.md 3.5).
    assert different == [date(2005, 12, 31)]


@pytest.mark.parametrize(
    ("year", "days"),
    [
        (2024, "02-04 02-18 04-07 04-28 05-11 09-14 09-29 10-12"),
        (2025, "01-26 02-08 04-27 09-28 10-11"),
        (2026, "01-04 02-14 02-28 05-09 09-20 10-10"),
    ],
)
def test_weekends_are_worked_exactly_on_the_days_the_notices_named(year: int, days: str) -> None:
    calendar = office()
    first = date(year, 1, 1)

    worked = [
        day
        for day in (first + timedelta(days=n) for n in range(365))
        if day.weekday() >= 5 and is_working_day(calendar, day)
    ]

    assert worked == [date.fromisoformat(f"{year}-{day}") for day in days.split()]


def test_a_due_beyond_the_last_known_holidays_is_provisional_and_one_before_is_not() -> None:
    until = holiday_source("cn").covered_until
    last_week = at(f"{until.year}-12-28T09:00:00+08:00")

    assert not due(office(), last_week, HOUR).is_provisional
    assert due(office(), last_week, 80 * HOUR).is_provisional
    assert not elapsed(office(), last_week, last_week + HOUR).is_provisional
    assert elapsed(office(), last_week, last_week + 240 * HOUR).is_provisional
    assert add_working_days(office(), last_week.date(), 10).is_provisional
    assert is_covered(office(), last_week)
    assert not is_covered(office(), last_week + 240 * HOUR)


def test_a_due_at_the_last_known_closing_is_provisional_because_the_breach_is() -> None:
    calendar = office(covered_until="2026-03-06")

    at_closing = due(calendar, at("2026-03-06T17:00:00+08:00"), HOUR)

    assert at_closing.due_at == at("2026-03-06T18:00:00+08:00")
    assert at_closing.is_provisional
    assert not due(calendar, at("2026-03-06T16:00:00+08:00"), HOUR).is_provisional


def test_what_lies_before_the_first_known_holidays_is_provisional_too() -> None:
    assert elapsed(
        office(), at("2003-12-31T09:00:00+08:00"), at("2004-01-05T09:00:00+08:00")
    ).is_provisional


def test_next_years_days_can_be_added_before_the_data_package_has_them() -> None:
    beyond = holiday_source("cn").covered_until.year + 1
    monday = next(d for d in (date(beyond, 3, n) for n in range(1, 8)) if d.weekday() == 0)
    calendar = office(
        holidays={"source": "cn", "also": [{"date": monday.isoformat(), "name": "补休"}]},
        covered_until=f"{beyond}-12-31",
    )

    answer = next_opening(calendar, at(f"{monday}T00:00:00+08:00"))

    assert answer.at == at(f"{monday + timedelta(days=1)}T09:00:00+08:00")
    assert not answer.is_provisional


def test_an_organisations_own_days_win_over_the_source() -> None:
    calendar = office(
        holidays={"source": "cn", "also": [{"date": "2026-02-14", "name": "公司假日"}]},
        make_up_days=[{"date": "2026-02-16", "name": "盘点", "windows": ["09:00-10:00"]}],
    )

    assert not is_working_day(calendar, date(2026, 2, 14))
    assert (
        elapsed(calendar, at("2026-02-16T00:00:00+08:00"), at("2026-02-17T00:00:00+08:00")).time
        == HOUR
    )


def test_a_make_up_day_has_the_windows_of_a_monday_unless_it_says_otherwise() -> None:
    of_mondays = office(windows={day: ["10:00-16:00"] for day in WORKING_WEEK})
    of_its_own = office(make_up_windows=["08:00-11:00"])
    saturday = (at("2026-02-14T00:00:00+08:00"), at("2026-02-15T00:00:00+08:00"))

    assert elapsed(of_mondays, *saturday).time == 6 * HOUR
    assert elapsed(of_its_own, *saturday).time == 3 * HOUR


def test_a_calendar_of_weekends_has_no_working_day_to_make_up() -> None:
    weekends = office(windows={"sat": ["09:00-12:00"]})

    assert (
        elapsed(weekends, at("2026-02-14T00:00:00+08:00"), at("2026-02-15T00:00:00+08:00")).time
        == 3 * HOUR
    )


def test_an_exception_beats_a_make_up_day_and_a_holiday() -> None:
    calendar = office(
        exceptions=[
            {"date": "2026-02-14", "name": "年会", "closed": True},
            {"date": "2026-02-17", "name": "值班", "windows": ["09:00-12:00"]},
        ]
    )

    assert not is_working_day(calendar, date(2026, 2, 14))
    assert is_open(calendar, at("2026-02-17T10:00:00+08:00"))


def test_a_break_is_taken_out_of_the_days_windows_and_of_last_nights_shift() -> None:
    calendar = Calendar.from_dict(
        {
            "key": "shifts",
            "zone": "Asia/Shanghai",
            "windows": {"mon": ["22:00-06:00"], "tue": ["09:00-12:00"]},
            "exceptions": [{"date": "2026-03-03", "breaks": ["01:00-02:00", "11:00-13:00"]}],
        }
    )

    assert (
        elapsed(calendar, at("2026-03-02T22:00:00+08:00"), at("2026-03-03T06:00:00+08:00")).time
        == 7 * HOUR
    )
    assert (
        elapsed(calendar, at("2026-03-03T06:00:00+08:00"), at("2026-03-03T18:00:00+08:00")).time
        == 2 * HOUR
    )


def test_pinned_a_calendar_answers_the_same_without_the_data_package() -> None:
    calendar = office(covered_until="2026-06-30")
    pinned = Calendar.from_dict(calendar.to_dict(is_pinned=True))

    assert calendar.data_version is not None
    assert pinned.data_version is None
    span = (at("2024-01-01T00:00:00+08:00"), at("2026-12-31T00:00:00+08:00"))
    assert pinned.source_key is None
    assert elapsed(pinned, *span) == elapsed(calendar, *span)
    assert ledger(pinned, *span).entries == ledger(calendar, *span).entries
