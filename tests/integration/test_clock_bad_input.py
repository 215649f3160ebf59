"""What nobody could compute with: refused with its reason at the edge, or handled by a rule.

Each line of the list stands here once, at the service; the finer cases are unit tests
(`tests/unit/business_time`, `tests/unit/clock/test_late_facts.py`, `test_properties.py`).
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import pytest

from shared.bus.port import Message, event_subject
from shared.events.base import Envelope
from shared.events.router import (
    RequestAssigned,
    RequestResolved,
    RequestWaitingEnded,
    RequestWaitingStarted,
)
from shared.vocabulary import Priority
from tests.integration.test_clock import MINUTE, Scene, an_answer, clock, moment, routed
from tests.unit.clock.test_review import row, table

if TYPE_CHECKING:
    from pathlib import Path

    from shared.events.base import EventData

WEEK = """
key: {key}
zone: {zone}
windows: {{mon: [{windows}], tue: ["09:00-18:00"]}}
{more}
"""
LAST = datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC)


def a_week(*, zone: str = "Asia/Shanghai", windows: str = '"09:00-18:00"', more: str = "") -> str:
    return WEEK.format(key="office-cn", zone=zone, windows=windows, more=more)


async def said_as_is(scene: Scene, request_id: UUID, body: dict[str, Any]) -> None:
    """Put a message on the bus as somebody might who does not use our library."""
    message_id = scene.world.ids.new()
    whole = {
        "specversion": "1.0", "id": str(message_id), "type": "request.resolved.v1",
        "source": "/levee/router", "time": "2026-03-02T09:00:00Z", "subject": str(request_id),
        "occurredat": "2026-03-02T09:00:00Z", "sequence": 2, "data": {"resolution": "solved"},
        **body,
    }  # fmt: skip
    route = event_subject("router", "request.resolved.v1")
    await scene.world.bus.publish([Message(route, message_id, orjson.dumps(whole))])
    await scene.world.settled()


async def held(scene: Scene) -> list[tuple[str, str]]:
    told = (await scene.api.get("/clock/v1/setaside")).json()["items"]
    return [(entry["code"], entry["detail"]) for entry in told]


# ---- calendars and tables ----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (a_week(zone="Asia/Atlantis"), "zone"),
        (a_week(windows='"09:00-12:00", "11:00-15:00"'), "overlap"),
        (a_week(windows='"09:00-09:00"'), "09:00-09:00"),
        (a_week(windows='"25:00-26:00"'), "25:00"),
        (
            a_week(
                more="holidays: [{date: 2026-10-01}, {date: 2026-10-01}]\ncovered_until: 2026-12-31"
            ),
            "2026-10-01",
        ),
        (a_week(more="valid_from: 2027-01-01\nvalid_until: 2026-01-01"), "valid"),
        (a_week(more="covered_until: 9999-12-31"), "9999"),
        ("key: office-cn\nzone: Asia/Shanghai\nwindows: {}", "open"),
        (table(row("resolution", "PT0S", id="r")), "above zero"),
        (table(row("resolution", "-PT1H", id="r")), "ISO 8601"),
        (table(row("resolution", "PT999999999H", id="r")), "ten years"),
    ],
)
async def test_a_definition_nobody_can_compute_with_leaves_the_one_in_force(
    tmp_path: Path, content: str, reason: str
) -> None:
    async with clock(tmp_path) as scene:
        is_table = content.startswith("<")
        place = ("decision", "targets") if is_table else ("calendar", "office-cn")
        before = (await scene.api.get("/clock/v1/calendars")).json()["items"]

        await scene.release(*place, content, 2)  # type: ignore[arg-type]

        check = (await scene.service.readiness())["checks"]["definitions"]
        assert not check["is_well"]
        assert reason in check["detail"]
        assert (await scene.api.get("/clock/v1/calendars")).json()["items"] == before
        request = scene.world.ids.new()
        await scene.route(request, domain="hr")
        assert (await scene.clocks(request))["resolution"]["policy_version"] == 1


# ---- moments in events -------------------------------------------------------------------------


@pytest.mark.announces("set aside: unreadable")
async def test_a_moment_without_an_offset_is_set_aside_and_the_rest_goes_on(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request, other = scene.world.ids.new(), scene.world.ids.new()
        await scene.route(request)

        await said_as_is(scene, request, {"occurredat": "2026-03-02T09:00:00"})
        await scene.route(other)

        [(code, detail)] = await held(scene)
        assert code == "unreadable"
        assert "offset" in detail
        assert (await scene.clocks(request))["resolution"]["state"] == "running"
        assert (await scene.clocks(other))["resolution"]["state"] == "running"


@pytest.mark.announces("set aside: instant-out-of-range")
@pytest.mark.parametrize("submitted_at", [LAST, datetime(1, 1, 1, tzinfo=UTC)])
async def test_a_moment_beyond_what_calendars_know_is_set_aside_with_the_reason(
    tmp_path: Path, submitted_at: datetime
) -> None:
    async with clock(tmp_path) as scene:
        far, near = scene.world.ids.new(), scene.world.ids.new()

        await scene.route(far, submitted_at=submitted_at, domain="hr")
        await scene.route(near)
        await scene.world.pass_time(30)

        [(code, detail)] = await held(scene)
        assert code == "instant-out-of-range"
        assert str(submitted_at.year) in detail
        assert (await scene.clocks(near))["resolution"]["state"] == "running"


async def test_what_ends_before_it_began_is_taken_as_ended_when_it_began(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request, start = scene.world.ids.new(), scene.world.time.now()
        await scene.route(request, priority=Priority.P3)
        await scene.world.pass_time(20 * MINUTE)

        wait = RequestWaitingStarted(reason="supplier")
        await scene.router.say(wait, request, occurred_at=start + timedelta(minutes=10))
        end = RequestWaitingEnded(reason="supplier")
        await scene.router.say(end, request, occurred_at=start + timedelta(minutes=5))

        told = (await scene.clocks(request))["resolution"]
        assert (told["state"], told["paused_s"]) == ("running", 0)


async def test_facts_before_the_request_is_known_wait_for_it(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request = scene.world.ids.new()
        await scene.intake.say(an_answer(), request)

        unknown = await scene.api.get(f"/clock/v1/requests/{request}/clocks")
        await scene.world.pass_time(MINUTE)
        await scene.route(request, submitted_at=scene.world.time.now() - timedelta(minutes=2))

        assert unknown.status_code == 404
        assert (await scene.clocks(request))["first_response"]["state"] == "met"


async def test_a_message_that_comes_twice_counts_once(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request = scene.world.ids.new()
        await scene.route(request)
        body = envelope(scene, RequestResolved(resolution="solved"), request, 2)
        route = event_subject("router", "request.resolved.v1")

        for _ in range(3):
            # The bus drops what has the same id; another one is what a lost ack looks like.
            again = Message(route, scene.world.ids.new(), body)
            await scene.world.bus.publish([again])
        await scene.world.settled()

        assert len([e for e in scene.said("clock.met.v1")]) == 3  # one per clock
        assert await held(scene) == []


async def test_what_comes_in_reversed_order_is_applied_in_the_order_it_was_said(
    tmp_path: Path,
) -> None:
    async with clock(tmp_path) as scene:
        request, now = scene.world.ids.new(), scene.world.time.now()
        told: list[EventData] = [
            routed(scene.world),
            RequestAssigned(team="it-service-desk", assignee="li.na"),
            RequestWaitingStarted(reason="requester"),
            RequestWaitingEnded(reason="requester"),
            RequestResolved(resolution="solved"),
        ]

        for number, data in reversed(list(enumerate(told, 1))):
            at = now + timedelta(seconds=number)
            await scene.router.say(data, request, sequence=number, occurred_at=at)
        await scene.world.pass_time(MINUTE)

        clocks = await scene.clocks(request)
        assert {told["state"] for told in clocks.values()} == {"met"}
        assert clocks["resolution"]["paused_s"] == 1
        assert scene.said("clock.corrected.v1") == []


def envelope(scene: Scene, data: EventData, request: UUID, sequence: int) -> bytes:
    now = scene.world.time.now()
    return Envelope(
        id=scene.world.ids.new(), source="router", time=now, subject=str(request),
        occurred_at=now, sequence=sequence, correlation_id=str(request), causation_id=None,
        data=data,
    ).to_bytes()  # fmt: skip


# ---- the machine's clock -----------------------------------------------------------------------


async def test_a_clock_that_jumps_ahead_announces_each_threshold_once_at_its_own_moment(
    tmp_path: Path,
) -> None:
    async with clock(tmp_path) as scene:
        await scene.route(scene.world.ids.new())

        scene.world.time.advance_to(scene.world.time.now() + timedelta(hours=1))
        await scene.world.settled()

        first = [
            (e["occurredat"], e["data"].get("threshold_percent"))
            for e in scene.said("clock.warned.v1", "clock.breached.v1")
            if e["data"]["metric"] == "first_response"
        ]
        assert first == [
            (moment(7.5), 50),
            (moment(11.25), 75),
            (moment(13.5), 90),
            (moment(15), None),
        ]


async def test_a_clock_that_jumps_back_announces_nothing_again_and_nothing_early(
    tmp_path: Path,
) -> None:
    async with clock(tmp_path) as scene:
        request, time = scene.world.ids.new(), scene.world.time
        await scene.route(request)
        await scene.world.pass_time(10 * MINUTE)

        time._now -= timedelta(hours=1)
        await scene.world.pass_time(5 * MINUTE)
        early = len(scene.said("clock.warned.v1", "clock.breached.v1"))
        await scene.world.pass_time(120 * MINUTE)

        told = [
            (e["data"]["metric"], e["data"].get("threshold_percent"))
            for e in scene.said("clock.warned.v1", "clock.breached.v1")
        ]
        assert len(told) == len(set(told))
        assert ("first_response", None) in told
        assert early < len(told)


# ---- questions ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("path", "params"),
    [
        ("calendars/office-cn/due", {"target": "PT8H", "start": "2026-02-13T16:00:00"}),
        ("calendars/office-cn/due", {"target": "PT8H", "start": "9999-12-31T23:00:00Z"}),
        ("calendars/office-cn/due", {"target": "PT0S"}),
        (
            "calendars/office-cn/elapsed",
            {"start": "2026-02-14T00:00:00Z", "end": "2026-02-13T00:00:00Z"},
        ),
        (
            "calendars/office-cn/elapsed",
            {"start": "9999-12-30T00:00:00Z", "end": "9999-12-31T00:00:00Z"},
        ),
    ],
)
@pytest.mark.parametrize("language", ["zh-CN", "en"])
async def test_a_question_nobody_can_answer_is_refused_in_the_callers_language(
    tmp_path: Path, path: str, params: dict[str, str], language: str
) -> None:
    async with clock(tmp_path) as scene:
        answer = await scene.api.get(
            f"/clock/v1/{path}", params=params, headers={"Accept-Language": language}
        )

        assert answer.status_code == 422
        assert answer.headers["content-type"].startswith("application/problem+json")
        assert answer.json()["code"]


async def test_suppositions_that_end_before_they_begin_are_refused(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        request = scene.world.ids.new()
        await scene.route(request)
        wait = {
            "reason": "supplier",
            "since": "2026-03-02T11:00:00Z",
            "until": "2026-03-02T10:00:00Z",
        }
        path = f"/clock/v1/requests/{request}/what-if"

        backward = await scene.api.post(path, json={"waits": [wait]})
        naive = await scene.api.post(path, json={"waits": [{**wait, "since": "2026-03-02T11:00"}]})
        far = await scene.api.post(
            path, json={"priority": "P4", "priority_at": "9999-12-31T23:59:59Z"}
        )

        assert (backward.status_code, naive.status_code) == (422, 422)
        assert far.status_code == 200, "a priority that holds from then on changes nothing now"
        [resolution] = [c for c in far.json()["clocks"] if c["clock"] == "resolution"]
        assert resolution["is"]["due_at"] == resolution["would_be"]["due_at"]


async def test_what_would_be_promised_at_the_end_of_time_is_refused(tmp_path: Path) -> None:
    async with clock(tmp_path) as scene:
        asked = {"request_type": "any", "priority": "P1", "domain": "hr"}

        far = await scene.api.post(
            "/clock/v1/promises", json={**asked, "submitted_at": LAST.isoformat()}
        )

        assert (far.status_code, far.json()["code"]) == (422, "instant-out-of-range")
