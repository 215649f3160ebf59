"""Where tests find recorded data that is not part of the repository."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

_BESIDE_THE_PROJECT = Path(__file__).resolve().parents[2] / ".." / "shared" / "data"


def shared_data(name: str) -> Path:
    """Return the path of a data file; the test is skipped, saying why, where it is absent.

    `LEVEE_SHARED_DATA` names another folder than the one beside the project.
    """
    path = Path(os.environ.get("LEVEE_SHARED_DATA", _BESIDE_THE_PROJECT)) / name
    if not path.exists():
        pytest.skip(f"{name} is not at {path.parent}: data is never committed")
    return path
