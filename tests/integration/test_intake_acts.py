"""What people do with a posted request, and when they may not."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from shared.events.router import (
    RequestCancelled,
    RequestClosed,
    RequestReopened,
    RequestResolved,
)
from tests.harness.intake import (
    Intake,
    intake_at_work,
)
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path


@pytest.fixture
async def intake(database_url: str, tmp_path: Path) -> AsyncIterator[Intake]:
    async with intake_at_work(database_url, tmp_path, new_world()) as started:
        yield started


async def test_messages_on_closed_requests_are_recorded(intake: Intake) -> None:
    request_id = await intake.new()
    await intake.resolved(request_id)
    await intake.router.say(RequestClosed(reason="time"), request_id)

    written = await intake.post(
        f"requests/{request_id}/messages", text="谢谢", author="requester", author_id="emp-1"
    )

    assert written.status_code == 201
    assert (await intake.get(f"requests/{request_id}"))["state"] == "closed"


async def test_a_requesters_message_does_not_reopen_what_is_resolved(intake: Intake) -> None:
    request_id = await intake.new()
    await intake.resolved(request_id)

    await intake.post(
        f"requests/{request_id}/messages", text="嗯", author="requester", author_id="emp-1"
    )
    await intake.world.settled()

    assert (await intake.get(f"requests/{request_id}"))["state"] == "resolved"
    assert intake.said("request.reopened_by_requester.v1") == []


async def test_what_the_requester_decides_is_said_and_changes_no_state(intake: Intake) -> None:
    request_id = await intake.new()
    await intake.resolved(request_id)

    rated = await intake.post(f"requests/{request_id}/rate", score=2, comment="慢")
    reopened = await intake.post(f"requests/{request_id}/reopen", reason="还是打不开")
    twice = await intake.post(f"requests/{request_id}/reopen", reason="还是打不开")
    await intake.world.settled()

    assert [a.status_code for a in (rated, reopened, twice)] == [200, 200, 409]
    assert twice.json()["code"] == "already-reopened"
    shown = await intake.get(f"requests/{request_id}")
    assert shown["state"] == "resolved"
    assert shown["status"]["is_reopen_asked"]
    assert shown["rating"] == {"score": 2, "comment": "慢"}

    await intake.router.say(RequestReopened(reason="还是打不开", reopenings=1), request_id)
    await intake.router.say(RequestResolved(resolution="done"), request_id)
    confirmed = await intake.post(f"requests/{request_id}/confirm")
    await intake.world.settled()

    assert confirmed.status_code == 200
    assert len(intake.said("request.confirmed.v1")) == 1
    assert (await intake.get(f"requests/{request_id}"))["status"]["reopenings"] == 1


@pytest.mark.parametrize(
    ("act", "body", "code"),
    [
        ("confirm", {}, "not-resolved"),
        ("reopen", {"reason": "x"}, "not-resolved"),
        ("rate", {"score": 5}, "not-ratable-yet"),
    ],
)
async def test_an_open_request_cannot_be_confirmed_reopened_or_rated(
    intake: Intake, act: str, body: dict[str, Any], code: str
) -> None:
    request_id = await intake.new()

    refused = await intake.post(f"requests/{request_id}/{act}", **body)

    assert refused.status_code == 409
    assert refused.json()["code"] == code


async def test_a_closed_request_stays_closed_and_can_be_rated_twice_at_most(
    intake: Intake,
) -> None:
    request_id = await intake.new()
    await intake.resolved(request_id)
    await intake.router.say(RequestClosed(reason="confirmed"), request_id)

    codes = []
    for act, body in (
        ("withdraw", {}),
        ("confirm", {}),
        ("reopen", {"reason": "x"}),
        ("rate", {"score": 1}),
        ("rate", {"score": 4}),
        ("rate", {"score": 5}),
    ):
        answer = await intake.post(f"requests/{request_id}/{act}", **body)
        codes.append(answer.json().get("code", answer.status_code))

    over = "request-is-over"
    assert codes == [over, over, over, 200, 200, "rating-is-final"]
    assert (await intake.get(f"requests/{request_id}"))["rating"]["score"] == 4


async def test_a_withdrawn_request_waits_for_the_router_to_cancel_it(intake: Intake) -> None:
    request_id = await intake.new()

    withdrawn = await intake.post(f"requests/{request_id}/withdraw", reason="不用了")
    again = await intake.post(f"requests/{request_id}/withdraw")
    before = await intake.get(f"requests/{request_id}")
    await intake.router.say(RequestCancelled(reason="withdrawn"), request_id)
    after = await intake.get(f"requests/{request_id}")

    assert withdrawn.status_code == 200
    assert again.json()["code"] == "already-withdrawn"
    assert (before["state"], before["status"]["is_withdrawn"]) == ("submitted", True)
    assert after["state"] == "cancelled"


async def test_a_correction_says_only_what_changed(intake: Intake) -> None:
    request_id = await intake.new()
    path = f"/intake/v1/requests/{request_id}"

    async def patch(**body: Any) -> Any:
        return await intake.api.patch(path, json=body)

    changed = await patch(urgency="high", impact="medium", changed_by="li")
    same = await patch(urgency="high", form={"system": "finance"})
    bad_form = await patch(form={"system": ""})
    nothing = await patch()
    empty = await patch(title=None)
    await intake.world.settled()

    assert changed.json()["changed"] == ["urgency"]
    assert same.json()["changed"] == []
    assert bad_form.json()["errors"][0]["path"] == "/form/system"
    assert [a.status_code for a in (nothing, empty)] == [422, 422]
    [said] = intake.said("request.updated.v1")
    assert said["data"]["urgency"] == "high"
    assert said["data"]["impact"] is None
    assert said["data"]["changed_by"] == "li"
    assert (await intake.get(f"requests/{request_id}"))["urgency"] == "high"
