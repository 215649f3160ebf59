from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from hypothesis import assume, given
from hypothesis import strategies as st

from shared.business_time import (
    Calendar,
    Holiday,
    Pause,
    Window,
    due,
    due_backward,
    due_with_pauses,
    elapsed,
    explain,
    is_open,
    ledger,
)
from tests.unit.business_time.builders import (
    FIXED_ZONES,
    ZONES,
    calendars,
    instants,
    pauses,
    spans,
    targets,
)

TICK = timedelta(microseconds=1)


@given(calendar=calendars(), start=instants, target=targets)
def test_when_it_is_due_exactly_the_target_has_elapsed_and_not_a_microsecond_before(
    calendar: Calendar, start: datetime, target: timedelta
) -> None:
    answer = due(calendar, start, target)

    assert answer.due_at is not None
    assert answer.breaches_after is not None
    assert elapsed(calendar, start, answer.due_at).time == target
    assert elapsed(calendar, start, answer.due_at - TICK).time == target - TICK
    assert elapsed(calendar, start, answer.breaches_after).time == target
    assert elapsed(calendar, start, answer.breaches_after + TICK).time == target + TICK


@given(calendar=calendars(), start=instants, target=targets, stops=st.lists(pauses(), max_size=4))
def test_when_it_is_due_after_pauses_exactly_the_target_has_elapsed_without_them(
    calendar: Calendar, start: datetime, target: timedelta, stops: list[Pause]
) -> None:
    answer = due_with_pauses(calendar, start, target, stops)

    assert answer.due_at is not None
    assert answer.breaches_after is not None
    assert elapsed(calendar, start, answer.due_at, stops).time == target
    assert elapsed(calendar, start, answer.due_at - TICK, stops).time == target - TICK
    assert elapsed(calendar, start, answer.breaches_after, stops).time == target
    assert elapsed(calendar, start, answer.breaches_after + TICK, stops).time == target + TICK


@given(calendar=calendars(), end=instants, target=targets)
def test_from_the_latest_start_exactly_the_target_passes_until_the_end(
    calendar: Calendar, end: datetime, target: timedelta
) -> None:
    answer = due_backward(calendar, end, target)

    assert answer.start_at is not None
    assert answer.same_from is not None
    assert elapsed(calendar, answer.start_at, end).time == target
    assert elapsed(calendar, answer.start_at + TICK, end).time == target - TICK
    assert elapsed(calendar, answer.same_from, end).time == target
    assert elapsed(calendar, answer.same_from - TICK, end).time == target + TICK


@given(
    calendar=calendars(),
    start=instants,
    span=spans,
    stop=pauses(),
    share=st.fractions(0, 1),
)
def test_splitting_a_pause_changes_nothing(
    calendar: Calendar, start: datetime, span: timedelta, stop: Pause, share: float
) -> None:
    assert stop.end is not None
    middle = stop.start + (stop.end - stop.start) * float(share)
    split = [replace(stop, start=middle), replace(stop, end=middle)]

    assert elapsed(calendar, start, start + span, split) == elapsed(
        calendar, start, start + span, [stop]
    )
    assert due_with_pauses(calendar, start, span, split) == due_with_pauses(
        calendar, start, span, [stop]
    )


@given(calendar=calendars(), start=instants, target=targets, stop=pauses())
def test_a_pause_told_twice_gives_its_time_back_once(
    calendar: Calendar, start: datetime, target: timedelta, stop: Pause
) -> None:
    once = due_with_pauses(calendar, start, target, [stop])

    assert due_with_pauses(calendar, start, target, [stop, stop]) == once


@given(
    calendar=calendars(),
    start=instants,
    target=targets,
    day=st.dates(date(2026, 1, 20), date(2026, 4, 20)),
)
def test_a_new_holiday_never_makes_a_due_earlier(
    calendar: Calendar, start: datetime, target: timedelta, day: date
) -> None:
    assume(day not in {holiday.day for holiday in calendar.holidays})
    with_holiday = replace(calendar, holidays=(*calendar.holidays, Holiday(day)))

    before, after = due(calendar, start, target), due(with_holiday, start, target)

    assert before.due_at is not None
    assert after.due_at is not None
    assert after.due_at >= before.due_at


@given(calendar=calendars(), start=instants, target=targets, shown_in=st.sampled_from(ZONES))
def test_the_zone_an_instant_is_written_in_changes_nothing(
    calendar: Calendar, start: datetime, target: timedelta, shown_in: str
) -> None:
    elsewhere = start.astimezone(ZoneInfo(shown_in))

    assert due(calendar, elsewhere, target) == due(calendar, start, target)


@given(calendar=calendars(("UTC",)), start=instants, target=targets)
def test_a_calendar_moved_to_a_zone_without_clock_changes_answers_at_the_same_wall_time(
    calendar: Calendar, start: datetime, target: timedelta
) -> None:
    moved, by = replace(calendar, zone="Asia/Shanghai"), timedelta(hours=8)

    here, there = due(calendar, start, target), due(moved, start - by, target)

    assert here.due_at is not None
    assert there.due_at == here.due_at - by


@given(calendar=calendars(), start=instants, span=spans, stops=st.lists(pauses(), max_size=4))
def test_a_ledger_has_no_gap_and_sums_exactly_to_elapsed(
    calendar: Calendar, start: datetime, span: timedelta, stops: list[Pause]
) -> None:
    told = ledger(calendar, start, start + span, stops)

    assert told.elapsed == elapsed(calendar, start, start + span, stops).time
    edges = [start, *(entry.end for entry in told.entries)]
    assert [entry.start for entry in told.entries] == edges[:-1]
    assert edges[-1] == start + span
    assert all(entry.time > timedelta(0) for entry in told.entries)
    assert len(explain(told)) == len(explain(told, "en")) >= len(told.entries) + 1


@given(
    calendar=calendars(FIXED_ZONES),
    start=instants.map(lambda at: at.replace(second=0, microsecond=0)),
    minutes=st.integers(0, 3000),
)
def test_where_clocks_never_change_elapsed_is_what_counting_minute_by_minute_gives(
    calendar: Calendar, start: datetime, minutes: int
) -> None:
    # The oracle looks at wall time only; windows are widened to whole minutes for it.
    week = tuple(
        tuple(
            replace(w, start_s=w.start_s // 60 * 60, end_s=-(-w.end_s // 60) * 60)
            for w in _apart(day)
        )
        for day in calendar.week
    )
    mon, tue, wed, thu, fri, sat, sun = week
    assume(any(week))
    rounded = replace(calendar, week=(mon, tue, wed, thu, fri, sat, sun))
    zone, holidays = ZoneInfo(calendar.zone), {holiday.day for holiday in calendar.holidays}

    def is_working(instant: datetime) -> bool:
        wall = instant.astimezone(zone)
        second = wall.hour * 3600 + wall.minute * 60
        today, yesterday = wall.date(), wall.date() - timedelta(days=1)
        return any(
            w.start_s <= second + late < w.end_s
            for day, late in ((today, 0), (yesterday, 86_400))
            if day not in holidays
            for w in rounded.week[day.weekday()]
        )

    steps = [start + timedelta(minutes=n) for n in range(minutes)]
    counted = sum(is_working(step) for step in steps)
    assert elapsed(rounded, start, start + timedelta(minutes=minutes)).time == timedelta(
        minutes=counted
    )
    assert all(is_open(rounded, step) == is_working(step) for step in steps[:: len(steps) // 9 + 1])


def _apart(day: tuple[Window, ...]) -> list[Window]:
    """Keep every other window, so that widening to minutes cannot make two overlap."""
    return list(day)[::2]


@given(start=instants, span=st.timedeltas(TICK, timedelta(days=20_000)))
def test_around_the_clock_elapsed_is_the_time_on_the_wall(start: datetime, span: timedelta) -> None:
    calendar = Calendar.from_dict({"key": "always", "kind": "24x7"})

    answer = due(calendar, start.astimezone(UTC), span)

    assert answer.due_at == answer.breaches_after == start + span
    assert elapsed(calendar, start, start + span).time == span
