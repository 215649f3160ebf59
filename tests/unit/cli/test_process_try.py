"""`levee process try --folder`: what would become of a request, with no house at all."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from levee.commands.process import process_app

BPMN = Path(__file__).resolve().parents[3] / "bpmn"
P1 = {"type": "it-incident", "urgency": "high", "impact": "high", "title": "Mail is down"}


def trial(*arguments: object, **more: Any) -> Result:
    return CliRunner().invoke(process_app, ["try", *map(str, arguments)], **more)


def told(folder: Path, request: dict[str, Any]) -> dict[str, Any]:
    result = trial("--folder", folder, "--input", json.dumps(request), "--json")
    assert result.exit_code == 0, result.output
    answer: dict[str, Any] = json.loads(result.stdout)
    return answer


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The shipped definitions, to be changed."""
    return Path(shutil.copytree(BPMN, tmp_path / "bpmn"))


def test_lane_steps_decisions_and_promises_are_shown_in_both_languages() -> None:
    result = trial("--folder", BPMN, "--input", json.dumps(P1))

    assert result.exit_code == 0
    shown = result.stdout
    for expected in (
        "绿色通道 / green channel",
        "优先级 / priority P1   团队 / team it-service-desk",
        "2. 定优先级 / Set priority  (set_priority, businessRuleTask)",
        "停在 / waits at  立即处置 / Act at once  (act)",
        "工作项 / work item  立即处置 / Act at once → it-service-desk",
        "工作项 / work item  作出决策 / Decide → wang.wei",
        "命中行 / rows  priority_high_high",
        "命中行 / rows  lane_urgent_and_wide",
        "整体解决 / resolution  2 h @ 24x7 → ",
    ):
        assert expected in shown, shown


def test_a_promise_has_its_moment_its_row_and_its_calendar() -> None:
    request = {**P1, "submitted_at": "2026-03-02T09:00:00+08:00"}
    clocks = {clock["clock"]: clock for clock in told(BPMN, request)["promises"]["clocks"]}

    assert set(clocks) == {"first_response", "assignment", "resolution"}
    assert clocks["resolution"]["due_at"] == "2026-03-02T03:00:00Z"
    assert clocks["resolution"]["target_s"] == 7200
    assert clocks["resolution"]["explanation"]["rule"] == "targets_resolution_p1_always"
    assert clocks["resolution"]["thresholds"][-1] == {
        "at_percent_or_time": "100",
        "reached_at": "2026-03-02T03:00:00Z",
    }


def test_a_table_is_tried_before_anybody_is_promised_anything(folder: Path) -> None:
    before = told(folder, P1)
    table = folder / "targets.dmn"
    row = '<outputEntry id="targets_resolution_p1_always_output_1">'
    head, tail = table.read_text(encoding="utf-8").split(row)
    table.write_text(head + row + tail.replace('"PT2H"', '"PT90M"', 1), encoding="utf-8")

    after = told(folder, P1)

    targets = [
        {clock["clock"]: clock["target_s"] for clock in each["promises"]["clocks"]}["resolution"]
        for each in (before, after)
    ]
    assert targets == [7200, 5400]


def test_a_request_is_read_from_a_file_and_from_a_pipe(tmp_path: Path) -> None:
    file = tmp_path / "request.json"
    file.write_text(json.dumps(P1))
    asked = ("--folder", BPMN, "--json")

    answers = [
        trial(*asked, "--data", file),
        trial(*asked, "--input", f"@{file}"),
        trial(*asked, "--data", "-", input=json.dumps(P1)),
        trial(*asked, "--input", "-", input=json.dumps(P1)),
    ]

    assert [answer.exit_code for answer in answers] == [0, 0, 0, 0]
    assert {json.loads(answer.stdout)["priority"] for answer in answers} == {"P1"}


def test_a_folder_that_could_not_be_released_is_refused_file_by_file(folder: Path) -> None:
    (folder / "priority.dmn").write_text("<not-dmn/>")

    shown = trial("--folder", folder, "--input", json.dumps(P1))
    as_json = trial("--folder", folder, "--input", json.dumps(P1), "--json")

    assert (shown.exit_code, as_json.exit_code) == (1, 1)
    assert "拒绝 / refused  priority.dmn" in shown.stdout
    refused = json.loads(as_json.stdout)
    assert refused["code"] == "folder-refused"
    assert "priority.dmn" in {file["file"] for file in refused["files"]}


def test_without_targets_the_promises_are_said_to_be_unknown(folder: Path) -> None:
    (folder / "targets.dmn").unlink()

    result = trial("--folder", folder, "--input", json.dumps(P1))

    assert result.exit_code == 1
    assert "承诺无法得知 / promises not known" in result.stdout


@pytest.mark.parametrize(
    ("request_", "place"),
    [({"type": "no-such"}, "/type"), ({}, "/type"), ({**P1, "impact": "cosmic"}, "/impact")],
    ids=["type", "nothing", "word"],
)
def test_what_no_portal_could_post_is_refused_with_its_place(
    request_: dict[str, Any], place: str
) -> None:
    shown = trial("--folder", BPMN, "--input", json.dumps(request_))
    as_json = trial("--folder", BPMN, "--input", json.dumps(request_), "--json")

    assert (shown.exit_code, as_json.exit_code) == (1, 1)
    assert f"✗ {place} " in shown.stdout
    assert [error["path"] for error in json.loads(as_json.stdout)["errors"]] == [place]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("--folder", BPMN), "NoInput"),
        (("--folder", BPMN, "--input", "{"), "InputNotJson"),
        (("--folder", BPMN, "--input", "[1]"), "InputNotJson"),
        (("--folder", BPMN, "--input", "@/nowhere.json"), "InputNotJson"),
        (("--folder", BPMN, "--input", "[" * 100_000), "InputNotJson"),
        (("--folder", "/nowhere", "--input", "{}"), "NoSuchFolder"),
        (("--input", "{}", "--data", BPMN), "NoHouse"),
    ],
    ids=["none", "cut", "list", "no file", "deep", "no folder", "no house"],
)
def test_what_cannot_be_tried_says_what_to_do(arguments: tuple[object, ...], error: str) -> None:
    assert type(trial(*arguments).exception).__name__ == error


def test_a_folder_without_definitions_is_named(tmp_path: Path) -> None:
    result = trial("--folder", tmp_path, "--input", json.dumps(P1))

    assert type(result.exception).__name__ == "NoDefinitions"
