"""The rules behind figures."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.insight.domain.rules import (
    Light,
    Standing,
    Window,
    begin_of,
    light,
    nearest_rank,
)

NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
SHANGHAI = ZoneInfo("Asia/Shanghai")

values = st.lists(st.integers(0, 50), min_size=1, max_size=60)


@given(values, st.sampled_from([1, 50, 90, 95, 99, 100]))
def test_a_percentile_is_the_smallest_value_that_enough_values_do_not_exceed(
    measured: list[int], percent: int
) -> None:
    ordered = sorted(measured)
    found = ordered[nearest_rank(percent, len(ordered)) - 1]

    reaching = [v for v in ordered if 100 * sum(w <= v for w in ordered) >= percent * len(ordered)]
    assert found == min(reaching)


@pytest.mark.parametrize(
    ("percent", "count", "rank"),
    [(50, 0, 0), (50, 1, 1), (50, 2, 1), (50, 3, 2), (90, 10, 9), (95, 10, 10), (90, 11, 10)],
)
def test_the_nearest_rank_of_few_values_is_one_of_them(percent: int, count: int, rank: int) -> None:
    assert nearest_rank(percent, count) == rank


def test_today_begins_at_midnight_in_the_zone_of_the_installation() -> None:
    assert begin_of(Window.TODAY, NOON, SHANGHAI) == datetime(2026, 3, 1, 16, tzinfo=UTC)
    assert begin_of(Window.TODAY, NOON, ZoneInfo("America/New_York")) == datetime(
        2026, 3, 1, 5, tzinfo=UTC
    )


def test_a_week_is_seven_times_twenty_four_hours_and_all_has_no_beginning() -> None:
    assert begin_of(Window.WEEK, NOON, SHANGHAI) == NOON - timedelta(days=7)
    assert begin_of(Window.ALL, NOON, SHANGHAI) is None


@pytest.mark.parametrize(
    ("standing", "shown"),
    [
        (Standing(), (Light.GREEN, "in_time")),
        (Standing(open=50), (Light.GREEN, "in_time")),
        (Standing(open=50, due_soon=1), (Light.YELLOW, "due_soon")),
        (Standing(open=50, unanswered=1), (Light.YELLOW, "unanswered")),
        (Standing(open=50, overdue=5), (Light.YELLOW, "some_overdue")),
        (Standing(open=50, overdue=6), (Light.RED, "many_overdue")),
        (Standing(open=50, overdue=1, overdue_p1=1), (Light.RED, "p1_overdue")),
        (Standing(open=50, unanswered=1, exhausted=1), (Light.RED, "nobody_answered")),
    ],
)
def test_a_team_shows_the_gravest_reason(standing: Standing, shown: tuple[Light, str]) -> None:
    assert light(standing) == shown
