"""`levee process` on a real house: real HTTP, real keys, and every service hears of it."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from levee.commands.process import process_app
from shared.http.auth import add_to_file, new_key
from tests.harness.journey import a_post
from tests.smoke.test_command_line import RunningHouse, becomes, start

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.nats

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
ROW = '<outputEntry id="targets_resolution_p3_always_output_1">'
REQUEST = {"type": "it-incident", "title": "Printer"}


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """One house for all of them."""
    running = start(tmp_path_factory.mktemp("process") / "house")
    yield running
    running.process.terminate()
    running.process.wait(timeout=60)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A process owner's own copy of the definitions."""
    return Path(shutil.copytree(BPMN, tmp_path / "mine"))


def key_of(house: RunningHouse, *scopes: str, name: str = "owner") -> str:
    key, kept = new_key(name, scopes)
    add_to_file(house.folder / "keys.json", kept)
    return key


def process(house: RunningHouse, *arguments: object, key: str | None = None) -> Result:
    place = ["--data", str(house.folder)] if key is None else ["--url", house.url, "--key", key]
    return CliRunner().invoke(process_app, [*map(str, arguments), *place])


def told(house: RunningHouse, *arguments: object) -> Any:
    result = process(house, *arguments, "--json")
    assert result.exit_code == 0, result.output
    return orjson.loads(result.stdout)


def promise_in(file: Path, target: str) -> None:
    """Write another time into the resolution of P3."""
    head, tail = file.read_text(encoding="utf-8").split(ROW)
    entry, rest = tail.split("</outputEntry>", 1)
    assert '"PT' in entry
    entry = f"<text>{target}</text>"
    file.write_text(f"{head}{ROW}{entry}</outputEntry>{rest}", encoding="utf-8")


def resolution_s(house: RunningHouse) -> float:
    answer = told(house, "try", "--input", orjson.dumps(REQUEST).decode())
    clocks = {clock["clock"]: clock for clock in answer["promises"]["clocks"]}
    return float(clocks["resolution"]["target_s"])


def test_a_table_is_applied_tried_listed_and_the_older_one_activated_again(
    house: RunningHouse, folder: Path
) -> None:
    before = resolution_s(house)
    promise_in(folder / "targets.dmn", '"PT6H"')

    applied = process(house, "apply", folder, key=key_of(house, "*", name="li.na"))

    assert applied.exit_code == 0, applied.output
    assert "✓ decision/targets  v2" in applied.stdout
    assert "· process/standard-path  v1" in applied.stdout
    # The clock has its own copy, and hears of it by itself.
    becomes(lambda: resolution_s(house) == 6 * 3600)
    listed = {f"{d['kind']}/{d['key']}": d for d in told(house, "list")["in_force"]}
    assert (listed["decision/targets"]["version"], listed["decision/targets"]["released_by"]) == (
        2,
        "li.na",
    )
    shown = process(house, "list")
    assert "li.na" in shown.stdout
    assert listed["decision/targets"]["content_hash"][:12] in shown.stdout

    back = process(house, "activate", "decision/targets/1")

    assert (back.exit_code, "v3 = v1" in back.stdout) == (0, True), back.output
    becomes(lambda: resolution_s(house) == before)
    newest, *_ = told(house, "list", "--all")["history"]
    assert (newest["key"], newest["version"], newest["again_of"]) == ("targets", 3, 1)
    with house.http() as http:
        posted = http.post("/v1/requests", json=a_post("Printer")).json()
        place = f"/clock/v1/requests/{posted['id']}/clocks"
        becomes(lambda: http.get(place).status_code == 200)
        metrics = {m["metric"]: m["ongoing"] for m in http.get(place).json()["metrics"]}
    assert [c["policy_version"] for c in metrics["resolution"]] == [3]


def test_nothing_is_created_by_trying(house: RunningHouse) -> None:
    with house.http() as http:
        before = http.get("/router/v1/requests").json()["total"]
        for _ in range(3):
            told(house, "try", "--input", orjson.dumps(REQUEST).decode())
        assert http.get("/router/v1/requests").json()["total"] == before


def test_a_bad_file_is_refused_with_every_finding_and_what_is_in_force_stays(
    house: RunningHouse, folder: Path
) -> None:
    (folder / "priority.dmn").write_text("<not-dmn/>")
    promise_in(folder / "targets.dmn", '"PT')
    before = told(house, "list")["in_force"]

    refused = process(house, "apply", folder)
    as_json = process(house, "apply", folder, "--json")

    assert (refused.exit_code, as_json.exit_code) == (1, 1)
    assert f"拒绝 / refused  {folder / 'priority.dmn'}" in refused.stdout
    assert "可发布 / ok" in refused.stdout
    assert "→ " in refused.stdout
    files = {Path(f["file"]).name: f["verdict"] for f in orjson.loads(as_json.stdout)["files"]}
    assert (files["priority.dmn"], files["targets.dmn"], files["team.dmn"]) == (
        "refused",
        "refused",
        "ok",
    )
    assert told(house, "list")["in_force"] == before
    listed = process(house, "list")
    assert "拒绝 / refused  api/decision/priority" in listed.stdout


def test_who_was_faster_is_said(house: RunningHouse, folder: Path) -> None:
    file = folder / "team.dmn"
    text = file.read_text(encoding="utf-8")
    file.write_text(text + "<!-- mine -->", encoding="utf-8")
    first = process(house, "apply", file, key=key_of(house, "*", name="wang.wei"))
    file.write_text(text + "<!-- yours -->", encoding="utf-8")

    late = process(house, "apply", file, "--expect", "decision/team=1")
    late_again = process(house, "activate", "decision/team/1", "--expect", "v1")

    assert first.exit_code == 0, first.output
    assert (late.exit_code, late_again.exit_code) == (3, 3), late.output
    assert "wang.wei" in late.output
    seen = process(house, "show", "decision/team")
    assert "<!-- mine -->" in seen.stdout
    old = folder / "old.dmn"
    assert process(house, "show", "decision/team/1", "-o", old).exit_code == 0
    assert old.read_text(encoding="utf-8") == text


def test_keys_that_may_not_are_told_so(house: RunningHouse, folder: Path) -> None:
    reader = key_of(house, "work:read", name="reader")

    answers = [
        process(house, "apply", folder / "team.dmn", key=reader),
        process(house, "activate", "decision/team/1", key=reader),
        process(house, "list", key="levee_00000000_wrong"),
        process(house, "list", key=""),
    ]

    refusals = [answer.exception for answer in answers]
    assert {type(refusal).__name__ for refusal in refusals} == {"HouseRefused"}
    assert ["403" in str(r) for r in refusals] == [True, True, False, False]
    assert "process:write" in str(refusals[0])
    assert process(house, "list", key=reader).exit_code == 0
    assert process(house, "try", "--input", '{"type": "it-access"}', key=reader).exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("activate", "decision/targets/99"), "99"),
        (("activate", "decision/nothing/1"), "decision/nothing"),
        (("try", "--input", '{"type": "no-such"}'), "unknown-type"),
    ],
)
def test_what_is_not_there_is_said_by_name(
    house: RunningHouse, arguments: tuple[str, ...], says: str
) -> None:
    result = process(house, *arguments)

    assert result.exit_code == 1
    assert says in result.output
    assert "Traceback" not in result.output
