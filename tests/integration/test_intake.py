"""Intake with its neighbours played by the test, on SQLite and PostgreSQL."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.events.clock import ClockBreached, ClockMet, ClockPaused, ClockResumed
from shared.events.router import (
    RequestAssigned,
    RequestWaitingStarted,
)
from shared.vocabulary import Metric, Priority
from tests.harness.intake import (
    CATALOGUE,
    Intake,
    a_post,
    a_promise,
    a_routing,
    a_start,
    intake_at_work,
)
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    from tests.conftest import ErrorLines


@pytest.fixture
async def intake(database_url: str, tmp_path: Path) -> AsyncIterator[Intake]:
    async with intake_at_work(database_url, tmp_path, new_world()) as started:
        yield started


async def test_a_request_has_a_number_a_location_and_is_announced(intake: Intake) -> None:
    answer = await intake.post(**a_post(external_id="T-1"))
    await intake.world.settled()

    told = answer.json()
    assert answer.status_code == 201
    assert answer.headers["Location"] == f"/intake/v1/requests/{told['id']}"
    assert told["number"] == "R-2026-000001"
    [said] = intake.said("request.submitted.v1")
    assert said["subject"] == told["id"]
    assert said["data"]["urgency"] == said["data"]["impact"] == "medium"
    assert said["data"]["requester"]["tier"] == "vip"
    assert said["data"]["domain"] == "it"


async def test_a_portal_sees_state_promises_and_timeline_by_id_and_by_number(
    intake: Intake,
) -> None:
    request_id = await intake.new()
    world = intake.world
    await intake.router.say(a_routing(world), request_id)
    await intake.clock.say(a_start(world), request_id)
    await intake.router.say(RequestAssigned(team="it-desk", assignee="li"), request_id)

    shown = await intake.get(f"requests/{request_id}")

    assert shown == await intake.get("requests/R-2026-000001")
    assert shown["state"] == "open"
    assert shown["status"]["priority"] == "P2"
    assert shown["status"]["assignee"] == "li"
    assert shown["form"] == {"system": "finance"}
    [promise] = shown["promises"]
    assert promise["metric"] == "first_response"
    assert promise["state"] == "running"
    assert promise["due_at"] == "2026-03-02T09:30:00Z"
    assert promise["reason"]["rules"] == ["P2"]
    types = [fact["type"] for fact in shown["timeline"]["items"]]
    assert types == [
        "request.submitted.v1",
        "request.routed.v1",
        "request.assigned.v1",
        "clock.started.v1",
    ]


async def test_promises_pause_resume_breach_and_are_met(intake: Intake) -> None:
    request_id = await intake.new()
    world, say = intake.world, intake.clock.say
    clock_id = a_promise(world).clock_id

    async def state() -> tuple[Any, ...]:
        [promise] = (await intake.get(f"requests/{request_id}"))["promises"]
        return promise["state"], promise["is_paused"], promise["is_breached"], promise["due_at"]

    await say(a_start(world), request_id)
    paused = ClockPaused(
        clock_ids=(clock_id,), metrics=(Metric.FIRST_RESPONSE,), reason="requester"
    )
    await say(paused, request_id)
    assert await state() == ("paused", True, False, None)

    again = a_promise(world, due_at=world.time.now() + timedelta(hours=1))
    await say(ClockResumed(clocks=(again,)), request_id)
    assert await state() == ("running", False, False, "2026-03-02T10:00:00Z")

    breach = ClockBreached(
        clock_id=clock_id,
        metric=Metric.FIRST_RESPONSE,
        target_s=1800,
        due_at=world.time.now(),
        priority=Priority.P2,
        team="it-desk",
    )
    await say(breach, request_id)
    assert await state() == ("breached", False, True, "2026-03-02T10:00:00Z")

    met = ClockMet(
        clock_id=clock_id,
        metric=Metric.FIRST_RESPONSE,
        elapsed_s=2000,
        paused_s=60,
        target_s=1800,
        is_breached=True,
    )
    await say(met, request_id)
    assert (await state())[0] == "met"


async def test_the_conversation_keeps_who_wrote_and_what_counts(intake: Intake) -> None:
    request_id = await intake.new()
    path = f"requests/{request_id}/messages"

    asked = await intake.post(path, text="还要多久？", author="requester", author_id="emp-1")
    receipt = await intake.post(
        path, text="已收到", author="system", author_id="bot", is_automatic=True
    )
    answer = await intake.post(
        path, text="已开通", author="agent", author_id="li", is_effective=True
    )
    await intake.world.settled()

    assert [a.status_code for a in (asked, receipt, answer)] == [201, 201, 201]
    said = intake.said("message.posted.v1")
    told = [(e["data"]["author"], e["data"]["is_effective"]) for e in said]
    assert told == [("requester", False), ("system", False), ("agent", True)]
    assert said[1]["data"]["is_automatic"]
    shown = await intake.get(path, limit=2, offset=1)
    assert [m["text"] for m in shown["items"]] == ["已收到", "已开通"]
    assert shown["total"] == 3


@pytest.mark.parametrize(
    "wrong", [{"author": "requester"}, {"author": "agent", "is_automatic": True}]
)
async def test_only_an_answer_by_somebody_else_can_be_effective(
    intake: Intake, wrong: dict[str, Any]
) -> None:
    request_id = await intake.new()
    body = {"text": "hello", "author_id": "x", "is_effective": True, **wrong}

    refused = await intake.post(f"requests/{request_id}/messages", **body)

    assert refused.status_code == 422
    assert "有效答复" in refused.json()["errors"][0]["message"]["zh-CN"]


async def test_a_callback_is_told_of_each_change_of_state_once(intake: Intake) -> None:
    request_id = await intake.new(callback={"endpoint": "portal-hook"})
    await intake.router.say(a_routing(intake.world), request_id)
    await intake.router.say(RequestAssigned(team="it-desk", assignee="li"), request_id)
    await intake.router.say(RequestWaitingStarted(reason="requester"), request_id)
    await intake.new(title="without a callback")

    told = intake.said("notification.requested.v1")

    states = [
        (e["data"]["parameters"]["old_state"], e["data"]["parameters"]["state"]) for e in told
    ]
    assert states == [("submitted", "open"), ("open", "waiting")]
    assert told[0]["data"]["template"] == "request.status"
    assert told[0]["data"]["recipients"][0]["recipient"] == "webhook:portal-hook"
    assert len({e["data"]["notification_id"] for e in told}) == 2


async def test_a_request_nobody_routes_is_escalated_once_and_looked_at_four_times(
    intake: Intake,
) -> None:
    lost = await intake.new()
    routed = await intake.new(title="routed in time")
    await intake.world.pass_time(30)
    await intake.router.say(a_routing(intake.world), routed)

    await intake.world.pass_time(29)
    assert intake.said("escalation.requested.v1") == []
    await intake.world.pass_time(1)
    [said] = intake.said("escalation.requested.v1")
    await intake.world.pass_time(24 * 3600)

    assert said["subject"] == lost
    assert said["data"]["reason"] == "not_routed"
    assert said["data"]["number"] == "R-2026-000001"
    assert len(intake.said("escalation.requested.v1")) == 1
    facts = (await intake.get(f"requests/{lost}/timeline"))["items"]
    assert [f["params"] for f in facts if f["type"] == "request.not_routed"] == [
        {"look": look} for look in (1, 2, 3, 4)
    ]
    ready = (await intake.api.get("/intake/ready")).json()
    assert not ready["checks"]["routing"]["is_well"]


async def test_a_list_is_filtered_and_paged_the_newest_first(intake: Intake) -> None:
    for index in range(5):
        await intake.new(external_id=f"T-{index}", source="crm" if index % 2 else "portal")
        await intake.world.pass_time(1)
    routed = (await intake.get("requests", external_id="T-3"))["items"][0]
    await intake.router.say(a_routing(intake.world), routed["id"])

    async def found(**query: Any) -> list[str]:
        return [row["external_id"] for row in (await intake.get("requests", **query))["items"]]

    assert await found() == ["T-4", "T-3", "T-2", "T-1", "T-0"]
    assert await found(source="crm") == ["T-3", "T-1"]
    assert await found(source="crm", external_id="T-1") == ["T-1"]
    assert await found(state="open") == ["T-3"]
    assert await found(requester="nobody") == []
    assert await found(number=routed["number"]) == ["T-3"]
    first = await intake.get("requests", limit=2)
    assert (first["total"], first["next_offset"]) == (5, 2)
    last = await intake.get("requests", limit=2, offset=4)
    assert ([r["external_id"] for r in last["items"]], last["next_offset"]) == (["T-0"], None)


async def test_a_timeline_is_paged(intake: Intake) -> None:
    request_id = await intake.new()
    await intake.resolved(request_id)

    first = await intake.get(f"requests/{request_id}/timeline", limit=2)
    rest = await intake.get(f"requests/{request_id}/timeline", limit=2, offset=2)

    types = [f["type"].split(".")[1] for page in (first, rest) for f in page["items"]]
    assert types == ["submitted", "routed", "resolved"]
    assert (first["total"], first["next_offset"], rest["next_offset"]) == (3, 2, None)


async def test_a_newer_catalogue_counts_at_once_and_an_older_one_never(intake: Intake) -> None:
    newer = CATALOGUE.replace("key: question", "key: complaint")

    await intake.release(newer, version=2)
    await intake.release(CATALOGUE, version=1)

    shown = await intake.get("catalogue")
    assert shown["versions"] == {"catalogue": 2}
    assert [t["key"] for t in shown["types"]] == ["complaint", "fax", "it-access"]
    assert shown["types"][2]["name"] == {"zh-CN": "账号与权限", "en": "Account and access"}
    assert shown["types"][2]["form"]["required"] == ["system"]
    refused = await intake.post(**a_post(type="question"))
    assert refused.json()["params"]["known"] == "complaint, fax, it-access"


async def test_a_catalogue_whose_forms_cannot_be_checked_is_set_aside(
    intake: Intake, announced_errors: ErrorLines
) -> None:
    announced_errors.expect("set aside")
    bad = CATALOGUE.replace('"^[A-Z]{2}-[0-9]+$"', '"(?=a)"')

    await intake.release(bad, version=2)

    held = (await intake.get("setaside"))["items"]
    assert [h["code"] for h in held] == ["bad-definition"]
    assert "/types/0/form/properties/code/pattern" in held[0]["detail"]
    assert (await intake.get("catalogue"))["versions"] == {"catalogue": 1}


async def test_an_import_keeps_its_past_moment_and_troubles_nobody(intake: Intake) -> None:
    past = "2026-01-05T10:00:00+08:00"
    request_id = await intake.new(
        is_import=True, occurred_at=past, callback={"endpoint": "portal-hook"}
    )
    await intake.world.pass_time(3600)
    await intake.router.say(a_routing(intake.world, is_import=True), request_id)
    answered = await intake.post(
        f"requests/{request_id}/messages",
        text="done",
        author="agent",
        author_id="li",
        is_effective=True,
        occurred_at="2026-01-05T10:07:00+08:00",
    )
    await intake.world.settled()

    assert answered.status_code == 201
    [said] = intake.said("request.submitted.v1")
    assert said["occurredat"] == "2026-01-05T02:00:00Z"
    assert said["time"] == "2026-03-02T09:00:00Z"
    [message] = intake.said("message.posted.v1")
    assert message["occurredat"] == "2026-01-05T02:07:00Z"
    assert intake.said("escalation.requested.v1", "notification.requested.v1") == []


async def test_only_imports_may_be_dated_back(intake: Intake) -> None:
    request_id = await intake.new()

    posted = await intake.post(**a_post(occurred_at="2026-01-05T10:00:00+08:00"))
    future = await intake.post(**a_post(occurred_at="2027-01-05T10:00:00Z", is_import=True))
    message = await intake.post(
        f"requests/{request_id}/messages",
        text="done",
        author="agent",
        author_id="li",
        occurred_at="2026-01-05T10:00:00Z",
    )

    refused = [a.json()["errors"][0] for a in (posted, future, message)]
    assert [e["rule"] for e in refused] == ["import-only", "future", "import-only"]
    assert {e["path"] for e in refused} == {"/occurred_at"}
