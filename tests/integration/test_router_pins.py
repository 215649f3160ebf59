"""A running request keeps the diagram, the called processes and the tables it started with."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tests.harness.services import published
from tests.harness.world import new_world
from tests.integration.test_router import BPMN, a_request, router
from tests.unit.router.workflow.builders import (
    BEGIN,
    LATE,
    ends,
    flow,
    node,
    path,
    rule,
    user,
    xml,
)

if TYPE_CHECKING:
    from uuid import UUID

    import httpx

    from tests.harness.world import World

STANDARD = 'id="standard-path" isExecutable="true"'
SHARED = 'id="shared-step" isExecutable="true"'


def asks(first: str) -> bytes:
    """First a person, then a called process, then a table says which way to go."""
    return xml(
        BEGIN,
        user(first, '="triage"'),
        node("callActivity", "shared", calledElement="shared-step"),
        rule("ask", "team", "owner"),
        node("exclusiveGateway", "which", default="other"),
        user("desk", '="triage"'),
        user("elsewhere", '="triage"'),
        ends("e"),
        path("begin", first, "shared", "ask", "which"),
        flow("which", "desk", '=owner = "it-service-desk"'),
        flow("which", "elsewhere", "", "other"),
        path("desk", "e"),
        path("elsewhere", "e"),
        process=STANDARD,
    )


def shared(element: str) -> bytes:
    return xml(
        BEGIN, user(element, '="triage"'), ends("e"), path("begin", element, "e"), process=SHARED
    )


async def at_hand(api: httpx.AsyncClient, request_id: UUID) -> list[dict[str, Any]]:
    told = (await api.get("/router/v1/work-items?team=triage")).json()["items"]
    return [
        item
        for item in told
        if item["request_id"] == str(request_id) and item["state"] in ("open", "claimed")
    ]


async def do(api: httpx.AsyncClient, request_id: UUID, element: str, world: World) -> None:
    """Complete the one open work item of a request, which must be this element's."""
    (item,) = await at_hand(api, request_id)
    assert item["element_id"] == element
    by = {"by": "li.na"}
    done = await api.post(f"/router/v1/work-items/{item['id']}/complete", json=by | {"result": {}})
    assert done.status_code == 200, done.text
    await world.settled()


async def test_the_next_request_goes_the_new_way_and_a_running_one_the_old_without_restart(
    tmp_path: Path,
) -> None:
    world = new_world()
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    (definitions / "standard-path.bpmn").write_bytes(asks("first"))
    (definitions / "shared-step.bpmn").write_bytes(shared("step"))
    async with router(tmp_path, world, definitions) as (intake, api):
        old, new = world.ids.new(), world.ids.new()
        await intake.say(a_request(), old)

        table = (definitions / "team.dmn").read_text(encoding="utf-8")
        assert '"it-service-desk"' in table
        (definitions / "team.dmn").write_text(
            table.replace('"it-service-desk"', '"it-applications"')
        )
        (definitions / "standard-path.bpmn").write_bytes(asks("begins"))
        (definitions / "shared-step.bpmn").write_bytes(shared("other-step"))
        reloaded = (await api.post("/router/v1/definitions/reload")).json()
        assert reloaded == {"released": 3, "refused": []}
        await intake.say(a_request(number="R-2026-000002"), new)

        for element in ("first", "shared-step:step", "desk"):
            await do(api, old, element, world)
        for element in ("begins", "shared-step:other-step", "elsewhere"):
            await do(api, new, element, world)

        assert await at_hand(api, old) == await at_hand(api, new) == []
        assert len(published(world, "router", "process.ended.v1")) == 2


async def test_an_instance_of_older_versions_is_found_again_after_a_restart(tmp_path: Path) -> None:
    world = new_world()
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    (definitions / "standard-path.bpmn").write_bytes(asks("first"))
    (definitions / "shared-step.bpmn").write_bytes(shared("step"))
    request = world.ids.new()
    async with router(tmp_path, world, definitions) as (intake, api):
        await intake.say(a_request(), request)
        await do(api, request, "first", world)
    table = (definitions / "team.dmn").read_text(encoding="utf-8")
    (definitions / "team.dmn").write_text(table.replace('"it-service-desk"', '"it-applications"'))
    (definitions / "shared-step.bpmn").write_bytes(shared("other-step"))

    async with router(tmp_path, world, definitions) as (_, api):
        await do(api, request, "shared-step:step", world)
        await do(api, request, "desk", world)


async def test_a_called_process_cannot_be_changed_so_that_its_callers_break(tmp_path: Path) -> None:
    world = new_world()
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    (definitions / "standard-path.bpmn").write_bytes(asks("first"))
    (definitions / "shared-step.bpmn").write_bytes(shared("step"))
    async with router(tmp_path, world, definitions) as (_, api):
        circle = xml(
            BEGIN,
            node("callActivity", "x", calledElement="standard-path"),
            ends("e"),
            path("begin", "x", "e"),
            process=SHARED,
        )
        (definitions / "shared-step.bpmn").write_bytes(circle)

        told = (await api.post("/router/v1/definitions/reload")).json()

        (refused,) = told["refused"]
        assert refused["findings"][0]["rule"] == "call-cycle"


async def test_an_escalation_of_a_diagram_is_told_to_the_outside(tmp_path: Path) -> None:
    world = new_world()
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    drawn = xml(
        BEGIN,
        node("intermediateThrowEvent", "late", LATE),
        user("u", '="triage"'),
        ends("e"),
        path("begin", "late", "u", "e"),
        process=STANDARD,
    )
    (definitions / "standard-path.bpmn").write_bytes(drawn)
    async with router(tmp_path, world, definitions) as (intake, _):
        await intake.say(a_request(), world.ids.new())

        [moved] = published(world, "router", "process.moved.v1")

        assert moved["data"]["escalations"] == [
            {"element_id": "late", "code": "LATE", "name": "late", "is_handled": False}
        ]
