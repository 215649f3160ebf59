from __future__ import annotations

import json

import pytest

from shared.business_time import (
    Calendar,
    Code,
    EndBeforeStart,
    Pause,
    always,
    due,
    due_with_pauses,
    explain,
    explain_due,
    ledger,
    spoken,
)
from tests.unit.business_time.builders import HOUR, at, office, weekly

FRIDAY = at("2026-02-13T16:00:00+08:00")


def test_the_spring_festival_case_is_told_day_by_day_with_the_names_of_the_days() -> None:
    pause = Pause(at("2026-02-13T17:00:00+08:00"), at("2026-02-14T10:00:00+08:00"), "waiting")

    told = ledger(office(), FRIDAY, at("2026-02-24T10:00:00+08:00"), [pause])

    assert explain(told, "zh-CN", {"waiting": "等待请求人"}) == [
        "2026-02-13 16:00 至 2026-02-13 17:00：计入 1 小时（工作时间）",
        "2026-02-13 17:00 至 2026-02-13 18:00：不计（计时暂停：等待请求人）",
        "2026-02-13 18:00 至 2026-02-14 09:00：不计（非工作时段）",
        "2026-02-14 09:00 至 2026-02-14 10:00：不计（计时暂停：等待请求人）",
        "2026-02-14 10:00 至 2026-02-14 12:00：计入 2 小时（调休上班日：春节）",
        "2026-02-14 12:00 至 2026-02-14 13:00：不计（非工作时段）",
        "2026-02-14 13:00 至 2026-02-14 18:00：计入 5 小时（调休上班日：春节）",
        "2026-02-14 18:00 至 2026-02-15 00:00：不计（非工作时段）",
        "2026-02-15 00:00 至 2026-02-16 00:00：不计（节假日：春节）",
        "2026-02-16 00:00 至 2026-02-17 00:00：不计（节假日：春节）",
        "2026-02-17 00:00 至 2026-02-18 00:00：不计（节假日：春节）",
        "2026-02-18 00:00 至 2026-02-19 00:00：不计（节假日：春节）",
        "2026-02-19 00:00 至 2026-02-20 00:00：不计（节假日：春节）",
        "2026-02-20 00:00 至 2026-02-21 00:00：不计（节假日：春节（调休））",
        "2026-02-21 00:00 至 2026-02-22 00:00：不计（节假日：春节）",
        "2026-02-22 00:00 至 2026-02-23 00:00：不计（节假日：春节）",
        "2026-02-23 00:00 至 2026-02-24 00:00：不计（节假日：春节（调休））",
        "2026-02-24 00:00 至 2026-02-24 09:00：不计（非工作时段）",
        "2026-02-24 09:00 至 2026-02-24 10:00：计入 1 小时（工作时间）",
        "共计 9 小时。",
    ]


def test_every_reason_has_words_in_both_languages() -> None:
    calendar = Calendar.from_dict(
        {
            "key": "support",
            "zone": "Europe/Berlin",
            "windows": {"mon": ["09:00-17:00"], "tue": ["09:00-17:00"], "wed": ["09:00-17:00"]},
            "valid_until": "2026-03-05",
            "exceptions": [
                {"date": "2026-03-02", "name": "fire drill", "breaks": ["10:00-11:00"]},
                {"date": "2026-03-03", "name": "inventory", "windows": ["09:00-10:00"]},
                {"date": "2026-03-04", "name": "outing", "closed": True},
            ],
        }
    )

    told = ledger(calendar, at("2026-03-02T09:00:00+01:00"), at("2026-03-07T00:00:00+01:00"))

    assert explain(told, "en") == [
        "2026-03-02 09:00 to 2026-03-02 10:00: 1 h counted (working time)",
        "2026-03-02 10:00 to 2026-03-02 11:00: not counted (break: fire drill)",
        "2026-03-02 11:00 to 2026-03-02 17:00: 6 h counted (working time)",
        "2026-03-02 17:00 to 2026-03-03 09:00: not counted (outside working hours)",
        "2026-03-03 09:00 to 2026-03-03 10:00: 1 h counted (special hours: inventory)",
        "2026-03-03 10:00 to 2026-03-04 00:00: not counted (outside working hours)",
        "2026-03-04 00:00 to 2026-03-05 00:00: not counted (closed by exception: outing)",
        "2026-03-05 00:00 to 2026-03-06 00:00: not counted (rest day)",
        "2026-03-06 00:00 to 2026-03-07 00:00: not counted (outside the calendar's validity)",
        "8 h in all.",
    ]
    for entry in told.entries:
        assert entry.code.value not in " ".join(explain(told, "zh-CN"))


def test_a_ledger_beyond_known_holidays_ends_with_the_caveat() -> None:
    told = ledger(office(), at("2026-12-31T09:00:00+08:00"), at("2027-01-04T10:00:00+08:00"))

    assert told.is_provisional
    assert explain(told, "en")[-1] == (
        "Provisional: the holidays after 2026-12-31 are not published yet."
    )
    assert explain(told)[-1] == "暂定：2026-12-31 之后的节假日安排尚未公布。"


def test_a_pause_while_closed_stays_closed_and_gives_nothing_back() -> None:
    evening = Pause(at("2026-03-02T18:00:00+08:00"), at("2026-03-03T09:00:00+08:00"), "waiting")

    told = ledger(
        office(), at("2026-03-02T17:00:00+08:00"), at("2026-03-03T10:00:00+08:00"), [evening]
    )

    assert Code.PAUSED not in {entry.code for entry in told.entries}
    assert told.elapsed == 2 * HOUR


def test_of_two_pauses_at_once_the_earlier_gives_the_reason() -> None:
    start = at("2026-03-02T09:00:00+08:00")
    pauses = [Pause(start + HOUR, None, "second"), Pause(start, start + 2 * HOUR, "first")]

    told = ledger(office(), start, start + 3 * HOUR, pauses)

    assert [(entry.pause_reason, entry.time) for entry in told.entries] == [
        ("first", 2 * HOUR),
        ("second", HOUR),
    ]


def test_the_shift_over_midnight_is_named_after_the_date_it_belongs_to() -> None:
    calendar = weekly("Asia/Shanghai", mon=["22:00-06:00"])

    told = ledger(calendar, at("2026-03-02T22:00:00+08:00"), at("2026-03-03T07:00:00+08:00"))

    assert [(entry.code, entry.day) for entry in told.entries] == [
        (Code.WORKING, at("2026-03-02").date()),
        (Code.REST_DAY, at("2026-03-03").date()),
    ]


def test_the_machine_readable_form_carries_codes_and_sums_and_no_sentences() -> None:
    told = ledger(office(), FRIDAY, FRIDAY + HOUR)

    document = json.loads(json.dumps(told.as_json()))

    assert document["elapsed_s"] == 3600
    assert document["calendar"] == "office"
    assert document["data_version"].startswith("cn:chinesecalendar-")
    assert document["entries"] == [
        {
            "start": "2026-02-13T08:00:00+00:00",
            "end": "2026-02-13T09:00:00+00:00",
            "duration_s": 3600.0,
            "is_counted": True,
            "code": "working",
            "name": {"zh-CN": "", "en": ""},
            "calendar": "office",
            "date": "2026-02-13",
            "pause_reason": "",
        }
    ]


def test_a_ledger_of_nothing_is_empty_and_one_that_runs_backward_is_refused() -> None:
    assert ledger(office(), FRIDAY, FRIDAY).entries == ()
    with pytest.raises(EndBeforeStart):
        ledger(office(), FRIDAY, FRIDAY - HOUR)


def test_around_the_clock_everything_counts_but_the_pause() -> None:
    told = ledger(always(), FRIDAY, FRIDAY + 3 * HOUR, [Pause(FRIDAY + HOUR, FRIDAY + 2 * HOUR)])

    assert [entry.code for entry in told.entries] == [
        Code.ALWAYS_OPEN,
        Code.PAUSED,
        Code.ALWAYS_OPEN,
    ]
    assert explain(told, "en")[1].endswith("not counted (clock paused)")


def test_a_due_time_is_said_with_its_zone_and_with_what_is_left() -> None:
    noon = due(office(), FRIDAY, HOUR)
    closing = due(office(), FRIDAY, 2 * HOUR)
    paused = due_with_pauses(office(), FRIDAY, 2 * HOUR, [Pause(FRIDAY + HOUR / 2)])
    ended = due(office(valid_until="2026-02-13"), FRIDAY, 2 * HOUR)
    beyond = due(office(valid_until="2026-02-13"), FRIDAY, 3 * HOUR)

    assert explain_due(noon, "Asia/Shanghai") == "到期时间：2026-02-13 17:00。"
    assert explain_due(closing, "Asia/Shanghai", "en") == (
        "Due at 2026-02-13 18:00, just when time stops counting; broken if not met when it "
        "counts again at 2026-02-14 09:00."
    )
    assert explain_due(paused, "Asia/Shanghai") == "暂无到期时间：计时已暂停，剩余 1 小时 30 分。"
    assert explain_due(ended, "Asia/Shanghai", "en") == (
        "Due at 2026-02-13 18:00; no time counts after that."
    )
    assert explain_due(beyond, "Asia/Shanghai", "en") == (
        "Never due: the calendar's validity ends first, 1 h left."
    )


def test_spans_are_spoken_in_hours_because_a_day_could_mean_two_things() -> None:
    assert spoken(30 * HOUR + HOUR / 60, "en") == "30 h 1 min"
    assert spoken(HOUR / 3600 * 1.5, "zh-CN") == "1.5 秒"
    assert spoken(HOUR * 0, "en") == "0 s"
