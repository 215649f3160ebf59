from __future__ import annotations

from datetime import date, timedelta

import pytest

from shared.business_time import (
    Calendar,
    DayEnd,
    InstantOutOfRange,
    NoAnswer,
    add_working_days,
    add_working_days_at,
    always,
    due_in_working_days,
    is_working_day,
    working_day_at_or_after,
    working_day_at_or_before,
    working_days_between,
)
from tests.unit.business_time.builders import WORKING_WEEK, at, office, weekly


def test_a_working_day_after_friday_the_13th_is_the_make_up_saturday_and_then_the_24th() -> None:
    friday = date(2026, 2, 13)

    assert add_working_days(office(), friday, 1).day == date(2026, 2, 14)
    assert add_working_days(office(), friday, 2).day == date(2026, 2, 24)
    assert add_working_days(office(), date(2026, 2, 24), -2).day == friday
    assert add_working_days(office(), date(2026, 2, 17), 0).day == date(2026, 2, 17)


def test_the_day_one_starts_on_never_counts() -> None:
    friday, saturday = date(2026, 3, 6), date(2026, 3, 7)

    assert add_working_days(office(), friday, 1).day == date(2026, 3, 9)
    assert add_working_days(office(), saturday, 1).day == date(2026, 3, 9)


def test_working_days_between_excludes_the_start_includes_the_end_and_turns_sign() -> None:
    first, last = date(2026, 2, 13), date(2026, 2, 24)

    assert working_days_between(office(), first, last).count == 2
    assert working_days_between(office(), last, first).count == -2
    assert working_days_between(office(), first, first).count == 0


def test_the_end_of_last_nights_shift_does_not_make_a_working_day() -> None:
    calendar = weekly(fri=["22:00-06:00"])

    assert is_working_day(calendar, date(2026, 3, 6))
    assert not is_working_day(calendar, date(2026, 3, 7))


def test_a_date_whose_breaks_close_it_again_is_no_working_day() -> None:
    calendar = office(exceptions=[{"date": "2026-03-02", "breaks": ["08:00-19:00"]}])

    assert not is_working_day(calendar, date(2026, 3, 2))


def test_a_date_the_zone_never_had_is_no_working_day() -> None:
    calendar = weekly("Pacific/Apia", **{day: ["09:00-17:00"] for day in WORKING_WEEK})

    assert not is_working_day(calendar, date(2011, 12, 30))
    assert not is_working_day(always(zone="Pacific/Apia"), date(2011, 12, 30))
    assert add_working_days(calendar, date(2011, 12, 29), 1).day == date(2012, 1, 2)


def test_the_nearest_working_day_may_be_the_day_itself() -> None:
    assert working_day_at_or_after(office(), date(2026, 3, 6)).day == date(2026, 3, 6)
    assert working_day_at_or_after(office(), date(2026, 3, 7)).day == date(2026, 3, 9)
    assert working_day_at_or_before(office(), date(2026, 3, 8)).day == date(2026, 3, 6)


def test_the_clock_on_the_wall_stays_when_clocks_change_in_between() -> None:
    calendar = weekly("America/New_York", **{day: ["09:00-17:00"] for day in WORKING_WEEK})

    moved = add_working_days_at(calendar, at("2026-03-06T10:00:00.000001-05:00"), 1)

    assert moved.at == at("2026-03-09T10:00:00.000001-04:00")


@pytest.mark.parametrize(
    ("start", "ends", "due_at", "breaks_at"),
    [
        ("2026-03-02T16:00", DayEnd.SAME_TIME, "2026-03-05T16:00", "2026-03-05T16:00"),
        ("2026-03-02T16:00", DayEnd.END_OF_DAY, "2026-03-05T18:00", "2026-03-06T09:00"),
        ("2026-03-02T18:00", DayEnd.SAME_TIME, "2026-03-05T18:00", "2026-03-06T09:00"),
        ("2026-03-02T07:00", DayEnd.SAME_TIME, "2026-03-05T09:00", "2026-03-05T09:00"),
        ("2026-03-07T22:00", DayEnd.SAME_TIME, "2026-03-12T09:00", "2026-03-12T09:00"),
        ("2026-03-07T22:00", DayEnd.END_OF_DAY, "2026-03-11T18:00", "2026-03-12T09:00"),
    ],
)
def test_a_refund_in_three_working_days_ends_at_the_same_time_or_with_the_day(
    start: str, ends: DayEnd, due_at: str, breaks_at: str
) -> None:
    answer = due_in_working_days(office(), at(f"{start}:00+08:00"), 3, ends)

    assert answer.due_at == at(f"{due_at}:00+08:00")
    assert answer.breaches_after == at(f"{breaks_at}:00+08:00")


def test_around_the_clock_a_day_ends_at_midnight_in_the_calendars_zone() -> None:
    calendar = always(zone="Asia/Shanghai")

    answer = due_in_working_days(calendar, at("2026-03-02T16:00:00+08:00"), 1, DayEnd.END_OF_DAY)

    assert answer.due_at == at("2026-03-04T00:00:00+08:00")


def test_when_no_working_day_is_left_the_answer_says_why() -> None:
    ended = office(valid_until="2026-03-03")
    once = Calendar.from_dict(
        {
            "key": "fair",
            "zone": "UTC",
            "exceptions": [{"date": "2026-03-02", "windows": ["09:00-10:00"]}],
        }
    )

    assert add_working_days(ended, date(2026, 3, 2), 2).reason is NoAnswer.CALENDAR_ENDED
    assert add_working_days(once, date(2026, 3, 2), 1).reason is NoAnswer.NOTHING_WITHIN_HORIZON
    assert add_working_days(once, date(2026, 3, 1), 2).reason is NoAnswer.TARGET_BEYOND_HORIZON
    refused = due_in_working_days(ended, at("2026-03-02T09:00:00+08:00"), 2)
    assert refused.reason is NoAnswer.CALENDAR_ENDED


def test_an_instant_is_not_taken_for_a_date_because_its_zone_would_be_lost() -> None:
    with pytest.raises(InstantOutOfRange):
        is_working_day(office(), at("2026-03-02T09:00:00+08:00"))


def test_twenty_years_of_working_days_are_counted_in_the_time_of_a_keystroke() -> None:
    counted = working_days_between(office(), date(2005, 1, 1), date(2025, 1, 1))

    assert timedelta(days=counted.count) > timedelta(days=20 * 245)
