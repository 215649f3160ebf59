"""Insight with something to show, and a client that looks at it."""

from __future__ import annotations

import random
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx

from services.insight.main import InsightService, build
from services.insight.settings import Settings
from shared.events import intake, router
from shared.time_source import ManualTime
from shared.vocabulary import Impact, Lane, Priority, Urgency
from tests.harness.insight import Telling, as_message, directory, lives
from tests.harness.services import at_work, key_ring
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from shared.events.base import Envelope, EventData


@dataclass(slots=True)
class Site:
    """Insight with something to show, and a browser-like client."""

    world: World
    insight: InsightService
    client: httpx.AsyncClient
    key: str

    async def hear(self, said: Sequence[Envelope[EventData]]) -> None:
        """Publish events."""
        await self.world.bus.publish([as_message(envelope) for envelope in said])
        await self.world.settled()

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Get a page or an answer of the API, with the key."""
        return await self.client.get(
            path, headers={"Authorization": f"Bearer {self.key}", **headers}
        )

    async def json(self, path: str, **headers: str) -> Any:
        """Get an answer of the API that must be well."""
        answer = await self.get(path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def site_at_work(
    folder: Path, host: str = "board.example", pace: ManualTime | None = None, **options: Any
) -> AsyncIterator[Site]:
    """Run insight with the lives of forty requests."""
    world = new_world()
    url = f"sqlite+aiosqlite:///{folder / 'insight.db'}"
    insight = build(Settings(database_url=url, is_durable=False, **options), world.given, pace)
    ring, key = key_ring(folder, world, ("board:read",))
    async with at_work(insight, world):
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(insight.app(ring), raise_app_exceptions=False),
            base_url=f"http://{host}",
        )
        site = Site(world, insight, client, key)
        now = world.time.now()
        said = lives(random.Random(2), world.ids, 40, now, timedelta(days=3))
        await site.hear([*directory(world.ids, now), *said])
        async with client:
            yield site


def one_request(world: World, title: str, number: str = "R-2026-900001") -> Telling:
    """Return a request that was posted and routed."""
    telling, now = Telling(world.ids, world.ids.new()), world.time.now()
    about: dict[str, Any] = {
        "number": number,
        "request_type": "incident",
        "domain": "IT",
        "channel": "portal",
    }
    telling.say(
        intake.RequestSubmitted(
            **about,
            source=title,
            external_id="EXT-7",
            requester=intake.Requester(id="u1"),
            urgency=Urgency.LOW,
            impact=Impact.LOW,
            title=title,
        ),
        now,
    )
    telling.say(
        router.RequestRouted(
            **about,
            customer_tier="standard",
            priority=Priority.P1,
            lane=Lane.STANDARD,
            team="it-service-desk",
            submitted_at=now,
            process="p",
            process_version=1,
            instance_id=world.ids.new(),
        ),
        now,
    )
    return telling
