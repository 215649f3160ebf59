"""Two replicas of the router on one PostgreSQL release one after the other."""

from __future__ import annotations

import asyncio
from contextlib import AsyncExitStack
from typing import TYPE_CHECKING

import pytest

from services.router.main import RouterService, build
from services.router.settings import Settings
from tests.harness.services import at_work, caller, key_ring
from tests.harness.world import new_world
from tests.integration.test_router import BPMN
from tests.integration.test_router_releases import (
    APPLY,
    DECISION,
    calling,
    file,
    priority,
    table,
    versions,
    whole,
)

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

pytestmark = pytest.mark.postgres


async def replicas(
    stack: AsyncExitStack, url: str, folder: Path
) -> tuple[httpx.AsyncClient, httpx.AsyncClient]:
    made = []
    for seed in (1, 2):
        world = new_world(seed)
        service: RouterService = build(
            Settings(database_url=url, definitions_folder=BPMN), world.given
        )
        (folder / str(seed)).mkdir()
        ring, key = key_ring(folder / str(seed), world)
        await stack.enter_async_context(at_work(service, world))
        made.append(await stack.enter_async_context(caller(service, ring, key)))
    return made[0], made[1]


async def test_who_is_first_wins_and_what_would_be_wrong_together_is_refused(
    postgres_url: str, tmp_path: Path
) -> None:
    async with AsyncExitStack() as stack:
        one, two = await replicas(stack, postgres_url, tmp_path)
        for number in range(3):
            headers = {"If-Match": f'"{number + 1}"'}
            place = f"/router/v1/definitions/{DECISION}"
            raced = await asyncio.gather(
                one.put(place, content=f"{priority()}<!-- {number} -->", headers=headers),
                two.put(place, content=f"{priority()}<!-- or {number} -->", headers=headers),
            )
            assert sorted(answer.status_code for answer in raced) == [200, 412]

        for number in range(4):
            assert sorted(await raced_apart(one, two, f"other{number}")) == [200, 422]
        assert await versions(one) == await versions(two)


async def raced_apart(one: httpx.AsyncClient, two: httpx.AsyncClient, name: str) -> tuple[int, int]:
    """Let one begin to ask a decision while the other takes it away; return both answers."""
    more = f"{name}_more"
    both = file("decision", name, table(name, more))
    begun = await one.post(APPLY, json={"files": [*whole(), both]})
    assert begun.status_code == 200, begun.text
    asks = calling("shared-step").replace('decisionId="speed"', f'decisionId="{more}"')
    wanted = (
        (one, file("process", "standard-path", asks)),
        (two, file("decision", name, table(name))),
    )
    for api, each in wanted:
        # Each is right alone; and both have looked, so that they check at the same time.
        alone = await api.post(APPLY, json={"files": [each], "is_dry_run": True})
        assert alone.status_code == 200, alone.text
    answers = await asyncio.gather(
        *(api.post(APPLY, json={"files": [each]}) for api, each in wanted)
    )
    return answers[0].status_code, answers[1].status_code
