"""Every path about a request takes its number as well as its id, in every service."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import update

from services.clock.store import tables as clock_tables
from services.notify.store import tables as notify_tables
from tests.harness.notify import a_stage as notifying
from tests.harness.notify import ann
from tests.harness.world import new_world
from tests.integration.test_clock import an_answer, clock
from tests.integration.test_escalation import a_stage as escalating
from tests.integration.test_router import a_request, router
from tests.integration.test_router_jobs import drawn
from tests.integration.test_router_messages import CALLS, send
from tools.topology import ROOT, SERVICES

if TYPE_CHECKING:
    from pathlib import Path

NUMBER = "R-2026-000001"
UNKNOWN = "R-2026-999999"


def _takes_text(schema: dict[str, Any]) -> bool:
    if "anyOf" in schema:
        return any(map(_takes_text, schema["anyOf"]))
    return schema.get("type") == "string" and "format" not in schema


def test_no_path_insists_on_the_id_of_a_request() -> None:
    places = {}
    for file in sorted((ROOT / "docs" / "api").glob("*.json")):
        for path, methods in orjson.loads(file.read_bytes())["paths"].items():
            for method, told in methods.items():
                for place in told.get("parameters", ()):
                    if place["name"] in ("reference", "request", "request_id"):
                        places[f"{method} {path}: {place['name']}"] = place["schema"]

    assert [name for name, schema in places.items() if not _takes_text(schema)] == []
    assert {name.split("/")[1] for name in places} == set(SERVICES)


async def test_the_clock_is_asked_by_number(database_url: str, tmp_path: Path) -> None:
    async with clock(tmp_path, url=database_url) as scene:
        request = scene.world.ids.new()
        await scene.route(request)

        paths = ("clocks", "clocks/resolution/explanation", "explanation?clock=resolution")
        for path in (*paths, "holders"):
            by_id = await scene.api.get(f"/clock/v1/requests/{request}/{path}")
            by_number = await scene.api.get(f"/clock/v1/requests/{NUMBER.lower()}/{path}")
            assert (by_number.status_code, by_number.json()) == (200, by_id.json())
        what = await scene.api.post(f"/clock/v1/requests/{NUMBER}/what-if", json={})
        unknown = await scene.api.get(f"/clock/v1/requests/{UNKNOWN}/clocks")

        assert what.json()["request_id"] == str(request)
        assert unknown.status_code == 404
        assert UNKNOWN in unknown.json()["sentences"]["zh-CN"]
        assert "编号" in unknown.json()["sentences"]["zh-CN"]


async def test_requests_of_the_release_before_are_found_by_number_after_an_upgrade(
    database_url: str, tmp_path: Path
) -> None:
    async with clock(tmp_path, url=database_url) as scene:
        request, unrouted = scene.world.ids.new(), scene.world.ids.new()
        await scene.route(request)
        await scene.intake.say(an_answer(), unrouted)
        async with scene.service.runtime.database.transaction() as tx:
            await tx.execute(update(clock_tables.requests).values(number=None))
        lost = await scene.api.get(f"/clock/v1/requests/{NUMBER}/clocks")
        assert lost.status_code == 404

    async with clock(tmp_path, url=database_url, is_released=False) as scene:
        found = await scene.api.get(f"/clock/v1/requests/{NUMBER}/clocks")
        assert found.json()["request_id"] == str(request)
        assert (await scene.api.get("/clock/v1/requests/%20/clocks")).status_code == 404


async def test_escalation_is_asked_by_number(database_url: str, tmp_path: Path) -> None:
    async with escalating(database_url, tmp_path) as stage:
        await stage.route()
        body = {"by": "ann", "reason": "nobody answers"}

        raised = await stage.http.post(f"/escalation/v1/requests/{NUMBER}/escalate", json=body)
        listed = await stage.http.get(f"/escalation/v1/escalations?request_id={NUMBER}")
        others = await stage.http.get(f"/escalation/v1/escalations?request_id={UNKNOWN}")
        unknown = await stage.http.post(f"/escalation/v1/requests/{UNKNOWN}/escalate", json=body)

        assert (raised.status_code, raised.json()["request_id"]) == (201, str(stage.request))
        assert [e["id"] for e in listed.json()["items"]] == [raised.json()["id"]]
        assert (others.status_code, others.json()["total"]) == (200, 0)
        assert (unknown.status_code, unknown.json()["code"]) == (404, "no-such-request")


async def test_the_delivery_log_is_asked_by_number(database_url: str, tmp_path: Path) -> None:
    world = new_world()
    async with notifying(database_url, world, tmp_path, delivery="record") as stage:
        await stage.introduce(ann())
        await stage.tell("ann")
        by_id = await stage.http.get(f"/notify/v1/deliveries?request_id={stage.request}")
        path = f"/notify/v1/deliveries?request_id={NUMBER}"
        assert by_id.json()["total"] == 1
        assert (await stage.http.get(path)).json() == by_id.json()
        others = await stage.http.get(f"/notify/v1/deliveries?request_id={UNKNOWN}")
        assert others.json()["total"] == 0
        await stage.tell("ann", number=2)
        told = notify_tables.notifications
        async with stage.service.runtime.database.transaction() as tx:
            await tx.execute(update(told).values(number=None))
            # What was forgotten has no words left.
            await tx.execute(update(told).where(told.c.id == str(UUID(int=2))).values(body=""))

    async with notifying(database_url, world, tmp_path, is_bare=True, delivery="record") as stage:
        found = (await stage.http.get(path)).json()["items"]
        assert by_id.json()["items"][0] in found, "beside another about the same request"


async def test_the_router_is_asked_by_number(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)

        whole = await api.get(f"/router/v1/requests/{NUMBER}")
        items = await api.get(f"/router/v1/work-items?request_id={NUMBER}")
        change = {"change": "assign", "assignee": "li.na"}
        changed = await api.post(f"/router/v1/requests/{NUMBER}/changes", json=change)
        unknown = await api.post(f"/router/v1/requests/{UNKNOWN}/changes", json=change)

        assert whole.json()["id"] == str(request)
        assert [i["request_id"] for i in items.json()["items"]] == [str(request)]
        assert (changed.status_code, changed.json()["assignee"]) == (200, "li.na")
        assert (unknown.status_code, unknown.json()["code"]) == (404, "request-not-routed")
        for path in ("work-items", "jobs", "incidents"):
            none = await api.get(f"/router/v1/{path}?request_id={UNKNOWN}")
            assert (none.status_code, none.json()["total"]) == (200, 0)


async def test_a_message_reaches_a_request_by_its_id_too(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, CALLS) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)

        taken = await send(api, world, name="called back", request=str(request))
        body = {"name": "called back", "request": str(world.ids.new())}
        unknown = await api.post("/router/v1/messages", json=body)

        assert (taken["state"], taken["request_id"]) == ("correlated", str(request))
        assert (unknown.status_code, unknown.json()["code"]) == (404, "request-not-routed")


async def test_who_keeps_no_numbers_says_where_the_id_is(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        listed = await api.get(f"/router/v1/setaside?request_id={NUMBER}")
        gap = {"request_id": NUMBER, "publisher": "intake", "sequence": 1}
        skipped = await api.post("/router/v1/parked/skip", json=gap)

        for answer in (listed, skipped):
            [finding] = answer.json()["errors"]
            assert answer.status_code == 422
            assert f"GET /intake/v1/requests/{NUMBER}" in finding["message"]["zh-CN"]
            assert "id" in finding["detail"]
        assert (await api.get("/router/v1/setaside?request_id=decision/team")).status_code == 200
