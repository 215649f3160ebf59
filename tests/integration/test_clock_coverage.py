"""The clock when known holidays end, and when the next year's are published; time is moved."""

from __future__ import annotations

from datetime import datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import yaml
from sqlalchemy import delete

from levee.gauges import read_gauges
from services.clock import store
from services.clock.main import build
from services.clock.settings import Settings
from shared.events.router import RequestReopened, RequestResolved
from shared.vocabulary import Priority
from tests.harness.services import at_work
from tests.integration.test_clock import BPMN, Scene, clock

DAY = 24 * 3600
WARNED, EXTENDED = "calendar.coverage_warned.v1", "calendar.coverage_extended.v1"
OFFICE: dict[str, Any] = yaml.safe_load((BPMN / "calendars/office-cn.yaml").read_text())


def office(until: str, *, make_up: tuple[str, ...] = (), holidays: tuple[str, ...] = ()) -> str:
    """Return office hours whose holidays are listed up to a date."""
    listed = {
        "holidays": [{"date": day} for day in holidays],
        "make_up_days": [{"date": day} for day in make_up],
        "covered_until": until,
    }
    return yaml.safe_dump({**OFFICE, **listed}, allow_unicode=True)


async def until(scene: Scene, moment: str) -> None:
    """Let time pass to a moment, written in Shanghai's time."""
    wanted = datetime.fromisoformat(f"{moment}+08:00")
    await scene.world.pass_time((wanted - scene.world.time.now()) / timedelta(seconds=1))


async def a_request(scene: Scene, priority: Priority = Priority.P3) -> UUID:
    """Route a request that counts by office hours: eight of them for its resolution."""
    request_id = scene.world.ids.new()
    await scene.route(request_id, domain="hr", priority=priority)
    return request_id


async def test_the_alarm_fires_sixty_days_before_once_and_again_for_the_next_end(
    tmp_path: Path,
) -> None:
    async with clock(tmp_path) as scene:
        await scene.release("calendar", "office-cn", office("2026-12-31"), 2)
        await until(scene, "2026-10-31T23:59")
        early = scene.said(WARNED)

        await until(scene, "2026-11-01T00:01")
        await scene.release("calendar", "office-cn", office("2026-12-31"), 3)
        await until(scene, "2026-12-24T00:00")
        [once] = scene.said(WARNED)
        await scene.release("calendar", "office-cn", office("2027-12-31"), 4)
        [grown] = scene.said(EXTENDED)
        await until(scene, "2027-11-01T00:01")
        [again] = scene.said(WARNED)  # the bus of the test forgets what is old

        assert early == []
        assert once["occurredat"] == "2026-10-31T16:00:00Z"
        assert (once["data"]["covered_until"], once["data"]["days_left"]) == ("2026-12-31", 60)
        assert once["data"]["name"]["zh-CN"] == "中国办公时间"
        assert again["data"]["covered_until"] == "2027-12-31"
        assert (grown["data"]["covered_until_before"], grown["data"]["covered_until"]) == (
            "2026-12-31",
            "2027-12-31",
        )


async def test_what_is_so_stands_in_the_api_the_metrics_and_the_checks(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        await scene.release("calendar", "office-cn", office("2026-12-31"), 2)
        await until(scene, "2026-12-30T09:00")

        told = (await scene.api.get("/clock/v1/coverage")).json()["items"]
        metrics = (await scene.api.get("/clock/metrics")).text
        ready = await scene.service.readiness()
        await until(scene, "2027-01-01T09:00")
        over = await scene.service.readiness()

        found = {entry["calendar"]: entry for entry in told}
        assert found["24x7"]["covered_until"] is None
        assert (found["office-cn"]["days_left"], found["office-cn"]["was_warned"]) == (1, True)
        covered = read_gauges(metrics).by("levee_calendar_covered_days", "calendar")
        assert covered == {"office-cn": 1}
        assert ready["checks"]["coverage"]["is_well"]
        assert not over["checks"]["coverage"]["is_well"]
        assert "office-cn" in over["checks"]["coverage"]["detail"]


async def test_provisional_due_times_are_rebased_when_the_next_year_is_published(
    tmp_path: Path,
) -> None:
    async with clock(tmp_path) as scene:
        await scene.release("calendar", "office-cn", office("2026-12-31"), 2)
        await until(scene, "2026-12-31T16:00")
        request = await a_request(scene)
        before = (await scene.clocks(request))["resolution"]

        newer = office("2027-12-31", holidays=("2027-01-01",))
        await scene.release("calendar", "office-cn", newer, 3)
        await scene.world.pass_time(1)

        assert (before["is_provisional"], before["due_at"]) == (True, "2027-01-01T08:00:00Z")
        after = (await scene.clocks(request))["resolution"]
        assert (after["is_provisional"], after["due_at"]) == (False, "2027-01-04T08:00:00Z")
        assert after["calendar_version"] == 3
        [rebased] = scene.said("clock.rebased.v1")
        assert rebased["data"]["reason"] == "coverage_extended"
        now = {c["metric"]: c for c in rebased["data"]["clocks"]}["resolution"]
        was = {c["clock_id"]: c for c in rebased["data"]["before"]}[now["clock_id"]]
        assert (was["due_at"], was["calendar_version"]) == ("2027-01-01T08:00:00Z", 2)
        assert (now["due_at"], now["is_provisional"]) == ("2027-01-04T08:00:00Z", False)
        [job] = (await scene.api.get("/clock/v1/moves")).json()["items"]
        assert (job["extends"], job["moved_by"], job["requests"]) == ("office-cn", "levee", 1)
        assert scene.said(EXTENDED)[0]["data"]["move_id"] == job["id"]


async def test_late_by_the_publication_alone_is_told_apart(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        await scene.release("calendar", "office-cn", office("2026-12-31"), 2)
        await until(scene, "2027-01-01T17:00")
        request = await a_request(scene)
        await until(scene, "2027-01-03T10:00")

        # Saturday 2 January was a working day, as a late notice has it.
        newer = office("2027-12-31", make_up=("2027-01-02",))
        await scene.release("calendar", "office-cn", newer, 3)
        await scene.world.pass_time(1)

        late = (await scene.clocks(request))["resolution"]
        assert (late["is_breached"], late["is_breached_by_rebase"]) == (True, True)
        told = {e["data"]["metric"]: e["data"] for e in scene.said("clock.breached.v1")}
        assert told["resolution"]["is_by_rebase"]


async def test_a_version_that_changes_hours_as_well_moves_nobody(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        await scene.release("calendar", "office-cn", office("2026-12-31"), 2)
        await until(scene, "2026-12-31T16:00")
        request = await a_request(scene)

        other = office("2027-12-31", holidays=("2027-01-01",)).replace("13:00-18:00", "13:00-17:00")
        await scene.release("calendar", "office-cn", other, 3)
        await scene.world.pass_time(60)

        stays = (await scene.clocks(request))["resolution"]
        assert (stays["calendar_version"], stays["is_provisional"]) == (2, True)
        assert scene.said("clock.rebased.v1") == []


async def test_a_request_reopened_later_is_handed_on_by_itself(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        await scene.release("calendar", "office-cn", office("2026-12-31"), 2)
        await until(scene, "2026-12-31T16:00")
        request = await a_request(scene)
        await scene.router.say(RequestResolved(resolution="fixed"), request)
        newer = office("2027-12-31", holidays=("2027-01-01",))
        await scene.release("calendar", "office-cn", newer, 3)
        await until(scene, "2026-12-31T17:00")

        await scene.router.say(RequestReopened(reason="again", reopenings=1), request)
        await scene.world.pass_time(1)

        again = (await scene.clocks(request))["resolution"]
        assert (again["calendar_version"], again["is_provisional"]) == (3, False)
        look = await scene.service.accounts.look([str(request)], timedelta())  # type: ignore[union-attr]
        assert look["items"][0]["faults"] == []


async def test_an_extension_is_undone_like_any_move_and_stays_undone(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        await scene.release("calendar", "office-cn", office("2026-12-31"), 2)
        await until(scene, "2026-12-31T16:00")
        request = await a_request(scene)
        newer = office("2027-12-31", holidays=("2027-01-01",))
        await scene.release("calendar", "office-cn", newer, 3)
        await scene.world.pass_time(1)
        [job] = (await scene.api.get("/clock/v1/moves")).json()["items"]

        who = {"by": "liu.yang", "reason": "通知有误"}
        await scene.api.post(f"/clock/v1/moves/{job['id']}/undo", json=who)
        await scene.world.pass_time(1)
        await until(scene, "2027-01-01T16:30")

        back = (await scene.clocks(request))["resolution"]
        assert (back["calendar_version"], back["due_at"]) == (2, "2027-01-01T08:00:00Z")


async def test_a_clock_that_starts_finds_calendars_released_before_it_could_look(
    tmp_path: Path,
) -> None:
    """As after an upgrade; what was said before is not said again."""
    async with clock(tmp_path) as scene:
        world, url = scene.world, f"sqlite+aiosqlite:///{tmp_path}/clock.db"
        settings = Settings(database_url=url, is_durable=False)
        await scene.release("calendar", "office-cn", office("2026-12-31"), 2)
        await until(scene, "2026-11-01T00:10")
        assert len(scene.said(WARNED)) == 1
        await scene.service.stop()
        said = []
        async with at_work(build(settings, world.given), world) as again:
            await world.pass_time(60)
            said.append(len(scene.said(WARNED)))
            timers = store.kit.timers
            async with again.runtime.database.transaction() as tx:
                await tx.execute(delete(store.metadata.tables["coverage"]))
                await tx.execute(delete(timers).where(timers.c.kind == "coverage"))

        async with at_work(build(settings, world.given), world):
            await world.pass_time(60)
            said.append(len(scene.said(WARNED)))

        assert said == [1, 2]
