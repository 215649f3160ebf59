"""Drafts: kept for who has the work item, read by nobody else, gone when it is over."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import func, select

from services.router.store import tables
from tests.harness.services import published
from tests.integration.test_router_four_eyes import refusal, work_of
from tests.integration.test_router_inbox import Desk, a_desk
from tests.integration.test_router_work_items import claimed, told

if TYPE_CHECKING:
    from pathlib import Path

    import httpx


async def save(desk: Desk, item: dict[str, Any], by: str = "li.na", **given: Any) -> httpx.Response:
    """Save a draft; headers by their names in lower case with underscores."""
    headers = {
        name.replace("_", "-"): given.pop(name)
        for name in ("if_match", "if_none_match")
        if name in given
    }
    url = f"/router/v1/work-items/{item['id']}/draft"
    return await desk.api.put(url, json={"by": by, "data": given}, headers=headers)


async def read(desk: Desk, item: dict[str, Any], person: str = "li.na") -> httpx.Response:
    url = f"/router/v1/work-items/{item['id']}/draft"
    return await desk.api.get(url, params={"person": person})


async def kept(desk: Desk) -> int:
    """Return how many drafts the database holds."""
    async with desk.service.runtime.database.reading() as connection:
        wanted = select(func.count()).select_from(tables.work_item_drafts)
        return int((await connection.execute(wanted)).scalar_one())


async def test_what_is_filled_in_is_there_again_after_a_restart(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        first = await save(desk, item, note="半句话", steps=[{"done": True}])
        assert (first.status_code, first.headers["etag"]) == (200, '"1"')

    async with a_desk(tmp_path) as desk:
        found = await read(desk, item)

        assert (found.status_code, found.headers["etag"]) == (200, '"1"')
        assert found.headers["cache-control"] == "no-store"
        assert found.json()["data"] == {"note": "半句话", "steps": [{"done": True}]}
        assert (found.json()["saved_by"], found.json()["version"]) == ("li.na", 1)


async def test_only_who_has_the_work_item_keeps_a_draft_and_only_they_read_it(
    tmp_path: Path,
) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        await save(desk, item, note="only-for-me")

        other = await save(desk, item, by="zhang.min", note="theirs")
        strangers = [await read(desk, item, who) for who in ("zhang.min", "wang.wei", "a.ghost")]

        assert refusal(other) == (409, "not-claimed-by-you")
        assert [refusal(answer) for answer in strangers] == [(404, "no-draft")] * 3
        # Neither the work item, nor an inbox, nor its history, nor an event says what is in it.
        seen = [
            (await desk.api.get(f"/router/v1/work-items/{item['id']}")).text,
            str(await desk.page(person="li.na")),
            str(await told(desk, item)),
            str(published(desk.world, "router")),
        ]
        assert not [text for text in seen if "only-for-me" in text]
        assert [act["kind"] for act in await told(desk, item)][-1] == "draft_saved"


async def test_of_two_windows_the_one_that_saw_less_is_told_so(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)

        born = await save(desk, item, if_none_match="*", n=1)
        again = await save(desk, item, if_none_match="*", n=2)
        right = await save(desk, item, if_match='"1"', n=3)
        stale = await save(desk, item, if_match='"1"', n=4)
        whatever = await save(desk, item, if_match="*", n=5)
        unsaid = await save(desk, item, n=6)
        nonsense = await save(desk, item, if_match="yesterday", n=7)

        assert [a.status_code for a in (born, right, whatever, unsaid)] == [200] * 4
        assert refusal(again) == refusal(stale) == (412, "draft-moved")
        assert stale.json()["params"]["version"] == 2
        assert nonsense.status_code == 422
        found = (await read(desk, item)).json()
        assert (found["version"], found["data"]) == (4, {"n": 6})


async def test_of_two_savings_at_once_that_saw_the_same_one_is_kept(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        await save(desk, item, n=0)

        answers = await asyncio.gather(*(save(desk, item, if_match='"1"', n=n) for n in range(4)))

        assert sorted(answer.status_code for answer in answers) == [200, 412, 412, 412]
        won = next(answer for answer in answers if answer.status_code == 200)
        assert (await read(desk, item)).json()["data"] == won.json()["data"]


async def test_a_draft_is_gone_with_its_work_item(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        request_id, item = await claimed(desk)
        cancelled_id, cancelled = await claimed(desk)
        for each in (item, cancelled):
            await save(desk, each, note="x")
        assert await kept(desk) == 2

        done = await desk.act(item, "complete", by="li.na", result={"note": "whole"})
        await desk.api.post(
            f"/router/v1/requests/{cancelled_id}/changes", json={"change": "cancel"}
        )
        await desk.world.settled()

        assert done.status_code == 200
        assert await kept(desk) == 0
        for each in (item, cancelled):
            assert refusal(await read(desk, each)) == (404, "no-draft")
            assert refusal(await save(desk, each, note="y")) == (409, "work-item-ended")
        assert request_id != cancelled_id


async def test_saving_while_it_is_completed_leaves_no_draft_behind(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)

        done, *saved = await asyncio.gather(
            desk.act(item, "complete", by="li.na"), *(save(desk, item, n=n) for n in range(5))
        )

        assert done.status_code == 200
        assert {answer.status_code for answer in saved} <= {200, 409}
        assert await kept(desk) == 0


async def test_who_gets_it_next_does_not_read_it_and_who_gets_it_back_does(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        await save(desk, item, note="mine")
        given = {"team": "it-service-desk", "reason": "x"}
        await desk.act(item, "delegate", assignee="zhang.min", **given)

        assert refusal(await read(desk, item, "zhang.min")) == (404, "no-draft")
        assert (await save(desk, item, by="zhang.min", note="theirs")).json()["version"] == 1
        assert refusal(await save(desk, item, note="still")) == (409, "not-claimed-by-you")

        await desk.act(item, "delegate", assignee="li.na", **given)
        assert (await read(desk, item)).json()["data"] == {"note": "mine"}


async def test_a_deputy_goes_on_from_what_the_absent_person_had_begun(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        await save(desk, item, note="begun")
        await desk.direct(li_na="zheng.li")
        # Standing in alone shows nothing: the work item has to be theirs.
        assert refusal(await read(desk, item, "zheng.li")) == (404, "no-draft")

        await desk.act(item, "claim", by="zheng.li")
        found = (await read(desk, item, "zheng.li")).json()
        went_on = await save(desk, item, by="zheng.li", if_match='"1"', note="went on")

        assert (found["saved_by"], found["data"]) == ("li.na", {"note": "begun"})
        assert (went_on.json()["saved_by"], went_on.json()["version"]) == ("zheng.li", 2)
        assert (await read(desk, item, "zheng.li")).json()["data"] == {"note": "went on"}
        assert (await read(desk, item)).json()["data"] == {"note": "begun"}


async def test_a_page_that_saves_by_itself_does_not_fill_the_history(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        for n in range(60):
            assert (await save(desk, item, n=n)).status_code == 200
            await desk.world.pass_time(timedelta(seconds=30).total_seconds())

        kinds = [act["kind"] for act in await told(desk, item)]

        assert kinds == ["created", "offered", "claimed", "draft_saved", "draft_saved"]
        assert (await read(desk, item)).json()["version"] == 60


async def test_what_is_thrown_away_is_gone_and_nothing_is_thrown_away_twice(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)
        await save(desk, item, note="x")
        url = f"/router/v1/work-items/{item['id']}/draft"

        thrown = [await desk.api.delete(url, params={"person": "li.na"}) for _ in range(2)]

        assert [answer.status_code for answer in thrown] == [204, 204]
        assert refusal(await read(desk, item)) == (404, "no-draft")
        assert [act["kind"] for act in await told(desk, item)][-1] == "draft_discarded"
        assert (await save(desk, item, note="anew")).json()["version"] == 1


@pytest.mark.parametrize(
    ("data", "status", "code"),
    [
        ({"note": "字" * 30_000}, 413, "draft-too-large"),
        ({"n": 2**70}, 422, "invalid"),
        ({"note": "x" * 300_000}, 413, "too-large"),
    ],
)
async def test_a_draft_is_bounded(
    tmp_path: Path, data: dict[str, Any], status: int, code: str
) -> None:
    async with a_desk(tmp_path) as desk:
        _, item = await claimed(desk)

        answer = await save(desk, item, **data)

        assert refusal(answer) == (status, code)
        assert await kept(desk) == 0


async def test_nobody_keeps_a_draft_of_what_nobody_knows(tmp_path: Path) -> None:
    async with a_desk(tmp_path) as desk:
        await desk.ask()
        nothing = {"id": str(desk.world.ids.new())}

        assert refusal(await save(desk, nothing)) == (404, "no-such-work-item")
        assert refusal(await read(desk, nothing)) == (404, "no-such-work-item")
        # What nobody has taken nobody fills in.
        free = await work_of(desk, (await desk.page())["items"][0]["request_id"])
        assert refusal(await save(desk, free)) == (409, "not-claimed-by-you")
