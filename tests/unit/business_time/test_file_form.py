from __future__ import annotations

import json
import pickle
from datetime import date

import pytest
import yaml
from hypothesis import given

from shared.business_time import Calendar, CalendarInvalid, Kind, Label, Window, always
from shared.business_time.errors import RULES
from shared.business_time.reading import read_calendar
from tests.unit.business_time.builders import WORKING_WEEK, calendars, office

EVERYTHING = """
key: support-cn
version: 3
kind: weekly
name: {zh-CN: 客服, en: Support}
zone: Asia/Shanghai
windows:
  mon: ["09:00-12:00", "13:00-18:00"]
  fri: ["22:00-06:00"]
  sun: ["00:00-24:00"]
holidays:
  source: cn
  also:
    - {date: 2026-08-08, name: 司庆}
make_up_days:
  - {date: 2026-08-15, name: 补班, windows: ["09:00-12:00"]}
make_up_windows: ["09:00-17:30:30"]
exceptions:
  - {date: 2026-08-20, name: 停电, closed: true}
  - {date: 2026-08-21, windows: ["10:00-12:00"], breaks: ["11:00-11:30"]}
covered_from: 2024-01-01
covered_until: 2026-12-31
valid_from: 2024-01-01
valid_until: 2026-12-31
"""


def rules_of(document: object, **known: Calendar) -> dict[str, str]:
    """Return the path and rule of each finding."""
    with pytest.raises(CalendarInvalid) as refused:
        read_calendar(document, known)
    return {told.path: told.rule for told in refused.value.findings}


def broken(**fields: object) -> dict[str, str]:
    good: dict[str, object] = {"key": "c", "zone": "UTC", "windows": {"mon": ["09:00-12:00"]}}
    return rules_of({**good, **fields})


def test_everything_a_file_can_say_is_read_and_written_back_the_same() -> None:
    calendar = Calendar.from_dict(yaml.safe_load(EVERYTHING))

    again = Calendar.from_dict(json.loads(json.dumps(calendar.to_dict())))

    assert again == calendar
    assert hash(again) == hash(calendar)
    assert calendar.label == Label("客服", "Support")
    assert calendar.exceptions[0].day == date(2026, 8, 20)
    assert str(calendar.week[4][0]) == "22:00-06:00"


@given(calendar=calendars())
def test_any_calendar_survives_the_file_form(calendar: Calendar) -> None:
    assert Calendar.from_dict(calendar.to_dict()) == calendar


def test_a_combination_is_written_out_whole() -> None:
    both = Calendar(key="both", kind=Kind.UNION, members=(office(), always()))

    assert Calendar.from_dict(both.to_dict()) == both


def test_a_calendar_keeps_its_identity_through_another_process() -> None:
    calendar = office()

    copy = pickle.loads(pickle.dumps(calendar))

    assert copy == calendar
    assert len({copy, calendar}) == 1


def test_all_that_is_wrong_is_said_at_once_each_with_its_place() -> None:
    assert rules_of(
        {
            "key": "no spaces",
            "version": "three",
            "zone": 8,
            "windows": {"mon": ["09:00-12:00", "9-12", "25:00-26:00"], "funday": []},
            "holidays": [{"date": "2026-02-30"}, {"name": "元旦"}, "2026-10-01"],
            "exceptions": [{"date": "2026-10-01", "closed": "yes"}],
            "covered_until": "soon",
            "colour": "blue",
        }
    ) == {
        "version": "version-malformed",
        "zone": "type-wrong",
        "windows.mon[1]": "window-malformed",
        "windows.mon[2]": "window-malformed",
        "windows.funday": "weekday-unknown",
        "holidays[0].date": "date-malformed",
        "holidays[1].date": "field-missing",
        "holidays[2]": "type-wrong",
        "holidays[2].date": "field-missing",
        "exceptions[0].closed": "type-wrong",
        "covered_until": "date-malformed",
        "colour": "field-unknown",
    }


@pytest.mark.parametrize(
    ("fields", "path", "rule"),
    [
        ({"key": ""}, "key", "key-malformed"),
        ({"version": 0}, "version", "version-malformed"),
        ({"version": True}, "version", "version-malformed"),
        ({"zone": "Asia"}, "zone", "zone-unknown"),
        ({"zone": "../etc/passwd"}, "zone", "zone-unknown"),
        ({"zone": "Asia/Peking"}, "zone", "zone-unknown"),
        ({"kind": "monthly"}, "kind", "kind-unknown"),
        ({"windows": {}}, "windows", "no-open-time"),
        ({"windows": {"mon": []}}, "windows", "no-open-time"),
        ({"windows": {"mon": ["09:00-09:00"]}}, "windows.mon[0]", "window-empty"),
        ({"windows": {"mon": ["24:00-24:00"]}}, "windows.mon[0]", "window-malformed"),
        ({"windows": {"mon": ["24:00-01:00"]}}, "windows.mon[0]", "window-malformed"),
        ({"windows": {"mon": ["09:60-10:00"]}}, "windows.mon[0]", "window-malformed"),
        ({"windows": {"mon": ["٠٩:00-10:00"]}}, "windows.mon[0]", "window-malformed"),
        ({"windows": {"mon": [540]}}, "windows.mon[0]", "window-malformed"),
        ({"windows": {"mon": "09:00-12:00"}}, "windows.mon", "type-wrong"),
        (
            {"windows": {"mon": ["09:00-12:00", "11:00-13:00"]}},
            "windows.mon[1]",
            "windows-overlap",
        ),
        (
            {"windows": {"mon": ["09:00-18:00", "10:00-11:00", "12:00-13:00"]}},
            "windows.mon[1]",
            "windows-overlap",
        ),
        (
            {"windows": {"mon": ["22:00-06:00"], "tue": ["05:00-07:00"]}},
            "windows.tue[0]",
            "windows-overlap",
        ),
        (
            {"windows": {"sun": ["22:00-06:00"], "mon": ["05:00-07:00"]}},
            "windows.mon[0]",
            "windows-overlap",
        ),
        ({"holidays": {"source": "mars"}}, "holidays.source", "source-unknown"),
        ({"holidays": {}}, "holidays.source", "field-missing"),
        ({"holidays": [{"date": "2026-10-01"}]}, "covered_until", "coverage-missing"),
        ({"make_up_days": [{"date": "2026-10-10"}]}, "covered_until", "coverage-missing"),
        (
            {"holidays": [{"date": "2026-10-01"}], "covered_until": "2026-09-30"},
            "covered_until",
            "coverage-too-short",
        ),
        (
            {"holidays": {"source": "cn"}, "covered_until": "2030-12-31"},
            "covered_until",
            "coverage-too-long",
        ),
        (
            {"covered_from": "2026-02-01", "covered_until": "2026-01-01"},
            "covered_until",
            "dates-reversed",
        ),
        (
            {"valid_from": "2026-02-01", "valid_until": "2026-01-01"},
            "valid_until",
            "dates-reversed",
        ),
        # A Tuesday to a Sunday: the Monday of the week never comes.
        ({"valid_from": "2026-03-03", "valid_until": "2026-03-08"}, "windows", "no-open-time"),
        ({"valid_until": "1850-01-01"}, "valid_until", "date-out-of-range"),
        ({"valid_until": 20260101}, "valid_until", "date-malformed"),
        ({"valid_until": "2026-W40-4"}, "valid_until", "date-malformed"),
        (
            {
                "holidays": [{"date": "2026-10-01"}, {"date": "2026-10-01"}],
                "covered_until": "2026-12-31",
            },
            "holidays[1].date",
            "date-repeated",
        ),
        (
            {
                "holidays": [{"date": "2026-10-01"}],
                "make_up_days": [{"date": "2026-10-01"}],
                "covered_until": "2026-12-31",
            },
            "make_up_days[0].date",
            "date-contradicted",
        ),
        ({"exceptions": [{"date": "2026-10-01"}]}, "exceptions[0]", "exception-says-nothing"),
        (
            {"exceptions": [{"date": "2026-10-01", "closed": True, "windows": ["09:00-10:00"]}]},
            "exceptions[0]",
            "exception-contradicts-itself",
        ),
        (
            {"exceptions": [{"date": "2026-10-01", "windows": []}]},
            "exceptions[0].windows",
            "day-without-windows",
        ),
        (
            {"exceptions": [{"date": "2026-10-01", "breaks": ["09:00-11:00", "10:00-12:00"]}]},
            "exceptions[0].breaks[1]",
            "windows-overlap",
        ),
        (
            {"make_up_windows": ["09:00-11:00", "10:00-12:00"]},
            "make_up_windows[1]",
            "windows-overlap",
        ),
        ({"name": 5}, "name", "type-wrong"),
        ({"name": {"fr": "support"}}, "name", "type-wrong"),
        ({"of": [{"key": "m", "kind": "24x7"}]}, "of", "field-not-for-kind"),
        ({"kind": "24x7"}, "windows", "field-not-for-kind"),
        (
            {"kind": "24x7", "windows": {}, "holidays": {"source": "cn"}},
            "holidays.source",
            "field-not-for-kind",
        ),
        ({"kind": "union", "windows": {}}, "of", "members-missing"),
        ({"kind": "union", "windows": {}, "of": ["elsewhere"]}, "of[0]", "member-unknown"),
        (
            {"kind": "union", "windows": {}, "of": [{"key": "m", "zone": "Mars/X"}]},
            "of[0].zone",
            "zone-unknown",
        ),
    ],
)
def test_what_cannot_work_is_refused_where_it_stands(
    fields: dict[str, object], path: str, rule: str
) -> None:
    assert broken(**fields)[path] == rule


def test_a_weekly_calendar_must_say_its_zone_and_its_key() -> None:
    assert rules_of({"windows": {"mon": ["09:00-12:00"]}}) == {
        "key": "field-missing",
        "zone": "field-missing",
    }


def test_what_is_no_mapping_is_no_calendar() -> None:
    assert rules_of(["09:00-12:00"])["calendar"] == "type-wrong"


def test_calendars_within_calendars_without_end_are_refused_and_do_not_end_the_stack() -> None:
    document: dict[str, object] = {"key": "inner", "kind": "24x7"}
    for _ in range(500):
        document = {"key": "outer", "kind": "union", "of": [document, document]}

    assert "nested-too-deep" in set(rules_of(document).values())


def test_a_few_lines_of_aliases_cannot_multiply_into_millions_of_calendars() -> None:
    document: dict[str, object] = {"key": "inner", "kind": "24x7"}
    for _ in range(7):
        document = {"key": "outer", "kind": "union", "of": [document] * 20}

    assert set(rules_of(document).values()) == {"list-too-long"}


def test_every_window_inside_another_is_named_not_only_its_neighbour() -> None:
    inside = ["09:00-18:00", "10:00-11:00", "12:00-13:00"]

    assert broken(windows={"mon": inside}) == {
        "windows.mon[1]": "windows-overlap",
        "windows.mon[2]": "windows-overlap",
    }
    assert broken(exceptions=[{"date": "2026-10-01", "windows": inside}]) == {
        "exceptions[0].windows[1]": "windows-overlap",
        "exceptions[0].windows[2]": "windows-overlap",
    }


def test_a_day_of_a_thousand_windows_is_refused() -> None:
    crumbs = [f"{n // 60:02d}:{n % 60:02d}:00-{n // 60:02d}:{n % 60:02d}:30" for n in range(1000)]

    assert broken(windows={"mon": crumbs}) == {"windows.mon": "list-too-long"}


def test_a_list_as_long_as_a_wrong_file_is_refused() -> None:
    days = [{"date": "2026-10-01"}] * 10_001

    assert broken(holidays=days, covered_until="2026-12-31") == {"holidays": "list-too-long"}


def test_a_refusal_says_what_where_and_how_to_mend_it_in_both_languages() -> None:
    with pytest.raises(CalendarInvalid) as refused:
        office(windows={"mon": ["09:00-12:00", "11:00-13:00"]})

    told = refused.value.findings[0].as_json()
    assert told["message"] == {
        "zh-CN": "时间段 11:00-13:00 与 windows.mon[0] 的 09:00-12:00 重叠",
        "en": "window 11:00-13:00 overlaps 09:00-12:00 at windows.mon[0]",
    }
    assert told["fix"] == {
        "zh-CN": "请合并为一个时间段，或调整其中之一。",
        "en": "Join the two into one window, or move one of them.",
    }
    assert refused.value.sentence("zh-CN") == "此日历不可使用，请按下列说明修正。"
    assert refused.value.code == "calendar-invalid"


def test_every_rule_says_what_is_wrong_and_how_to_mend_it_in_both_languages() -> None:
    for name, rule in RULES.items():
        assert all((rule.en, rule.zh, rule.mend_en, rule.mend_zh)), name


def test_a_calendar_made_by_hand_is_refused_the_same_way() -> None:
    with pytest.raises(CalendarInvalid, match=r"windows\.mon\[1\]: window .* overlaps"):
        Calendar(
            key="c",
            kind=Kind.WEEKLY,
            week=((Window(0, 3600), Window(1800, 7200)), (), (), (), (), (), ()),
        )


def test_windows_are_read_with_either_dash_and_with_seconds() -> None:
    assert Window.parse(" 09:00 – 12:00:30 ") == Window(9 * 3600, 12 * 3600 + 30)
    assert str(Window.parse("00:00-24:00")) == "00:00-24:00"
    assert len(WORKING_WEEK) == 5
