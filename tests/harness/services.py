"""Real services in a small world: migrated, started, and heard on the bus."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import httpx
import orjson

from shared.bus.port import Message, event_subject, latest_subject
from shared.database import migrations
from shared.events.base import Envelope, EventData
from shared.http.auth import KeyRing, add_to_file, new_key

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime
    from pathlib import Path

    from shared.service import Service
    from tests.harness.world import World


@dataclass(slots=True)
class Neighbour:
    """Says on the bus what another service would say, with gapless sequences."""

    world: World
    name: str
    said: dict[str, int] = field(default_factory=dict)

    async def say(
        self,
        data: EventData,
        subject: UUID | str,
        *,
        occurred_at: datetime | None = None,
        sequence: int | None = None,
        is_awaited: bool = True,
    ) -> UUID:
        """Publish an event about `subject` and let the world settle, unless not awaited."""
        key = str(subject)
        self.said[key] = sequence or self.said.get(key, 0) + 1
        envelope = Envelope(
            id=self.world.ids.new(),
            source=self.name,
            time=self.world.time.now(),
            subject=key,
            occurred_at=occurred_at or self.world.time.now(),
            sequence=self.said[key],
            correlation_id=key,
            causation_id=None,
            data=data,
        )
        is_latest = data.ordering == "latest"
        route = latest_subject(data.type, key) if is_latest else event_subject(self.name, data.type)
        await self.world.bus.publish([Message(route, envelope.id, envelope.to_bytes())])
        if is_awaited:
            await self.world.settled()
        return envelope.id


@asynccontextmanager
async def at_work(service: Service, world: World) -> AsyncIterator[Service]:
    """Migrate and start a service, and stop it at the end."""
    await migrations.upgrade(service.name, service.runtime.database)
    await service.start()
    await world.settled()
    try:
        yield service
    finally:
        await service.stop()


def key_ring(folder: Path, world: World, scopes: tuple[str, ...] = ("*",)) -> tuple[KeyRing, str]:
    """Return a key ring with one key, and that key."""
    key, kept = new_key("test", scopes)
    add_to_file(folder / "keys.json", kept)
    return KeyRing(folder / "keys.json", world.time), key


def caller(service: Service, ring: KeyRing, key: str) -> httpx.AsyncClient:
    """Return an HTTP client that calls the service directly, with the key."""
    return httpx.AsyncClient(
        transport=httpx.ASGITransport(service.app(ring), raise_app_exceptions=False),
        base_url="http://levee.test",
        headers={"Authorization": f"Bearer {key}"},
    )


def published(world: World, name: str, *types: str) -> list[dict[str, Any]]:
    """Return what a service has said (of the given types), in order, from the bus's own store."""
    said = [orjson.loads(m.body) for m in world.bus.stored(f"LEVEE_{name.upper()}")]
    return [event for event in said if not types or event["type"] in types]
