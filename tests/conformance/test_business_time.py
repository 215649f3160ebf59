from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.conformance import business_time
from tests.harness.shared_data import shared_data

SATURDAY_VECTOR = {
    "id": "made-up-001",
    "op": "is_workday",
    "calendar": {"tz": "Etc/UTC", "weekly": {"sat": [["09:00", "12:00"]]}},
    "date": "2026-02-14",
    "expected": True,
}


def _file(tmp_path: Path, *vectors: dict[str, object]) -> str:
    path = tmp_path / "vectors.json"
    path.write_text(json.dumps({"vectors": vectors}), "utf-8")
    return str(path)


def test_every_calendar_vector_of_the_sample_passes_and_only_on_call_ones_are_skipped() -> None:
    results = business_time.run(shared_data("business_time_vectors_sample.json"))

    assert [r for r in results if r.verdict == "failed"] == []
    skipped = [r for r in results if r.verdict == "skipped"]
    assert all(r.reason.endswith("belongs to on-call, not to calendars") for r in skipped)
    assert len(results) - len(skipped) == 108


def test_a_wrong_answer_is_a_line_and_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _file(tmp_path, SATURDAY_VECTOR, {**SATURDAY_VECTOR, "id": "b", "expected": False})

    code = business_time.main([path])

    assert code == 1
    assert capsys.readouterr().out.splitlines() == [
        "FAILED b is_workday: expected False, got True",
        "1 passed, 1 failed, 0 skipped",
    ]


def test_an_unknown_divergence_is_skipped_by_name_and_not_passed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path = _file(tmp_path, {**SATURDAY_VECTOR, "divergent": "counts_half_days"})

    code = business_time.main([path])

    assert code == 0
    assert capsys.readouterr().out.splitlines() == [
        "skipped 1 x is_workday: unknown divergence counts_half_days",
        "0 passed, 0 failed, 1 skipped",
    ]


def test_a_known_divergence_fails_when_the_difference_is_not_the_named_one() -> None:
    vector = {
        "id": "rolled",
        "op": "add_workdays_keep_clock",
        "calendar": {"tz": "Etc/UTC", "weekly": {"mon": [["09:00", "17:00"]]}},
        "start": "2014-04-08",
        "days": -1,
        "divergent": "origin_rolls_to_workday_first",
    }

    # Tuesday rolls back to Monday the 7th, one working day before that is the 31st.
    assert business_time.run_one({**vector, "expected": "2014-03-31"}).verdict == "passed"
    assert business_time.run_one({**vector, "expected": "2014-03-24"}).verdict == "failed"


def test_a_calendar_we_refuse_is_a_failure_with_its_reason() -> None:
    calendar = {"tz": "Mars/Olympus", "weekly": {"sat": [["09:00", "12:00"]]}}

    result = business_time.run_one({**SATURDAY_VECTOR, "calendar": calendar})

    assert result.verdict == "failed"
    assert "'Mars/Olympus' is no IANA time zone" in result.reason


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ({"op": "moon_phase"}, "moon_phase: unknown operation"),
        ({"op": None}, "None: unknown operation"),
        ({"calendar": {"country": "NL"}}, "is_workday: no holidays of NL with us"),
        ({"calendar": {"shifts": []}}, "is_workday: unknown calendar field shifts"),
        ({"calendar": None}, "is_workday: no calendar"),
        ({"boundary": "tea_time"}, "is_workday: unknown boundary tea_time"),
    ],
)
def test_a_vector_of_a_kind_we_do_not_know_is_skipped_by_name(
    changed: dict[str, object], told: str
) -> None:
    result = business_time.run_one({**SATURDAY_VECTOR, **changed})

    assert (result.verdict, result.reason) == ("skipped", told)


@pytest.mark.parametrize(
    "changed",
    [
        {"date": 20260214},
        {"date": "9999-12-31"},
        {"op": "due", "start": "2026-02-14T09:00:00Z", "duration_s": 10**14},
        {"op": "due", "start": "2026-02-14T09:00:00", "duration_s": 60},
        {"op": "elapsed", "start": None, "end": None},
        {"op": "open_periods", "start": "2026-02-14T09:00:00Z", "take": "two"},
    ],
)
def test_a_vector_nobody_can_answer_is_a_failure_and_not_the_end_of_the_run(
    changed: dict[str, object],
) -> None:
    result = business_time.run_one({**SATURDAY_VECTOR, **changed})

    assert result.verdict == "failed"


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"vectors": 3}'])
def test_a_file_that_is_none_is_said_with_an_exit_code(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], text: str
) -> None:
    path = tmp_path / "vectors.json"
    path.write_text(text, "utf-8")

    assert business_time.main([str(path)]) == 2
    assert "is no file of vectors" in capsys.readouterr().err
