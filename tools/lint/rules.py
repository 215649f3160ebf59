"""The rules: functions from a file to what is wrong with it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

#: Codebases are read with pleasure below this and regretted above (docs/decisions/0001).
MAX_LINES = 400
#: A file of tests is read case by case, not as a whole.
MAX_TEST_LINES = 700

# Paths of one machine say nothing to another; the text of this pattern is built so that the
# file does not accuse itself.
_MACHINE_PATH = re.compile(
    r"(?<![\w./:-])/(?:" + "|".join(["work", "farm", "root", r"home/[a-z]+", r"tmp/[a-z]+"]) + r")/"
)
_SLEEP = re.compile(r"\basyncio\.sleep\(|\bfrom (?:asyncio|time) import [^#\n]*\bsleep\b")
#: `time.sleep(` sleeps where `time` is the module; elsewhere it is a TimeSource that tests move.
_MODULE_SLEEP = re.compile(r"\btime\.sleep\(")
_TIME_MODULE = re.compile(r"^\s*import (?:.*, )?time\b", re.MULTILINE)
_PATCH = re.compile(r"\bmock\.patch\b|\bmonkeypatch\.setattr\b")
#: Put together so that the rule does not accuse itself.
_UNFINISHED = re.compile(r"\b(?:TO[D]O|FIX[M]E|NotImplemented[E]rror)\b")


def too_long(path: Path, text: str) -> list[str]:
    """A file past 400 lines is split by rule, not by layer."""
    lines = text.count("\n")
    limit = MAX_TEST_LINES if path.name.startswith("test_") else MAX_LINES
    if path.suffix == ".py" and lines > limit:
        return [f"{lines} lines: split it by rule, it is past {limit}"]
    return []


def machine_paths(path: Path, text: str) -> list[str]:
    """Nothing committed names a path of one machine."""
    return [
        f"line {number}: names a path of one machine"
        for number, line in enumerate(text.splitlines(), start=1)
        if _MACHINE_PATH.search(line)
    ]


def sleeping_tests(path: Path, text: str) -> list[str]:
    """Tests wait for a fact with a deadline; a sleep is slow or flaky, and mostly both."""
    if path.parts[:1] != ("tests",) or path.suffix != ".py":
        return []
    has_module = _TIME_MODULE.search(text) is not None
    return [
        f"line {number}: sleeps; wait for a fact instead"
        for number, line in enumerate(text.splitlines(), start=1)
        if _SLEEP.search(line) or (has_module and _MODULE_SLEEP.search(line))
    ]


def patching_tests(path: Path, text: str) -> list[str]:
    """What is hard to replace was not passed in: pass it in instead of patching."""
    if path.parts[:1] != ("tests",) or path.suffix != ".py":
        return []
    return [
        f"line {number}: patches; pass the thing in instead"
        for number, line in enumerate(text.splitlines(), start=1)
        if _PATCH.search(line)
    ]


def unfinished(path: Path, text: str) -> list[str]:
    """What is left for later is an issue with a number, or it is left out."""
    if path.suffix != ".py":
        return []
    return [
        f"line {number}: left for later; finish it or leave it out"
        for number, line in enumerate(text.splitlines(), start=1)
        if _UNFINISHED.search(line)
    ]


RULES: tuple[Callable[[Path, str], list[str]], ...] = (
    too_long,
    machine_paths,
    sleeping_tests,
    patching_tests,
    unfinished,
)
