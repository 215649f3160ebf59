"""Insight's pages as browsers meet them."""

from __future__ import annotations

import random
import re
from datetime import timedelta
from typing import TYPE_CHECKING

import httpx
import pytest

from services.insight.main import build
from services.insight.settings import Settings
from shared.events import router
from shared.http.auth import KeyRing
from tests.harness.insight import lives
from tests.harness.insight_site import one_request, site_at_work
from tests.harness.services import at_work
from tests.harness.world import new_world

if TYPE_CHECKING:
    from pathlib import Path


EVIL = "<script>alert('x')</script>\"><img src=x onerror=alert(1)>"


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
