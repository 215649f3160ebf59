"""Words in the reader's language and zone, by plain replacement."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.notify.domain.people import Reader
from services.notify.domain.words import in_language, replaced, told_values
from shared.definitions.models import Templates
from shared.definitions.parsing import parse, read_yaml
from tests.unit.notify.builders import a_directory

ZH, EN = Reader(), Reader("en", "America/New_York")
SEED = Path(__file__).resolve().parents[3] / "bpmn" / "templates" / "templates.yaml"
STEP: dict[str, object] = {
    "number": "R-2026-000001", "priority": "P1", "team": "desk", "reason": "breached",
    "metric": "first_response", "threshold_percent": None, "note": None, "requested_by": None,
    "due_at": "2026-03-02T09:00:00+00:00", "tier": 1, "attempt": 2,
}  # fmt: skip


@pytest.mark.parametrize(("given_", "zh", "en"), [
    ({}, "首次响应已超时", "first response is overdue"),
    ({"reason": "warned", "threshold_percent": 75}, "首次响应已用去 75% 的时限",
     "first response has used 75 % of its time"),
    ({"reason": "requested", "requested_by": "bob", "note": "now"},
     "Bob请求升级：now", "Bob asks: now"),
    ({"reason": "resolved"}, "已解决", "resolved"),
    ({"reason": "met_in_time"}, "已按时完成", "done in time"),
    ({"reason": "a_new_code"}, "a_new_code", "a_new_code"),
])  # fmt: skip
def test_reasons_are_codes_until_somebody_reads_them(
    given_: dict[str, object], zh: str, en: str
) -> None:
    assert told_values(STEP | given_, ZH, a_directory())["reason"] == zh
    assert told_values(STEP | given_, EN, a_directory())["reason"] == en


def test_moments_are_told_in_the_readers_own_zone() -> None:
    assert told_values(STEP, ZH, a_directory())["due_at"] == "2026-03-02 17:00 (Asia/Shanghai)"
    assert told_values(STEP, EN, a_directory())["due_at"] == "2026-03-02 04:00 (America/New_York)"
    assert told_values(STEP, Reader("en", "Mars/Base"), a_directory())["due_at"].endswith("(UTC)")


def test_teams_and_people_are_called_by_their_names() -> None:
    assert told_values(STEP, ZH, a_directory())["team"] == "服务台"
    assert told_values(STEP, EN, a_directory())["team"] == "Desk"
    assert told_values(STEP | {"team": "new"}, EN, a_directory())["team"] == "new"


def test_a_label_is_told_in_the_readers_language() -> None:
    told: dict[str, object] = {"calendar": {"zh-CN": "办公时间", "en": "Office"}, "other": {"a": 1}}

    assert told_values(told, ZH, a_directory())["calendar"] == "办公时间"
    assert told_values(told, EN, a_directory())["calendar"] == "Office"
    assert told_values(told, EN, a_directory())["other"] == "{'a': 1}"


def test_what_is_put_in_is_not_looked_at_again() -> None:
    assert replaced("{a} {b}", {"a": "{b}", "b": "x"}) == "{b} x"


@pytest.mark.parametrize("hostile", [
    "{number.__class__}", "{0}", "{number!r}", "{number:>9999999}", "{{number}}", "%(number)s",
    "${number}", "{unknown}",
])  # fmt: skip
def test_only_a_plain_name_is_replaced(hostile: str) -> None:
    assert "R-1" not in replaced(hostile, {"number": "R-1"}) or hostile in (
        "{{number}}",
        "${number}",
    )


@given(st.text(), st.dictionaries(st.text(max_size=5), st.text(max_size=5)))
def test_any_text_is_a_template_and_none_fails(text: str, values: dict[str, str]) -> None:
    assert isinstance(replaced(text, values), str)


def test_the_language_there_is_is_better_than_none() -> None:
    assert in_language({"zh-CN": "中", "en": "e"}, "en") == "e"
    assert in_language({"zh-CN": "中"}, "en") == "中"
    assert in_language({"en": "e"}, "zh-CN") == "e"


def test_every_place_of_the_shipped_templates_is_filled() -> None:
    templates = parse(Templates, read_yaml(SEED.read_text()), "templates")
    more: dict[str, object] = {
        "person": "Bob", "state": "resolved", "calendar": {"zh-CN": "办公时间", "en": "Office"},
        "key": "office-cn", "covered_until": "2026-12-31", "covered_until_before": "2025-12-31",
        "days_left": 60,
    }  # fmt: skip
    # What a diagram says in its own words.
    more |= {"subject": "down", "text": "look at it", "title": "Printer"}

    for template in templates.templates:
        for reader in (ZH, EN):
            values = told_values(STEP | more, reader, a_directory())
            values["acknowledge_url"] = "https://levee.example/notify/a/t"
            for words in (template.subject, template.text):
                assert "{" not in replaced(in_language(words, reader.language), values)
