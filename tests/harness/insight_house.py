"""Insight at work in a world of its own, and its whole read model as rows."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from services.insight.main import InsightService, build
from services.insight.settings import Settings
from services.insight.store import tables
from tests.harness.insight import as_message
from tests.harness.services import at_work
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence

    from shared.events.base import Envelope, EventData

_MODEL = (
    tables.requests,
    tables.clocks,
    tables.escalations,
    tables.deliveries,
    tables.incidents,
    tables.timeline,
    tables.names,
)
Rows = dict[str, list[dict[str, Any]]]


@dataclass(slots=True)
class House:
    """Insight in a world of its own."""

    world: World
    insight: InsightService

    async def hear(self, said: Sequence[Envelope[EventData]], at_once: int = 200) -> None:
        """Publish events, so many at a time."""
        for start in range(0, len(said), at_once):
            part = [as_message(envelope) for envelope in said[start : start + at_once]]
            await self.world.bus.publish(part)
            await self.world.settled()

    async def rows(self) -> Rows:
        """Return the whole read model."""
        found: Rows = {}
        async with self.insight.runtime.database.reading() as connection:
            for table in _MODEL:
                order = list(table.primary_key)
                rows = await connection.execute(select(table).order_by(*order))
                found[table.name] = [dict(row._mapping) for row in rows]
        return found


@asynccontextmanager
async def house_at_work(url: str, **options: Any) -> AsyncIterator[House]:
    """Run insight for as long as the block lasts."""
    world = new_world()
    insight = build(Settings(database_url=url, **options), world.given)
    async with at_work(insight, world):
        yield House(world, insight)
