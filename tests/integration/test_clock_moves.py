"""Moving running clocks, what if, who held it, credits: over HTTP, with the clock at work."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from pathlib import Path

from shared.events.router import RequestAssigned, RequestResolved
from shared.vocabulary import Priority
from tests.integration.test_clock import BPMN, MINUTE, clock

_WHO = {"by": "liu.yang", "reason": "新协议生效"}


async def test_running_clocks_are_moved_and_put_back_on_somebodys_word(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        ended, running = scene.world.ids.new(), scene.world.ids.new()
        for request in (ended, running):
            await scene.route(request)
        await scene.router.say(RequestResolved(resolution="fixed"), ended)
        await scene.world.pass_time(90 * MINUTE)
        table = (BPMN / "targets.dmn").read_text().replace('"PT2H"', '"PT1H"')
        await scene.release("decision", "targets", table, version=2)

        seen = (await scene.api.get("/clock/v1/moves/preview")).json()
        asked = await scene.api.post("/clock/v1/moves", json=_WHO)
        early = await scene.api.post(f"{asked.headers['Location']}/undo", json=_WHO)
        await scene.world.pass_time(1)

        assert (seen["requests"], seen["requests_changed"], seen["newly_breached"]) == (1, 1, 1)
        assert seen["examples"][0]["request_id"] == str(running)
        assert (asked.status_code, early.status_code) == (202, 409)
        assert early.json()["code"] == "move-unfinished"
        job = (await scene.api.get(asked.headers["Location"])).json()
        assert (job["requests"], job["waiting"], job["is_done"]) == (1, 0, True)
        moved = (await scene.clocks(running))["resolution"]
        assert (moved["target_s"], moved["policy_version"]) == (3600, 2)
        assert (moved["is_breached"], moved["is_breached_by_rebase"]) == (True, True)
        assert (await scene.clocks(ended))["resolution"]["policy_version"] == 1
        [rebased] = scene.said("clock.rebased.v1")
        assert rebased["data"]["reason"] == "version_moved"

        undone = await scene.api.post(f"{asked.headers['Location']}/undo", json=_WHO)
        # A request that still waits to be put back is no part of the move itself.
        told = {"by": "liu.yang", "undoes": job["id"]}
        await scene.service.runtime.do(
            lambda work: work.arm(
                "move", running, undone.json()["id"], work.now + timedelta(hours=1), told
            ),
            locks=[running],
        )
        assert (await scene.api.get(asked.headers["Location"])).json()["is_done"]
        await scene.world.pass_time(1)

        back = (await scene.clocks(running))["resolution"]
        assert (back["target_s"], back["policy_version"], back["is_breached"]) == (7200, 1, False)
        twice = await scene.api.post(f"{asked.headers['Location']}/undo", json=_WHO)
        assert (twice.status_code, twice.json()["code"]) == (409, "move-undone")
        assert twice.json()["params"]["undoing"] == undone.json()["id"]
        log = (await scene.api.get("/clock/v1/moves")).json()["items"]
        assert [(entry["id"], entry["undoes"]) for entry in log] == [
            (undone.json()["id"], job["id"]),
            (job["id"], None),
        ]


async def test_an_undoing_that_would_put_nothing_back_says_what_holds(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        running = scene.world.ids.new()
        await scene.route(running)
        table = (BPMN / "targets.dmn").read_text()
        moves = []
        for version, target in ((2, "PT1H"), (3, "PT3H")):
            changed = table.replace('"PT2H"', f'"{target}"')
            await scene.release("decision", "targets", changed, version=version)
            moves.append((await scene.api.post("/clock/v1/moves", json=_WHO)).json()["id"])
            await scene.world.pass_time(1)

        older = await scene.api.post(f"/clock/v1/moves/{moves[0]}/undo", json=_WHO)
        at_once = await asyncio.gather(
            *(scene.api.post(f"/clock/v1/moves/{moves[1]}/undo", json=_WHO) for _ in range(2))
        )
        await scene.world.pass_time(1)

        assert (older.status_code, older.json()["code"]) == (409, "nothing-to-undo")
        assert older.json()["params"]["latest"] == moves[1]
        assert sorted(answer.status_code for answer in at_once) == [202, 409]
        assert (await scene.clocks(running))["resolution"]["target_s"] == 3600
        assert (await scene.api.get("/clock/v1/moves")).json()["total"] == 3
        # The older move holds again, so now it can be undone.
        again = await scene.api.post(f"/clock/v1/moves/{moves[0]}/undo", json=_WHO)
        await scene.world.pass_time(1)
        assert again.status_code == 202
        assert (await scene.clocks(running))["resolution"]["target_s"] == 7200
        # And an undoing can be undone itself, as long as it is the last.
        redone = await scene.api.post(f"/clock/v1/moves/{again.json()['id']}/undo", json=_WHO)
        await scene.world.pass_time(1)
        assert redone.status_code == 202
        assert (await scene.clocks(running))["resolution"]["target_s"] == 3600


async def test_what_if_who_held_it_and_what_is_given_back(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request, began = scene.world.ids.new(), scene.world.time.now()
        path = f"/clock/v1/requests/{request}"
        await scene.route(request, priority=Priority.P4)
        await scene.world.pass_time(30 * MINUTE)
        await scene.router.say(RequestAssigned(team="it-service-desk", assignee="li.na"), request)
        await scene.world.pass_time(30 * MINUTE)

        what = (await scene.api.post(f"{path}/what-if", json={"priority": "P1"})).json()
        held = (await scene.api.get(f"{path}/holders")).json()["held"]
        due = (await scene.clocks(request))["resolution"]["due_at"]
        await scene.router.say(RequestResolved(resolution="fixed"), request)
        credit = await scene.api.post(
            "/clock/v1/service-credits",
            json={
                "since": began.isoformat(),
                "until": "2030-01-01T00:00:00Z",
                "bands": [{"below_percent": 95, "credit_percent": 10}],
                "fee": 1000,
            },
        )

        [resolution] = [c for c in what["clocks"] if c["clock"] == "resolution"]
        assert resolution["is"]["due_at"] == due
        assert resolution["would_be"]["target_s"] == 7200
        assert {(h["holder"], h["who"]): h["time_s"] for h in held} == {
            ("agent", "li.na"): 1800,
            ("team", "it-service-desk"): 1800,
        }
        told = credit.json()
        assert (told["kept"], told["broken"], told["amount"]) == (1, 0, 0)


async def test_a_portal_asks_by_when_something_is_promised(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        params = {"start": "2026-02-13T16:00:00+08:00", "target": "PT8H"}

        answer = await scene.api.get("/clock/v1/calendars/office-cn/due", params=params)
        span = {"start": params["start"], "end": "2026-02-14T16:00:00+08:00"}
        passed = await scene.api.get("/clock/v1/calendars/office-cn/elapsed", params=span)

        assert answer.json()["due_at"] == "2026-02-14T08:00:00Z"
        assert passed.json()["elapsed_s"] == 8 * 3600


async def test_questions_nobody_can_answer_are_refused_with_the_reason(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        due = "/clock/v1/calendars/office-cn/due"
        wrong = [
            await scene.api.get(due, params={"target": "PT0S"}),
            await scene.api.get(due, params={"target": "8 hours"}),
            await scene.api.get(due, params={"target": "P9999999999999D"}),
            await scene.api.get(due, params={"target": "PT8H", "start": "2026-02-13T16:00:00"}),
            await scene.api.get(
                "/clock/v1/calendars/office-cn/elapsed",
                params={"start": "2026-02-14T00:00:00Z", "end": "2026-02-13T00:00:00Z"},
            ),
            await scene.api.get("/clock/v1/calendars/nowhere/due", params={"target": "PT8H"}),
        ]

        assert [answer.status_code for answer in wrong] == [422, 422, 422, 422, 422, 404]
        far = {"target": "PT8H", "start": "9999-12-31T00:00:00Z"}
        assert (await scene.api.get(due, params=far)).status_code in (200, 422)
