from __future__ import annotations

from datetime import date, datetime, timedelta

import pytest
from hypothesis import given

from shared.business_time import (
    Calendar,
    CalendarInvalid,
    Code,
    Kind,
    NoAnswer,
    always,
    due,
    elapsed,
    is_open,
    is_working_day,
    ledger,
    next_opening,
)
from tests.unit.business_time.builders import HOUR, WORKING_WEEK, at, calendars, instants, spans


def combined(kind: str, *members: Calendar, **fields: object) -> Calendar:
    of = [member.to_dict() for member in members]
    return Calendar.from_dict({"key": "combined", "kind": kind, "of": of} | fields)


def hours(key: str, zone: str, window: str, **fields: object) -> Calendar:
    windows = {day: [window] for day in WORKING_WEEK}
    return Calendar.from_dict({"key": key, "zone": zone, "windows": windows} | fields)


TEAM = hours("team", "Asia/Shanghai", "09:00-18:00")
CUSTOMER = hours("customer", "Europe/Berlin", "09:00-17:00")


def test_following_the_sun_two_teams_together_answer_when_either_works() -> None:
    both = combined("union", TEAM, CUSTOMER)

    # Shanghai 09-18 is 01-10 UTC, Berlin 09-17 in winter is 08-16 UTC.
    day = (at("2026-03-02T00:00:00Z"), at("2026-03-03T00:00:00Z"))
    assert elapsed(both, *day).time == 15 * HOUR
    assert due(both, at("2026-03-02T09:00:00Z"), 3 * HOUR).due_at == at("2026-03-02T12:00:00Z")


def test_a_promise_that_counts_only_when_both_work_counts_the_hours_they_share() -> None:
    shared = combined("intersection", TEAM, CUSTOMER)

    assert elapsed(shared, at("2026-03-02T00:00:00Z"), at("2026-03-03T00:00:00Z")).time == 2 * HOUR
    assert next_opening(shared, at("2026-03-02T00:00:00Z")).at == at("2026-03-02T08:00:00Z")


def test_what_one_calendar_takes_out_of_another_is_not_counted_and_says_who_took_it() -> None:
    freeze = Calendar.from_dict(
        {
            "key": "freeze",
            "zone": "Asia/Shanghai",
            "exceptions": [{"date": "2026-03-02", "name": "封网", "windows": ["10:00-12:00"]}],
        }
    )
    told = ledger(
        combined("minus", TEAM, freeze),
        at("2026-03-02T09:00:00+08:00"),
        at("2026-03-02T18:00:00+08:00"),
    )

    taken = [entry for entry in told.entries if entry.code is Code.SUBTRACTED]
    assert told.elapsed == 7 * HOUR
    assert [(entry.time, entry.calendar_key) for entry in taken] == [(2 * HOUR, "freeze")]
    assert taken[0].label.zh == "封网"


def test_two_versions_of_a_calendar_joined_by_validity_follow_one_another() -> None:
    old = hours("support", "Asia/Shanghai", "09:00-18:00", valid_until="2026-03-31")
    new = hours("support", "Asia/Shanghai", "08:00-20:00", valid_from="2026-04-01", version=2)
    both = combined("union", old, new)

    assert next_opening(both, at("2026-03-31T00:00:00+08:00")).at == at("2026-03-31T09:00:00+08:00")
    assert next_opening(both, at("2026-04-01T00:00:00+08:00")).at == at("2026-04-01T08:00:00+08:00")
    assert due(old, at("2026-03-31T17:00:00+08:00"), 2 * HOUR).reason is NoAnswer.CALENDAR_ENDED


def test_the_validity_of_a_combination_closes_it_whatever_its_members_say() -> None:
    until = combined("union", TEAM, always(), valid_until="2026-03-02", zone="Asia/Shanghai")

    assert is_open(until, at("2026-03-02T23:59:59+08:00"))
    assert not is_open(until, at("2026-03-03T00:00:00+08:00"))
    told = ledger(until, at("2026-03-02T23:00:00+08:00"), at("2026-03-03T02:00:00+08:00"))
    assert [entry.code for entry in told.entries] == [Code.ALWAYS_OPEN, Code.OUTSIDE_VALIDITY]


def test_a_combination_is_provisional_as_soon_as_one_member_is() -> None:
    chinese = hours("cn", "Asia/Shanghai", "09:00-18:00", holidays={"source": "cn"})
    both = combined("union", chinese, CUSTOMER)

    turn_of_the_year = (at("2026-12-30T00:00:00Z"), at("2027-01-02T00:00:00Z"))
    assert elapsed(both, *turn_of_the_year).is_provisional
    assert not elapsed(CUSTOMER, *turn_of_the_year).is_provisional


def test_a_combination_that_never_opens_is_refused() -> None:
    mornings = hours("mornings", "Asia/Shanghai", "09:00-12:00")
    afternoons = hours("afternoons", "Asia/Shanghai", "13:00-18:00")

    with pytest.raises(CalendarInvalid) as refused:
        combined("intersection", mornings, afternoons)

    assert [told.rule for told in refused.value.findings] == ["no-open-time"]


def test_hours_shared_only_under_todays_zone_rules_are_hours_shared() -> None:
    morocco = hours("morocco", "Africa/Casablanca", "09:00-10:00")

    shared = combined("intersection", morocco, hours("utc", "UTC", "08:00-09:00"))

    assert is_open(shared, at("2026-03-30T08:30:00Z"))


def test_what_opens_only_on_a_day_off_of_the_calendar_taken_away_does_open() -> None:
    days_off = {"holidays": [{"date": "2026-03-02"}], "covered_until": "2026-12-31"}
    stand_in = combined("minus", TEAM, hours("regular", "Asia/Shanghai", "09:00-18:00", **days_off))

    assert is_open(stand_in, at("2026-03-02T10:00:00+08:00"))
    assert not is_open(stand_in, at("2026-03-03T10:00:00+08:00"))


def test_a_member_may_be_named_when_the_caller_knows_it() -> None:
    document = {"key": "both", "kind": "union", "of": ["team", "customer"]}

    calendar = Calendar.from_dict(document, known={"team": TEAM, "customer": CUSTOMER})

    assert calendar.members == (TEAM, CUSTOMER)
    assert calendar.zone == "Asia/Shanghai"


def test_a_working_day_of_a_combination_is_one_on_which_anything_is_open() -> None:
    weekend = Calendar.from_dict(
        {"key": "weekend", "zone": "Asia/Shanghai", "windows": {"sat": ["10:00-11:00"]}}
    )
    either = combined("union", TEAM, weekend)

    assert is_working_day(either, date(2026, 3, 7))
    assert not is_working_day(either, date(2026, 3, 8))
    assert is_working_day(always(), date(2026, 3, 8))


@given(left=calendars(), right=calendars(), start=instants, span=spans)
def test_together_and_in_common_add_up_to_both(
    left: Calendar, right: Calendar, start: datetime, span: timedelta
) -> None:
    def measured(kind: Kind) -> timedelta:
        try:
            calendar = Calendar(key="combined", kind=kind, members=(left, right))
        except CalendarInvalid:
            # Two random weeks may share nothing, which is refused: that is the answer, zero.
            return timedelta(0)
        told = ledger(calendar, start, start + span)
        assert told.elapsed == elapsed(calendar, start, start + span).time
        return told.elapsed

    alone = elapsed(left, start, start + span).time
    other = elapsed(right, start, start + span).time
    assert measured(Kind.UNION) + measured(Kind.INTERSECTION) == alone + other
    assert measured(Kind.MINUS) == alone - measured(Kind.INTERSECTION)
