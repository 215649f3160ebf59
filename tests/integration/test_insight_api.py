"""Insight's API as programs meet it, and who may look."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from shared.http.auth import add_to_file, new_key
from tests.harness.insight_site import one_request, site_at_work

if TYPE_CHECKING:
    from pathlib import Path


async def test_the_board_names_its_teams_in_the_language_asked_for(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        zh = await site.json("/insight/v1/board?window=all")
        en = await site.json("/insight/v1/board?window=all&lang=en")

        assert {team["name"] for team in zh["teams"]} >= {"客户服务"}
        assert {team["name"] for team in en["teams"]} >= {"Customer care"}
        assert zh["counts"] == en["counts"]
        assert set(zh["metrics"]["resolution"]["attainment"]) == {"today", "7d", "30d", "all"}


async def test_every_figure_of_the_board_is_defined(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        board = await site.json("/insight/v1/board")
        defined = {d["key"] for d in (await site.json("/insight/v1/figures"))["items"]}

        assert set(board["counts"]) <= defined
        assert {"attainment", "percentiles", "light", "by_tier", "by_outcome"} <= defined


async def test_lists_page_through_everything_exactly_once(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        seen: list[str] = []
        offset: int | None = 0
        while offset is not None:
            part = await site.json(f"/insight/v1/requests?limit=7&offset={offset}")
            seen += [item["number"] for item in part["items"]]
            offset = part["next_offset"]

        assert part["total"] == 40
        assert len(seen) == len(set(seen)) == 40


async def test_open_requests_come_with_the_least_time_left_first(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        items = (await site.json("/insight/v1/requests?open=true&limit=100"))["items"]

        due = [item["due_at"] for item in items if item["due_at"]]
        assert len(due) > 2
        assert due == sorted(due)
        assert all(item["is_open"] for item in items)


@pytest.mark.parametrize(
    ("wish", "found"),
    [
        ("q=R-2026-900001", 1),
        ("q=r-2026-900001", 1),
        ("q=EXT-7", 1),
        ("q=100%25_really", 1),
        ("q=100xreally", 0),
        ("priority=P1&team=it-service-desk&q=100%25", 1),
        ("state=closed&q=100%25", 0),
        ("overdue=true&q=100%25", 0),
        ("overdue=false&q=100%25", 1),
    ],
)
async def test_lists_are_filtered(tmp_path: Path, wish: str, found: int) -> None:
    async with site_at_work(tmp_path) as site:
        await site.hear(one_request(site.world, "Disk 100%_really full").said)

        assert (await site.json(f"/insight/v1/requests?{wish}"))["total"] == found


async def test_a_timeline_is_told_by_number_or_id_in_both_languages(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        telling = one_request(site.world, "VPN")
        await site.hear(telling.said)

        zh = await site.json("/insight/v1/requests/R-2026-900001/timeline")
        en = await site.json(f"/insight/v1/requests/{telling.subject}/timeline?lang=en&limit=1")

        assert [line["type"] for line in zh["items"]] == [
            "request.submitted.v1",
            "request.routed.v1",
        ]
        assert zh["items"][1]["sentence"] == "分流到 IT 服务台，优先级 P1，标准路径"
        assert en["items"][0]["sentence"].startswith("Submitted by portal")
        assert (en["total"], en["next_offset"]) == (2, 1)


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/insight/v1/requests/R-0000", 404),
        ("/insight/v1/requests/R-0000/timeline", 404),
        ("/insight/v1/requests?q=%01", 422),
        ("/insight/v1/requests?state=gone", 422),
        ("/insight/v1/requests?limit=0", 422),
        ("/insight/v1/board?window=ever", 422),
        ("/insight/v1/board?due_within_min=0", 422),
        ("/insight/v1/requests/%00", 404),
    ],
)
async def test_wrong_questions_are_answered_with_what_is_wrong(
    tmp_path: Path, path: str, status: int
) -> None:
    async with site_at_work(tmp_path) as site:
        answer = await site.get(path)

        assert answer.status_code == status
        assert answer.json()["sentences"]["zh-CN"]


async def test_without_a_key_the_api_refuses_and_a_page_says_what_to_do(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        api = await site.client.get("/insight/v1/board")
        page = await site.client.get("/insight/?lang=en")

        assert api.status_code == 401
        assert page.status_code == 401
        assert "board:read" in page.text
        assert 'action="/insight/enter"' in page.text
        assert "R-2026" not in page.text
        assert "Customer care" not in page.text


async def test_a_key_without_the_scope_is_told_which_one_is_missing(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        key, kept = new_key("portal", ["requests:write"])
        add_to_file(tmp_path / "keys.json", kept)
        site.key = key

        assert (await site.get("/insight/v1/board")).status_code == 403
        page = await site.get("/insight/")
        assert page.status_code == 403
        assert "没有 board:read 权限" in page.text


async def test_a_browser_enters_a_key_once_and_leaves_again(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        wrong = await site.client.post("/insight/enter", data={"key": "levee_no_no"})
        entered = await site.client.post(
            "/insight/enter",
            data={"key": site.key, "next": "/insight/requests?state=open"},
            headers={"Origin": "http://board.example"},
        )
        cookie = entered.headers["set-cookie"]

        assert wrong.status_code == 401
        assert "set-cookie" not in wrong.headers
        assert entered.status_code == 303
        assert entered.headers["location"] == "/insight/requests?state=open"
        assert "HttpOnly" in cookie
        assert "samesite=strict" in cookie.lower()
        assert (await site.client.get("/insight/")).status_code == 200
        assert (await site.client.get("/insight/v1/board")).status_code == 200
        await site.client.post("/insight/leave")
        assert (await site.client.get("/insight/")).status_code == 401


@pytest.mark.parametrize(
    "asked",
    ["//evil.example", "https://evil.example", "/insight/\\evil", "javascript:alert(1)", ""],
)
async def test_after_entering_nobody_is_sent_to_strangers(tmp_path: Path, asked: str) -> None:
    async with site_at_work(tmp_path) as site:
        entered = await site.client.post("/insight/enter", data={"key": site.key, "next": asked})

        assert entered.headers["location"] == "/insight/"


async def test_a_foreign_page_cannot_enter_a_key_for_the_viewer(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        for headers in ({"Origin": "http://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
            answer = await site.client.post(
                "/insight/enter", data={"key": site.key}, headers=headers
            )
            assert answer.status_code == 401
            assert "set-cookie" not in answer.headers


@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("127.0.0.1:8080", 200),
        ("localhost", 200),
        ("[::1]:8080", 200),
        ("evil.example", 401),
        ("127.0.0.1.evil.example", 401),
    ],
)
async def test_open_pages_hold_for_named_hosts_only(tmp_path: Path, host: str, status: int) -> None:
    async with site_at_work(tmp_path, host=host, open_pages=True) as site:
        assert (await site.client.get("/insight/")).status_code == status
        assert (await site.client.get("/insight/v1/board")).status_code == status
