"""The command line says what to do instead of failing: no house, no log, no such scope."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

import orjson
import pytest
from typer.testing import CliRunner, Result

from levee.__main__ import app, main
from levee.embedded import Folder
from levee.running import NoHouse
from shared.http.auth import SCOPES
from shared.service import version

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path


@pytest.fixture(autouse=True)
def logs_as_before() -> Iterator[None]:
    """Put the logs back: a command sends them to its own standard error."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    yield
    root.handlers[:] = handlers
    root.setLevel(level)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The data folder of a house that does not run."""
    return tmp_path / "data"


def levee(*arguments: object) -> Result:
    return CliRunner().invoke(app, [str(argument) for argument in arguments])


def told(capsys: pytest.CaptureFixture[str], *arguments: object) -> tuple[int, str]:
    """Run the command line as a shell would; return exit code and what it told on stderr."""
    with pytest.raises(SystemExit) as ended:
        main([str(argument) for argument in arguments])
    return int(ended.value.code or 0), capsys.readouterr().err


# ---- without a house ---------------------------------------------------------------------------


@pytest.mark.parametrize(
    "command",
    [
        ("status",),
        ("audit",),
        ("down",),
        ("setaside", "list"),
        ("setaside", "replay", "all"),
        ("setaside", "dismiss", "all", "--reason", "a test"),
        ("setaside", "show", "some-id"),
        ("setaside", "history"),
    ],
    ids=" ".join,
)
def test_without_a_house_a_command_says_how_to_get_one(
    folder: Path, capsys: pytest.CaptureFixture[str], command: tuple[str, ...]
) -> None:
    code, said = told(capsys, *command, "--data", folder)

    assert code == 1
    assert "请先运行 levee up" in said
    assert "start one with `levee up`" in said
    assert "Traceback" not in said


def test_a_house_that_ended_without_a_word_counts_as_none(folder: Path) -> None:
    kept = Folder(folder)
    folder.mkdir()
    # No process has this number: it is above what Linux gives out.
    kept.running_file.write_bytes(orjson.dumps({"pid": 2**22 + 1, "url": "http://127.0.0.1:1"}))

    result = levee("status", "--data", folder)

    assert isinstance(result.exception, NoHouse)


def test_a_house_that_does_not_answer_is_called_silent() -> None:
    result = levee("status", "--url", "http://127.0.0.1:1", "--json")

    assert result.exit_code == 1
    services = orjson.loads(result.stdout)["services"]
    assert [one["status"] for one in services] == ["silent"] * 6


# ---- replay ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"", "columns missing: number"),
        (b"a,b\n1,2\n", "columns missing: number"),
        (b"\x00\x01\x02" * 50, "columns missing: number"),
    ],
    ids=["empty", "another table", "no text"],
)
def test_what_is_no_log_is_told_in_a_line_of_each_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: bytes, reason: str
) -> None:
    file = tmp_path / "log.csv"
    file.write_bytes(content)

    code, said = told(capsys, "replay", file, "--format", "servicenow", "--json")

    assert code == 1
    zh, en = said.strip().splitlines()
    assert zh.startswith("bad-log: ")
    assert "不是 ServiceNow 事件日志" in zh
    assert "is not a ServiceNow event log" in en
    assert reason in en


def test_a_log_without_a_readable_row_says_how_many_were_skipped(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "log.csv"
    header = "number,event_seq,incident_state,opened_at,sys_updated_at,impact,urgency"
    file.write_text(f"{header},assignment_group,assigned_to\nINC1,x\n", encoding="utf-8")

    code, said = told(capsys, "replay", file, "--format", "servicenow", "--json")

    assert code == 1
    assert "no incident could be read, 1 rows skipped" in said


def test_a_report_that_has_nowhere_to_go_is_told_before_the_replay(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "log.csv"
    file.write_bytes(b"")
    report = tmp_path / "nowhere" / "report.json"

    code, said = told(capsys, "replay", file, "--format", "servicenow", "--report", report)

    assert code == 1
    assert "There is no folder for the report" in said


def test_a_level_of_logs_nobody_knows_is_a_wrong_call(folder: Path) -> None:
    assert levee("up", "--log-level", "loud", "--data", folder).exit_code == 2
    assert levee("replay", __file__, "--format", "servicenow", "--log-level", "x").exit_code == 2


def test_a_log_that_is_not_there_is_a_wrong_call(tmp_path: Path) -> None:
    assert levee("replay", tmp_path / "none.csv", "--format", "servicenow").exit_code == 2
    assert levee("replay", __file__, "--format", "jira").exit_code == 2
    assert levee("replay", __file__, "--format", "servicenow", "--limit", "0").exit_code == 2


# ---- keys --------------------------------------------------------------------------------------


def test_an_unknown_scope_is_named_beside_those_there_are(folder: Path) -> None:
    result = levee("key", "create", "portal", "--scope", "requests:delete", "--data", folder)

    assert result.exit_code == 2
    assert "requests:delete" in result.stderr
    assert all(scope in result.stderr for scope in SCOPES)
    assert not folder.exists()


def test_a_key_is_shown_once_and_only_its_hash_is_kept(folder: Path) -> None:
    result = levee("key", "create", "portal", "--scope", "requests:write", "--data", folder)

    key = result.stdout.strip()
    [kept] = orjson.loads(Folder(folder).keys_file.read_bytes())["keys"]
    assert key.startswith("levee_")
    assert kept["scopes"] == ["requests:write"]
    assert key not in Folder(folder).keys_file.read_text(encoding="utf-8")
    assert Folder(folder).keys_file.stat().st_mode & 0o077 == 0


def test_the_version_is_told() -> None:
    assert levee("version").stdout.strip() == version()
