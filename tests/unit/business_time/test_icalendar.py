from __future__ import annotations

from datetime import date

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.business_time import (
    Calendar,
    DayException,
    Holiday,
    HolidayFileInvalid,
    Label,
    MakeUpDay,
    Window,
)
from shared.business_time.icalendar import read_icalendar, write_icalendar
from tests.unit.business_time.builders import at, office

STAMP = at("2026-11-01T08:00:00+08:00")


def file_of(*lines: str) -> str:
    return "\r\n".join(("BEGIN:VCALENDAR", "VERSION:2.0", *lines, "END:VCALENDAR", ""))


def event_of(*lines: str) -> str:
    return file_of("BEGIN:VEVENT", "UID:1@example.org", *lines, "END:VEVENT")


def refused(text: str) -> dict[str, str]:
    with pytest.raises(HolidayFileInvalid) as told:
        read_icalendar(text)
    return {finding.path: finding.rule for finding in told.value.findings}


def test_an_all_day_event_ends_before_its_end_date() -> None:
    days = read_icalendar(
        event_of("DTSTART;VALUE=DATE:20261001", "DTEND;VALUE=DATE:20261004", "SUMMARY:国庆\\, 中秋")
    )

    label = Label("国庆, 中秋", "国庆, 中秋")
    assert days.holidays == tuple(Holiday(date(2026, 10, n), label) for n in (1, 2, 3))


def test_an_event_without_an_end_is_one_day_and_a_cancelled_one_none() -> None:
    assert len(read_icalendar(event_of("DTSTART;VALUE=DATE:20261001")).holidays) == 1
    cancelled = event_of("DTSTART;VALUE=DATE:20261001", "STATUS:CANCELLED")
    assert read_icalendar(cancelled).holidays == ()


def test_what_we_write_we_read_back() -> None:
    calendar = office(
        covered_from="2026-01-01",
        make_up_days=[{"date": "2026-08-15", "name": "补班", "windows": ["09:00-12:00"]}],
        exceptions=[
            {"date": "2026-08-20", "name": "停电；检修, 全天\\半天", "closed": True},
            {"date": "2026-08-21", "windows": ["10:00-12:00", "22:00-06:00"], "name": "值班"},
            {"date": "2026-08-24", "breaks": ["11:00-11:30"], "name": "演练" * 30},
        ],
    )

    text = write_icalendar(calendar, STAMP)
    days = read_icalendar(text)

    assert days.exceptions == calendar.exceptions
    assert calendar.make_up_days[0] in days.make_up_days
    assert {d.day for d in days.make_up_days} >= {date(2026, 2, 14), date(2026, 10, 10)}
    assert {d.day for d in days.holidays} >= {date(2026, 2, 17), date(2026, 10, 7)}
    assert all(len(line.encode()) <= 75 for line in text.split("\r\n"))


def test_a_separator_inside_a_summary_is_no_new_line() -> None:
    days = read_icalendar(event_of("DTSTART;VALUE=DATE:20261001", "SUMMARY:a\u2028b\x85c"))

    assert days.holidays[0].label.en == "a\u2028b\x85c"


def test_a_file_can_become_part_of_a_calendar() -> None:
    days = read_icalendar(event_of("DTSTART;VALUE=DATE:20260302", "SUMMARY:Founders' day"))
    usual = office()

    calendar = Calendar(
        key="own",
        kind=usual.kind,
        zone=usual.zone,
        week=usual.week,
        holidays=days.holidays,
        covered_until=date(2026, 12, 31),
    )

    assert calendar.holidays[0].label.en == "Founders' day"


@pytest.mark.parametrize(
    ("line", "rule"),
    [
        ("DTSTART:20261001T090000Z", "event-unsupported"),
        ("DTSTART;VALUE=DATE:20261301", "date-malformed"),
        ("DTSTART;VALUE=DATE:tomorrow", "event-unsupported"),
        ("DTSTART;VALUE=DATE:00010101", "date-out-of-range"),
        ("no colon at all", "line-malformed"),
    ],
)
def test_what_cannot_be_read_is_named_by_its_line(line: str, rule: str) -> None:
    assert refused(event_of(line))["line 5"] == rule


def test_recurrence_is_refused_and_not_guessed() -> None:
    text = event_of("DTSTART;VALUE=DATE:20261001", "RRULE:FREQ=YEARLY")

    assert refused(text) == {"line 6": "event-unsupported"}


def test_an_event_without_a_date_and_one_of_centuries_are_refused() -> None:
    assert refused(event_of("SUMMARY:someday")) == {"line 6": "event-incomplete"}
    assert refused(event_of("DTSTART;VALUE=DATE:19000101", "DTEND;VALUE=DATE:21000101")) == {
        "line 6": "event-unsupported"
    }


def test_windows_somebody_edited_wrongly_are_refused() -> None:
    text = event_of("DTSTART;VALUE=DATE:20261001", "CATEGORIES:HOURS", "X-LEVEE-WINDOWS:9 to 5")

    assert refused(text) == {"line 7": "window-malformed"}


@given(text=st.text(max_size=300))
def test_no_text_makes_the_reader_fail_in_any_other_way(text: str) -> None:
    try:
        read_icalendar(file_of("BEGIN:VEVENT", text, "END:VEVENT"))
    except HolidayFileInvalid as refusal:
        told = refusal.findings
    else:
        return

    assert all(finding.message["zh-CN"] for finding in told)


def test_the_kinds_of_days_are_told_apart() -> None:
    windows = (Window(9 * 3600, 12 * 3600),)

    def read(*lines: str) -> tuple[object, ...]:
        days = read_icalendar(event_of("DTSTART;VALUE=DATE:20261010", "SUMMARY:x", *lines))
        return (*days.holidays, *days.make_up_days, *days.exceptions)

    day, label, hours = date(2026, 10, 10), Label("x", "x"), "X-LEVEE-WINDOWS:09:00-12:00"
    assert read("CATEGORIES:MAKE-UP-DAY", hours) == (MakeUpDay(day, label, windows),)
    assert read("CATEGORIES:HOURS", hours) == (DayException(day, label, windows=windows),)
    assert read("CATEGORIES:CLOSED") == (DayException(day, label, is_closed=True),)
    assert read("CATEGORIES:SOMETHING ELSE") == (Holiday(day, label),)
