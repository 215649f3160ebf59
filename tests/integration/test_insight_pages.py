"""Insight's API, pages and live stream, as browsers and programs meet them."""

from __future__ import annotations

import asyncio
import random
import re
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import httpx
import orjson
import pytest

from services.insight.api.live import AT_LEAST_S, HEARTBEAT_S, Live
from services.insight.domain.board import Scope
from services.insight.main import InsightService, build
from services.insight.settings import Settings
from shared.events import intake, router
from shared.http.auth import KeyRing, add_to_file, new_key
from shared.time_source import ManualTime
from shared.vocabulary import Impact, Lane, Priority, Urgency
from tests.harness.insight import Telling, as_message, directory, lives
from tests.harness.services import at_work, key_ring
from tests.harness.world import World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from pathlib import Path

    from shared.events.base import Envelope, EventData

EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


@dataclass(slots=True)
class Site:
    """Insight with something to show, and a browser-like client."""

    world: World
    insight: InsightService
    client: httpx.AsyncClient
    key: str

    async def hear(self, said: Sequence[Envelope[EventData]]) -> None:
        """Publish events."""
        await self.world.bus.publish([as_message(envelope) for envelope in said])
        await self.world.settled()

    async def get(self, path: str, **headers: str) -> httpx.Response:
        """Get a page or an answer of the API, with the key."""
        return await self.client.get(
            path, headers={"Authorization": f"Bearer {self.key}", **headers}
        )

    async def json(self, path: str, **headers: str) -> Any:
        """Get an answer of the API that must be well."""
        answer = await self.get(path, **headers)
        assert answer.status_code == 200, answer.text
        return answer.json()


@asynccontextmanager
async def site_at_work(
    folder: Path, host: str = "board.example", pace: ManualTime | None = None, **options: Any
) -> AsyncIterator[Site]:
    """Run insight with the lives of forty requests."""
    world = new_world()
    url = f"sqlite+aiosqlite:///{folder / 'insight.db'}"
    insight = build(Settings(database_url=url, is_durable=False, **options), world.given, pace)
    ring, key = key_ring(folder, world, ("board:read",))
    async with at_work(insight, world):
        client = httpx.AsyncClient(
            transport=httpx.ASGITransport(insight.app(ring), raise_app_exceptions=False),
            base_url=f"http://{host}",
        )
        site = Site(world, insight, client, key)
        now = world.time.now()
        said = lives(random.Random(2), world.ids, 40, now, timedelta(days=3))
        await site.hear([*directory(world.ids, now), *said])
        async with client:
            yield site


def one_request(world: World, title: str, number: str = "R-2026-900001") -> Telling:
    """Return a request that was posted and routed."""
    telling, now = Telling(world.ids, world.ids.new()), world.time.now()
    about: dict[str, Any] = {
        "number": number,
        "request_type": "incident",
        "domain": "IT",
        "channel": "portal",
    }
    telling.say(
        intake.RequestSubmitted(
            **about,
            source=title,
            external_id="EXT-7",
            requester=intake.Requester(id="u1"),
            urgency=Urgency.LOW,
            impact=Impact.LOW,
            title=title,
        ),
        now,
    )
    telling.say(
        router.RequestRouted(
            **about,
            customer_tier="standard",
            priority=Priority.P1,
            lane=Lane.STANDARD,
            team="it-service-desk",
            submitted_at=now,
            process="p",
            process_version=1,
            instance_id=world.ids.new(),
        ),
        now,
    )
    return telling


# ---- the API ---------------------------------------------------------------------------------


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


# ---- access ----------------------------------------------------------------------------------


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


# ---- pages -----------------------------------------------------------------------------------


@pytest.mark.parametrize("path", ["/insight/", "/insight/board", "/insight/requests"])
async def test_what_people_wrote_is_shown_as_text_and_never_as_markup(
    tmp_path: Path, path: str
) -> None:
    async with site_at_work(tmp_path, open_pages=True, open_hosts="*") as site:
        telling = one_request(site.world, EVIL)
        telling.say(
            router.RequestHandedOver(
                from_team="it-service-desk", to_team=EVIL, reason=EVIL, handovers=1
            ),
            site.world.time.now(),
        )
        await site.hear(telling.said)

        pages = [
            (await site.client.get(path, params={"q": EVIL, "team": EVIL, "zone": EVIL})).text,
            (await site.client.get("/insight/requests/R-2026-900001")).text,
            (await site.client.get(f"/insight/requests?q={EVIL[:20]}")).text,
        ]

        assert "&lt;script&gt;" in pages[1]
        for text in pages:
            assert "<script>alert" not in text
            assert "<img src=x" not in text


async def test_pages_bring_no_foreign_or_inline_code_and_a_strict_policy(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        for path in ("/insight/", "/insight/requests", "/insight/figures"):
            page = await site.get(path)

            policy = page.headers["content-security-policy"]
            assert "default-src 'none'" in policy
            assert "unsafe" not in policy
            assert not re.search(r"<script(?![^>]*\bsrc=)", page.text)
            assert not re.search(r"\s(style|on\w+)=", page.text)
            assert not re.findall(r"(?:src|href|action)=\"(?:https?:)?//", page.text)
            assert page.headers["cache-control"] == "no-store"


async def test_pages_speak_chinese_first_and_english_when_asked(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        zh = await site.get("/insight/")
        english = await site.get("/insight/", **{"Accept-Language": "en-GB,en;q=0.9"})
        asked = await site.get("/insight/?lang=en")
        kept = await site.get("/insight/requests")
        back = await site.get("/insight/?lang=zh-CN")

        assert '<html lang="zh-CN">' in zh.text
        assert "最紧急的未完成请求" in zh.text
        assert '<html lang="en">' in english.text
        assert "Most urgent open requests" in asked.text
        assert '<html lang="en">' in kept.text  # by the cookie
        assert '<html lang="zh-CN">' in back.text


async def test_times_are_told_in_the_viewers_zone(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        await site.hear(one_request(site.world, "VPN").said)  # at 09:00 UTC

        shanghai = await site.get("/insight/requests/R-2026-900001")
        berlin = await site.get("/insight/requests/R-2026-900001?zone=Europe/Berlin")
        kept = await site.get("/insight/requests/R-2026-900001")
        unknown = await site.get("/insight/requests/R-2026-900001?zone=Mars/Base")

        assert "2026-03-02 17:00" in shanghai.text
        assert "2026-03-02 10:00" in berlin.text
        assert "2026-03-02 10:00" in kept.text  # by the cookie
        assert "不认识时区“Mars/Base”" in unknown.text


async def test_a_request_page_tells_promises_with_their_reason(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        items = (await site.json("/insight/v1/requests?open=true"))["items"]
        number = next(item["number"] for item in items if item["due_at"])

        page = await site.get(f"/insight/requests/{number}")

        assert page.status_code == 200
        assert "首次响应" in page.text
        assert "规则 " in page.text
        assert "取最严" in page.text
        assert (await site.get("/insight/requests/R-0")).status_code == 404


async def test_filters_stay_in_the_address_when_paging(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        now = site.world.time.now()
        more = lives(random.Random(4), site.world.ids, 110, now, timedelta(days=40))
        await site.hear(more)

        first = await site.get("/insight/requests?lang=en&state=closed")
        following = re.search(r'rel="next" href="([^"]+)"', first.text)

        assert following is not None
        address = following[1].replace("&amp;", "&")
        assert {"lang=en", "state=closed", "offset=50"} <= set(address.partition("?")[2].split("&"))
        second = await site.get(address)
        assert "51–" in second.text
        assert 'rel="prev" href="/insight/requests?lang=en&amp;state=closed"' in second.text


async def test_nonsense_in_the_address_of_a_page_shows_the_page_without_it(
    tmp_path: Path,
) -> None:
    async with site_at_work(tmp_path) as site:
        nonsense = "?offset=-5&window=ever&due=soon&state=gone&priority=P9&team=%01%1b"

        assert (await site.get("/insight/" + nonsense)).status_code == 200
        assert (await site.get("/insight/requests" + nonsense)).status_code == 200
        beyond = await site.get("/insight/requests?offset=99999999999")
        assert beyond.status_code == 200


async def test_static_files_are_ours_alone(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        for name, kind in (("board.css", "text/css"), ("board.js", "text/javascript")):
            answer = await site.client.get(f"/insight/static/{name}")
            assert answer.status_code == 200
            assert answer.headers["content-type"].startswith(kind)
        assert (await site.client.get("/insight/static/../access.py")).status_code == 404
        assert (await site.client.get("/insight/static/%2e%2e%2faccess.py")).status_code == 404


# ---- live ------------------------------------------------------------------------------------


@asynccontextmanager
async def watching(site: Site, last_id: str | None = None) -> AsyncIterator[asyncio.Queue[bytes]]:
    """Collect what a viewer is told."""
    assert site.insight.live is not None
    told: asyncio.Queue[bytes] = asyncio.Queue()
    live = site.insight.live

    async def watch() -> None:
        async for part in live.stream(Scope(), last_id):
            told.put_nowait(part)
        told.put_nowait(b"end")

    task = asyncio.create_task(watch())
    try:
        yield told
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)


async def _next(told: asyncio.Queue[bytes]) -> bytes:
    async with asyncio.timeout(5):
        return await told.get()


async def test_a_viewer_is_told_of_a_change_once_and_of_nothing_by_heartbeats(
    tmp_path: Path,
) -> None:
    pace = ManualTime(new_world().time.now())
    async with site_at_work(tmp_path, pace=pace) as site, watching(site) as told:
        assert await _next(told) == b"retry: 3000\n\n"
        first = await _next(told)
        assert first.startswith(b"id: ")
        before = orjson.loads(first.split(b"data: ")[1])

        await site.hear(one_request(site.world, "VPN").said)
        await site.world.settled()
        pace.advance(timedelta(seconds=AT_LEAST_S))
        second = await _next(told)

        after = orjson.loads(second.split(b"data: ")[1])
        assert after["counts"]["open"] == before["counts"]["open"] + 1
        await site.world.settled()
        pace.advance(timedelta(seconds=HEARTBEAT_S))
        assert await _next(told) == b": nothing new\n\n"


async def test_whoever_comes_back_with_the_last_id_hears_nothing_until_something_changes(
    tmp_path: Path,
) -> None:
    pace = ManualTime(new_world().time.now())
    async with site_at_work(tmp_path, pace=pace) as site:
        async with watching(site) as told:
            await _next(told)
            last_id = (await _next(told)).split(b"\n")[0].removeprefix(b"id: ").decode()

        async with watching(site, last_id) as told:
            await _next(told)
            assert await _next(told) == b": nothing new\n\n"


async def test_every_stream_ends_when_the_server_stops(tmp_path: Path) -> None:
    pace = ManualTime(new_world().time.now())
    async with site_at_work(tmp_path, pace=pace) as site, watching(site) as told:
        assert site.insight.live is not None
        await _next(told)
        await _next(told)
        assert site.insight.live.viewers == 1
        stopping = asyncio.Event()
        site.insight.live.close_when(stopping)

        stopping.set()

        assert await _next(told) == b"end"
        assert site.insight.live.viewers == 0


async def test_the_stream_needs_the_key_and_says_what_it_is(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        assert (await site.client.get("/insight/v1/live")).status_code == 401
        assert site.insight.live is not None
        site.insight.live.close()  # so that the answer has an end

        answer = await site.get("/insight/v1/live")

        assert answer.headers["content-type"].startswith("text/event-stream")
        assert answer.text == "retry: 3000\n\n"


async def test_a_replica_that_is_full_says_when_to_come_back(tmp_path: Path) -> None:
    async with site_at_work(tmp_path) as site:
        live = site.insight.live
        assert isinstance(live, Live)
        live.viewers = 500

        answer = await site.get("/insight/v1/live")

        assert answer.status_code == 503
        assert answer.headers["retry-after"] == "15"


async def test_an_empty_house_has_a_board_too(tmp_path: Path) -> None:
    world = new_world()
    url = f"sqlite+aiosqlite:///{tmp_path / 'insight.db'}"
    insight = build(Settings(database_url=url, open_pages=True), world.given)
    async with at_work(insight, world):
        transport = httpx.ASGITransport(insight.app(KeyRing(None, world.time)))
        async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
            page = await client.get("/insight/")
            slashless = await client.get("/insight")

    assert page.status_code == 200
    assert "还没有任何承诺" in page.text
    assert slashless.status_code == 307
