"""The requester's and the portal's side: one number, promises with reasons, one story."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.harness.journey import P1, a_post
from tests.harness.receivers import Drop

if TYPE_CHECKING:
    from tests.harness.journey import Item, World

#: What a portal shows of a request that was claimed, answered, asked back, solved and rated.
STORY = [
    "request.submitted",
    "request.routed",
    "work_item.opened",
    "work_item.claimed",
    "request.assigned",
    "message.posted",
    "request.waiting_started",
    "message.posted",
    "request.waiting_ended",
    "work_item.completed",
    "request.resolved",
    "request.confirmed",
    "request.rated",
    "request.closed",
]


async def the_work_item(world: World, item: Item) -> str:
    """Return the path of the request's one open work item."""
    found = await world.call("GET", f"/router/v1/work-items?request_id={item.id}&state=open")
    (one,) = found["items"]
    return f"/router/v1/work-items/{one['id']}"


async def claimed(world: World, item: Item) -> str:
    """Let lin claim the request's work item; return its path."""
    path = await the_work_item(world, item)
    await world.call("POST", f"{path}/claim", {"by": "lin"})
    return path


async def test_a_request_is_asked_answered_solved_confirmed_and_rated(either_world: World) -> None:
    world = either_world
    item = await world.raise_request("VPN drops every ten minutes")
    await world.expect(item.routed_to("it-service-desk", "P3"))

    await world.fast_forward(minutes=30)
    work = await claimed(world, item)
    await world.fast_forward(minutes=10)
    await item.answer("lin", "Which site are you at?")
    await item.change("wait", by="lin", reason="requester")
    await world.expect(item.is_("waiting"))
    await world.fast_forward(hours=3)
    await item.write("Site 3")
    await world.expect(item.is_("open"))
    await world.fast_forward(minutes=20)
    solved = {"by": "lin", "result": {"resolution": "fixed", "note": "new certificate"}}
    await world.call("POST", f"{work}/complete", solved)
    await world.expect(item.is_("resolved"))
    await world.fast_forward(hours=1)
    await item.act("confirm")
    await item.act("rate", score=5, comment="很快")

    await world.expect(item.is_("closed"))
    shown = await item.shown()
    assert shown["rating"] == {"score": 5, "comment": "很快"}
    assert shown["status"]["resolution_note"] == "new certificate"
    assert [kind for kind in await item.story() if not kind.startswith("clock.")] == STORY
    messages = (await world.call("GET", f"/v1/requests/{item.id}/messages"))["items"]
    assert [m["author"] for m in messages] == ["agent", "requester"]


async def test_waiting_for_the_requester_pauses_the_resolution_and_not_the_first_response(
    world: World,
) -> None:
    item = await world.raise_request("VPN drops every ten minutes")
    await claimed(world, item)
    await item.change("wait", by="lin", reason="requester")

    await world.fast_forward(hours=2, minutes=1)

    await world.expect(item.breached("first_response"))
    await world.expect(item.promised("resolution", state="paused", paused_because="requester"))
    await item.write("Site 3")
    await item.change("resolve", by="lin")
    await world.expect(item.promised("resolution", state="met", elapsed_s=0, paused_s=7260))
    (first,) = await item.clocks("first_response")
    assert (first["elapsed_s"], first["paused_s"], first["is_breached"]) == (7260, 0, True)


async def test_every_promise_says_which_row_chose_it(world: World) -> None:
    item = await world.raise_request("VPN drops every ten minutes", **P1)

    promises = {p["metric"]: p for p in (await item.shown())["promises"]}

    assert set(promises) == {"first_response", "assignment", "resolution"}
    due = {metric: p["due_at"] for metric, p in promises.items()}
    assert due == {
        "first_response": "2026-03-02T09:15:00Z",
        "assignment": "2026-03-02T09:10:00Z",
        "resolution": "2026-03-02T11:00:00Z",
    }
    reason = promises["resolution"]["reason"]
    assert (reason["decision"], reason["version"]) == ("targets", 1)
    assert reason["rule"] == "targets_resolution_p1_always"
    path = f"/clock/v1/requests/{item.id}/clocks/resolution/explanation"
    explained = await world.call("GET", path)
    assert "targets_resolution_p1_always" in str(explained)


async def test_a_promise_in_office_hours_ends_on_the_next_working_day(world: World) -> None:
    # 17:00 on Monday in Shanghai, an hour before closing; three of four hours on Tuesday 9–12.
    item = await world.raise_request(
        "Proof of employment",
        type="hr-certificate",
        urgency="low",
        impact="low",
        form={"kind": "employment"},
    )

    await world.expect(item.routed_to("hr-service", "P4"))
    found = await item.promise("first_response")
    assert found["calendar"] == "office-cn"
    assert found["due_at"] == "2026-03-03T04:00:00Z"


async def test_the_same_post_twice_is_one_request(world: World) -> None:
    key = {"Idempotency-Key": "portal-77"}
    body = a_post("Printer", external_id="P-77")

    first = await world.http.post("/v1/requests", json=body, headers=key)
    again = await world.http.post("/v1/requests", json=body, headers=key)
    other_key = await world.http.post("/v1/requests", json=body)
    await world.settled()

    assert (first.status_code, again.status_code, other_key.status_code) == (201, 201, 200)
    assert len({answer.json()["id"] for answer in (first, again, other_key)}) == 1
    assert first.headers["Location"] == f"/intake/v1/requests/{first.json()['id']}"
    assert (await world.call("GET", "/router/v1/requests"))["total"] == 1


async def test_a_portal_hears_of_each_state_once_signed_and_under_a_stable_id(
    world: World,
) -> None:
    await world.connect_portal()
    world.portal.fail_next(Drop(is_taken=False))
    item = await world.raise_request("Printer", callback={"endpoint": "portal"})
    await world.fast_forward(seconds=5)
    world.portal.fail_next(Drop())
    await item.change("resolve", by="lin", reason="fixed")
    await world.fast_forward(seconds=5)

    shown: list[Any] = [message.body["data"] for message in world.portal.messages]
    assert [(s["number"], s["state"]) for s in shown] == [
        (item.number, "open"),
        (item.number, "resolved"),
    ]
    ids = [r.headers["webhook-id"] for r in world.portal.requests]
    assert (ids[0], ids[2]) == (ids[1], ids[3])
    assert len(set(ids)) == 2
    log = await item.deliveries()
    assert [d["is_possibly_repeated"] for d in log] == [True, True]


async def test_an_agent_reopens_what_was_closed_and_the_time_between_is_nobodys(
    world: World,
) -> None:
    item = await world.raise_request("VPN drops every ten minutes")
    await world.fast_forward(hours=1)
    await item.change("resolve", by="lin")
    await item.act("confirm")
    await world.expect(item.is_("closed"))
    await world.fast_forward(days=2)

    refused = await world.http.post(f"/v1/requests/{item.id}/reopen", json={"reason": "again"})
    await item.change("reopen", by="lin", reason="it drops again")
    await world.expect(item.is_("open"))
    await world.fast_forward(hours=1)
    await item.change("resolve", by="lin")

    assert refused.status_code == 409
    await world.expect(item.promised("resolution", state="met", elapsed_s=7200))
    assert (await item.shown())["status"]["reopenings"] == 1
    await world.expect(item.is_("resolved"))


async def test_the_requester_reopens_what_was_resolved_and_work_goes_on(world: World) -> None:
    item = await world.raise_request("VPN drops every ten minutes")
    await item.change("resolve", by="lin")
    await world.fast_forward(hours=5)

    await item.act("reopen", reason="it drops again")

    await world.expect(item.is_("open"))
    assert await the_work_item(world, item)
    await world.expect(item.promised("resolution", state="running"))
    await world.fast_forward(hours=8)
    await world.expect(item.breached("resolution"))


async def test_nobody_objects_for_five_days_and_it_is_closed_by_time(world: World) -> None:
    item = await world.raise_request("Printer")
    await item.change("resolve", by="lin")
    await world.fast_forward(days=4, hours=23)
    await world.expect(item.is_("resolved"))

    await world.fast_forward(hours=1)

    await world.expect(item.is_("closed"))
    assert (await item.shown())["status"]["ended_because"] == "time"


async def test_a_withdrawal_stops_clocks_and_whoever_was_being_told(world: World) -> None:
    item = await world.raise_request("Payroll is down", **P1)
    await world.fast_forward(minutes=6)
    assert len(world.inbox("lin")) == 1

    await item.act("withdraw", reason="it works again")
    await world.fast_forward(days=1)

    await world.expect(item.is_("cancelled"))
    await world.expect(item.escalated(state="closed"))
    clocks = [c for m in ("first_response", "resolution") for c in await item.clocks(m)]
    assert {c["state"] for c in clocks} == {"cancelled"}
    assert world.robot.messages == []
    assert not any("需要处理" in str(mail.mail["Subject"]) for mail in world.inbox("lin")[1:])


async def test_a_correction_of_urgency_moves_the_promise_and_says_why(world: World) -> None:
    item = await world.raise_request("Payroll is slow", impact="high")
    before = await item.promise("resolution")
    await world.fast_forward(minutes=30)

    await world.call("PATCH", f"/v1/requests/{item.id}", {"urgency": "high"})

    await world.expect(item.routed_to("it-service-desk", "P1"))
    after = await item.promise("resolution")
    assert (before["target_s"], after["target_s"]) == (14400, 7200)
    assert after["changed_because"] == "priority_changed"
    assert after["due_at"] == "2026-03-02T11:00:00Z"
    await world.expect(item.breached("first_response"))


async def test_a_handover_is_counted_and_the_new_team_is_told(world: World) -> None:
    item = await world.raise_request("Payroll is down", **P1)
    await item.change("hand_over", team="it-infrastructure", reason="a server", by="lin")

    await world.fast_forward(minutes=5)

    status = (await item.shown())["status"]
    assert (status["team"], status["handovers"]) == ("it-infrastructure", 1)
    assert (len(world.inbox("ann")), len(world.inbox("lin"))) == (1, 0)
