"""Each service by itself: its image's steps in an empty folder, its tests, its start and stop."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from levee.house import NAMES
from tools.isolation import isolate

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.nats
#: The entrance in every run; it takes half a minute, most of it pip.
EVERY_RUN = "intake"


@pytest.mark.parametrize(
    "name",
    [EVERY_RUN, *(pytest.param(n, marks=pytest.mark.slow) for n in NAMES if n != EVERY_RUN)],
)
def test_a_service_stands_alone(name: str, tmp_path: Path) -> None:
    assert isolate(name, tmp_path / name).startswith(f"{name}: ")
