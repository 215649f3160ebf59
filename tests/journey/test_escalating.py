"""Who is told, until somebody takes it over: seen from mailboxes and a chat."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.harness.journey import P1, whole_house
from tests.harness.receivers import SmtpFault

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.journey import Item, World

#: Minutes since the start of the climb, tier, who is told: the shipped policy `urgent`.
URGENT = [
    (0, 1, ["lin"]),
    (5, 1, ["lin"]),
    (10, 2, ["wang"]),
    (15, 2, ["wang"]),
    (20, 3, ["gao"]),
    (30, 3, ["gao"]),
    (40, 4, ["duty"]),
    (45, 4, ["duty"]),
    (50, 4, ["duty"]),
]
#: Nobody answered, and then the promise of a solution is broken as well: whoever was called last
#: is called again.
AGAIN = [(115, 4, ["duty"]), (120, 4, ["duty"]), (125, 4, ["duty"])]


async def an_outage(world: World) -> Item:
    """Return a P1: 10 minutes to assign it, 15 to answer, warnings from half of it on."""
    item = await world.raise_request("Payroll is down", **P1)
    await world.expect(item.routed_to("it-service-desk", "P1"))
    return item


async def test_an_unanswered_p1_reaches_everybody_in_turn_and_is_called_again_by_the_next_breach(
    either_world: World,
) -> None:
    world = either_world
    item = await an_outage(world)

    await world.fast_forward(minutes=4, seconds=59)
    assert (await item.escalations(), world.post.messages) == ([], [])

    await world.fast_forward(seconds=1)
    await world.expect(item.warned("assignment", 50))
    assert len(world.inbox("lin")) == 1

    await world.fast_forward(minutes=10)
    await world.expect(item.breached("assignment"))
    await world.expect(item.breached("first_response"))
    (chat,) = world.robot.messages
    assert item.number in chat.text
    assert "分配已超时" in chat.text

    await world.fast_forward(hours=3)

    await world.expect(item.escalated(state="exhausted", tier=4))
    await world.expect(item.breached("resolution"))
    assert await item.steps() == URGENT + AGAIN
    assert [len(world.inbox(p)) for p in ("lin", "wang", "gao", "duty")] == [2, 0, 4, 8]
    assert len(world.robot.messages) == 2
    last = {p: str(world.inbox(p)[-1].mail["Subject"]) for p in ("gao", "duty")}
    assert all("无人响应" in subject for subject in last.values())
    said = (await world.call("GET", f"/insight/v1/requests/{item.id}/timeline?limit=200"))["items"]
    assert [f["type"] for f in said].count("escalation.exhausted.v1") == 2


async def test_looking_at_the_link_changes_nothing_and_pressing_it_stops_the_climb(
    either_world: World,
) -> None:
    world = either_world
    item = await an_outage(world)
    await world.fast_forward(minutes=5)
    link = world.link_for("lin")

    page = await world.http.get(link, headers={"Authorization": ""})
    await world.fast_forward(minutes=5)

    assert page.status_code == 200
    assert "<form" in page.text
    await world.expect(item.escalated(state="raised"))
    assert len(world.inbox("lin")) == 2

    pressed = await world.http.post(link, headers={"Authorization": ""})
    await world.fast_forward(hours=4)

    assert pressed.status_code == 200
    await world.expect(item.escalated(state="acknowledged", acknowledged_by="lin", tier=1))
    assert world.robot.messages == []
    assert [world.inbox(p) for p in ("gao", "duty")] == [[], []]
    (clock,) = await item.clocks("escalation_response")
    assert (clock["state"], clock["elapsed_s"]) == ("met", 300)
    again = await world.http.post(link)
    assert "您已于" in again.text


async def test_an_acknowledgement_voids_the_message_that_is_still_on_its_way(world: World) -> None:
    item = await an_outage(world)
    await world.fast_forward(minutes=9, seconds=59)
    world.post.fail_next(SmtpFault("rcpt", "451 4.7.1 later"), times=2)
    await world.fast_forward(seconds=2)
    waiting = [d for d in await item.deliveries() if d["state"] == "accepted"]

    await world.http.post(world.link_for("lin"))
    await world.fast_forward(hours=1)

    assert [d["recipient"] for d in waiting] == ["lin"]
    after = {d["id"]: d for d in await item.deliveries()}
    assert after[waiting[0]["id"]]["state"] == "suppressed"
    assert len(world.inbox("lin")) == 1


async def test_the_deputy_of_an_absent_member_gets_the_mail_and_may_press_its_link(
    tmp_path: Path,
) -> None:
    away = (
        "[{starts_at: '2026-03-01T00:00:00+08:00', ends_at: '2026-03-09T00:00:00+08:00',"
        " deputy: ann}]"
    )
    async with whole_house(tmp_path, absences=away) as world:
        item = await an_outage(world)
        await world.fast_forward(minutes=5)

        assert world.inbox("lin") == []
        (mail,) = world.inbox("ann")
        assert "needs you" in str(mail.mail["Subject"])
        assert "America/New_York" in mail.text

        await world.http.post(world.link_for("ann"))
        await world.settled()
        await world.expect(item.escalated(state="acknowledged", acknowledged_by="ann"))


async def test_an_answer_in_time_leaves_everybody_in_peace(world: World) -> None:
    item = await an_outage(world)
    await item.change("assign", assignee="lin")
    await world.fast_forward(minutes=5)
    await item.answer("lin", "We are on it")
    await world.fast_forward(minutes=20)
    await item.change("resolve", by="lin")

    await world.fast_forward(days=1)

    assert (await item.escalations(), world.post.messages, world.robot.messages) == ([], [], [])
    assert [(await item.promise(m))["state"] for m in ("first_response", "resolution")] == [
        "met",
        "met",
    ]


async def test_a_person_who_asks_for_help_reaches_people_at_once(world: World) -> None:
    item = await world.raise_request("Slow network")
    body = {"by": "ann", "reason": "nobody called back"}

    told = await world.call("POST", f"/escalation/v1/requests/{item.id}/escalate", body)

    assert told["outcome"] == "raised"
    assert len(world.inbox("lin")) == 1


@pytest.mark.parametrize("ending", ["resolve", "close", "cancel"])
async def test_a_climb_ends_with_its_request(world: World, ending: str) -> None:
    item = await an_outage(world)
    await world.fast_forward(minutes=6)

    await item.change(ending, by="lin", reason="done")
    await world.fast_forward(hours=5)

    await world.expect(item.escalated(state="closed"))
    assert world.robot.messages == []
    assert [d["recipient"] for d in await item.deliveries()].count("lin") <= 2
