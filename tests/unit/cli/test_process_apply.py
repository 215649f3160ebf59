"""`levee process apply | list | show | activate`: what is said before a house is asked."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from typer.testing import CliRunner, Result

from levee.commands.process import process_app
from levee.definitions.handing_in import gather

BPMN = Path(__file__).resolve().parents[3] / "bpmn"
NOBODY = ("--url", "http://127.0.0.1:1", "--key", "levee_x")


def process(*arguments: object) -> Result:
    return CliRunner().invoke(process_app, [str(argument) for argument in arguments])


def test_a_folder_is_taken_as_the_house_would_take_it() -> None:
    assert {file.name for file in gather([BPMN])} >= {
        "process/standard-path",
        "decision/targets",
        "calendar/24x7",
        "escalation_policy/urgent",
        "catalogue/catalogue",
        "templates/templates",
    }


def test_a_file_is_known_by_its_suffix_its_folder_or_what_stands_in_it(tmp_path: Path) -> None:
    (tmp_path / "calendars").mkdir()
    files = {
        tmp_path / "calendars" / "shop.yaml": b"zone: UTC",
        tmp_path / "p.bpmn20.xml": b"<definitions/>",
        tmp_path / "t.xml": b'<definitions xmlns="https://www.omg.org/spec/DMN/20191111/MODEL/"/>',
        tmp_path / "loose.yaml": b"a: 1",
    }
    for path, content in files.items():
        path.write_bytes(content)

    found = gather([tmp_path, tmp_path / "calendars" / "shop.yaml"])

    assert [file.name for file in found] == ["calendar/shop", "process/p", "decision/t"]
    assert [file.name for file in gather([tmp_path / "loose.yaml"], "templates")] == [
        "templates/loose"
    ]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("apply", "/nowhere/at-all.bpmn"), "NoSuchPath"),
        (("apply", BPMN / "directory.yaml"), "KindUnknown"),
        (("apply", BPMN, "--kind", "poem"), "KindNotKnown"),
        (("apply", BPMN, "--expect", "priority=3"), "NotNamed"),
        (("apply", BPMN, *NOBODY), "HouseSilent"),
        (("apply", BPMN, "--data", "/nowhere"), "NoHouse"),
        (("list", *NOBODY), "HouseSilent"),
        (("show", "standard-path"), "NotNamed"),
        (("show", "poem/standard-path"), "KindNotKnown"),
        (("activate", "process/standard-path"), "NotNamed"),
        (("activate", "process/standard-path/latest"), "NotNamed"),
        (("activate", "process/standard-path/3", *NOBODY), "HouseSilent"),
    ],
)
def test_what_cannot_be_meant_or_reached_says_what_to_do(
    arguments: tuple[object, ...], error: str
) -> None:
    assert type(process(*arguments).exception).__name__ == error


def test_a_folder_without_definitions_is_named(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("nothing")

    assert type(process("apply", tmp_path).exception).__name__ == "NothingToApply"


def test_a_file_too_large_is_refused_without_being_sent(tmp_path: Path) -> None:
    huge = tmp_path / "huge.bpmn"
    huge.write_bytes(b"x" * 20_000_000)

    shown = process("apply", huge, *NOBODY)
    as_json = process("apply", huge, "--json", *NOBODY)

    assert (shown.exit_code, as_json.exit_code) == (1, 1)
    assert f"拒绝 / refused  {huge}" in shown.stdout
    assert json.loads(as_json.stdout)["files"][0]["findings"][0]["rule"] == "too-large"
