"""Words: every line of a timeline can be said, in both languages, with nothing left out."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from services.insight.api.drawing import HEIGHT, draw
from services.insight.api.tales import tell
from services.insight.api.words import Voice
from services.insight.domain.board import Bar, MetricFigures, attained
from services.insight.domain.definitions import DEFINITIONS
from services.insight.domain.rules import SPREAD_S
from services.insight.handlers.telling import KEPT

SHANGHAI = ZoneInfo("Asia/Shanghai")
NOON = datetime(2026, 3, 2, 4, tzinfo=UTC)
NAMES = {("person", "li.na"): ("李娜", "Li Na"), ("team", "desk"): ("服务台", "Desk")}
ZH, EN = Voice("zh-CN", SHANGHAI, NAMES), Voice("en", SHANGHAI, NAMES)

#: A value for every field a timeline keeps.
PARAMS = {
    "team": "desk",
    "from_team": "desk",
    "to_team": "desk",
    "assignee": "li.na",
    "recipient": "li.na",
    "due_at": "2026-03-02T04:00:00Z",
    "clocks": [{"metric": "resolution", "target_s": 7200.0, "due_at": "2026-03-02T04:00:00Z"}],
    "clock": {"name": "resolution", "agreement": "ola-desk"},
    "metrics": ["resolution"],
    "metric": "resolution",
    "elapsed_s": 90.0,
    "target_s": 7200.0,
    "recipients": [{"person": "li.na"}],
    "trigger": {"kind": "warned", "metric": "resolution", "threshold_percent": 75},
    "name": {"zh-CN": "处理", "en": "Handle"},
    "candidate_teams": ["desk"],
    "author": "agent",
    "is_effective": True,
}


@pytest.mark.parametrize("voice", [ZH, EN], ids=["zh-CN", "en"])
@pytest.mark.parametrize("type_", sorted(KEPT))
def test_every_line_of_a_timeline_can_be_said_in_both_languages(type_: str, voice: Voice) -> None:
    whole = {**dict.fromkeys(KEPT[type_], "x"), **PARAMS}

    said = tell(voice, type_, whole, "li.na")

    assert said != type_
    assert "{" not in said
    assert "–" not in said
    assert bool(re.search(r"[\u4e00-\u9fff]", said)) is (voice is ZH)
    # What is missing is a dash, never an error.
    assert tell(voice, type_, {}, None)


def test_an_unknown_type_is_told_by_its_name() -> None:
    assert tell(ZH, "something.happened.v9", {}, None) == "something.happened.v9"


def test_braces_in_what_people_wrote_are_left_alone() -> None:
    said = tell(EN, "request.reopened_by_requester.v1", {"reason": "{0.__class__} {x}"}, None)

    assert said.endswith("{0.__class__} {x}")


@pytest.mark.parametrize(
    ("seconds", "zh", "en"),
    [
        (None, "–", "–"),
        (0, "0秒", "0 s"),
        (59.6, "1分", "1 min"),
        (75, "1分15秒", "1 min 15 s"),
        (900, "15分", "15 min"),
        (7500, "2时5分", "2 h 5 min"),
        (360_000, "100时", "100 h"),
    ],
)
def test_durations_are_told_in_two_units_at_most(seconds: float | None, zh: str, en: str) -> None:
    assert (ZH.duration(seconds), EN.duration(seconds)) == (zh, en)


def test_moments_are_told_in_the_viewers_zone() -> None:
    assert ZH.moment(NOON) == "2026-03-02 12:00"
    assert Voice("en", ZoneInfo("America/New_York")).moment(NOON) == "2026-03-01 23:00"


def test_what_is_left_turns_into_what_is_over_after_the_due_moment() -> None:
    later = NOON + timedelta(minutes=25)

    assert ZH.left(NOON, NOON - timedelta(minutes=25), False) == "剩 25分"
    assert EN.left(NOON, later, True) == "25 min over"
    assert EN.left(NOON, later, False) == "time is up, not overdue yet"


def test_the_printed_definitions_are_the_served_ones() -> None:
    printed = (Path(__file__).parents[3] / "docs" / "figures.md").read_text(encoding="utf-8")

    for told in DEFINITIONS:
        row = f"| `{told.key}` | {told.zh} | {told.en} | {told.meaning_zh} | {told.meaning_en} |"
        assert row in printed


def test_a_drawing_shows_every_bar_that_stands_for_something() -> None:
    edges = (*SPREAD_S, None)
    bars = [Bar(edge, 0, 0) for edge in edges]
    bars[0], bars[3], bars[-1] = Bar(60, 1, 0), Bar(1800, 900, 100), Bar(None, 0, 1)
    figures = MetricFigures(
        "resolution", {"all": attained(1, 1)}, 1002, 0, 1200.0, 1700.0, 1e7, tuple(bars)
    )

    drawing = draw(figures)

    assert drawing is not None
    tall = [stack.in_time_height + stack.late_height for stack in drawing.stacks]
    assert [place for place, height in enumerate(tall) if height] == [0, 3, 10]
    assert max(tall) == pytest.approx(HEIGHT)
    assert all(0 <= mark.x <= drawing.width for mark in drawing.marks)
    assert [mark.x for mark in drawing.marks] == sorted(mark.x for mark in drawing.marks)


def test_the_key_of_a_policy_is_not_taken_for_the_lane_of_the_same_name() -> None:
    said = tell(ZH, "escalation.raised.v1", {"policy": "standard", "trigger": {}}, None)

    assert said.endswith("策略 standard")
