"""Definitions that were refused: closed by a mended one, a person, or with the file; on record."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING, Any

from tests.harness.world import new_world
from tests.integration.test_router import BPMN, router
from tests.integration.test_router_releases import applied, file, priority

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

DEFINITIONS = "/router/v1/definitions"
WRONG = priority("nonsense(")


async def stands_open(api: httpx.AsyncClient) -> list[str]:
    told = (await api.get(DEFINITIONS)).json()["refused"]
    return [each["file"] for each in told]


async def log(api: httpx.AsyncClient) -> list[tuple[str, str, str | None, str | None]]:
    told = (await api.get(f"{DEFINITIONS}/refusals")).json()["items"]
    return [(e["file"], e["outcome"], e["settled_by"], e["reason"]) for e in told]


async def dismissed(api: httpx.AsyncClient, place: str, **body: Any) -> httpx.Response:
    return await api.post(f"{DEFINITIONS}/{place}/dismiss", json=body)


async def test_who_handed_in_what_was_refused_may_leave_it_at_that(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        await applied(api, file("decision", "priority", WRONG))
        assert await stands_open(api) == ["api/decision/priority"]

        unexplained = await dismissed(api, "decision/priority", reason="")
        done = await dismissed(api, "decision/priority", reason="only tried something")
        twice = await dismissed(api, "decision/priority", reason="only tried something")

        assert (unexplained.status_code, twice.status_code) == (422, 404)
        assert done.json() == {"dismissed": ["api/decision/priority"]}
        assert twice.json()["code"] == "nothing-refused"
        assert await stands_open(api) == []
        [kept] = (await api.get(f"{DEFINITIONS}/refusals")).json()["items"]
        assert (kept["told_to"], kept["settled_by"]) == ("test", "test")
        assert (kept["outcome"], kept["reason"]) == ("dismissed", "only tried something")
        assert kept["findings"][0]["message"]["zh-CN"]
        assert len(kept["content_hash"]) == 64


async def test_each_refusal_leaves_a_record_however_it_ends(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        for text in (WRONG, WRONG, priority("if then"), priority('"P1"')):
            await applied(api, file("decision", "priority", text))
            await world.pass_time(1)

        assert await stands_open(api) == []
        place = "api/decision/priority"
        assert await log(api) == [
            (place, "mended", "test", None),
            (place, "replaced", "test", None),
        ]


async def test_a_wrong_file_of_the_folder_is_refused_as_long_as_it_lies_there(
    tmp_path: Path,
) -> None:
    world, folder = new_world(), tmp_path / "bpmn"
    shutil.copytree(BPMN, folder)
    for name in ("one.dmn", "two.dmn"):
        (folder / name).write_text(WRONG, encoding="utf-8")
    async with router(tmp_path, world, folder) as (_, api):
        refused = await dismissed(api, "decision/one", reason="known")
        (folder / "two.dmn").unlink()
        await api.post(f"{DEFINITIONS}/reload")

        assert (refused.status_code, refused.json()["code"]) == (409, "file-is-wrong")
        assert "one.dmn" in refused.json()["sentences"]["zh-CN"]
        assert await stands_open(api) == ["one.dmn"]
        assert await log(api) == [("two.dmn", "gone", None, None)]
    (folder / "one.dmn").unlink()
    async with router(tmp_path, world, folder) as (_, api):
        assert await stands_open(api) == [], "taken away while the house stood still"
