"""Editions of a calendar: numbers that ledgers keep, versions that people are told."""

from __future__ import annotations

import pytest

from services.clock.domain.editions import (
    edition_of,
    is_older_data,
    next_edition,
    told_version,
    version_of,
)


def test_each_edition_has_a_number_of_its_own_and_is_of_its_version() -> None:
    second = next_edition(next_edition(3))

    assert (version_of(3), edition_of(3)) == (3, 0)
    assert (version_of(second), edition_of(second)) == (3, 2)
    assert told_version(3) == {"calendar_version": 3}
    assert told_version(second) == {"calendar_version": 3, "calendar_edition": 2}


@pytest.mark.parametrize(
    ("data", "than", "is_older"),
    [
        ("cn:chinesecalendar-1.10.0", "cn:chinesecalendar-1.11.0", True),
        ("cn:chinesecalendar-1.9.9", "cn:chinesecalendar-1.10.0", True),
        ("cn:chinesecalendar-1.11.0", "cn:chinesecalendar-1.11.0", False),
        ("cn:chinesecalendar-1.11.1", "cn:chinesecalendar-1.11.0", False),
        ("cn:chinesecalendar-1.11.0", "", False),
        ("", "", False),
    ],
)
def test_holiday_data_are_compared_by_their_release(data: str, than: str, is_older: bool) -> None:
    assert is_older_data(data, than) is is_older
