"""Each service by itself: its image's steps in an empty folder, its tests, its start and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from levee.house import NAMES
from tools.isolation import isolate

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.nats, pytest.mark.slow]


@pytest.mark.parametrize("name", NAMES)
def test_a_service_stands_alone(name: str, tmp_path: Path) -> None:
    assert isolate(name, tmp_path / name).startswith(f"{name}: ")
