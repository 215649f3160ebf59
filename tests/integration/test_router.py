"""The router with its neighbours played by the test, on the shipped definitions."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from services.router.main import build
from services.router.settings import Settings
from shared.events.intake import (
    MessagePosted,
    RequestConfirmed,
    Requester,
    RequestReopenedByRequester,
    RequestSubmitted,
    RequestUpdated,
    RequestWithdrawn,
)
from shared.vocabulary import AuthorKind, Impact, Urgency
from tests.harness.services import Neighbour, at_work, caller, key_ring, published
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

BPMN = Path(__file__).resolve().parents[2] / "bpmn"


@asynccontextmanager
async def router(
    folder: Path, world: World, definitions: Path = BPMN
) -> AsyncIterator[tuple[Neighbour, httpx.AsyncClient]]:
    settings = Settings(
        database_url=f"sqlite+aiosqlite:///{folder}/router.db", definitions_folder=definitions
    )
    service = build(settings, world.given)
    ring, key = key_ring(folder, world)
    async with at_work(service, world), caller(service, ring, key) as api:
        yield Neighbour(world, "intake"), api


def a_request(**changed: Any) -> RequestSubmitted:
    values: dict[str, Any] = {
        "number": "R-2026-000001",
        "source": "portal",
        "request_type": "it-incident",
        "domain": "it",
        "channel": "portal",
        "requester": Requester(id="emp-1"),
        "urgency": Urgency.HIGH,
        "impact": Impact.MEDIUM,
        "title": "邮件系统打不开",
        **changed,
    }
    return RequestSubmitted(**values)


async def test_a_request_is_classified_owned_and_waits_for_a_person(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)

        [routed] = published(world, "router", "request.routed.v1")
        [item] = published(world, "router", "work_item.opened.v1")

        assert routed["data"]["priority"] == "P2"
        assert routed["data"]["team"] == "it-service-desk"
        assert [e["decision"] for e in routed["data"]["explanation"]] == [
            "lane",
            "priority",
            "team",
        ]
        assert item["data"]["candidate_teams"] == ["it-service-desk"]
        told = (await api.get(f"/router/v1/requests/{request_id}")).json()
        assert told["state"] == "open"
        assert [i["state"] for i in told["work_items"]] == ["open"]


async def test_a_candidate_claims_and_completes_and_the_requester_confirms(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        items = (await api.get("/router/v1/work-items?team=it-service-desk&state=open")).json()
        item_id = items["items"][0]["id"]

        stranger = await api.post(f"/router/v1/work-items/{item_id}/claim", json={"by": "zheng.li"})
        claimed = await api.post(f"/router/v1/work-items/{item_id}/claim", json={"by": "liu.yang"})
        again = await api.post(f"/router/v1/work-items/{item_id}/claim", json={"by": "li.na"})
        done = await api.post(
            f"/router/v1/work-items/{item_id}/complete",
            json={"by": "liu.yang", "result": {"resolution": "restarted"}},
        )
        await world.settled()
        await intake.say(RequestConfirmed(), request_id)

        assert (stranger.status_code, stranger.json()["code"]) == (409, "not-a-candidate")
        assert claimed.status_code == 200
        assert again.json()["code"] == "already-claimed"
        assert done.json()["state"] == "completed"
        types = [event["type"] for event in published(world, "router")]
        assert types.count("request.assigned.v1") == 1
        assert types.count("request.resolved.v1") == 1
        assert types.count("process.ended.v1") == 1
        [closed] = published(world, "router", "request.closed.v1")
        assert closed["data"]["reason"] == "confirmed"


async def test_a_resolved_request_nobody_confirms_closes_after_five_days(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        await api.post(
            f"/router/v1/requests/{request_id}/changes", json={"change": "resolve", "by": "li.na"}
        )
        await world.settled()

        await world.pass_time(timedelta(days=4, hours=23).total_seconds())
        assert published(world, "router", "request.closed.v1") == []
        await world.pass_time(timedelta(hours=2).total_seconds())

        [closed] = published(world, "router", "request.closed.v1")
        [resolved] = published(world, "router", "request.resolved.v1")
        assert closed["data"]["reason"] == "time"
        assert closed["occurredat"] > resolved["occurredat"]


async def test_unruly_changes_are_accepted_in_any_state(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        path = f"/router/v1/requests/{request_id}/changes"
        for change in (
            {"change": "wait", "reason": "requester"},
            {"change": "wait", "reason": "supplier"},
            {"change": "hand_over", "team": "it-applications", "reason": "wrong desk"},
            {"change": "resolve"},
            {"change": "resolve"},
            {"change": "wait", "reason": "requester"},
            {"change": "close"},
            {"change": "hand_over", "team": "it-service-desk", "reason": "back"},
            {"change": "reopen", "reason": "again"},
            {"change": "resume"},
            {"change": "assign", "assignee": "wu.hao"},
            {"change": "close"},
        ):
            answer = await api.post(path, json=change)
            assert answer.status_code == 200, answer.text
        await world.settled()

        told = (await api.get(f"/router/v1/requests/{request_id}")).json()
        facts = [
            event["type"].split(".")[1]
            for event in published(world, "router")
            if event["type"].startswith("request.")
        ]
        assert told["state"] == "closed"
        assert told["handovers"] == 2
        assert told["reopenings"] == 2
        assert facts == [
            "routed",
            "waiting_started",
            "waiting_ended",
            "waiting_started",
            "handed_over",
            "waiting_ended",
            "resolved",
            "reopened",
            "waiting_started",
            "waiting_ended",
            "resolved",
            "closed",
            "handed_over",
            "reopened",
            "assigned",
            "resolved",
            "closed",
        ]
        sequences = [
            e["sequence"] for e in published(world, "router") if e["subject"] == str(request_id)
        ]
        assert sequences == list(range(1, len(sequences) + 1))


async def test_a_withdrawn_request_is_cancelled_for_good(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        await intake.say(RequestWithdrawn(reason="found it"), request_id)

        refused = await api.post(
            f"/router/v1/requests/{request_id}/changes",
            json={"change": "resolve"},
            headers={"Accept-Language": "zh-CN"},
        )

        assert (refused.status_code, refused.json()["code"]) == (409, "already-cancelled")
        assert "已取消" in refused.json()["title"]
        [ended] = published(world, "router", "process.ended.v1")
        assert ended["subject"] == str(request_id)


async def test_the_requesters_answer_ends_the_wait_for_it(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        await api.post(
            f"/router/v1/requests/{request_id}/changes",
            json={"change": "wait", "reason": "requester"},
        )
        await world.settled()
        answer = MessagePosted(
            message_id=world.ids.new(), author=AuthorKind.REQUESTER, author_id="emp-1", text="…"
        )
        await intake.say(answer, request_id)

        assert len(published(world, "router", "request.waiting_ended.v1")) == 1


async def test_a_corrected_urgency_changes_the_priority_with_its_reason(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, _):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        await intake.say(RequestUpdated(impact=Impact.HIGH, changed_by="li.na"), request_id)

        [changed] = published(world, "router", "request.priority_changed.v1")
        assert (changed["data"]["old"], changed["data"]["new"]) == ("P2", "P1")
        assert changed["data"]["explanation"][0]["matched_rules"]


async def test_an_owner_nobody_knows_is_the_visible_triage_queue(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(form={"team": "no-such-team"}), request_id)

        [routed] = published(world, "router", "request.routed.v1")
        assert (routed["data"]["team"], routed["data"]["is_triage"]) == ("triage", True)
        await api.post(
            f"/router/v1/requests/{request_id}/changes",
            json={"change": "hand_over", "team": "hr-service", "reason": "found the owner"},
        )
        await world.settled()
        [moved] = published(world, "router", "request.handed_over.v1")
        assert (moved["data"]["is_counted"], moved["data"]["handovers"]) == (False, 0)


async def test_a_reopened_request_gets_work_again_even_after_its_process_ended(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        path = f"/router/v1/requests/{request_id}/changes"
        await api.post(path, json={"change": "close"})
        await world.settled()
        await intake.say(RequestReopenedByRequester(reason="broken again"), request_id)

        told = (await api.get(f"/router/v1/requests/{request_id}")).json()
        assert told["state"] == "open"
        assert [i["state"] for i in told["work_items"]].count("open") == 1
        assert len(published(world, "router", "process.started.v1")) == 2


async def test_a_changed_table_is_in_force_without_restart_and_a_broken_one_is_not(
    tmp_path: Path,
) -> None:
    world = new_world()
    definitions = tmp_path / "bpmn"
    shutil.copytree(BPMN, definitions)
    async with router(tmp_path, world, definitions) as (_, api):
        table = definitions / "priority.dmn"
        good = table.read_text(encoding="utf-8")
        table.write_text(good.replace('"P2"', '"P1"', 1) + "\n", encoding="utf-8")
        loaded = await api.post("/router/v1/definitions/reload")
        await world.settled()
        assert loaded.json() == {"released": 1, "refused": []}

        table.write_text(good.replace('"high"', '"high', 1), encoding="utf-8")
        broken = (await api.post("/router/v1/definitions/reload")).json()
        await world.settled()

        assert broken["released"] == 0
        [fault] = broken["refused"]
        assert fault["file"] == "priority.dmn"
        assert fault["findings"][0]["message"]["zh-CN"]
        ready = (await api.get("/router/ready")).json()
        assert ready["status"] == "degraded"
        assert "priority.dmn" in ready["checks"]["definitions"]["detail"]
        in_force = (await api.get("/router/v1/definitions/decision/priority")).json()["items"]
        assert [v["version"] for v in in_force if v["is_in_force"]] == [2]


async def test_definitions_handed_in_by_api_are_checked_with_the_place_of_each_fault(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        bad = "key: standard\nname: {en: x}\ntiers:\n  - notify: [lead]\n    repeats: 999\n"
        refused = await api.put("/router/v1/definitions/escalation_policy/standard", content=bad)
        good = (BPMN / "policies" / "urgent.yaml").read_bytes().replace(b"PT5M", b"PT4M")
        taken = await api.put("/router/v1/definitions/escalation_policy/urgent", content=good)

        assert refused.status_code == 422
        assert "/tiers/0/repeats" in [e["path"] for e in refused.json()["errors"]]
        assert (taken.status_code, taken.json()["version"]) == (200, 2)


@pytest.mark.parametrize(
    ("body", "path"),
    [
        pytest.param({"change": "fly"}, "/change", id="unknown change"),
        pytest.param({"change": "resolve", "colour": "red"}, "/colour", id="unknown field"),
        pytest.param({"change": "hand_over", "team": "hr-service"}, "/", id="no reason"),
    ],
)
async def test_a_wrong_change_is_named_field_by_field(
    tmp_path: Path, body: dict[str, str], path: str
) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        answer = await api.post(f"/router/v1/requests/{UUID(int=1)}/changes", json=body)

        assert answer.status_code == 422
        assert path in [e["path"] for e in answer.json()["errors"]]


async def test_nothing_happens_before_the_submission_or_long_ago(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request_id = world.ids.new()
        await intake.say(a_request(), request_id)
        path = f"/router/v1/requests/{request_id}/changes"
        before = (world.time.now() - timedelta(hours=1)).isoformat()
        ahead = (world.time.now() + timedelta(minutes=1)).isoformat()

        early = await api.post(path, json={"change": "wait", "occurred_at": before})
        late = await api.post(path, json={"change": "wait", "occurred_at": ahead})

        assert (early.status_code, early.json()["code"]) == (409, "before-submission")
        assert (late.status_code, late.json()["errors"][0]["rule"]) == (422, "in-the-future")
        assert published(world, "router", "request.waiting_started.v1") == []
