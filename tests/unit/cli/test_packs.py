"""`levee pack`, and every table of targets that ships, through the command line."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from levee.commands.decision import decision_app
from levee.commands.pack import pack_app
from levee.packs.merging import Merging, NotTargets
from shared.decisions import load_decisions

BPMN = Path(__file__).resolve().parents[3] / "bpmn"
PACKS = sorted(path.stem for path in (BPMN / "packs").glob("*.dmn"))


def levee(*arguments: object) -> Result:
    return CliRunner().invoke(pack_app, [str(argument) for argument in arguments])


def decision(*arguments: object) -> Result:
    return CliRunner().invoke(decision_app, [str(argument) for argument in arguments])


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Return a folder of definitions as a process owner keeps it."""
    shutil.copytree(BPMN, tmp_path / "bpmn")
    return tmp_path / "bpmn"


def states(folder: Path) -> dict[str, str]:
    told = json.loads(levee("list", "--definitions", folder, "--json").stdout)
    return {pack["pack"]: pack["state"] for pack in told}


@pytest.mark.parametrize("name", ["targets", *(f"packs/{pack}" for pack in PACKS)])
def test_every_table_that_ships_passes_the_check_without_a_word(name: str) -> None:
    result = decision("check", BPMN / f"{name}.dmn", "--json")

    told = json.loads(result.stdout)
    assert (result.exit_code, told["verdict"], told["findings"]) == (0, "ok", [])


@pytest.mark.parametrize(
    ("pack", "inputs", "rule", "target"),
    [
        ("channels", {"metric": "first_response", "channel": "phone"}, "phone", "PT30S"),
        ("ecommerce", {"metric": "first_response", "channel": "chat"}, "online", "PT5M"),
        ("finance", {"metric": "first_response", "channel": "phone"}, "phone", "PT30S"),
        ("bank", {"metric": "resolution", "request_type": "high-risk-transaction"}, "high_risk",
         "PT30M"),
        ("saas", {"metric": "first_response"}, "response", "PT30M"),
        ("retail", {"metric": "resolution", "request_type": "refund"}, "refund", "3 working days"),
        ("manufacturing", {"metric": "resolution", "request_type": "key-equipment-repair"},
         "equipment", "PT4H"),
        ("scenes", {"metric": "stage", "domain": "it", "priority": "P1"}, "engagement_p1", "PT15M"),
        ("teams", {"metric": "handling", "priority": "P1"}, "handling_p1", "PT45M"),
    ],
)  # fmt: skip
def test_every_pack_answers_when_asked(
    pack: str, inputs: dict[str, str], rule: str, target: str
) -> None:
    result = decision(
        "eval", BPMN / f"packs/{pack}.dmn", "--decision", pack, "--input", json.dumps(inputs),
        "--json",
    )  # fmt: skip

    told = json.loads(result.stdout)
    assert rule in told["explanation"][0]["rule_ids"][0]
    assert told["result"][0]["target"] == target


def test_a_pack_is_switched_on_and_off_again(folder: Path) -> None:
    before = (folder / "targets.dmn").read_bytes()
    assert set(states(folder).values()) == {"off"}

    added = levee("add", "channels", "scenes", "--definitions", folder)
    on = states(folder)
    again = levee("add", "channels", "--definitions", folder)
    removed = levee("remove", "channels", "scenes", "--definitions", folder)

    assert (added.exit_code, removed.exit_code) == (0, 0)
    assert {pack for pack, state in on.items() if state == "on"} == {"channels", "scenes"}
    assert "nothing changes" in again.stdout
    assert set(states(folder).values()) == {"off"}
    left = Merging((folder / "targets.dmn").read_bytes(), "targets.dmn")
    assert left.rules == Merging(before, "targets.dmn").rules


def test_the_rows_that_were_there_mean_what_they_meant(folder: Path) -> None:
    levee("add", *PACKS, "--definitions", folder)

    model = load_decisions((folder / "targets.dmn").read_bytes())
    inputs = {
        "metric": "resolution", "priority": "P1", "channel": "letter", "customer_tier": "vip",
        "domain": "it", "request_type": "other",
    }  # fmt: skip
    answer = model.evaluate("targets", inputs).result
    assert isinstance(answer, list)
    [row] = answer
    assert {name: value for name, value in row.items() if value not in ("", None)} == {
        "target": "PT2H",
        "calendar": "24x7",
        "thresholds": "50,75,90",
        "pauses_on": "*",
        "is_clock_wanted": True,
    }


def test_what_people_wrote_around_the_table_stays(folder: Path) -> None:
    path = folder / "targets.dmn"
    text = path.read_text().replace("<decision id=", "<!-- ours --><decision id=", 1)
    path.write_text(text)

    levee("add", "saas", "--definitions", folder)

    after = path.read_text()
    assert "<!-- ours -->" in after
    lines, old = after.splitlines(), text.splitlines()
    changed = [line for line in lines if line not in set(old)]
    assert len(changed) < 60
    assert 'id="ceilings"' in after


def test_a_row_an_owner_edited_is_not_put_in_twice(folder: Path) -> None:
    levee("add", "saas", "--definitions", folder)
    path = folder / "targets.dmn"
    path.write_text(path.read_text().replace('"PT30M"', '"PT20M"'))

    levee("add", "saas", "--definitions", folder)

    assert Merging(path.read_bytes(), "t").rules.count("saas_first_response") == 1


def test_a_trial_writes_nothing_and_names_promises_that_are_not_supported(folder: Path) -> None:
    before = (folder / "targets.dmn").read_bytes()

    result = levee("add", "bank", "teams", "--dry-run", "--definitions", folder, "--json")

    told: dict[str, Any] = json.loads(result.stdout)
    assert (result.exit_code, told["is_written"]) == (0, False)
    assert (folder / "targets.dmn").read_bytes() == before
    rules = {(finding["element"], finding["rule"]) for finding in told["findings"]}
    assert ("rule teams_stint", "promise-unsupported") in rules


def test_a_table_that_would_be_refused_is_not_written(folder: Path) -> None:
    pack = folder / "packs/saas.dmn"
    pack.write_text(pack.read_text().replace('"PT30M"', '"P1D"'))
    before = (folder / "targets.dmn").read_bytes()

    result = levee("add", "saas", "--definitions", folder)

    assert result.exit_code == 1
    assert "1 working day" in result.stdout
    assert (folder / "targets.dmn").read_bytes() == before


def test_a_heading_of_an_owners_own_stays_and_the_packs_rows_leave_it_empty(folder: Path) -> None:
    path = folder / "targets.dmn"
    levee("add", "channels", "--definitions", folder)  # brings goal_percent

    levee("add", "saas", "--definitions", folder)

    answer = load_decisions(path.read_bytes()).evaluate(
        "targets", {"metric": "first_response", "priority": "P9", "channel": "fax"}
    )
    assert isinstance(answer.result, list)
    assert [row["goal_percent"] for row in answer.result] == [None]


@pytest.mark.parametrize(
    ("arguments", "error"),
    [
        (("add", "aviation"), "NoSuchPack"),
        (("remove", "aviation"), "NoSuchPack"),
        (("show", "aviation"), "NoSuchPack"),
    ],
)
def test_a_pack_that_is_not_there_is_named_with_those_that_are(
    arguments: tuple[str, ...], error: str
) -> None:
    result = levee(*arguments)

    assert type(result.exception).__name__ == error
    assert "ecommerce" in str(result.exception)


def test_a_folder_without_targets_says_so(tmp_path: Path) -> None:
    assert type(levee("list", "--definitions", tmp_path).exception).__name__ == "NoTargetsFile"


@pytest.mark.parametrize(
    "content",
    [
        b"",
        b"no xml",
        b"<definitions/>",
        b'<!DOCTYPE d [<!ENTITY a "b">]><definitions>&a;</definitions>',
    ],
)
def test_what_is_no_table_of_targets_is_refused(content: bytes) -> None:
    with pytest.raises(NotTargets):
        Merging(content, "x.dmn")


def test_a_pack_is_shown_row_by_row() -> None:
    shown = levee("show", "retail").stdout

    assert "退款 / refund" in shown
    assert "retail_resolution_refund" in shown
