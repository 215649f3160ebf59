"""What the last release said and understood stays committed, and this tree is compared with it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tools.event_contracts import ROOT, problems
from tools.released import ReleaseMissing, last_release

SCHEMAS = Path("shared/events/schemas")
EXAMPLES = Path("shared/events/examples")


def test_the_kept_schemas_are_those_of_the_release() -> None:
    release = last_release()
    try:
        names = [name for name in release.names(SCHEMAS) if name.endswith(".json")]
        said = {name: json.loads(release.read(SCHEMAS / name)) for name in names}
    except ReleaseMissing as missing:
        pytest.skip(str(missing))
    kept = {
        path.name: json.loads(path.read_text(encoding="utf-8"))
        for path in (ROOT / SCHEMAS / "released").glob("*.json")
    }

    assert kept == said


def test_an_example_of_the_release_is_never_edited() -> None:
    release = last_release()
    try:
        said = {name: release.read(EXAMPLES / name) for name in release.names(EXAMPLES)}
    except ReleaseMissing as missing:
        pytest.skip(str(missing))
    here = {name: ROOT / EXAMPLES / name for name in said}

    assert {name: path.read_text(encoding="utf-8") for name, path in here.items()} == said


def test_this_tree_speaks_with_the_release() -> None:
    assert (ROOT / SCHEMAS / "released").is_dir()
    assert problems() == []
