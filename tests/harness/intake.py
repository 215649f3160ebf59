"""Intake in a small world, with the router and the clock played by the test."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from hashlib import sha256
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.intake.main import IntakeService, build
from services.intake.settings import Settings
from shared.events.clock import ClockStarted, Promise
from shared.events.router import DefinitionReleased, RequestResolved, RequestRouted
from shared.vocabulary import Lane, Metric, Priority
from tests.harness.services import Neighbour, at_work, caller, key_ring, published

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from tests.harness.world import World

CATALOGUE = """
key: catalogue
types:
  - key: it-access
    name: {zh-CN: 账号与权限, en: Account and access}
    domain: it
    form:
      type: object
      properties:
        system: {type: string, minLength: 1, maxLength: 200}
        level: {type: string, enum: [read, write, admin]}
        seats: {type: integer, minimum: 1}
        code: {type: string, pattern: "^[A-Z]{2}-[0-9]+$"}
      required: [system]
      additionalProperties: false
  - key: question
    name: {zh-CN: 咨询, en: Question}
    domain: hr
  - key: fax
    name: {zh-CN: 传真, en: Fax}
    domain: hr
    is_open: false
"""


@dataclass(slots=True)
class Intake:
    """The service under test and those around it."""

    world: World
    service: IntakeService
    api: httpx.AsyncClient
    router: Neighbour
    clock: Neighbour

    async def post(self, path: str = "requests", **parts: Any) -> httpx.Response:
        """POST below /intake/v1; `key` becomes the Idempotency-Key, the rest the body."""
        headers = {"Idempotency-Key": key} if (key := parts.pop("key", None)) else {}
        return await self.api.post(f"/intake/v1/{path}", json=parts, headers=headers)

    async def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET below /intake/v1 that succeeds."""
        answer = await self.api.get(f"/intake/v1/{path}", params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    async def new(self, **changed: Any) -> str:
        """Post a request and return its id."""
        answer = await self.post(**{**a_post(), **changed})
        assert answer.status_code == 201, answer.text
        await self.world.settled()
        return str(answer.json()["id"])

    async def resolved(self, request_id: str) -> None:
        """Let the router route and resolve the request."""
        await self.router.say(a_routing(self.world), request_id)
        await self.router.say(RequestResolved(resolution="done"), request_id)

    async def release(self, content: str | None = CATALOGUE, version: int = 1) -> None:
        """Let the router release a catalogue."""
        await self.router.say(a_catalogue(content, version), "catalogue/catalogue")

    def said(self, *types: str) -> list[dict[str, Any]]:
        """Return what intake has published."""
        return published(self.world, "intake", *types)


@asynccontextmanager
async def intake_at_work(
    url: str,
    folder: Path,
    world: World,
    *,
    scopes: tuple[str, ...] = ("*",),
    has_catalogue: bool = True,
    **settings: Any,
) -> AsyncIterator[Intake]:
    """Run intake on the database at `url`."""
    service = build(Settings(database_url=url, is_durable=False, **settings), world.given)
    ring, key = key_ring(folder, world, scopes)
    async with at_work(service, world), caller(service, ring, key) as api:
        intake = Intake(world, service, api, Neighbour(world, "router"), Neighbour(world, "clock"))
        if has_catalogue:
            await intake.release()
        yield intake


def a_post(**changed: Any) -> dict[str, Any]:
    """Return the body of a valid post."""
    return {
        "type": "it-access",
        "source": "portal",
        "channel": "portal",
        "requester": {"id": "emp-1", "name": "王芳", "tier": "vip"},
        "title": "开通财务系统权限",
        "form": {"system": "finance"},
        **changed,
    }


def a_catalogue(content: str | None, version: int = 1) -> DefinitionReleased:
    """Return a release of the catalogue."""
    return DefinitionReleased(
        kind="catalogue",
        key="catalogue",
        version=version,
        content_hash=sha256((content or "").encode()).hexdigest(),
        content=content,
        released_by="owner",
    )


def a_routing(world: World, **changed: Any) -> RequestRouted:
    """Return what the router says first of a request."""
    return RequestRouted(
        **{
            "number": "R-2026-000001",
            "request_type": "it-access",
            "domain": "it",
            "channel": "portal",
            "customer_tier": "vip",
            "priority": Priority.P2,
            "lane": Lane.STANDARD,
            "team": "it-desk",
            "submitted_at": world.time.now(),
            "process": "standard-path",
            "process_version": 1,
            "instance_id": UUID(int=7),
            **changed,
        }
    )


def a_promise(world: World, clock: int = 1, **changed: Any) -> Promise:
    """Return a clock as it starts: first response within half an hour."""
    return Promise(
        **{
            "clock_id": UUID(int=clock),
            "metric": Metric.FIRST_RESPONSE,
            "target_s": 1800.0,
            "calendar": "office",
            "calendar_version": 1,
            "started_at": world.time.now(),
            "due_at": world.time.now() + timedelta(minutes=30),
            "thresholds_percent": (75,),
            "explanation": {"decision": "targets", "version": 3, "rules": ["P2"]},
            **changed,
        }
    )


def a_start(world: World, **changed: Any) -> ClockStarted:
    """Return the clock's first word about a request."""
    return ClockStarted(clocks=(a_promise(world, **changed),))
