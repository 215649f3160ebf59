"""The house of a journey."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.journey import whole_house

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.harness.journey import BusKind, World


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """The whole house on the bus in memory; at the end nothing waits and no id was said twice."""
    async with whole_house(tmp_path) as built:
        yield built
        assert await built.unfinished() == {}
        assert built.said_twice() == []


@pytest.fixture(params=["memory", pytest.param("nats", marks=pytest.mark.nats)])
async def either_world(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[World]:
    """The whole house on each bus."""
    kind: BusKind = request.param
    async with whole_house(tmp_path, kind) as built:
        yield built
        assert await built.unfinished() == {}
        assert built.said_twice() == []
