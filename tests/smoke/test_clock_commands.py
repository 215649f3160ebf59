"""`levee clocks move` and `levee pack` on a real house: previewed, applied, undone."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson
import pytest
from typer.testing import CliRunner, Result

from levee.commands.clocks import clocks_app
from levee.commands.pack import pack_app
from levee.commands.process import process_app
from tests.harness.journey import a_post
from tests.smoke.test_command_line import RunningHouse, becomes, start

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = pytest.mark.nats

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
WHO = ("--by", "liu.yang", "--reason", "新协议")


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningHouse]:
    """One house for all of them."""
    running = start(tmp_path_factory.mktemp("clocks") / "house")
    yield running
    running.process.terminate()
    running.process.wait(timeout=60)


def clocks(house: RunningHouse, *arguments: str) -> Result:
    return CliRunner().invoke(clocks_app, [*arguments, "--data", str(house.folder)])


def told(house: RunningHouse, *arguments: str) -> Any:
    result = clocks(house, *arguments, "--json")
    assert result.exit_code == 0, (result.output, result.exception)
    return orjson.loads(result.stdout)


def resolution(house: RunningHouse, request: str) -> dict[str, Any]:
    with house.http() as http:
        answer = http.get(f"/clock/v1/requests/{request}/clocks").json()
    [found] = [
        clock
        for metric in answer["metrics"]
        for clock in metric["ongoing"]
        if clock["clock"] == "resolution"
    ]
    return dict(found)


def test_running_clocks_are_moved_to_a_table_with_a_pack_and_back(
    house: RunningHouse, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(BPMN, tmp_path / "mine"))
    with house.http() as http:
        request = http.post("/v1/requests", json=a_post("Printer")).json()["id"]
        place = f"/clock/v1/requests/{request}/clocks"
        becomes(lambda: http.get(place).status_code == 200)
    before = resolution(house, request)

    packed = CliRunner().invoke(pack_app, ["add", "channels", "--definitions", str(folder)])
    applied = CliRunner().invoke(process_app, ["apply", str(folder), "--data", str(house.folder)])
    assert (packed.exit_code, applied.exit_code) == (0, 0), (packed.output, applied.output)
    becomes(lambda: told(house, "move", "--preview")["requests_changed"] == 1)
    seen = clocks(house, "move", "--preview")
    moved = told(house, "move", "--apply", *WHO, "--wait", "30")

    assert "时限会改变 / would change: 1" in seen.stdout
    assert (moved["is_done"], moved["requests"]) == (True, 1)
    after = resolution(house, request)
    assert (before["policy_version"], after["policy_version"]) == (1, 2)
    # The channel of the post is among those of the pack: portal, half an hour.
    assert (before["target_s"], after["target_s"]) == (8 * 3600, 30 * 60)
    assert after["explanation"]["goal_percent"] == 92

    undone = clocks(house, "move", "--undo", moved["id"], *WHO, "--wait", "30")
    assert undone.exit_code == 0, undone.output
    assert resolution(house, request)["target_s"] == before["target_s"]
    log = told(house, "moves")
    assert [one["undoes"] for one in log][:2] == [moved["id"], None]
    assert "liu.yang" in clocks(house, "moves").stdout


def test_a_move_nobody_knows_cannot_be_undone(house: RunningHouse) -> None:
    unknown = "01998000-0000-7000-8000-000000000000"

    result = clocks(house, "move", "--undo", unknown, *WHO)

    assert type(result.exception).__name__ == "HouseRefused"
    assert "404" in str(result.exception)
