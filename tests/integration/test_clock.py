"""The clock with its neighbours played by the test, on the shipped table and calendars."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal
from uuid import UUID

import pytest

from services.clock.main import build
from services.clock.settings import Settings
from services.clock.store import snapshot
from shared.events.escalation import EscalationAcknowledged, EscalationRaised, Trigger
from shared.events.intake import MessagePosted
from shared.events.router import (
    DefinitionReleased,
    RequestAssigned,
    RequestPriorityChanged,
    RequestReopened,
    RequestResolved,
    RequestRouted,
    RequestWaitingEnded,
    RequestWaitingStarted,
)
from shared.vocabulary import AuthorKind, Lane, Priority
from tests.harness.services import Neighbour, at_work, caller, key_ring, published
from tests.harness.world import MORNING, World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    import httpx

    from shared.service import Service

BPMN = Path(__file__).resolve().parents[2] / "bpmn"
MINUTE = 60


@dataclass(slots=True)
class Scene:
    """The clock at work, and who speaks to it."""

    world: World
    service: Service
    api: httpx.AsyncClient
    router: Neighbour
    intake: Neighbour
    escalation: Neighbour

    def said(self, *types: str) -> list[dict[str, Any]]:
        """Return what the clock has said."""
        return published(self.world, "clock", *types)

    async def release(
        self,
        kind: Literal["decision", "calendar"],
        key: str,
        content: str | None,
        version: int = 1,
    ) -> None:
        """Release a definition as the router does."""
        data = DefinitionReleased(
            kind=kind,
            key=key,
            version=version,
            content_hash="0" * 64,
            content=content,
            released_by="liu.yang",
        )
        await self.router.say(data, f"{kind}/{key}")

    async def release_shipped(self) -> None:
        """Release what ships."""
        await self.release("decision", "targets", (BPMN / "targets.dmn").read_text())
        for key in ("24x7", "office-cn"):
            await self.release("calendar", key, (BPMN / f"calendars/{key}.yaml").read_text())

    async def route(self, request_id: UUID, **changed: Any) -> None:
        """Route a request that was submitted now."""
        await self.router.say(routed(self.world, **changed), request_id)

    async def clocks(self, request_id: UUID) -> dict[str, dict[str, Any]]:
        """Return the clocks of a request by clock key, as the API tells them."""
        told = (await self.api.get(f"/clock/v1/requests/{request_id}/clocks")).json()
        return {
            clock["clock"]: clock
            for metric in told["metrics"]
            for clock in (*metric["completed"], *metric["ongoing"])
        }


def routed(world: World, **changed: Any) -> RequestRouted:
    values: dict[str, Any] = {
        "number": "R-2026-000001",
        "request_type": "it-incident",
        "domain": "it",
        "channel": "portal",
        "customer_tier": "standard",
        "priority": Priority.P1,
        "lane": Lane.STANDARD,
        "team": "it-service-desk",
        "submitted_at": world.time.now(),
        "process": "standard-path",
        "process_version": 1,
        "instance_id": UUID(int=7),
        **changed,
    }
    return RequestRouted(**values)


def an_answer(**changed: Any) -> MessagePosted:
    values: dict[str, Any] = {
        "message_id": UUID(int=9),
        "author": AuthorKind.AGENT,
        "author_id": "li.na",
        "text": "正在处理",
        "is_effective": True,
        **changed,
    }
    return MessagePosted(**values)


@asynccontextmanager
async def clock(
    folder: Path, *, is_released: bool = True, url: str | None = None
) -> AsyncIterator[Scene]:
    world = new_world()
    url = url or f"sqlite+aiosqlite:///{folder}/clock.db"
    service = build(Settings(database_url=url, is_durable=False), world.given)
    ring, key = key_ring(folder, world)
    async with at_work(service, world), caller(service, ring, key) as api:
        neighbours = (Neighbour(world, name) for name in ("router", "intake", "escalation"))
        scene = Scene(world, service, api, *neighbours)
        if is_released:
            await scene.release_shipped()
        yield scene


def moment(minutes: float) -> str:
    """Return the moment so many minutes after the morning, as events write it."""
    at = MORNING + timedelta(minutes=minutes)
    return at.isoformat().replace("+00:00", "Z")


async def test_a_routed_request_starts_its_clocks_in_one_event(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request_id = scene.world.ids.new()

        await scene.route(request_id)

        [started] = scene.said("clock.started.v1")
        told = {c["metric"]: c for c in started["data"]["clocks"]}
        assert set(told) == {"first_response", "assignment", "resolution"}
        assert told["first_response"]["due_at"] == moment(15)
        assert told["resolution"]["thresholds_percent"] == [50, 75, 90]
        assert (told["resolution"]["calendar"], told["resolution"]["calendar_version"]) == (
            "24x7",
            1,
        )
        why = told["resolution"]["explanation"]
        assert (why["rule"], why["version"]) == ("targets_resolution_p1_always", 1)
        assert started["occurredat"] == moment(0)


async def test_time_brings_warnings_and_the_breach_at_their_exact_moments(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        await scene.route(scene.world.ids.new())

        await scene.world.pass_time(15 * MINUTE)

        said = scene.said("clock.warned.v1", "clock.breached.v1")
        first = [e for e in said if e["data"]["metric"] == "first_response"]
        assert [e["occurredat"] for e in first] == [moment(m) for m in (7.5, 11.25, 13.5, 15)]
        assert [e["data"].get("threshold_percent") for e in first] == [50, 75, 90, None]
        assert first[1]["data"]["elapsed_s"] == 675
        assert first[3]["data"] | {"clock_id": ""} == {
            "clock_id": "",
            "metric": "first_response",
            "target_s": 900,
            "due_at": moment(15),
            "priority": "P1",
            "team": "it-service-desk",
            "assignee": None,
            "is_by_rebase": False,
        }


async def test_what_was_met_in_time_is_never_warned_of_again(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request_id = scene.world.ids.new()
        await scene.route(request_id)
        await scene.world.pass_time(5 * MINUTE)

        await scene.router.say(RequestResolved(resolution="fixed"), request_id)
        await scene.world.pass_time(600 * MINUTE)

        assert [e["data"]["metric"] for e in scene.said("clock.warned.v1")] == ["assignment"]
        met = {e["data"]["metric"]: e["data"] for e in scene.said("clock.met.v1")}
        assert met["resolution"]["elapsed_s"] == 300
        assert not any(one["is_breached"] for one in met.values())
        # What is left waits for the end of the known holidays.
        assert scene.service.runtime.timers.watched == 1


async def test_an_automatic_receipt_is_no_answer_and_a_real_one_is(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request_id = scene.world.ids.new()
        await scene.route(request_id)

        await scene.intake.say(an_answer(is_automatic=True), request_id)
        await scene.intake.say(an_answer(is_effective=False), request_id)
        assert not scene.said("clock.met.v1")
        await scene.intake.say(an_answer(), request_id)

        [met] = scene.said("clock.met.v1")
        assert met["data"]["metric"] == "first_response"


async def test_a_paused_clock_stands_still_and_goes_on_where_it_was(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request_id = scene.world.ids.new()
        await scene.route(request_id)
        await scene.world.pass_time(30 * MINUTE)

        await scene.router.say(RequestWaitingStarted(reason="requester"), request_id)
        await scene.world.pass_time(60 * MINUTE)
        paused = (await scene.clocks(request_id))["resolution"]
        await scene.router.say(RequestWaitingEnded(reason="requester"), request_id)
        await scene.world.pass_time(90 * MINUTE)

        assert (paused["state"], paused["due_at"], paused["remaining_s"]) == (
            "paused",
            None,
            90 * 60,
        )
        assert (paused["paused_for"], paused["no_due_reason"]) == ("requester", "paused")
        [resumed] = scene.said("clock.resumed.v1")
        assert resumed["data"]["clocks"][0]["due_at"] == moment(180)
        breached = [
            e for e in scene.said("clock.breached.v1") if e["data"]["metric"] == "resolution"
        ]
        assert [e["occurredat"] for e in breached] == [moment(180)]


async def test_a_reopened_request_resumes_and_a_new_priority_rebases(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request_id = scene.world.ids.new()
        await scene.route(request_id, priority=Priority.P3)
        await scene.world.pass_time(30 * MINUTE)
        await scene.router.say(RequestResolved(resolution="fixed"), request_id)
        await scene.world.pass_time(100 * MINUTE)

        await scene.router.say(RequestReopened(reason="no", reopenings=1), request_id)
        await scene.router.say(RequestPriorityChanged(old=Priority.P3, new=Priority.P2), request_id)

        [resumed] = scene.said("clock.resumed.v1")
        assert resumed["data"]["clocks"][0]["due_at"] == moment(100 + 480)
        [rebased] = scene.said("clock.rebased.v1")
        assert rebased["data"]["reason"] == "priority_changed"
        assert rebased["data"]["clocks"][0]["due_at"] == moment(100 + 240)


async def test_an_escalation_not_acknowledged_in_time_breaches_its_own_clock(
    tmp_path: Path,
) -> None:
    async with clock(tmp_path) as scene:
        request_id, escalation_id = scene.world.ids.new(), scene.world.ids.new()
        await scene.route(request_id)
        raised = EscalationRaised(
            escalation_id=escalation_id,
            policy="standard",
            policy_version=1,
            trigger=Trigger(kind="breached"),
            team="it-service-desk",
            priority=Priority.P1,
        )
        await scene.escalation.say(raised, request_id)
        await scene.world.pass_time(6 * MINUTE)

        acknowledged = EscalationAcknowledged(
            escalation_id=escalation_id, tier=1, acknowledged_by="li.na", epoch=1
        )
        await scene.escalation.say(acknowledged, request_id)

        [breached] = scene.said("clock.breached.v1")
        assert (breached["data"]["metric"], breached["occurredat"]) == (
            "escalation_response",
            moment(5),
        )
        [met] = scene.said("clock.met.v1")
        assert met["data"] | {"clock_id": ""} == {
            "clock_id": "",
            "metric": "escalation_response",
            "elapsed_s": 360,
            "paused_s": 0,
            "target_s": 300,
            "is_breached": True,
        }


async def test_a_request_routed_before_any_table_came_is_timed_when_it_comes(
    tmp_path: Path,
) -> None:
    async with clock(tmp_path, is_released=False) as scene:
        request_id = scene.world.ids.new()
        await scene.intake.say(an_answer(), request_id)
        await scene.route(request_id)
        assert not scene.said()

        await scene.release_shipped()
        await scene.world.pass_time(20)

        [started] = scene.said("clock.started.v1")
        assert started["occurredat"] == moment(0)
        assert [e["data"]["metric"] for e in scene.said("clock.met.v1")] == ["first_response"]


async def test_a_broken_table_is_refused_and_the_one_in_force_stays(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        await scene.release("decision", "targets", "<definitions/>", version=2)
        await scene.route(scene.world.ids.new())

        ready = (await scene.api.get("/clock/ready")).json()
        assert ready["status"] == "degraded"
        assert not ready["checks"]["definitions"]["is_well"]
        [started] = scene.said("clock.started.v1")
        assert started["data"]["clocks"][0]["explanation"]["version"] == 1


async def test_a_new_table_is_for_new_requests_only(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        old, new = scene.world.ids.new(), scene.world.ids.new()
        await scene.route(old)
        table = (BPMN / "targets.dmn").read_text().replace('"PT2H"', '"PT1H"')

        await scene.release("decision", "targets", table, version=2)
        await scene.route(new)
        await scene.router.say(RequestAssigned(team="it-service-desk", assignee="li.na"), old)

        before, after = (await scene.clocks(old)), (await scene.clocks(new))
        assert (before["resolution"]["target_s"], before["resolution"]["policy_version"]) == (
            7200,
            1,
        )
        assert (after["resolution"]["target_s"], after["resolution"]["policy_version"]) == (
            3600,
            2,
        )
        assert before["handling"]["policy_version"] == 1


async def test_open_clocks_are_listed_least_time_left_first(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        slow, fast = scene.world.ids.new(), scene.world.ids.new()
        await scene.route(slow, priority=Priority.P4)
        await scene.route(fast)
        await scene.router.say(RequestWaitingStarted(reason="requester"), fast)
        await scene.world.pass_time(12 * MINUTE)

        told = (await scene.api.get("/clock/v1/clocks?limit=3")).json()
        paused = (await scene.api.get("/clock/v1/clocks?state=paused")).json()
        late = (await scene.api.get("/clock/v1/clocks?state=breached")).json()

        assert told["total"] == 6
        assert [(c["metric"], c["target_s"]) for c in told["items"]] == [
            ("assignment", 600),
            ("first_response", 900),
            ("assignment", 7200),
        ]
        assert [c["request_id"] for c in paused["items"]] == [str(fast)]
        assert [(c["metric"], c["remaining_s"]) for c in late["items"]] == [("assignment", -120)]


async def test_a_due_moment_explains_itself(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request_id = scene.world.ids.new()
        # Friday before the spring festival, 16:00 in Shanghai: the Saturday is worked (调休).
        submitted_at = datetime.fromisoformat("2026-02-13T16:00:00+08:00")
        await scene.route(request_id, domain="hr", priority=Priority.P3, submitted_at=submitted_at)

        path = f"/clock/v1/requests/{request_id}/clocks/resolution/explanation"
        told = (await scene.api.get(path)).json()

        [explained] = told["clocks"]
        assert explained["due_at"] == "2026-02-14T08:00:00Z"
        assert explained["table"]["rule"] == "targets_resolution_p3_office_cn"
        entries = explained["intervals"]["entries"]
        counted = sum(e["duration_s"] for e in entries if e["is_counted"])
        assert counted == explained["elapsed_s"]
        assert "make_up_day" in {e["code"] for e in entries if e["is_counted"]}
        assert any("调休" in sentence for sentence in explained["sentences"]["zh-CN"])


async def test_what_would_be_promised_can_be_asked(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        asked = {"request_type": "hr-question", "priority": "P2", "domain": "hr"}
        told = (await scene.api.post("/clock/v1/promises", json=asked)).json()
        wrong = await scene.api.post("/clock/v1/promises", json={**asked, "priority": "P9"})

        promises = {p["metric"]: p for p in told["promises"]}
        # 17:00 in Shanghai: an hour is left today, three tomorrow morning.
        assert promises["resolution"]["due_at"] == "2026-03-03T04:00:00Z"
        assert promises["first_response"]["due_at"] == moment(30)
        assert wrong.status_code == 422


async def test_calendars_tell_how_far_their_holidays_are_known(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        told = (await scene.api.get("/clock/v1/calendars")).json()

        found = {c["key"]: c for c in told["items"]}
        assert found["office-cn"]["covered_until"] == "2026-12-31"
        assert found["24x7"]["covered_until"] is None
        assert found["office-cn"]["is_in_force"]


@pytest.mark.parametrize(
    "path",
    [
        "/clock/v1/requests/00000000-0000-7000-8000-000000000000/clocks",
        "/clock/v1/requests/00000000-0000-7000-8000-000000000000/clocks/resolution/explanation",
    ],
)
async def test_an_unknown_request_is_said_to_be_unknown(tmp_path: Path, path: str) -> None:
    async with clock(tmp_path) as scene:
        answer = await scene.api.get(path)

        assert (answer.status_code, answer.json()["code"]) == (404, "request-unknown")


async def test_a_snapshot_has_every_clock_as_it_stood(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request_id = scene.world.ids.new()
        await scene.route(request_id)
        await scene.world.pass_time(30 * MINUTE)
        await scene.router.say(RequestWaitingStarted(reason="requester"), request_id)
        await scene.world.pass_time(10 * MINUTE)

        database = scene.service.runtime.database
        told = await snapshot(database, scene.world.time.now())
        before = await snapshot(database, MORNING + timedelta(minutes=5))

        states = {c["metric"]: c["state"] for c in told[str(request_id)]}
        assert states == {
            "first_response": "breached",
            "assignment": "breached",
            "resolution": "paused",
        }
        [resolution] = [c for c in told[str(request_id)] if c["metric"] == "resolution"]
        assert (resolution["elapsed_s"], resolution["paused_s"]) == (1800, 600)
        assert {c["state"] for c in before[str(request_id)]} == {"running"}


async def test_a_batch_of_many_requests_costs_a_handful_of_statements(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        statements: list[str] = []
        scene.service.runtime.database.ears.append(statements.append)
        handled = scene.service.runtime.stats.batches
        said = [(routed(scene.world), scene.world.ids.new()) for _ in range(90)]
        with scene.world.activity.busy():
            await _say_together(scene, said)
        await scene.world.settled()

        batches = scene.service.runtime.stats.batches - handled
        assert len(scene.said("clock.started.v1")) == 90
        # BEGIN, COMMIT and the relay's own bookkeeping included.
        assert len(statements) <= 22 * batches


async def _say_together(scene: Scene, said: list[tuple[RequestRouted, UUID]]) -> None:
    from shared.bus.port import Message, event_subject
    from shared.events.base import Envelope

    now = scene.world.time.now()
    messages = []
    for data, request_id in said:
        envelope = Envelope(
            id=scene.world.ids.new(),
            source="router",
            time=now,
            subject=str(request_id),
            occurred_at=now,
            sequence=1,
            correlation_id=str(request_id),
            causation_id=None,
            data=data,
        )
        route = event_subject("router", data.type)
        messages.append(Message(route, envelope.id, envelope.to_bytes()))
    await scene.world.bus.publish(messages)
