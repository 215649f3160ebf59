"""Which folders the demo may use, and which it must leave alone."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import orjson
import pytest

from levee.demo import ground
from levee.embedded import Folder

if TYPE_CHECKING:
    from pathlib import Path


def test_an_empty_folder_becomes_the_demos_own(tmp_path: Path) -> None:
    ground.clear(Folder(tmp_path / "new"))

    assert (tmp_path / "new" / ground.MARK).is_file()


def test_a_real_house_is_refused_and_left_as_it_is(tmp_path: Path) -> None:
    real = tmp_path / "data" / "intake.db"
    real.parent.mkdir()
    real.write_bytes(b"precious")

    with pytest.raises(ground.NotADemoHouse):
        ground.clear(Folder(tmp_path))

    assert real.read_bytes() == b"precious"


def test_a_house_that_was_only_given_a_key_is_a_real_one_too(tmp_path: Path) -> None:
    Folder(tmp_path).operator_key()

    with pytest.raises(ground.NotADemoHouse):
        ground.clear(Folder(tmp_path))


def test_an_earlier_demo_is_wiped_and_nothing_else(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    ground.clear(folder)
    folder.databases.mkdir()
    (folder.databases / "clock.db").touch()
    folder.operator_key()
    (tmp_path / "notes.txt").write_text("mine")

    ground.clear(folder)

    assert not folder.databases.exists()
    assert not folder.operator_key_file.exists()
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_running_house_is_refused_even_when_the_demo_made_it(tmp_path: Path) -> None:
    folder = Folder(tmp_path)
    ground.clear(folder)
    folder.databases.mkdir()
    folder.running_file.write_bytes(orjson.dumps({"pid": os.getpid(), "url": "http://x"}))

    with pytest.raises(ground.DemoRuns):
        ground.clear(folder)

    assert folder.databases.exists()
