"""How far holidays are known, when the alarm is due, and what merely adds to them."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.business_time import (
    Calendar,
    Kind,
    alarm_at,
    always,
    coverage,
    covered_until,
    due,
    extends,
)
from shared.business_time.tracing import traced
from tests.unit.business_time.builders import WORKING_WEEK, at, office

NEW_YEAR = [{"date": "2027-01-01"}, {"date": "2027-02-08"}]


def known(**changed: object) -> Calendar:
    """An office that lists its holidays of 2026."""
    return office(holidays=[{"date": "2026-10-01"}], covered_until="2026-12-31", **changed)


def published(**changed: object) -> Calendar:
    """The same when 2027 is published."""
    given_: dict[str, object] = {
        "holidays": [{"date": "2026-10-01"}, *NEW_YEAR],
        "make_up_days": [{"date": "2027-02-06"}],
        "covered_until": "2027-12-31",
    }
    return office(**(given_ | changed))


def test_the_alarm_is_due_at_the_local_midnight_sixty_days_before() -> None:
    assert alarm_at(known()) == at("2026-11-01T00:00+08:00")
    assert not coverage(known(), date(2026, 10, 31)).is_alarming
    assert coverage(known(), date(2026, 11, 1)).is_alarming
    assert coverage(known(), date(2027, 1, 2)).days_left == -2


def test_a_calendar_without_holidays_or_past_its_own_end_needs_no_alarm() -> None:
    assert alarm_at(always()) is None
    assert covered_until(known(valid_until="2026-12-31")) is None
    assert covered_until(known(valid_until="2027-01-01")) == date(2026, 12, 31)


def test_of_a_combination_the_member_that_ends_first_counts() -> None:
    both = Calendar.from_dict(
        {"key": "both", "kind": "union", "of": [known().to_dict(), published().to_dict()]}
    )

    assert covered_until(both) == date(2026, 12, 31)


def test_holidays_of_a_further_year_are_an_extension_and_nothing_else_is() -> None:
    assert extends(published(), known())
    assert not extends(known(), published())
    assert not extends(known(), known())


def test_an_installed_source_that_was_written_out_is_extended_by_listed_days() -> None:
    older = Calendar.from_dict(office().to_dict(is_pinned=True))
    assert older.known_until is not None
    year = older.known_until.year + 1
    newer = office(
        holidays={"source": "cn", "also": [{"date": f"{year}-01-01"}]},
        covered_until=f"{year}-12-31",
    )

    assert extends(newer, older)
    assert extends(Calendar.from_dict(newer.to_dict(is_pinned=True)), older)


@pytest.mark.parametrize(
    "changed",
    [
        {"windows": {day: ["09:00-17:00"] for day in WORKING_WEEK}},
        {"zone": "Asia/Tokyo"},
        {"valid_until": "2028-12-31"},
        {"make_up_windows": ["10:00-12:00"]},
        {"holidays": NEW_YEAR},
        {"holidays": [{"date": "2026-10-01"}, {"date": "2026-10-02"}, *NEW_YEAR]},
        {"exceptions": [{"date": "2026-12-24", "closed": True}]},
        {"covered_from": "2026-01-01"},
    ],
)
def test_whatever_else_changed_takes_somebodys_word(changed: dict[str, object]) -> None:
    assert not extends(published(**changed), known())


def test_own_exceptions_stay_and_new_ones_come_only_where_nothing_was_known() -> None:
    party = {"date": "2027-03-01", "closed": True}

    assert extends(published(exceptions=[party]), known())
    assert extends(published(exceptions=[party]), known(exceptions=[party]))
    assert not extends(published(), known(exceptions=[party]))


def test_a_notice_may_still_move_holidays_of_the_last_month_it_follows() -> None:
    """The notice for 2019 made 2018-12-29, a Saturday of the year before, a working day."""
    late = [{"date": "2026-12-26"}, {"date": "2027-02-06"}]

    assert extends(published(make_up_days=late), known())
    assert not extends(published(make_up_days=[{"date": "2026-11-28"}, *late]), known())


def test_a_combination_is_extended_when_its_members_are() -> None:
    def union(*members: Calendar) -> Calendar:
        told = [member.to_dict() for member in members]
        return Calendar.from_dict({"key": "both", "kind": "union", "of": told})

    assert extends(union(published(), always()), union(known(), always()))
    assert not extends(union(published(), office(zone="UTC")), union(known(), always()))


@given(
    start=st.datetimes(at("2026-01-01T00:00").replace(tzinfo=None), at("2026-12-20T00:00")),
    hours=st.integers(1, 400),
)
def test_what_was_certain_before_an_extension_is_so_after_it(start: object, hours: int) -> None:
    begun = at(f"{start}+08:00")
    before = due(known(), begun, timedelta(hours=hours))

    after = due(published(), begun, timedelta(hours=hours))

    if not before.is_provisional:
        assert after.due_at == before.due_at


def shipped(**changed: object) -> Calendar:
    """An office by China's holidays."""
    return office(holidays={"source": "cn", **changed})


@pytest.mark.parametrize("also", [[], [{"date": "2026-08-10", "name": "司庆"}]])
def test_what_was_written_out_is_traced_to_its_source_and_gives_the_same_days(
    also: list[object],
) -> None:
    calendar = shipped(also=also)
    written = Calendar.from_dict(calendar.to_dict(is_pinned=True))

    found = traced(written)

    assert written.source_key is None
    assert found == calendar
    assert Calendar.from_dict(found.to_dict(is_pinned=True)) == written


def test_a_combination_is_traced_through_its_members() -> None:
    both = Calendar(key="both", kind=Kind.UNION, zone="UTC", members=(shipped(), always()))

    found = traced(Calendar.from_dict(both.to_dict(is_pinned=True)))

    assert [member.source_key for member in found.members] == ["cn", None]


def test_days_that_a_house_lists_itself_are_no_source() -> None:
    own = known()
    written = Calendar.from_dict(shipped().to_dict(is_pinned=True))
    some = replace(written, holidays=written.holidays[:50])
    shorter = replace(written, covered_from=date(2010, 1, 1))

    assert traced(own) is own
    assert traced(some) is some
    assert traced(shorter) is shorter
