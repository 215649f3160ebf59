"""A process that comes to its end closes its request, whoever moved it there."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

import pytest

from shared.events.intake import MessagePosted
from shared.vocabulary import AuthorKind
from tests.harness.services import published
from tests.harness.world import new_world
from tests.integration.test_router import BPMN, a_request
from tests.integration.test_router_jobs import STANDARD, drawn
from tests.unit.router.workflow.builders import (
    BEGIN,
    catch,
    ends,
    message,
    path,
    script,
    timer,
    user,
    xml,
)

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

    from tests.harness.world import World

_WORDS = "".join(
    f'<bpmn:message id="M_{name}" name="{name}"/>'
    for name in ("responded", "resolved", "assigned", "waiting_ended", "reopened")
)


def waits_for(event: str) -> bytes:
    """Draw a process that ends with one event."""
    return xml(
        BEGIN,
        catch("it", event),
        ends("e"),
        path("begin", "it", "e"),
        roots=_WORDS,
        process=STANDARD,
    )


async def change(api: httpx.AsyncClient, world: World, request: Any, kind: str, **told: Any) -> Any:
    answer = await api.post(f"/router/v1/requests/{request}/changes", json={"change": kind, **told})
    assert answer.status_code == 200, answer.text
    await world.settled()
    return answer.json()


def endings(world: World) -> list[tuple[str, Any]]:
    """Return what was said of the end, in order."""
    wanted = ("request.resolved.v1", "request.closed.v1", "process.ended.v1")
    told = published(world, "router", *wanted)
    return [(e["type"], e["data"].get("reason") or e["data"].get("resolution")) for e in told]


CLOSED = [
    ("process.ended.v1", None),
    ("request.resolved.v1", "closed"),
    ("request.closed.v1", "process"),
]


async def test_one_that_runs_to_its_end_at_once_closes_its_request(tmp_path: Path) -> None:
    at_once = xml(
        BEGIN,
        script("count", "=1 + 1", "two"),
        ends("e"),
        path("begin", "count", "e"),
        process=STANDARD,
    )
    world = new_world()
    async with drawn(tmp_path, world, at_once) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)

        assert endings(world) == CLOSED
        assert (await api.get(f"/router/v1/requests/{request}")).json()["state"] == "closed"


async def test_one_that_a_timer_ends_closes_its_request(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, waits_for(timer("PT1H"))) as (intake, _):
        await intake.say(a_request(), world.ids.new())
        assert endings(world) == []
        await world.pass_time(3601)

        assert endings(world) == CLOSED


async def test_one_that_an_answer_to_the_requester_ends_closes_its_request(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, waits_for(message("M_responded"))) as (intake, _):
        request = world.ids.new()
        await intake.say(a_request(), request)
        answer = MessagePosted(
            message_id=world.ids.new(),
            author=AuthorKind.AGENT,
            author_id="liu.yang",
            channel="portal",
            text="done",
            is_effective=True,
        )
        await intake.say(answer, request)

        assert endings(world) == CLOSED


async def test_one_that_ends_by_being_told_so_closes_after_all_was_told(tmp_path: Path) -> None:
    """What was said of the request comes first, in its order, and then that it is over."""
    world = new_world()
    async with drawn(tmp_path, world, waits_for(message("M_waiting_ended"))) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        await change(api, world, request, "wait", reason="supplier")
        told = await change(api, world, request, "resolve", reason="replaced", by="liu.yang")

        assert told["state"] == "closed"
        assert endings(world) == [
            ("process.ended.v1", None),
            ("request.resolved.v1", "replaced"),
            ("request.closed.v1", "process"),
        ]


@pytest.mark.parametrize("word", ["resolved", "assigned"])
async def test_one_that_ends_by_what_an_agent_does_closes_its_request(
    tmp_path: Path, word: str
) -> None:
    kind = {"resolved": "resolve", "assigned": "assign"}[word]
    told = {"assignee": "liu.yang"} if kind == "assign" else {}
    world = new_world()
    async with drawn(tmp_path, world, waits_for(message(f"M_{word}"))) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        await change(api, world, request, kind, **told)

        assert endings(world)[-1] == ("request.closed.v1", "process")
        assert len(endings(world)) == 3


async def test_a_lane_whose_process_ends_at_once_closes_the_request(tmp_path: Path) -> None:
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    green = xml(
        BEGIN, ends("e"), path("begin", "e"), process='id="green-channel" isExecutable="true"'
    )
    (definitions / "green-channel.bpmn").write_bytes(green)
    review = xml(BEGIN, ends("e"), path("begin", "e"), process='id="review" isExecutable="true"')
    (definitions / "review.bpmn").write_bytes(review)
    work = xml(
        BEGIN, user("work", '="triage"'), ends("e"), path("begin", "work", "e"), process=STANDARD
    )
    world = new_world()
    async with drawn(tmp_path, world, work) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        await change(
            api, world, request, "change_lane", lane="green", by="gao.fei", reason="in danger"
        )

        # The green channel owes a review: it is resolved, and whoever drew no review is told.
        told = (await api.get(f"/router/v1/requests/{request}")).json()
        assert told["state"] == "resolved"
        raised = published(world, "router", "incident.raised.v1")
        assert [e["data"]["code"] for e in raised] == ["review-not-drawn"]
