"""Work items put back and handed on, and what their history tells of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.services import published
from tests.integration.test_router_four_eyes import SHARES, desk_with, refusal, work_of
from tests.integration.test_router_inbox import Desk, a_desk

if TYPE_CHECKING:
    from pathlib import Path
    from uuid import UUID


async def claimed(desk: Desk, by: str = "li.na") -> tuple[UUID, dict[str, Any]]:
    """Return a request and its work item, in somebody's hands."""
    request_id = await desk.ask()
    item = await work_of(desk, request_id)
    assert (await desk.act(item, "claim", by=by)).status_code == 200
    return request_id, item


async def owner(desk: Desk, request_id: UUID) -> str | None:
    told = (await desk.api.get(f"/router/v1/requests/{request_id}")).json()
    found: str | None = told["assignee"]
    return found


async def told(desk: Desk, item: dict[str, Any], **query: Any) -> list[dict[str, Any]]:
    """Return the history of a work item."""
    answer = await desk.api.get(f"/router/v1/work-items/{item['id']}/history", params=query)
    assert answer.status_code == 200, answer.text
    acts: list[dict[str, Any]] = answer.json()["items"]
    return acts


# ---- put back -----------------------------------------------------------------------------------


async def test_what_is_put_back_is_the_teams_again_at_once_and_the_request_with_it(
    tmp_path: Path,
) -> None:
    async with a_desk(tmp_path) as desk:
        request_id, item = await claimed(desk)

        put = await desk.act(item, "unclaim", by="li.na")

        assert (put.status_code, put.json()["state"], put.json()["assignee"]) == (200, "open", None)
        assert await desk.order(person="zhang.min", scope="open") == [1]
        assert await desk.order(person="li.na", scope="mine") == []
        assert await owner(desk, request_id) is None
        [released] = published(desk.world, "router", "request.unassigned.v1")
        assert released["data"] == {
            "team": "it-service-desk",
            "from_assignee": "li.na",
            "reason": "unclaimed",
            "unassigned_by": "li.na",
        }
        [event] = published(desk.world, "router", "work_item.unclaimed.v1")
        assert event["data"] == {
            "work_item_id": item["id"],
            "assignee": "li.na",
            "unclaimed_by": "li.na",
        }
        # Once is enough: said again it changes nothing, and nothing more is told.
        again = await desk.act(item, "unclaim", by="li.na")
        assert (again.status_code, again.json()) == (200, put.json())
        assert len(published(desk.world, "router", "work_item.unclaimed.v1")) == 1


async def test_who_leads_the_team_puts_it_back_and_a_colleague_does_not(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)

        colleague = await desk.act(item, "unclaim", by="zhang.min")
        elsewhere = await desk.act(item, "unclaim", by="chen.jie")
        nobody = await desk.act(item, "unclaim", by="a.ghost")

        assert refusal(colleague) == refusal(elsewhere) == (403, "not-yours-to-put-back")
        assert "li.na" in colleague.json()["sentences"]["zh-CN"]
        assert refusal(nobody) == (404, "no-such-person")
        for in_charge in ("wang.wei", "gao.fei"):
            assert (await desk.act(item, "unclaim", by=in_charge)).json()["state"] == "open"
            await desk.act(item, "claim", by="li.na")
        # Whoever stands in for the lead, or for who has it.
        await desk.direct(wang_wei="sun.yan", li_na="zheng.li")
        for deputy in ("sun.yan", "zheng.li"):
            assert (await desk.act(item, "unclaim", by=deputy)).json()["state"] == "open", deputy
            await desk.act(item, "claim", by="li.na")


async def test_a_share_that_is_put_back_leaves_the_request_with_its_owner(tmp_path: Path) -> None:
    async with desk_with(tmp_path, SHARES) as desk:
        request_id, item = await claimed(desk)
        answer = await desk.api.post(
            f"/router/v1/requests/{request_id}/changes",
            json={"change": "assign", "assignee": "wang.wei", "by": "wang.wei"},
        )
        assert answer.status_code == 200

        assert (await desk.act(item, "unclaim", by="li.na")).status_code == 200

        assert await owner(desk, request_id) == "wang.wei"


async def test_what_is_over_is_not_put_back(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        await desk.act(item, "complete", by="li.na")

        answer = await desk.act(item, "unclaim", by="li.na")

        assert refusal(answer) == (409, "work-item-ended")


async def test_taking_while_it_is_put_back_leaves_it_in_one_pair_of_hands_or_none(
    tmp_path: Path,
) -> None:
    async with a_desk(tmp_path) as desk:
        request_id, item = await claimed(desk)

        put, taken = await asyncio.gather(
            desk.act(item, "unclaim", by="li.na"), desk.act(item, "claim", by="zhang.min")
        )

        assert put.status_code == 200
        assert taken.status_code in (200, 409)
        now = await work_of(desk, request_id)
        expected = "zhang.min" if taken.status_code == 200 else None
        assert (now["assignee"], await owner(desk, request_id)) == (expected, expected)


async def test_taking_while_it_is_completed_takes_nothing_that_is_over(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        request_id = await desk.ask()
        item = await work_of(desk, request_id)

        done, taken = await asyncio.gather(
            desk.act(item, "complete", by="li.na"), desk.act(item, "claim", by="zhang.min")
        )

        shown = (await desk.api.get(f"/router/v1/work-items/{item['id']}")).json()
        if taken.status_code == 200:
            # Taken first: then it is theirs, and nobody completes it out of their hands.
            assert refusal(done) == (409, "not-claimed-by-you")
            assert (shown["state"], shown["assignee"]) == ("claimed", "zhang.min")
        else:
            assert (done.status_code, refusal(taken)) == (200, (409, "work-item-ended"))
            assert (shown["state"], shown["assignee"]) == ("completed", "li.na")


# ---- handed on ----------------------------------------------------------------------------------


async def test_handing_to_a_colleague_keeps_the_reason_and_is_counted(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        request_id, item = await claimed(desk)
        given = {"team": "it-service-desk", "reason": "  knows mail  ", "by": "li.na"}

        handed = await desk.act(item, "delegate", assignee="zhang.min", **given)

        assert (handed.json()["assignee"], handed.json()["handovers"]) == ("zhang.min", 1)
        assert await owner(desk, request_id) == "zhang.min"
        [event] = published(desk.world, "router", "work_item.delegated.v1")
        assert event["data"] == {
            "work_item_id": item["id"],
            "to_team": "it-service-desk",
            "to_assignee": "zhang.min",
            "reason": "knows mail",
            "delegated_by": "li.na",
            "from_assignee": "li.na",
            "handovers": 1,
        }
        # Inside a team it is no handover of the request: its owner is the team still.
        assert published(desk.world, "router", "request.handed_over.v1") == []
        back = await desk.act(item, "delegate", **given | {"by": "zhang.min"})
        assert (back.json()["state"], back.json()["handovers"]) == ("open", 2)
        assert await owner(desk, request_id) is None


async def test_handing_to_another_team_is_a_handover_that_says_who_and_why(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)

        given = {"team": "it-infrastructure", "assignee": "sun.yan", "reason": "network"}
        handed = await desk.act(item, "delegate", by="li.na", **given)

        assert (handed.json()["assignee"], handed.json()["handovers"]) == ("sun.yan", 1)
        [event] = published(desk.world, "router", "request.handed_over.v1")
        assert event["data"]["handed_over_by"] == "li.na"
        assert (event["data"]["reason"], event["data"]["handovers"]) == ("network", 1)


@pytest.mark.parametrize(
    ("given", "status", "code"),
    [
        ({"reason": "   "}, 422, "invalid"),
        ({"by": "chen.jie"}, 403, "not-yours-to-hand-on"),
        ({"by": "a.ghost"}, 404, "no-such-person"),
        ({"assignee": "a.ghost"}, 404, "no-such-person"),
        ({"team": "no-team"}, 404, "no-such-team"),
    ],
)
async def test_a_handover_names_a_reason_and_comes_from_somebody_it_concerns(
    tmp_path: Path, given: dict[str, str], status: int, code: str
) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        whole = {"team": "it-service-desk", "assignee": "liu.yang", "reason": "x", "by": "li.na"}

        answer = await desk.act(item, "delegate", **whole | given)

        assert refusal(answer) == (status, code)


# ---- history ------------------------------------------------------------------------------------


async def test_the_history_tells_everything_that_happened_by_whom_and_why(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        request_id, item = await claimed(desk)
        await desk.act(item, "return", by="li.na", reason="not mine")
        await desk.act(item, "claim", by="zhang.min")
        await desk.act(item, "unclaim", by="wang.wei")
        handed = {"team": "it-infrastructure", "reason": "network", "by": "wang.wei"}
        await desk.act(item, "delegate", **handed)
        await desk.api.post(
            f"/router/v1/requests/{request_id}/changes",
            json={"change": "assign", "assignee": "sun.yan", "by": "chen.jie"},
        )
        await desk.direct(sun_yan="zheng.li")
        await desk.act(item, "claim", by="zheng.li")
        await desk.act(item, "complete", by="zheng.li")

        acts = await told(desk, item)

        assert [act["n"] for act in acts] == list(range(1, 11))
        assert all(act.pop("at") for act in acts)
        kinds = [(act["kind"], act["by"]) for act in acts]
        assert kinds == [
            ("created", None),
            ("offered", None),
            ("claimed", "li.na"),
            ("returned", "li.na"),
            ("claimed", "zhang.min"),
            ("unclaimed", "wang.wei"),
            ("delegated", "wang.wei"),
            ("claimed", "chen.jie"),
            ("claimed", "zheng.li"),
            ("completed", "zheng.li"),
        ]
        # To whom it was offered first, though another team has it since.
        assert (acts[1]["teams"], acts[1]["users"]) == (["it-service-desk"], [])
        assert acts[3]["reason"] == "not mine"
        assert acts[5]["from_person"] == "zhang.min"
        assert (acts[6]["team"], acts[6]["reason"]) == ("it-infrastructure", "network")
        assert (acts[7]["person"], acts[7]["cause"]) == ("sun.yan", "assigned")
        assert (acts[8]["on_behalf_of"], acts[8]["from_person"]) == ("sun.yan", "sun.yan")
        assert acts[9]["on_behalf_of"] == "sun.yan"


async def test_what_the_diagram_or_a_resolution_ends_is_told_with_its_cause(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        items = []
        for change in ({"change": "resolve", "by": "li.na"}, {"change": "cancel"}):
            request_id = await desk.ask()
            items.append(await work_of(desk, request_id))
            await desk.api.post(f"/router/v1/requests/{request_id}/changes", json=change)
        await desk.world.settled()

        solved, cancelled = [(await told(desk, item))[-1] for item in items]

        assert (solved["kind"], solved["by"], solved["cause"]) == ("completed", "li.na", "resolved")
        assert (cancelled["kind"], cancelled["reason"]) == ("cancelled", "cancelled")


async def test_a_history_is_read_page_by_page(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        for _ in range(3):
            await desk.act(item, "unclaim", by="li.na")
            await desk.act(item, "claim", by="li.na")
        whole = await told(desk, item)

        pages = [act for n in range(0, 12, 3) for act in await told(desk, item, limit=3, offset=n)]
        answer = await desk.api.get(f"/router/v1/work-items/{item['id']}/history?limit=1&offset=1")

        assert len(whole) == 9
        assert pages == whole
        assert answer.json()["total"] == 9
        assert [act["kind"] for act in answer.json()["items"]] == ["offered"]


async def test_what_nobody_knows_has_no_history(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        nothing = desk.world.ids.new()

        answer = await desk.api.get(f"/router/v1/work-items/{nothing}/history")

        assert refusal(answer) == (404, "no-such-work-item")
