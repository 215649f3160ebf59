"""A real nats-server for tests: 6 ms to start, a store of its own for each test."""

from __future__ import annotations

from contextlib import asynccontextmanager
from typing import TYPE_CHECKING

import pytest

from shared.bus.server import NatsServer, NatsServerMissing, find_binary

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@asynccontextmanager
async def nats_server(store: Path, port: int | None = None) -> AsyncIterator[NatsServer]:
    """Run a server on `store` for as long as the block lasts; skip where there is no binary."""
    try:
        find_binary()
    except NatsServerMissing as missing:
        pytest.skip(str(missing))
    server = NatsServer(store, port=port)
    await server.start()
    try:
        yield server
    finally:
        await server.stop()
