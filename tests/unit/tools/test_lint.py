"""House rules accuse what they are about and spare what only looks like it.

What is accused is put together from pieces, so that this file is not accused itself.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.lint.rules import (
    MAX_LINES,
    MAX_TEST_LINES,
    machine_paths,
    patching_tests,
    sleeping_tests,
    too_long,
    unfinished,
)

TEST = Path("tests/unit/test_x.py")
CODE = Path("services/clock/domain.py")


@pytest.mark.parametrize(
    ("path", "lines", "accused"),
    [
        (CODE, MAX_LINES, False),
        (CODE, MAX_LINES + 1, True),
        (TEST, MAX_TEST_LINES, False),
        (TEST, MAX_TEST_LINES + 1, True),
        (Path("docs/events.md"), 5 * MAX_LINES, False),
    ],
)
def test_a_file_is_too_long_past_its_limit(path: Path, lines: int, *, accused: bool) -> None:
    assert bool(too_long(path, "x = 1\n" * lines)) is accused


@pytest.mark.parametrize("folder", ["work", "farm", "root", "home/wang", "tmp/build"])
def test_a_path_of_one_machine_is_accused_wherever_it_stands(folder: str) -> None:
    path = f"/{folder}/data.csv"

    for line in (path, f'open("{path}")', f"see {path}", f"log={path}"):
        assert machine_paths(Path("README.md"), f"first\n{line}\n") == [
            "line 2: names a path of one machine"
        ]


@pytest.mark.parametrize(
    "line",
    [
        "PUT /router/v1/definitions/decision/team",
        "https://example.com/work/items",
        "../work/skeleton/",
        "services/work/x.py",
        "/work-items/{id}",
        "/tmp",
        "a network/root/leaf",
    ],
)
def test_addresses_and_relative_paths_are_spared(line: str) -> None:
    assert machine_paths(CODE, line) == []


@pytest.mark.parametrize(
    "text",
    [
        "await asyncio" + ".sleep(1)",
        "from asyncio " + "import sleep",
        "from time " + "import monotonic, sleep",
        "import time\ntime" + ".sleep(1)",
        "import os, time\ntime" + ".sleep(1)",
        "def f():\n    import time\n    time" + ".sleep(1)",
    ],
)
def test_a_test_that_sleeps_is_accused(text: str) -> None:
    assert len(sleeping_tests(TEST, text)) == 1


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (TEST, "time = ManualTime(NINE)\nawait time" + ".sleep(60)"),
        (TEST, "from datetime import time\nawait world.time" + ".sleep(60)"),
        (TEST, "asleep()"),
        (CODE, "await asyncio" + ".sleep(1)"),  # ruff's to ban
    ],
)
def test_moved_time_is_spared(path: Path, text: str) -> None:
    assert sleeping_tests(path, text) == []


@pytest.mark.parametrize(
    "text",
    [
        "@mock" + ".patch('x')",
        "with mock" + ".patch.object(x, 'y'):",
        "monkeypatch" + ".setattr(x, 'y', z)",
    ],
)
def test_a_test_that_patches_is_accused(text: str) -> None:
    assert patching_tests(TEST, text) == ["line 1: patches; pass the thing in instead"]


@pytest.mark.parametrize(
    ("path", "text"),
    [
        (TEST, "monkeypatch.setenv('LEVEE_DATA', '.')"),
        (TEST, "monkeypatch.syspath_prepend(folder)"),
        (TEST, "client.patch('/v1/requests/1')"),
        (CODE, "mock" + ".patch('x')"),
    ],
)
def test_what_replaces_no_code_is_spared(path: Path, text: str) -> None:
    assert patching_tests(path, text) == []


@pytest.mark.parametrize(
    "line", ["# TO" + "DO: later", "x = 1  # FIX" + "ME", "raise NotImplemented" + "Error"]
)
def test_what_was_left_for_later_is_accused(line: str) -> None:
    assert len(unfinished(CODE, line)) == 1


@pytest.mark.parametrize("line", ["return NotImplemented", "todo_list = []", "mastodons"])
def test_words_that_only_contain_it_are_spared(line: str) -> None:
    assert unfinished(CODE, line) == []
