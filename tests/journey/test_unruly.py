"""Order, repetition and outages change when something is known, never what is true."""

from __future__ import annotations

from contextlib import AsyncExitStack
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest

from shared.bus.memory import MemoryBus
from tests.harness.journey import P1, Item, a_post, whole_house
from tests.harness.unruly import UnrulyBus

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.journey import BusKind, World

#: Fields that say when something was recorded or are drawn from the seed, not what is true.
_OWN = ("id", "recorded_at", "clock_id", "request_id", "instance_id", "explain", "at")
#: Of an escalation that is over: a resolution both ends the request and meets its clocks, and
#: whichever is heard first takes the causes away and names the end.
_LEFT = ("causes", "close_reason")


async def a_morning(world: World) -> list[Item]:
    """Play a morning with four requests of different luck; half a minute between two acts."""

    async def pause() -> None:
        await world.fast_forward(seconds=30)

    silent = await world.raise_request("Payroll is down", **P1)
    await pause()
    solved = await world.raise_request("VPN drops")
    await pause()
    gone = await world.raise_request("Printer", urgency="high")
    await pause()
    again = await world.raise_request("Mail is slow", impact="high")
    await pause()
    await solved.change("assign", assignee="lin")
    await pause()
    await solved.answer("lin", "Which site?")
    await pause()
    await solved.change("wait", by="lin", reason="requester")
    await world.fast_forward(minutes=30)
    await solved.write("Site 3")
    await pause()
    await gone.act("withdraw")
    await pause()
    await again.change("hand_over", team="it-infrastructure", reason="a server")
    await pause()
    await again.change("resolve", by="ann")
    await pause()
    await again.act("reopen", reason="still slow")
    await pause()
    await again.change("assign", assignee="ann")
    await pause()
    await again.change("resolve", by="ann")
    await pause()
    await solved.change("resolve", by="lin")
    await pause()
    await solved.act("confirm")
    await world.fast_forward(hours=4)
    return [silent, solved, gone, again]


async def the_truth(world: World, item: Item) -> dict[str, Any]:
    """Return what the house says of a request, without ids and moments of recording."""
    shown = await item.shown()
    facts = (await world.call("GET", f"/v1/requests/{item.id}/timeline?limit=200"))["items"]
    metrics = (await world.call("GET", f"/clock/v1/requests/{item.id}/clocks"))["metrics"]
    router = await world.call("GET", f"/router/v1/requests/{item.id}")
    escalations = await item.escalations()
    deliveries = await item.deliveries()
    board = await world.call("GET", f"/insight/v1/requests/{item.id}")
    told = {
        "status": shown["status"],
        "promises": shown["promises"],
        "facts": told_facts(facts),
        "clocks": metrics,
        "router": router,
        "escalations": escalations,
        "told": sorted((d["template"], d["recipient"], d["channel"]) for d in deliveries),
        "board": board,
    }
    return {key: without_own(value) for key, value in told.items()}


def told_facts(facts: list[dict[str, Any]]) -> list[tuple[str, str]]:
    """Return the facts of a timeline in order of time, whatever order they came in."""
    found = sorted((f["type"], f["occurred_at"]) for f in facts)
    # One event speaks of all clocks that end together; who hears of their reasons at different
    # times says it in two. What became of each clock is compared under `clocks`.
    return [
        fact
        for n, fact in enumerate(found)
        if fact[0] != "clock.cancelled.v1" or fact not in found[:n]
    ]


def without_own(value: Any) -> Any:
    """Drop what is allowed to differ, at any depth."""
    if isinstance(value, dict):
        own = (*_OWN, *_LEFT) if value.get("close_reason") else _OWN
        return {k: without_own(v) for k, v in value.items() if k not in own}
    if isinstance(value, list | tuple):
        return [without_own(entry) for entry in value]
    return value


@pytest.mark.parametrize(
    "seed", [1, 3, *(pytest.param(n, marks=pytest.mark.slow) for n in range(4, 16))]
)
async def test_the_same_acts_lead_to_the_same_truth_whatever_order_messages_arrive_in(
    tmp_path: Path, seed: int
) -> None:
    found: dict[BusKind, list[dict[str, Any]]] = {}
    kinds: tuple[BusKind, ...] = ("memory", "unruly")
    for kind in kinds:
        async with whole_house(tmp_path / kind, kind, seed=seed) as world:
            if kind == "memory":
                await world.fast_forward(minutes=1)  # as long as the other waits for definitions
            items = await a_morning(world)
            found[kind] = [await the_truth(world, item) for item in items]
            assert await world.unfinished() == {}
            if isinstance(world.bus, UnrulyBus):
                assert min(world.bus.late, world.bus.twice) > 50

    for calm, unruly in zip(found["memory"], found["unruly"], strict=True):
        for part, told in calm.items():
            assert unruly[part] == told, part


async def test_while_the_bus_is_away_requests_are_accepted_and_flow_later(world: World) -> None:
    assert isinstance(world.bus, MemoryBus)
    world.bus.disconnect()
    answers = [
        await world.http.post("/v1/requests", json=a_post(f"Printer {n}"), headers=key(n))
        for n in range(20)
    ]
    ready = (await world.http.get("/intake/ready")).json()
    item = Item(world, answers[0].json()["id"], answers[0].json()["number"])
    meanwhile = (await world.http.get(f"/v1/requests/{item.id}")).json()["status"]["state"]
    repeated = await world.http.post("/v1/requests", json=a_post("Printer 7"), headers=key(7))

    world.bus.reconnect()
    world.time.advance(timedelta(seconds=1))
    await world.settled()

    assert {answer.status_code for answer in answers} == {201}
    assert (ready["status"], ready["checks"]["bus"]["is_well"]) == ("degraded", False)
    assert meanwhile == "submitted"
    assert repeated.json()["id"] == answers[7].json()["id"]
    assert (await world.call("GET", "/router/v1/requests"))["total"] == 20
    await world.expect(item.routed_to("it-service-desk", "P3"))
    # Its clock began when it was posted, not when the router heard of it.
    assert (await item.promise("resolution"))["started_at"] == "2026-03-02T09:00:00Z"


async def test_a_house_that_is_stopped_and_started_again_goes_on_where_it_was(
    tmp_path: Path,
) -> None:
    async with AsyncExitStack() as first:
        world = await first.enter_async_context(whole_house(tmp_path, "nats"))
        item = await world.raise_request("Payroll is down", **P1)
        await world.fast_forward(minutes=6)
        told = len(world.inbox("lin"))
        stopped_at = world.time.now()

    async with whole_house(tmp_path, "nats", start=stopped_at) as again:
        item = Item(again, item.id, item.number)
        await again.fast_forward(minutes=10)

        await again.expect(item.breached("first_response"))
        assert (told, len(again.inbox("lin")), len(again.robot.messages)) == (1, 1, 1)
        await again.expect(item.escalated(state="raised", tier=2))
        assert await again.unfinished() == {}


def key(number: int) -> dict[str, str]:
    """Return the header of an idempotent post."""
    return {"Idempotency-Key": f"k-{number}"}


async def test_what_nobody_routes_for_a_minute_is_escalated_until_somebody_does(
    world: World,
) -> None:
    assert isinstance(world.bus, MemoryBus)
    world.bus.disconnect()
    body = a_post("Payroll is down", **P1)
    told = (await world.http.post("/v1/requests", json=body)).json()
    item = Item(world, told["id"], told["number"])
    world.time.advance(timedelta(seconds=61))
    world.bus.reconnect()
    world.time.advance(timedelta(seconds=1))
    await world.settled()

    (first,) = await item.escalations()
    await world.fast_forward(minutes=10)

    assert ([cause["kind"] for cause in first["causes"]], first["state"]) == (
        ["not_routed"],
        "closed",
    )
    second, _ = await item.escalations()
    assert second["state"] == "raised"
    # Each climb has a clock of its own.
    clocks = await item.clocks("escalation_response")
    assert [(c["state"], c["is_breached"]) for c in clocks] == [
        ("cancelled", False),
        ("breached", True),
    ]
