"""Four eyes: who did one thing does not do the other, by whatever way they try."""

from __future__ import annotations

import asyncio
import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from shared.events.intake import Requester
from tests.harness.services import published
from tests.integration.test_router import BPMN
from tests.integration.test_router_inbox import Desk, a_desk
from tests.integration.test_router_lanes import drawn, task
from tests.unit.router.workflow.builders import BEGIN, boundary, ends, flow, message, path, script

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path
    from uuid import UUID

    import httpx

#: The desk hands in, another of the desk approves; solving the request solves what is open of it.
TWO_OF_THE_DESK = drawn(
    "standard-path",
    BEGIN,
    script("own", '="it-service-desk"', "team"),
    task("submit", "it-service-desk"),
    boundary("solved_early", "submit", message("M_resolved")),
    task("approve", "it-service-desk", excludes="submit"),
    boundary("solved", "approve", message("M_resolved")),
    ends("e"),
    path("begin", "own", "submit", "approve", "e"),
    flow("solved_early", "approve"),
    flow("solved", "e"),
)
#: The same for another team, which does its share and owns nothing by it.
SHARES = drawn(
    "standard-path",
    BEGIN,
    task("submit", "it-service-desk"),
    task("approve", "it-service-desk", excludes="submit"),
    ends("e"),
    path("begin", "submit", "approve", "e"),
)


@asynccontextmanager
async def desk_with(folder: Path, diagram: bytes) -> AsyncIterator[Desk]:
    definitions = folder / "bpmn"
    shutil.copytree(BPMN, definitions, dirs_exist_ok=True)
    (definitions / "standard-path.bpmn").write_bytes(diagram)
    async with a_desk(folder, definitions) as desk:
        yield desk


async def work_of(desk: Desk, request_id: UUID) -> dict[str, Any]:
    """Return the one open work item of a request."""
    told = (await desk.api.get(f"/router/v1/requests/{request_id}")).json()
    [item] = [i for i in told["work_items"] if i["state"] in ("open", "claimed")]
    return dict(item)


async def submitted(desk: Desk, by: str = "li.na") -> tuple[UUID, dict[str, Any]]:
    """Return a request whose first task `by` did, and the task that is open now."""
    request_id = await desk.ask()
    first = await work_of(desk, request_id)
    assert (await desk.act(first, "claim", by=by)).status_code == 200
    assert (await desk.act(first, "complete", by=by)).status_code == 200
    second = await work_of(desk, request_id)
    assert (second["element_id"], second["excludes"]) == ("approve", ["submit"])
    return request_id, second


async def change(desk: Desk, request_id: UUID, kind: str, **given: Any) -> httpx.Response:
    answer = await desk.api.post(
        f"/router/v1/requests/{request_id}/changes", json={"change": kind, **given}
    )
    await desk.world.settled()
    return answer


def refusal(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json().get("code", "")


async def test_who_did_one_task_neither_takes_nor_completes_the_other(tmp_path: Path) -> None:
    async with desk_with(tmp_path, TWO_OF_THE_DESK) as desk:
        _, item = await submitted(desk)

        claimed = await desk.act(item, "claim", by="li.na")
        completed = await desk.act(item, "complete", by="li.na")
        nobody = await desk.act(item, "complete")
        english = await desk.api.post(
            f"/router/v1/work-items/{item['id']}/claim",
            json={"by": "li.na"},
            headers={"Accept-Language": "en"},
        )

        assert refusal(claimed) == refusal(completed) == (403, "four-eyes")
        assert claimed.headers["content-type"] == "application/problem+json"
        assert "四眼" in claimed.json()["title"]
        assert english.json()["title"].startswith("li.na did")
        assert claimed.json()["params"]["element_id"] == "submit"
        assert [e["path"] for e in nobody.json()["errors"]] == ["/by"]
        assert (await desk.act(item, "claim", by="zhang.min")).status_code == 200
        done = await desk.act(item, "complete", by="zhang.min")
        assert done.json()["state"] == "completed"


async def test_nobody_hands_it_to_who_is_barred(tmp_path: Path) -> None:
    async with desk_with(tmp_path, TWO_OF_THE_DESK) as desk:
        request_id, item = await submitted(desk)
        await desk.act(item, "claim", by="zhang.min")
        given = {"team": "it-service-desk", "assignee": "li.na", "reason": "you know it"}
        elsewhere = {"team": "triage", "assignee": "li.na", "reason": "you know it"}

        answers = [
            await desk.act(item, "delegate", **given),
            await desk.act(item, "delegate", **elsewhere),
            await change(desk, request_id, "assign", assignee="li.na", by="zhang.min"),
            await change(desk, request_id, "hand_over", **elsewhere),
        ]

        assert [refusal(answer) for answer in answers] == [(403, "four-eyes")] * 4
        # Nothing of a refused call happened.
        assert (await work_of(desk, request_id))["assignee"] == "zhang.min"
        assert published(desk.world, "router", "request.handed_over.v1") == []
        other = await desk.act(item, "delegate", **{**given, "assignee": "liu.yang"})
        assert other.json()["assignee"] == "liu.yang"


async def test_anothers_share_is_not_delegated_to_who_is_barred(tmp_path: Path) -> None:
    async with desk_with(tmp_path, SHARES) as desk:
        _, item = await submitted(desk)

        given = {"team": "triage", "reason": "you know it"}
        barred = await desk.act(item, "delegate", assignee="li.na", **given)

        assert refusal(barred) == (403, "four-eyes")
        assert (await desk.act(item, "delegate", assignee="wang.wei", **given)).status_code == 200


async def test_solving_the_request_is_no_way_round_it(tmp_path: Path) -> None:
    async with desk_with(tmp_path, TWO_OF_THE_DESK) as desk:
        request_id, _ = await submitted(desk)

        for kind in ("resolve", "close"):
            assert refusal(await change(desk, request_id, kind, by="li.na")) == (403, "four-eyes")
            nameless = await change(desk, request_id, kind)
            assert [e["path"] for e in nameless.json()["errors"]] == ["/by"]
        assert (await work_of(desk, request_id))["element_id"] == "approve"

        assert (await change(desk, request_id, "resolve", by="liu.yang")).status_code == 200
        told = (await desk.api.get(f"/router/v1/requests/{request_id}")).json()
        assert told["state"] == "closed"
        assert {i["state"] for i in told["work_items"]} == {"completed"}


async def test_who_solved_the_first_task_in_anothers_hands_did_it(tmp_path: Path) -> None:
    async with desk_with(tmp_path, TWO_OF_THE_DESK) as desk:
        request_id = await desk.ask()
        await desk.act(await work_of(desk, request_id), "claim", by="zhang.min")

        # The request is solved by their word, so the first task is done by it.
        assert (await change(desk, request_id, "resolve", by="li.na")).status_code == 200

        item = await work_of(desk, request_id)
        assert item["element_id"] == "approve"
        assert refusal(await desk.act(item, "claim", by="li.na")) == (403, "four-eyes")
        assert (await desk.act(item, "claim", by="zhang.min")).status_code == 200


async def test_the_first_task_is_done_by_somebody_the_house_knows(tmp_path: Path) -> None:
    async with desk_with(tmp_path, TWO_OF_THE_DESK) as desk:
        request_id = await desk.ask()
        item = await work_of(desk, request_id)

        nobody = await desk.act(item, "complete")
        ghost = await desk.act(item, "complete", by="a.ghost")
        solved = await change(desk, request_id, "resolve")

        assert [e["path"] for e in nobody.json()["errors"]] == ["/by"]
        assert refusal(ghost) == (404, "no-such-person")
        assert [e["path"] for e in solved.json()["errors"]] == ["/by"]


async def test_a_deputy_does_not_lend_a_hand_to_who_is_barred(tmp_path: Path) -> None:
    async with desk_with(tmp_path, TWO_OF_THE_DESK) as desk:
        _, item = await submitted(desk)
        await desk.direct(li_na="zheng.li")

        claimed = await desk.act(item, "claim", by="zheng.li")
        completed = await desk.act(item, "complete", by="zheng.li")

        assert refusal(claimed) == refusal(completed) == (403, "acts-for-barred")
        assert "li.na" in claimed.json()["title"]


async def test_what_a_deputy_did_bars_also_whom_they_did_it_for(tmp_path: Path) -> None:
    async with desk_with(tmp_path, TWO_OF_THE_DESK) as desk:
        await desk.direct(li_na="zheng.li")
        request_id, item = await submitted(desk, by="zheng.li")
        await desk.direct()

        for person in ("zheng.li", "li.na"):
            assert refusal(await desk.act(item, "claim", by=person)) == (403, "four-eyes"), person
        assert (await desk.act(item, "claim", by="zhang.min")).status_code == 200
        assert (await work_of(desk, request_id))["assignee"] == "zhang.min"


async def test_a_deputy_from_outside_the_team_takes_what_their_inbox_shows(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        one, two = await desk.ask(), await desk.ask()
        [held, free] = (await desk.page(team="it-service-desk"))["items"]
        await desk.act(held, "claim", by="li.na")
        assert refusal(await desk.act(free, "claim", by="zheng.li")) == (409, "not-a-candidate")
        await desk.direct(li_na="zheng.li")
        assert await desk.order(person="zheng.li") == [1, 2]

        for item in (held, free):
            taken = await desk.act(item, "claim", by="zheng.li")
            assert (taken.status_code, taken.json()["assignee"]) == (200, "zheng.li")

        # What was just taken is in their hands at once, and on whose behalf is told to all.
        assert await desk.order(person="zheng.li", scope="mine") == [1, 2]
        claimed = published(desk.world, "router", "work_item.claimed.v1")
        told = [(c["data"]["assignee"], c["data"]["on_behalf_of"]) for c in claimed]
        assert told == [("li.na", None), ("zheng.li", "li.na"), ("zheng.li", "li.na")]
        for request_id in (one, two):
            shown = (await desk.api.get(f"/router/v1/requests/{request_id}")).json()
            assert shown["assignee"] == "zheng.li"
        assert (await desk.act(held, "complete", by="zheng.li")).status_code == 200


async def test_what_somebody_present_holds_is_taken_by_nobody(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        await desk.ask()
        [item] = (await desk.page(team="it-service-desk"))["items"]
        await desk.act(item, "claim", by="li.na")

        taken = await desk.act(item, "claim", by="zhang.min")

        assert refusal(taken) == (409, "already-claimed")


async def test_of_two_at_once_one_has_it_and_the_other_is_told_who(tmp_path: Path) -> None:
    async with desk_with(tmp_path, TWO_OF_THE_DESK) as desk:
        _, item = await submitted(desk)

        answers = await asyncio.gather(
            *(desk.act(item, "claim", by=by) for by in ("zhang.min", "liu.yang"))
        )

        assert sorted(answer.status_code for answer in answers) == [200, 409]
        held = next(answer.json()["assignee"] for answer in answers if answer.status_code == 200)
        [late] = [answer for answer in answers if answer.status_code == 409]
        assert late.json()["params"]["assignee"] == held


async def test_done_twice_by_the_same_hands_is_done_once_and_by_others_refused(
    tmp_path: Path,
) -> None:
    async with desk_with(tmp_path, TWO_OF_THE_DESK) as desk:
        request_id, item = await submitted(desk)
        by = {"by": "zhang.min"}

        answers = await asyncio.gather(*(desk.act(item, "complete", **by) for _ in range(3)))
        late = await desk.act(item, "claim", by="liu.yang")

        assert [(a.status_code, a.json()["state"]) for a in answers] == [(200, "completed")] * 3
        assert refusal(late) == (409, "work-item-ended")
        done = published(desk.world, "router", "work_item.completed.v1")
        assert [e["data"]["completed_by"] for e in done] == ["li.na", "zhang.min"]
        told = (await desk.api.get(f"/router/v1/requests/{request_id}")).json()
        assert told["state"] == "closed"


async def test_nobody_has_both_in_hand_where_both_are_open_at_once(tmp_path: Path) -> None:
    """Two beside each other, each barring the other's doer: taking both is fine, doing both not."""
    diagram = drawn(
        "standard-path",
        BEGIN,
        '<bpmn:parallelGateway id="fork"/><bpmn:parallelGateway id="join"/>',
        task("left", "it-service-desk", excludes="right"),
        task("right", "it-service-desk", excludes="left"),
        ends("e"),
        path("begin", "fork", "left", "join", "e"),
        path("fork", "right", "join"),
    )
    async with desk_with(tmp_path, diagram) as desk:
        request_id = await desk.ask(requester=Requester(id="emp-7"))
        told = (await desk.api.get(f"/router/v1/requests/{request_id}")).json()
        left, right = told["work_items"]
        for item in (left, right):
            await desk.act(item, "claim", by="li.na")

        first = await desk.act(left, "complete", by="li.na")
        second = await desk.act(right, "complete", by="li.na")

        assert first.status_code == 200
        assert refusal(second) == (403, "four-eyes")
        await desk.act(right, "return", by="li.na", reason="four eyes")
        assert (await desk.act(right, "complete", by="zhang.min")).status_code == 200
