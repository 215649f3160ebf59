"""Requests given to somebody by the table of assignment, on real databases; else they wait."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from services.router.main import build
from services.router.settings import Settings
from shared.vocabulary import Impact, Urgency
from tests.harness.services import Neighbour, at_work, caller, key_ring, published
from tests.harness.world import World, new_world
from tests.integration.test_router import BPMN, a_request

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from uuid import UUID

    import httpx

_DIRECTORY = """
people:
  - {id: ann, name: Ann, skills: [sap]}
  - {id: bob, name: Bob, capacity: 1}
  - {id: cai, name: Cai, shift: office-cn}
  - {id: wang, name: Wang}
teams:
  - {id: it-service-desk, name: {en: Desk}, members: [ann, bob, cai], lead: wang}
  - {id: it-infrastructure, name: {en: Servers}, members: [ann], lead: wang}
"""
_ROW = ['"queue"', "null", "false", "null", "null", "null"]


def rule(**told: str) -> list[str]:
    """Return the outputs of the last row: what is not told stays as shipped."""
    names = ("strategy", "skill", "on_shift", "capacity", "again_after", "related")
    return [told.get(name, was) for name, was in zip(names, _ROW, strict=True)]


@asynccontextmanager
async def desk(
    folder: Path, url: str, world: World, outputs: list[str]
) -> AsyncIterator[tuple[Neighbour, httpx.AsyncClient]]:
    """Run a router whose table of assignment answers `outputs` for everything."""
    definitions = folder / "bpmn"
    shutil.copytree(BPMN, definitions)
    file = definitions / "assignment.dmn"
    text = file.read_text(encoding="utf-8")
    for number, output in enumerate(outputs, start=1):
        head = f'<outputEntry id="assignment_otherwise_output_{number}">'
        before, rest = text.split(head)
        text = f"{before}{head}\n          <text>{output}</text>{rest[rest.index('</text>') + 7 :]}"
    file.write_text(text, encoding="utf-8")
    settings = Settings(database_url=url, definitions_folder=definitions, is_durable=False)
    service = build(settings, world.given)
    ring, key = key_ring(folder, world)
    async with at_work(service, world), caller(service, ring, key) as api:
        told = await api.put("/router/v1/directory", content=_DIRECTORY.encode())
        assert told.is_success, told.text
        yield Neighbour(world, "intake"), api


async def ask(world: World, intake: Neighbour, count: int = 1, **changed: Any) -> list[UUID]:
    """Post requests one after the other; let what follows happen."""
    ids = []
    for _ in range(count):
        ids.append(world.ids.new())
        await intake.say(a_request(impact=Impact.LOW, **changed), ids[-1])
        await world.pass_time(1)
    return ids


def given(world: World) -> list[str]:
    """Return whom requests were given to, in order."""
    return [e["data"]["assignee"] for e in published(world, "router", "request.assigned.v1")]


async def test_as_shipped_a_request_waits_in_its_teams_queue(tmp_path: Path) -> None:
    world = new_world()
    async with desk(tmp_path, f"sqlite+aiosqlite:///{tmp_path}/r.db", world, rule()) as (intake, _):
        await ask(world, intake)

        assert given(world) == []


async def test_the_least_loaded_gets_it_within_capacity_and_the_event_says_why(
    tmp_path: Path, database_url: str
) -> None:
    world = new_world()
    outputs = rule(strategy='"least_loaded"', capacity="2")
    async with desk(tmp_path, database_url, world, outputs) as (intake, api):
        ids = await ask(world, intake, 6)

        # Bob takes one at once, the others two; the sixth waits in the queue.
        assert given(world) == ["ann", "bob", "cai", "ann", "cai"]
        last = published(world, "router", "request.assigned.v1")[-1]["data"]
        assert (last["strategy"], last["assigned_by"]) == ("least_loaded", None)
        assert {c["person"]: (c["load"], c["ruled_out"]) for c in last["considered"]} == {
            "ann": (2, "full"),
            "bob": (1, "full"),
            "cai": (1, None),
        }
        assert last["explanation"][0]["matched_rules"] == ["assignment_otherwise"]
        items = (await api.get(f"/router/v1/requests/{ids[0]}")).json()["work_items"]
        assert [(i["state"], i["assignee"]) for i in items] == [("claimed", "ann")]
        waiting = (await api.get(f"/router/v1/requests/{ids[5]}")).json()
        assert waiting["assignee"] is None


async def test_in_turn_goes_round_also_after_a_restart(tmp_path: Path, database_url: str) -> None:
    world = new_world()
    outputs = rule(strategy='"round_robin"')
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    async with desk(tmp_path / "1", database_url, world, outputs) as (intake, _):
        await ask(world, intake)
    async with desk(tmp_path / "2", database_url, world, outputs) as (_, _api):
        await ask(world, intake, 2)

        # Bob's hands are full with one.
        assert given(world) == ["ann", "bob", "cai"]


async def test_what_is_given_back_goes_to_somebody_else_of_the_team(tmp_path: Path) -> None:
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path}/r.db"
    async with desk(tmp_path, url, world, rule(strategy='"least_loaded"')) as (intake, api):
        [request] = await ask(world, intake)
        found = (await api.get(f"/router/v1/requests/{request}")).json()
        item = found["work_items"][0]["id"]
        body = {"by": "ann", "reason": "not my field"}
        given_back = await api.post(f"/router/v1/work-items/{item}/return", json=body)
        await world.pass_time(1)

        assert given_back.status_code == 200, given_back.text
        assert given(world) == ["ann", "bob"]
        [told] = published(world, "router", "request.unassigned.v1")
        assert (told["data"]["from_assignee"], told["data"]["reason"]) == ("ann", "returned")
        last = published(world, "router", "request.assigned.v1")[-1]["data"]
        assert {c["person"]: c["ruled_out"] for c in last["considered"]}["ann"] == "gave_it_back"


async def test_only_who_can_and_is_on_shift_is_asked_and_later_again(tmp_path: Path) -> None:
    # 17:00 in Shanghai; an hour later cai's shift is over.
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path}/r.db"
    outputs = rule(strategy='"least_loaded"', on_shift="true", capacity="1", again_after='"PT30M"')
    async with desk(tmp_path, url, world, outputs) as (intake, api):
        await world.pass_time(timedelta(hours=2).total_seconds())
        first, _, third = await ask(world, intake, 3)
        assert given(world) == ["ann", "bob"]

        await api.post(f"/router/v1/requests/{first}/changes", json={"change": "resolve"})
        await world.pass_time(timedelta(minutes=31).total_seconds())

        assert given(world) == ["ann", "bob", "ann"]
        assert (await api.get(f"/router/v1/requests/{third}")).json()["assignee"] == "ann"


async def test_after_an_outage_the_shift_of_now_counts_and_not_that_of_then(
    tmp_path: Path,
) -> None:
    # At 17:00 in Shanghai only cai would be free; the next look comes when her shift is over.
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path}/r.db"
    outputs = rule(strategy='"least_loaded"', on_shift="true", capacity="1", again_after='"PT30M"')
    (tmp_path / "1").mkdir()
    (tmp_path / "2").mkdir()
    async with desk(tmp_path / "1", url, world, outputs) as (intake, api):
        busy = await ask(world, intake, 4)
        assert sorted(given(world)) == ["ann", "bob", "cai"]
        assert (await api.get(f"/router/v1/requests/{busy[3]}")).json()["assignee"] is None
        cais = busy[given(world).index("cai")]
        await api.post(f"/router/v1/requests/{cais}/changes", json={"change": "resolve"})
    world.time.advance_to(world.time.now() + timedelta(hours=12))

    async with desk(tmp_path / "2", url, world, outputs):
        await world.settled()

        assert len(given(world)) == 3


async def test_a_skill_is_needed_and_a_handover_asks_the_new_team(tmp_path: Path) -> None:
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path}/r.db"
    async with desk(tmp_path, url, world, rule(strategy='"round_robin"', skill='"sap"')) as (
        intake,
        api,
    ):
        [request] = await ask(world, intake)
        body = {"change": "hand_over", "team": "it-infrastructure", "reason": "a server"}
        await api.post(f"/router/v1/requests/{request}/changes", json=body)
        await world.pass_time(1)

        assert given(world) == ["ann", "ann"]
        assert published(world, "router", "request.assigned.v1")[1]["data"]["team"] == (
            "it-infrastructure"
        )


async def test_the_owner_of_the_related_request_gets_it_as_shipped(tmp_path: Path) -> None:
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path}/r.db"
    async with desk(tmp_path, url, world, rule()) as (intake, api):
        [old] = await ask(world, intake)
        body = {"change": "assign", "assignee": "cai"}
        await api.post(f"/router/v1/requests/{old}/changes", json=body)

        await ask(world, intake, number="R-2026-000002", form={"related": "R-2026-000001"})
        await ask(world, intake, number="R-2026-000003", form={"related": "R-2026-999999"})

        assert given(world) == ["cai", "cai", "ann"]


async def test_a_table_that_cannot_be_read_leaves_the_queue_and_an_incident(
    tmp_path: Path,
) -> None:
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path}/r.db"
    outputs = rule(strategy='"least_loaded"', again_after='"half an hour"')
    async with desk(tmp_path, url, world, outputs) as (intake, _):
        await ask(world, intake, urgency=Urgency.LOW)

        assert given(world) == []
        [incident] = published(world, "router", "incident.raised.v1")
        assert incident["data"]["code"] == "assignment-failed"
