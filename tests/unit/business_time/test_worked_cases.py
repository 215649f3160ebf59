from __future__ import annotations

import timeit
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

import pytest

from shared.business_time import (
    Calendar,
    EndBeforeStart,
    InstantOutOfRange,
    InstantWithoutZone,
    NoAnswer,
    Pause,
    TargetNotPositive,
    always,
    due,
    due_backward,
    due_with_pauses,
    elapsed,
    is_open,
    next_closing,
    next_opening,
    open_at_or_after,
    open_at_or_before,
    open_between,
    open_periods,
    open_periods_before,
)
from tests.unit.business_time.builders import HOUR, WORKING_WEEK, at, office, weekly

if TYPE_CHECKING:
    from collections.abc import Callable

NIGHT_SHIFTS = {day: ["22:00-06:00"] for day in ("mon", "tue", "wed", "thu", "fri", "sat", "sun")}


def test_eight_hours_from_the_friday_before_spring_festival_end_on_the_make_up_saturday() -> None:
    answer = due(office(), at("2026-02-13T16:00:00+08:00"), 8 * HOUR)

    assert answer.due_at == at("2026-02-14T16:00:00+08:00")
    assert not answer.is_provisional


def test_without_a_lunch_break_the_same_promise_ends_an_hour_earlier() -> None:
    all_day = office(windows={day: ["09:00-18:00"] for day in WORKING_WEEK})

    answer = due(all_day, at("2026-02-13T16:00:00+08:00"), 8 * HOUR)

    assert answer.due_at == at("2026-02-14T15:00:00+08:00")


def test_a_target_used_up_at_closing_is_due_then_and_broken_only_after_the_next_opening() -> None:
    answer = due(office(), at("2026-03-02T14:00:00+08:00"), 4 * HOUR)

    assert answer.due_at == at("2026-03-02T18:00:00+08:00")
    assert answer.breaches_after == at("2026-03-03T09:00:00+08:00")


def test_one_second_more_than_fits_before_closing_is_due_a_second_after_the_opening() -> None:
    answer = due(office(), at("2026-03-02T14:00:00+08:00"), 4 * HOUR + timedelta(seconds=1))

    assert answer.due_at == answer.breaches_after == at("2026-03-03T09:00:01+08:00")


def test_a_start_outside_hours_begins_to_count_at_the_opening() -> None:
    saturday = at("2026-03-07T11:00:00+08:00")

    assert elapsed(office(), saturday, at("2026-03-09T09:00:00+08:00")).time == timedelta(0)
    assert due(office(), saturday, HOUR).due_at == at("2026-03-09T10:00:00+08:00")


def test_windows_that_touch_leave_no_closing_between_them() -> None:
    calendar = weekly(mon=["09:00-12:00", "12:00-18:00"])

    answer = due(calendar, at("2026-03-02T09:00:00Z"), 3 * HOUR)

    assert answer.due_at == answer.breaches_after == at("2026-03-02T12:00:00Z")
    assert next_closing(calendar, at("2026-03-02T10:00:00Z")).at == at("2026-03-02T18:00:00Z")


@pytest.mark.parametrize(
    ("begins", "ends", "hours"),
    [
        ("2026-03-07T22:00:00-05:00", "2026-03-08T06:00:00-04:00", 7),
        ("2026-10-31T22:00:00-04:00", "2026-11-01T06:00:00-05:00", 9),
        ("2026-06-01T22:00:00-04:00", "2026-06-02T06:00:00-04:00", 8),
    ],
)
def test_a_night_shift_is_as_long_as_the_night_really_was(
    begins: str, ends: str, hours: int
) -> None:
    calendar = Calendar.from_dict(
        {"key": "nights", "zone": "America/New_York", "windows": NIGHT_SHIFTS}
    )

    assert elapsed(calendar, at(begins), at(ends)).time == hours * HOUR
    assert next_opening(calendar, at(begins) - HOUR).at == at(begins)
    assert next_closing(calendar, at(begins)).at == at(ends)


def test_a_night_shift_belongs_to_the_date_it_starts_on() -> None:
    calendar = Calendar.from_dict(
        {
            "key": "nights",
            "zone": "Asia/Shanghai",
            "windows": {"thu": ["22:00-06:00"], "fri": ["22:00-06:00"]},
            "holidays": [{"date": "2026-03-06", "name": "Friday off"}],
            "covered_until": "2026-12-31",
        }
    )

    # Thursday's shift runs into the holiday; the holiday's own shift does not take place.
    assert is_open(calendar, at("2026-03-06T05:59:59+08:00"))
    assert not is_open(calendar, at("2026-03-06T22:00:00+08:00"))
    assert not is_open(calendar, at("2026-03-07T05:00:00+08:00"))


def test_a_wall_time_that_is_skipped_moves_forward_by_the_gap() -> None:
    calendar = weekly("America/New_York", sun=["02:30-05:00"])

    assert next_opening(calendar, at("2026-03-08T00:00:00-05:00")).at == at(
        "2026-03-08T03:30:00-04:00"
    )


def test_a_window_inside_the_gap_is_never_negative() -> None:
    calendar = weekly("America/New_York", sun=["02:30-03:00"])

    day = (at("2026-03-08T00:00:00-05:00"), at("2026-03-09T00:00:00-04:00"))
    assert elapsed(calendar, *day).time == timedelta(0)
    assert elapsed(calendar, day[0] + 168 * HOUR, day[1] + 168 * HOUR).time == HOUR / 2


@pytest.mark.parametrize(
    ("zone", "day", "opens", "closes"),
    [
        (
            "America/New_York",
            "2026-11-01",
            "2026-11-01T01:30:00-04:00",
            "2026-11-01T03:30:00-05:00",
        ),
        # Negative daylight saving: the first occurrence is the one *not* called standard time.
        (
            "Africa/Casablanca",
            "2023-03-19",
            "2023-03-19T02:15:00+01:00",
            "2023-03-19T03:30:00+00:00",
        ),
        ("Europe/Dublin", "2026-10-25", "2026-10-25T01:30:00+01:00", "2026-10-25T03:30:00+00:00"),
    ],
)
def test_of_an_hour_that_comes_twice_the_first_counts(
    zone: str, day: str, opens: str, closes: str
) -> None:
    begins = at(opens).strftime("%H:%M")
    calendar = weekly(zone, sun=[f"{begins}-03:30"])

    opening = next_opening(calendar, at(f"{day}T00:00:00+01:00"))

    assert opening.at == at(opens)
    assert next_closing(calendar, at(opens)).at == at(closes)


def test_a_date_the_zone_never_had_has_no_windows() -> None:
    # Samoa crossed the date line: Thursday 29 December 2011 was followed by Saturday the 31st.
    calendar = weekly("Pacific/Apia", fri=["09:00-17:00"])

    found = open_between(calendar, at("2011-12-28T00:00:00Z"), at("2012-01-03T00:00:00Z"))

    assert found == []


def test_shanghai_had_summer_time_in_1988() -> None:
    calendar = weekly("Asia/Shanghai", mon=["09:00-18:00"])

    assert is_open(calendar, at("1988-07-04T00:30:00Z"))
    assert not is_open(calendar, at("2026-07-06T00:30:00Z"))


def test_a_service_around_the_clock_loses_nothing_at_midnight() -> None:
    calendar = always()
    new_year = at("2026-12-31T23:59:30+08:00")

    assert due(calendar, new_year, timedelta(minutes=1)).due_at == at("2027-01-01T00:00:30+08:00")
    assert not due(calendar, new_year, timedelta(minutes=1)).is_provisional
    assert next_closing(calendar, new_year).reason is NoAnswer.NOTHING_WITHIN_HORIZON


def test_a_week_open_all_day_every_day_never_closes_over_the_year_either() -> None:
    calendar = weekly("UTC", **{day: ["00:00-24:00"] for day in NIGHT_SHIFTS})

    assert next_closing(calendar, at("2026-12-31T23:00:00Z")).at is None
    assert due(calendar, at("2026-12-31T23:00:00Z"), 2 * HOUR).due_at == at("2027-01-01T01:00:00Z")
    assert open_periods(calendar, at("2026-12-31T23:00:00Z"), 5)[0].end is None


def test_only_the_part_of_a_pause_inside_hours_moves_the_due_time() -> None:
    start = at("2026-03-02T16:00:00+08:00")
    overnight = Pause(at("2026-03-02T17:00:00+08:00"), at("2026-03-03T10:00:00+08:00"))

    answer = due_with_pauses(office(), start, 3 * HOUR, [overnight])

    # Without the pause it would be 10:00; the pause took one hour today and one tomorrow.
    assert answer.due_at == at("2026-03-03T12:00:00+08:00")


def test_a_pause_of_a_few_seconds_gives_back_exactly_those() -> None:
    start = at("2026-03-02T09:00:00+08:00")
    short = [
        Pause(at("2026-03-02T09:10:01+08:00"), at("2026-03-02T09:10:03.000001+08:00")),
        Pause(at("2026-03-02T09:10:30+08:00"), at("2026-03-02T09:10:31+08:00")),
    ]

    answer = due_with_pauses(office(), start, HOUR, short)

    assert answer.due_at == at("2026-03-02T10:00:03.000001+08:00")


def test_while_paused_there_is_no_due_time_but_what_is_left() -> None:
    start = at("2026-03-02T09:00:00+08:00")

    answer = due_with_pauses(office(), start, 4 * HOUR, [Pause(start + HOUR)])

    assert answer.due_at is None
    assert answer.reason is NoAnswer.PAUSED
    assert answer.left == 3 * HOUR


def test_a_pause_that_began_after_the_target_was_used_up_does_not_undo_the_due_time() -> None:
    start = at("2026-03-02T09:00:00+08:00")

    answer = due_with_pauses(office(), start, HOUR, [Pause(start + HOUR)])

    assert answer.due_at == start + HOUR
    assert answer.breaches_after is None


def test_a_target_used_up_when_a_pause_begins_breaks_only_after_the_pause() -> None:
    start = at("2026-03-02T09:00:00+08:00")
    over_closing = Pause(start + HOUR, at("2026-03-02T20:00:00+08:00"))

    answer = due_with_pauses(office(), start, HOUR, [over_closing])

    assert answer.due_at == start + HOUR
    assert answer.breaches_after == at("2026-03-03T09:00:00+08:00")


def test_counted_backward_the_latest_start_is_an_opening_and_the_closing_before_says_the_same() -> (
    None
):
    answer = due_backward(office(), at("2026-03-03T12:00:00+08:00"), 3 * HOUR)

    assert answer.start_at == at("2026-03-03T09:00:00+08:00")
    assert answer.same_from == at("2026-03-02T18:00:00+08:00")


def test_the_open_instant_around_a_moment_is_itself_while_open_and_an_edge_otherwise() -> None:
    noon, morning = at("2026-03-02T12:30:00+08:00"), at("2026-03-02T10:00:00+08:00")

    assert open_at_or_after(office(), morning).at == morning
    assert open_at_or_before(office(), morning).at == morning
    assert open_at_or_after(office(), noon).at == at("2026-03-02T13:00:00+08:00")
    assert open_at_or_before(office(), noon).at == at("2026-03-02T12:00:00+08:00")


def test_periods_before_an_instant_come_latest_first_and_are_cut_at_it() -> None:
    first, second = open_periods_before(office(), at("2026-03-02T14:00:00+08:00"), 2)

    assert (first.start, first.end) == (
        at("2026-03-02T13:00:00+08:00"),
        at("2026-03-02T14:00:00+08:00"),
    )
    assert second.start == at("2026-03-02T09:00:00+08:00")


def test_a_calendar_whose_validity_ends_first_says_so_and_how_much_was_left() -> None:
    calendar = office(valid_until="2026-03-03")

    answer = due(calendar, at("2026-03-03T16:00:00+08:00"), 5 * HOUR)

    assert answer.due_at is None
    assert answer.reason is NoAnswer.CALENDAR_ENDED
    assert answer.left == 3 * HOUR


def test_a_calendar_before_its_validity_is_closed() -> None:
    calendar = office(valid_from="2026-03-03")

    assert open_at_or_after(calendar, at("2026-03-02T10:00:00+08:00")).at == at(
        "2026-03-03T09:00:00+08:00"
    )
    backward = due_backward(calendar, at("2026-03-03T10:00:00+08:00"), 2 * HOUR)
    assert backward.reason is NoAnswer.CALENDAR_ENDED


def test_a_target_of_centuries_is_answered_with_a_state() -> None:
    answer = due(office(), at("2026-03-02T09:00:00+08:00"), timedelta(days=36_500))

    assert answer.due_at is None
    assert answer.reason is NoAnswer.TARGET_BEYOND_HORIZON
    assert due(always(), at("2026-03-02T09:00:00+08:00"), timedelta(days=90_000)).due_at is None


def test_a_calendar_open_on_one_date_only_is_a_state_after_it_and_never_a_spin() -> None:
    calendar = Calendar.from_dict(
        {
            "key": "fair",
            "zone": "Asia/Shanghai",
            "exceptions": [{"date": "2026-03-02", "windows": ["09:00-10:00"]}],
        }
    )

    answer = due(calendar, at("2026-03-02T10:00:00+08:00"), HOUR)

    assert answer.reason is NoAnswer.NOTHING_WITHIN_HORIZON
    assert next_opening(calendar, at("2026-03-02T10:00:00+08:00")).at is None


def test_what_cannot_be_meant_is_refused_with_its_name() -> None:
    start = at("2026-03-02T09:00:00+08:00")

    with pytest.raises(InstantWithoutZone, match=r"`start` is 2026-03-02T09:00:00: .* offset"):
        due(office(), start.replace(tzinfo=None), HOUR)
    with pytest.raises(InstantOutOfRange, match="1900 to 2199"):
        due(office(), start.replace(year=2300), HOUR)
    with pytest.raises(TargetNotPositive):
        due(office(), start, timedelta(0))
    with pytest.raises(EndBeforeStart):
        elapsed(office(), start, start - HOUR)
    with pytest.raises(EndBeforeStart):
        elapsed(office(), start, start + HOUR, [Pause(start + HOUR, start)])


def test_eight_working_days_ahead_cost_no_more_than_eighty_plain_additions() -> None:
    # 30 µs beside 3.8 for the addition, on a quiet machine. Elsewhere 15 times alone, 25 to 34
    # among other tests on a busy one: walking days one by one would cost hundreds.
    calendar, start, zone = office(), at("2026-02-13T16:00:00+08:00"), ZoneInfo("Asia/Shanghai")
    due(calendar, start, 64 * HOUR)

    add = _best(lambda: start.astimezone(zone) + 64 * HOUR)

    assert _best(lambda: due(calendar, start, 64 * HOUR)) < 80 * add


def _best(act: Callable[[], object]) -> float:
    return min(timeit.repeat(act, number=200, repeat=20)) / 200
