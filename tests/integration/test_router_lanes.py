"""Lanes and authority in the router: diagrams ask, people answer, the rules say who may.

The diagrams here are as small as can be; those that ship are walked in tests/journey.
"""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from shared.events.intake import RequestConfirmed, Requester, RequestWithdrawn
from tests.harness.services import Neighbour, published
from tests.harness.world import World, new_world
from tests.integration.test_router import BPMN, a_request, router
from tests.unit.router.workflow.builders import (
    BEGIN,
    boundary,
    ends,
    flow,
    message,
    node,
    path,
    xml,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from uuid import UUID

    import httpx

_LANES = (
    '<bpmn:escalation id="X_green" name="too urgent" escalationCode="lane:green"/>'
    '<bpmn:escalation id="X_standard" name="not urgent" escalationCode="lane:standard"/>'
    '<bpmn:escalation id="X_nowhere" name="off" escalationCode="lane:nowhere"/>'
    '<bpmn:message id="M_waiting" name="waiting_started"/>'
    '<bpmn:message id="M_resolved" name="resolved"/>'
)


def task(name: str, groups: str, **headers: str) -> str:
    """Draw a user task for `groups`, with task headers."""
    told = "".join(f'<zeebe:header key="{key}" value="{value}"/>' for key, value in headers.items())
    assigned = f'<zeebe:assignmentDefinition candidateGroups="{groups}"/>'
    inner = f"{assigned}<zeebe:taskHeaders>{told}</zeebe:taskHeaders>"
    return node("userTask", name, f"<bpmn:extensionElements>{inner}</bpmn:extensionElements>")


def throws(name: str, escalation: str) -> str:
    """Draw an end that throws an escalation."""
    event = f'<bpmn:escalationEventDefinition escalationRef="{escalation}"/>'
    return node("endEvent", name, event)


def drawn(process: str, *parts: str) -> bytes:
    """Draw a process of a lane."""
    return xml(*parts, roots=_LANES, process=f'id="{process}" isExecutable="true"')


#: Somebody with authority decides, then the team works.
DECIDED_FIRST = drawn(
    "standard-path",
    BEGIN,
    task("decide", "lead", decides="yes", excludes="requester"),
    task("handle", "triage", completes="resolved"),
    ends("e"),
    path("begin", "decide", "handle", "e"),
)
#: The team works; a wait makes it urgent.
WORK = drawn(
    "standard-path",
    BEGIN,
    task("handle", "triage", completes="resolved"),
    boundary("waits", "handle", message("M_waiting"), interrupts=False),
    boundary("solved", "handle", message("M_resolved")),
    ends("e"),
    throws("urgent", "X_green"),
    path("begin", "handle", "e"),
    flow("waits", "urgent"),
    flow("solved", "e", name="f_solved"),
)
GREEN = drawn(
    "green-channel",
    BEGIN,
    task("act", "triage", completes="resolved"),
    task("look_back", "manager", completes="reviewed", excludes="requester,decider"),
    ends("e"),
    path("begin", "act", "look_back", "e"),
)
REVIEW = drawn(
    "review",
    BEGIN,
    task("look_back", "manager", completes="reviewed", excludes="requester"),
    ends("e"),
    path("begin", "look_back", "e"),
)


@asynccontextmanager
async def house(
    tmp_path: Path, world: World, **diagrams: bytes
) -> AsyncIterator[tuple[Neighbour, httpx.AsyncClient]]:
    """Run a router on the shipped definitions with these diagrams instead, and no lane table."""
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    (definitions / "lane.dmn").unlink(missing_ok=True)
    for drawing in definitions.glob("*.bpmn"):
        drawing.unlink()
    for name, diagram in diagrams.items():
        (definitions / f"{name.replace('_', '-')}.bpmn").write_bytes(diagram)
    async with router(tmp_path, world, definitions) as (intake, api):
        yield intake, api


async def open_work(api: httpx.AsyncClient, request_id: UUID) -> dict[str, dict[str, Any]]:
    """Return the open work items of a request by their elements."""
    told = (await api.get(f"/router/v1/requests/{request_id}")).json()
    return {i["element_id"]: i for i in told["work_items"] if i["state"] in ("open", "claimed")}


async def shown(api: httpx.AsyncClient, request_id: UUID) -> dict[str, Any]:
    told: dict[str, Any] = (await api.get(f"/router/v1/requests/{request_id}")).json()
    return told


async def complete(
    api: httpx.AsyncClient, request_id: UUID, element: str, by: str | None, **result: Any
) -> httpx.Response:
    """Complete an open work item."""
    item = (await open_work(api, request_id))[element]
    body = {"by": by, "result": result} if by else {"result": result}
    return await api.post(f"/router/v1/work-items/{item['id']}/complete", json=body)


async def change(api: httpx.AsyncClient, request_id: UUID, change: str, **given: Any) -> Any:
    """Change a request; return the answer."""
    body = {"change": change, **given}
    return await api.post(f"/router/v1/requests/{request_id}/changes", json=body)


async def test_a_lead_decides_with_a_reason_and_everybody_hears_who_and_why(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with house(tmp_path, world, standard_path=DECIDED_FIRST) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        item = (await open_work(api, request_id))["decide"]
        early = await change(api, request_id, "resolve", by="li.na")
        without = await complete(api, request_id, "decide", "wang.wei", decision="approved")
        nobody = await complete(api, request_id, "decide", None, decision="approved", reason="x")
        member = await complete(api, request_id, "decide", "li.na", decision="approved", reason="x")

        done = await complete(
            api, request_id, "decide", "wang.wei", decision="approved", reason="payroll is due"
        )
        await world.settled()

        assert (item["candidate_users"], item["purpose"]) == (["wang.wei"], "decision")
        assert (early.status_code, early.json()["code"]) == (409, "decision-pending")
        assert without.status_code == nobody.status_code == 422
        assert [e["path"] for e in without.json()["errors"]] == ["/result/reason"]
        assert [e["path"] for e in nobody.json()["errors"]] == ["/by"]
        assert (member.status_code, member.json()["code"]) == (409, "not-a-candidate")
        assert done.status_code == 200
        [decided] = published(world, "router", "request.decided.v1")
        assert decided["data"]["decided_by"] == "wang.wei"
        assert decided["data"]["reason"] == "payroll is due"
        # Deciding is not owning: the request stays with its team, and nobody by name.
        assert (await shown(api, request_id))["assignee"] is None
        assert published(world, "router", "request.assigned.v1") == []
        assert list(await open_work(api, request_id)) == ["handle"]


async def test_nobody_decides_their_own_and_the_next_up_the_line_is_asked(tmp_path: Path) -> None:
    world = new_world()
    async with house(tmp_path, world, standard_path=DECIDED_FIRST) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(requester=Requester(id="wang.wei")), request_id)
        item = (await open_work(api, request_id))["decide"]
        path = f"/router/v1/work-items/{item['id']}"

        claimed = await api.post(f"{path}/claim", json={"by": "wang.wei"})
        completed = await complete(
            api, request_id, "decide", "wang.wei", decision="approved", reason="mine"
        )

        assert item["candidate_users"] == ["gao.fei"]
        for refused in (claimed, completed):
            assert (refused.status_code, refused.json()["code"]) == (403, "own-decision")
            assert "不得审批" in refused.json()["sentences"]["zh-CN"]
        assert (await api.post(f"{path}/claim", json={"by": "gao.fei"})).status_code == 200


async def test_a_review_is_done_by_somebody_else_before_a_request_closes(tmp_path: Path) -> None:
    world = new_world()
    async with house(tmp_path, world, standard_path=DECIDED_FIRST, review=REVIEW) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        decision = {"decision": "approved", "reason": "x"}
        await complete(api, request_id, "decide", "wang.wei", **decision)
        for kind in ("close", "cancel"):
            refused = await change(api, request_id, kind, by="li.na")
            assert (refused.status_code, refused.json()["code"]) == (409, "review-owed")

        # The diagram is over with this, and has no review of its own.
        await complete(api, request_id, "handle", "li.na", resolution="fixed")
        await world.settled()

        held = await shown(api, request_id)
        assert (held["state"], held["review"], held["closing_deferred"]) == (
            "resolved",
            "owed",
            "process",
        )
        [told] = published(world, "router", "request.closing_deferred.v1")
        assert told["data"] == {"reason": "process", "waits_for": "review"}
        nothing = await complete(api, request_id, "look_back", "gao.fei")
        assert [e["path"] for e in nothing.json()["errors"]] == ["/result/conclusion"]
        lead = await complete(api, request_id, "look_back", "wang.wei", conclusion="fine")
        assert lead.json()["code"] == "not-a-candidate"

        await complete(api, request_id, "look_back", "gao.fei", conclusion="add a second node")
        await world.settled()

        assert (await shown(api, request_id))["state"] == "closed"
        [closed] = published(world, "router", "request.closed.v1")
        assert closed["data"]["reason"] == "process"


async def test_what_was_decided_and_is_withdrawn_is_reviewed_all_the_same(tmp_path: Path) -> None:
    world = new_world()
    async with house(tmp_path, world, standard_path=DECIDED_FIRST, review=REVIEW) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        await complete(api, request_id, "decide", "wang.wei", decision="approved", reason="x")

        await intake.say(RequestWithdrawn(), request_id)

        assert (await shown(api, request_id))["closing_deferred"] == "withdrawn"
        # This diagram does not listen to "resolved": its work goes on being open until it ends.
        await complete(api, request_id, "handle", "li.na")
        await world.settled()
        await complete(api, request_id, "look_back", "gao.fei", conclusion="too late anyway")
        await world.settled()
        [closed] = published(world, "router", "request.closed.v1")
        assert closed["data"]["reason"] == "withdrawn"


async def test_a_person_with_the_right_moves_a_request_and_the_old_instance_ends_cleanly(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with house(tmp_path, world, standard_path=WORK, green_channel=GREEN) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        await change(api, request_id, "assign", assignee="li.na", by="wang.wei")
        old = await shown(api, request_id)

        told = await change(
            api, request_id, "change_lane", lane="green", by="wang.wei", reason="the VIP is stuck"
        )
        await world.settled()

        now = await shown(api, request_id)
        assert told.status_code == 200
        assert (now["lane"], now["process"], now["review"]) == ("green", "green-channel", "owed")
        assert now["instance_id"] != old["instance_id"]
        assert (now["team"], now["assignee"]) == (old["team"], "li.na")
        states = {i["element_id"]: i["state"] for i in now["work_items"]}
        assert states == {"handle": "cancelled", "act": "claimed"}
        [changed] = published(world, "router", "request.lane_changed.v1")
        assert changed["data"]["old"] == "standard"
        assert changed["data"]["new"] == "green"
        assert changed["data"]["reason"] == "the VIP is stuck"
        assert (changed["data"]["cause"], changed["data"]["changed_by"]) == ("person", "wang.wei")
        [ended] = published(world, "router", "process.ended.v1")
        assert ended["data"] == {"instance_id": old["instance_id"], "outcome": "cancelled"}


async def test_a_change_of_lane_names_lane_and_reason_and_is_for_those_in_charge(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with house(tmp_path, world, standard_path=WORK, green_channel=GREEN) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(requester=Requester(id="wang.wei")), request_id)

        bare = await change(api, request_id, "change_lane", by="gao.fei", reason=" ")
        unknown = await change(api, request_id, "change_lane", lane="red", by="gao.fei", reason="x")
        own = await change(
            api, request_id, "change_lane", lane="green", by="wang.wei", reason="me first"
        )
        undrawn = await change(
            api, request_id, "change_lane", lane="exception", by="gao.fei", reason="x"
        )
        same = await change(
            api, request_id, "change_lane", lane="standard", by="gao.fei", reason="x"
        )
        await change(api, request_id, "resolve", by="li.na")
        late = await change(api, request_id, "change_lane", lane="green", by="gao.fei", reason="x")

        assert [e["path"] for e in bare.json()["errors"]] == ["/lane", "/reason"]
        assert unknown.status_code == 422
        assert (own.status_code, own.json()["code"]) == (403, "own-decision")
        assert (undrawn.status_code, undrawn.json()["code"]) == (409, "lane-not-drawn")
        assert (same.status_code, same.json()["lane"]) == (200, "standard")
        assert (late.status_code, late.json()["code"]) == (409, "not-in-this-state")
        assert published(world, "router", "request.lane_changed.v1") == []


async def test_a_diagram_moves_its_request_by_an_escalation(tmp_path: Path) -> None:
    world = new_world()
    async with house(tmp_path, world, standard_path=WORK, green_channel=GREEN) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)

        await change(api, request_id, "wait", reason="supplier")
        await world.settled()

        now = await shown(api, request_id)
        assert (now["lane"], now["state"], now["waiting_reason"]) == (
            "green",
            "waiting",
            "supplier",
        )
        [changed] = published(world, "router", "request.lane_changed.v1")
        assert (changed["data"]["cause"], changed["data"]["reason"]) == ("event", "too urgent")
        assert list(await open_work(api, request_id)) == ["act"]


async def test_lanes_that_send_a_request_round_in_a_circle_end_in_an_incident(
    tmp_path: Path,
) -> None:
    to_green = drawn("standard-path", BEGIN, throws("off", "X_green"), path("begin", "off"))
    back = drawn("green-channel", BEGIN, throws("off", "X_standard"), path("begin", "off"))
    world = new_world()
    async with house(tmp_path, world, standard_path=to_green, green_channel=back) as (intake, _):
        await intake.say(a_request(), world.ids.new())

        [incident] = published(world, "router", "incident.raised.v1")
        assert incident["data"]["code"] == "lane-not-changed"
        assert "circle" in incident["data"]["detail"]
        assert len(published(world, "router", "request.lane_changed.v1")) == 3


async def test_an_escalation_to_a_lane_nobody_knows_is_an_incident_and_loses_nothing(
    tmp_path: Path,
) -> None:
    lost = drawn("standard-path", BEGIN, throws("off", "X_nowhere"), path("begin", "off"))
    world = new_world()
    async with house(tmp_path, world, standard_path=lost) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)

        [incident] = published(world, "router", "incident.raised.v1")
        assert "nowhere" in incident["data"]["detail"]
        assert (await shown(api, request_id))["state"] == "open"


async def test_a_confirmed_request_closes_when_its_review_is_done(tmp_path: Path) -> None:
    world = new_world()
    async with house(tmp_path, world, standard_path=WORK, green_channel=GREEN) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        await change(api, request_id, "change_lane", lane="green", by="gao.fei", reason="x")
        await complete(api, request_id, "act", "li.na", resolution="fixed")
        await intake.say(RequestConfirmed(), request_id)
        await intake.say(RequestConfirmed(), request_id)
        assert (await shown(api, request_id))["state"] == "resolved"
        assert len(published(world, "router", "request.closing_deferred.v1")) == 1

        await complete(api, request_id, "look_back", "gao.fei", conclusion="quick enough")
        await world.settled()

        [closed] = published(world, "router", "request.closed.v1")
        assert closed["data"]["reason"] == "confirmed"
        assert (await shown(api, request_id))["review"] == "done"


async def test_a_reopened_request_whose_diagram_waits_for_its_review_begins_anew(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with house(tmp_path, world, standard_path=WORK, green_channel=GREEN) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        await change(api, request_id, "change_lane", lane="green", by="gao.fei", reason="x")
        await complete(api, request_id, "act", "li.na", resolution="fixed")
        assert list(await open_work(api, request_id)) == ["look_back"]

        await change(api, request_id, "reopen", reason="down again")
        await world.settled()

        assert list(await open_work(api, request_id)) == ["act"]
        now = await shown(api, request_id)
        assert (now["state"], now["lane"], now["review"]) == ("open", "green", "owed")
