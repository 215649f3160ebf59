"""`levee demo` as people run it: a process that ends, and a house that stays."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import httpx
import pytest

from levee.demo.upkeep import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [pytest.mark.slow, pytest.mark.nats]

ROOT = Path(__file__).resolve().parents[2]


def levee(*words: str) -> subprocess.CompletedProcess[str]:
    """Run the command line."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith("LEVEE_")}
    return subprocess.run(
        [sys.executable, "-m", "levee", *words],
        cwd=ROOT,
        env={**environment, "COLUMNS": "200"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[Path]:
    path = tmp_path / "house"
    yield path
    if (path / "running.json").exists():
        levee("down", "--data", str(path))


def play(folder: Path, port: int) -> subprocess.CompletedProcess[str]:
    return levee("demo", "--data", str(folder), "--requests", "14", "--port", str(port))


def test_the_demo_leaves_a_house_up_that_answers_what_it_told_to_try(folder: Path) -> None:
    if shutil.which("curl") is None:
        pytest.skip("the commands to try need curl")
    port = free_port(18_400)

    told = play(folder, port)

    assert told.returncode == 0, told.stderr
    assert "no one answered" in told.stdout
    url = f"http://127.0.0.1:{port}"
    assert httpx.get(f"{url}/insight/").status_code == 200
    commands = [line.strip() for line in told.stdout.splitlines() if "curl -s" in line]
    assert len(commands) == 3
    timeline, clocks, made = (
        json.loads(subprocess.run(["bash", "-c", c], capture_output=True, check=True).stdout)
        for c in commands
    )
    assert "escalation.exhausted.v1" in {entry["type"] for entry in timeline["items"]}
    assert clocks["items"]
    assert made["number"].startswith("R-")

    again = play(folder, port)

    assert again.returncode == 1
    assert "make down" in again.stderr


def test_a_stopped_demo_makes_room_for_the_next_one(folder: Path) -> None:
    first = levee("demo", "--data", str(folder), "--requests", "12", "--no-leave-up")
    (folder / "mine.txt").write_text("mine")

    second = levee("demo", "--data", str(folder), "--requests", "12", "--no-leave-up")

    assert (first.returncode, second.returncode) == (0, 0), second.stderr
    assert (folder / "mine.txt").read_text() == "mine"
