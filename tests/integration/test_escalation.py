"""Escalation at work: its neighbours speak on the bus, time moves, people are told."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

import pytest

from services.escalation.main import build
from services.escalation.settings import Settings
from shared.events.clock import ClockBreached, ClockCancelled, ClockMet, ClockWarned
from shared.events.commands.escalation import EscalationRequested
from shared.events.notify import NotificationActed
from shared.events.router import (
    Absence,
    DefinitionReleased,
    DirectoryChanged,
    Person,
    RequestAssigned,
    RequestClosed,
    RequestHandedOver,
    RequestPriorityChanged,
    RequestReopened,
    RequestResolved,
    RequestRouted,
    Team,
)
from shared.vocabulary import Lane, Metric, Priority
from tests.harness.services import Neighbour, at_work, caller, key_ring, published
from tests.harness.world import MORNING, World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

    from shared.service import Service

CLOCK_1, CLOCK_2 = UUID(int=11), UUID(int=12)
POLICY = """
key: standard
name: {en: Standard}
on_warned_percent: [75]
metrics: [first_response, resolution]
tiers:
  - {notify: [member], repeats: 1, repeat_every: PT15M, channels: [email]}
  - {notify: [lead], after: PT30M}
duty_after: PT20M
duty_repeats: 1
duty_repeat_every: PT10M
"""
MINUTE = 60


@dataclass(slots=True)
class Stage:
    """Escalation and its neighbours."""

    world: World
    service: Service
    clock: Neighbour
    router: Neighbour
    intake: Neighbour
    notify: Neighbour
    http: httpx.AsyncClient
    request: UUID

    async def route(self, request: UUID | None = None, **changed: Any) -> None:
        given: dict[str, Any] = {
            "number": "R-2026-000001",
            "request_type": "incident",
            "domain": "it",
            "channel": "portal",
            "customer_tier": "standard",
            "priority": Priority.P2,
            "lane": Lane.STANDARD,
            "team": "desk",
            "submitted_at": self.world.time.now(),
            "process": "standard-path",
            "process_version": 1,
            "instance_id": UUID(int=5),
        }
        await self.router.say(RequestRouted(**(given | changed)), request or self.request)

    async def warn(self, percent: int = 75, clock: UUID = CLOCK_1) -> None:
        now = self.world.time.now()
        event = ClockWarned(
            clock_id=clock, metric=Metric.FIRST_RESPONSE, threshold_percent=percent,
            elapsed_s=1350, target_s=1800, due_at=now + timedelta(seconds=450),
            priority=Priority.P2, team="desk",
        )  # fmt: skip
        await self.clock.say(event, self.request)

    async def breach(
        self, clock: UUID = CLOCK_1, at: datetime | None = None, **changed: Any
    ) -> None:
        given: dict[str, Any] = {
            "clock_id": clock,
            "metric": Metric.FIRST_RESPONSE,
            "target_s": 1800,
            "due_at": at or self.world.time.now(),
            "priority": Priority.P2,
            "team": "desk",
        }
        await self.clock.say(ClockBreached(**(given | changed)), self.request, occurred_at=at)

    def asked(self, template: str) -> list[dict[str, Any]]:
        found = published(self.world, "escalation", "notification.requested.v1")
        return [event["data"] for event in found if event["data"]["template"] == template]

    def pages(self) -> list[list[str]]:
        """Whom each step asked notify to tell."""
        return [
            [r["recipient"] for r in told["recipients"]] for told in self.asked("escalation.step")
        ]

    def types(self) -> list[str]:
        said = published(self.world, "escalation")
        return [event["type"].split(".")[1] for event in said]

    async def shown(self) -> dict[str, Any]:
        page = (await self.http.get("/escalation/v1/escalations")).json()
        found = await self.http.get(f"/escalation/v1/escalations/{page['items'][0]['id']}")
        told: dict[str, Any] = found.json()
        return told


def a_directory(version: int = 1, *absent: str) -> DirectoryChanged:
    def person(name: str) -> Person:
        gone = Absence(starts_at=MORNING, ends_at=MORNING + timedelta(days=1))
        return Person(id=name, name=name.title(), absences=(gone,) if name in absent else ())

    people = tuple(person(name) for name in ("ann", "bob", "lea", "hanna", "duty"))
    teams = (
        Team(id="desk", name={"en": "Desk"}, members=("ann", "bob"), lead="lea"),
        Team(id="hr", name={"en": "HR"}, members=("hanna",), lead="hanna"),
    )
    return DirectoryChanged(version=version, people=people, teams=teams, duty_person="duty")


def a_release(content: str = POLICY, key: str = "standard", version: int = 1) -> DefinitionReleased:
    return DefinitionReleased(
        kind="escalation_policy", key=key, version=version, content_hash="0" * 64,
        content=content, released_by="test",
    )  # fmt: skip


@asynccontextmanager
async def a_stage(url: str, folder: Path, *, is_bare: bool = False) -> AsyncIterator[Stage]:
    world = new_world()
    service = build(Settings(database_url=url, is_durable=False), world.given)
    ring, key = key_ring(folder, world)
    names = ("clock", "router", "intake", "notify")
    clock, router, intake, notify = (Neighbour(world, name) for name in names)
    async with at_work(service, world), caller(service, ring, key) as http:
        stage = Stage(world, service, clock, router, intake, notify, http, world.ids.new())
        if not is_bare:
            await router.say(a_release(), "escalation_policy/standard")
            await router.say(a_directory(), "directory")
        yield stage


@pytest.fixture
async def stage(tmp_path: Path) -> AsyncIterator[Stage]:
    url = f"sqlite+aiosqlite:///{tmp_path / 'escalation.db'}"
    async with a_stage(url, tmp_path) as built:
        yield built


async def test_a_breach_climbs_to_no_one_answered_when_nobody_does(
    database_url: str, tmp_path: Path
) -> None:
    async with a_stage(database_url, tmp_path) as stage:
        await stage.route()
        await stage.breach()
        await stage.world.pass_time(70 * MINUTE)
        await stage.world.pass_time(600 * MINUTE)

        members = ["ann", "bob"]
        assert stage.pages() == [members, members, ["lea"], ["duty"], ["duty"]]
        assert stage.types().count("exhausted") == 1
        (told,) = stage.asked("escalation.exhausted")
        assert [r["recipient"] for r in told["recipients"]] == ["duty", "lea"]
        shown = await stage.shown()
        assert shown["state"] == "exhausted"
        assert [(s["tier"], s["repeat"]) for s in shown["steps"]] == [
            (1, 0), (1, 1), (2, 0), (3, 0), (3, 1),
        ]  # fmt: skip
        minutes = [
            (datetime.fromisoformat(s["at"]) - MORNING) / timedelta(minutes=1)
            for s in shown["steps"]
        ]
        assert minutes == [0, 15, 30, 50, 60]


async def test_a_page_says_what_people_need_and_its_id_follows_from_what_it_is(
    stage: Stage,
) -> None:
    await stage.route(priority=Priority.P1)
    await stage.breach(priority=Priority.P1)
    await stage.world.pass_time(1)

    (told,) = stage.asked("escalation.step")
    (raised,) = published(stage.world, "escalation", "escalation.raised.v1")
    assert told["parameters"] == {
        "number": "R-2026-000001",
        "priority": "P1",
        "team": "desk",
        "reason": "breached",
        "metric": "first_response",
        "threshold_percent": None,
        "note": None,
        "requested_by": None,
        "due_at": MORNING.isoformat(),
        "tier": 1,
        "attempt": 1,
    }
    assert told["is_urgent"] is True
    assert told["acknowledge"]["escalation_id"] == raised["data"]["escalation_id"]
    assert told["acknowledge"]["epoch"] == 1
    assert told["recipients"][0]["channels"] == ["email"]
    steps = published(stage.world, "escalation", "notification.requested.v1")
    assert len({event["data"]["notification_id"] for event in steps}) == len(steps)


async def test_one_matter_is_one_page_however_many_causes_come(stage: Stage) -> None:
    await stage.route()
    await stage.warn()
    await stage.breach()
    await stage.breach(CLOCK_2, metric=Metric.RESOLUTION)
    await stage.world.pass_time(1)

    assert stage.types().count("raised") == 1
    assert stage.pages() == [["ann", "bob"]]
    assert len((await stage.shown())["causes"]) == 3


async def test_a_percentage_or_metric_the_policy_does_not_name_tells_nobody(stage: Stage) -> None:
    await stage.route()
    await stage.warn(percent=50)
    await stage.breach(metric=Metric.HANDLING)

    assert stage.types() == []


async def test_an_acknowledgement_stops_everything_and_relieves_the_others(stage: Stage) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(1)
    found = await stage.shown()

    answer = await stage.http.post(
        f"/escalation/v1/escalations/{found['id']}/acknowledge", json={"by": "ann"}
    )
    again = await stage.http.post(
        f"/escalation/v1/escalations/{found['id']}/acknowledge", json={"by": "bob"}
    )
    await stage.world.pass_time(600 * MINUTE)

    assert (answer.status_code, answer.json()["outcome"]) == (200, "acknowledged")
    assert again.json()["outcome"] == "already_acknowledged"
    assert stage.pages() == [["ann", "bob"]]
    (acknowledged,) = published(stage.world, "escalation", "escalation.acknowledged.v1")
    assert acknowledged["data"]["acknowledged_by"] == "ann"
    assert acknowledged["data"]["epoch"] == 1
    (told,) = stage.asked("escalation.released")
    assert [r["recipient"] for r in told["recipients"]] == ["bob"]
    assert told["parameters"]["person"] == "Ann"


async def test_an_answer_by_somebody_who_was_not_told_counts_and_by_nobody_does_not(
    stage: Stage,
) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(1)
    place = f"/escalation/v1/escalations/{(await stage.shown())['id']}/acknowledge"

    refused = await stage.http.post(place, json={"by": "nobody.known"})
    taken = await stage.http.post(place, json={"by": "hanna"})

    assert refused.status_code == 422
    assert refused.json()["errors"][0]["path"] == "/by"
    assert taken.json()["outcome"] == "acknowledged"


async def test_a_late_answer_changes_nothing_and_says_so(stage: Stage) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(1)
    found = await stage.shown()
    await stage.router.say(RequestResolved(resolution="solved"), stage.request)
    said = len(stage.types())

    answer = await stage.http.post(
        f"/escalation/v1/escalations/{found['id']}/acknowledge", json={"by": "ann"}
    )

    assert (answer.status_code, answer.json()["outcome"]) == (200, "over")
    assert answer.json()["state"] == "closed"
    assert len(stage.types()) == said


async def test_the_button_of_a_message_counts_in_its_own_epoch_only(stage: Stage) -> None:
    await stage.route()
    await stage.warn()
    await stage.world.pass_time(1)
    found = await stage.shown()
    await stage.http.post(
        f"/escalation/v1/escalations/{found['id']}/acknowledge", json={"by": "ann"}
    )
    await stage.breach()
    await stage.world.pass_time(1)

    def pressed(epoch: int) -> NotificationActed:
        return NotificationActed(
            notification_id=UUID(int=1), delivery_id=UUID(int=2), template="escalation.step",
            channel="email", recipient="bob", action="acknowledge", actor="bob",
            escalation_id=UUID(found["id"]), epoch=epoch,
        )  # fmt: skip

    await stage.notify.say(pressed(1), stage.request)
    before = (await stage.shown())["state"]
    await stage.notify.say(pressed(3), stage.request)

    assert before == "raised"
    assert (await stage.shown())["acknowledged_by"] == "bob"


async def test_a_breach_calls_again_those_who_had_taken_a_warning_over(stage: Stage) -> None:
    await stage.route()
    await stage.warn()
    await stage.world.pass_time(16 * MINUTE)
    found = await stage.shown()
    await stage.http.post(
        f"/escalation/v1/escalations/{found['id']}/acknowledge", json={"by": "ann"}
    )
    await stage.breach()
    await stage.world.pass_time(1)

    members = ["ann", "bob"]
    assert stage.pages() == [members, members, members]
    epochs = [told["acknowledge"]["epoch"] for told in stage.asked("escalation.step")]
    assert epochs == [1, 1, 3]


async def test_the_answer_in_time_releases_those_who_were_told(stage: Stage) -> None:
    await stage.route()
    await stage.warn()
    await stage.world.pass_time(1)
    met = ClockMet(
        clock_id=CLOCK_1, metric=Metric.FIRST_RESPONSE, elapsed_s=1, paused_s=0, target_s=2,
        is_breached=False,
    )  # fmt: skip

    await stage.clock.say(met, stage.request)
    await stage.world.pass_time(600 * MINUTE)

    assert stage.types()[-3:] == ["released", "closed", "requested"]
    assert stage.asked("escalation.closed")[0]["parameters"]["reason"] == "met_in_time"
    assert stage.pages() == [["ann", "bob"]]


async def test_an_escalation_goes_on_while_one_of_its_clocks_is_not_met(stage: Stage) -> None:
    await stage.route()
    await stage.breach(CLOCK_1)
    await stage.breach(CLOCK_2, metric=Metric.RESOLUTION)

    gone = ClockCancelled(clock_ids=(CLOCK_1,), metrics=(Metric.FIRST_RESPONSE,), reason="other")
    await stage.clock.say(gone, stage.request)

    assert (await stage.shown())["state"] == "raised"
    assert len((await stage.shown())["causes"]) == 1


async def test_a_step_tells_who_owns_the_request_at_that_moment(stage: Stage) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(1)
    await stage.router.say(RequestAssigned(team="desk", assignee="bob"), stage.request)
    await stage.world.pass_time(15 * MINUTE)
    moved = RequestHandedOver(from_team="desk", to_team="hr", reason="payroll", handovers=1)
    await stage.router.say(moved, stage.request)
    await stage.world.pass_time(15 * MINUTE)

    assert stage.pages() == [["ann", "bob"], ["bob"], ["hanna"]]


async def test_absences_are_looked_up_when_a_step_is_due_and_an_empty_tier_is_passed(
    stage: Stage,
) -> None:
    await stage.router.say(a_directory(2, "ann", "bob"), "directory")
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(1)

    assert stage.pages() == [["lea"]]
    stepped = [e["data"] for e in published(stage.world, "escalation", "escalation.stepped.v1")]
    assert [(s["tier"], len(s["recipients"])) for s in stepped] == [(1, 0), (2, 1)]
    dropped = (await stage.shown())["steps"][0]["dropped"]
    assert [(d["person"], d["reason"]) for d in dropped] == [("ann", "absent"), ("bob", "absent")]


async def test_an_import_is_computed_and_nobody_is_told(stage: Stage) -> None:
    await stage.route(is_import=True)
    await stage.breach()
    await stage.world.pass_time(16 * MINUTE)
    await stage.router.say(RequestAssigned(team="desk", assignee="bob"), stage.request)
    await stage.world.pass_time(600 * MINUTE)

    assert stage.types() == ["raised", "stepped", "stepped", "acknowledged"]
    shown = await stage.shown()
    assert (shown["acknowledged_by"], shown["is_import"]) == ("bob", True)


async def test_an_import_nobody_touched_is_exhausted_and_still_nobody_is_told(
    stage: Stage,
) -> None:
    await stage.route(is_import=True)
    await stage.breach()
    await stage.world.pass_time(600 * MINUTE)

    assert stage.types()[-1] == "exhausted"
    assert "requested" not in stage.types()


async def test_a_clock_that_speaks_before_the_router_raises_and_tells_nobody_of_an_import(
    stage: Stage,
) -> None:
    await stage.breach()
    await stage.world.pass_time(3)
    await stage.route(is_import=True)
    await stage.world.pass_time(30)

    assert stage.types() == ["raised", "stepped"]


async def test_a_router_that_stays_silent_does_not_keep_people_from_being_told(
    stage: Stage,
) -> None:
    await stage.breach(assignee="bob")
    await stage.world.pass_time(59)
    before = stage.pages()
    await stage.world.pass_time(5)

    assert before == []
    assert stage.pages() == [["bob"]]
    assert stage.asked("escalation.step")[0]["parameters"]["number"] == str(stage.request)


async def test_a_request_nobody_routed_is_escalated_until_it_is(stage: Stage) -> None:
    command = EscalationRequested(reason="not_routed", number="R-2026-000007")
    await stage.router.say(a_release(key="other", content=POLICY.replace("standard", "other")),
                           "escalation_policy/other")  # fmt: skip

    await stage.intake.say(command, stage.request)
    await stage.world.pass_time(1)
    raised = await stage.shown()
    await stage.route()

    assert (raised["team"], raised["priority"], raised["number"]) == (
        "triage", "P2", "R-2026-000007",
    )  # fmt: skip
    assert (await stage.shown())["close_reason"] == "routed"


async def test_not_routed_that_arrives_after_routing_tells_nobody(stage: Stage) -> None:
    await stage.route()
    await stage.intake.say(EscalationRequested(reason="not_routed"), stage.request)

    assert stage.types() == []


async def test_a_late_breach_of_a_solved_request_tells_nobody(stage: Stage) -> None:
    await stage.route()
    await stage.router.say(RequestResolved(resolution="solved"), stage.request)
    await stage.breach(at=MORNING - timedelta(minutes=1))
    await stage.world.pass_time(1)

    assert stage.types() == []


async def test_a_breach_after_a_reopening_that_has_not_arrived_counts_once_it_has(
    stage: Stage,
) -> None:
    await stage.route()
    await stage.router.say(RequestResolved(resolution="solved"), stage.request)
    await stage.world.pass_time(60)
    reopened_at = stage.world.time.now()
    await stage.world.pass_time(60)
    await stage.breach()
    before = stage.types()

    event = RequestReopened(reason="not solved", reopenings=1)
    await stage.router.say(event, stage.request, occurred_at=reopened_at)
    await stage.world.pass_time(1)

    assert before == []
    assert stage.pages() == [["ann", "bob"]]


async def test_the_end_of_a_request_ends_its_escalation_and_a_new_one_may_come(
    stage: Stage,
) -> None:
    await stage.route()
    await stage.breach()
    await stage.router.say(RequestResolved(resolution="solved"), stage.request)
    await stage.router.say(RequestClosed(reason="confirmed"), stage.request)
    await stage.router.say(RequestReopened(reason="no", reopenings=1), stage.request)
    await stage.world.pass_time(1)
    await stage.breach(CLOCK_2)

    assert stage.types().count("closed") == 1
    assert stage.types().count("raised") == 2


async def test_an_escalation_keeps_the_policy_it_began_with(stage: Stage) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(1)
    slower = POLICY.replace("after: PT30M", "after: PT90M")
    await stage.router.say(a_release(slower, version=2), "escalation_policy/standard")
    await stage.world.pass_time(31 * MINUTE)

    assert stage.pages()[-1] == ["lea"]
    assert (await stage.shown())["policy_version"] == 1


async def test_a_team_whose_policy_was_never_released_climbs_the_standard_one(
    stage: Stage,
) -> None:
    known = a_directory(2)
    team = known.teams[0].model_copy(update={"escalation_policy": "lost"})
    await stage.router.say(known.model_copy(update={"teams": (team,)}), "directory")
    await stage.route()
    await stage.breach()

    assert (await stage.shown())["policy"] == "standard"


async def test_without_any_policy_a_breach_waits_for_one(tmp_path: Path) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'escalation.db'}"
    async with a_stage(url, tmp_path, is_bare=True) as stage:
        await stage.router.say(a_directory(), "directory")
        await stage.route()
        await stage.breach()
        before = stage.types()

        await stage.router.say(a_release(), "escalation_policy/standard")
        await stage.world.pass_time(60)

        assert before == []
        assert stage.pages() == [["ann", "bob"]]


async def test_a_wrong_policy_is_set_aside_and_the_one_in_force_stays(
    stage: Stage, announced_errors: Any
) -> None:
    announced_errors.expect("set aside")
    await stage.router.say(a_release("key: [", version=2), "escalation_policy/standard")

    policies = (await stage.http.get("/escalation/v1/policies")).json()
    held = (await stage.http.get("/escalation/v1/setaside")).json()

    assert [(p["key"], p["version"]) for p in policies["items"]] == [("standard", 1)]
    assert held["items"][0]["code"] == "bad-definition"


async def test_after_an_outage_people_get_their_time_and_nothing_comes_at_once(
    tmp_path: Path,
) -> None:
    url = f"sqlite+aiosqlite:///{tmp_path / 'escalation.db'}"
    async with a_stage(url, tmp_path) as stage:
        await stage.route()
        await stage.breach()
        await stage.world.pass_time(1)
    world = stage.world
    world.time.advance(timedelta(hours=5))
    again = build(Settings(database_url=url, is_durable=False), world.given)

    async with at_work(again, world):
        back = stage.pages()
        await world.pass_time(14 * MINUTE)
        waiting = stage.pages()
        await world.pass_time(2 * MINUTE)

    members = ["ann", "bob"]
    assert back == [members, members]
    assert waiting == back
    assert stage.pages() == [members, members, ["lea"]]


async def test_a_person_presses_the_button(stage: Stage) -> None:
    await stage.route()
    path = f"/escalation/v1/requests/{stage.request}/escalate"
    body = {"by": "ann", "reason": "the customer is on the phone"}

    first = await stage.http.post(path, json=body)
    second = await stage.http.post(path, json=body)
    await stage.world.pass_time(1)

    assert (first.status_code, first.json()["outcome"]) == (201, "raised")
    assert first.headers["location"].endswith(first.json()["id"])
    assert (second.status_code, second.json()["outcome"]) == (200, "attached")
    assert stage.pages() == [["ann", "bob"]]
    assert stage.asked("escalation.step")[0]["parameters"]["note"] == body["reason"]


async def test_the_button_is_refused_where_it_means_nothing(stage: Stage) -> None:
    body = {"by": "ann", "reason": "now"}
    unknown = await stage.http.post(f"/escalation/v1/requests/{UUID(int=3)}/escalate", json=body)
    await stage.route()
    await stage.router.say(RequestResolved(resolution="solved"), stage.request)
    over = await stage.http.post(f"/escalation/v1/requests/{stage.request}/escalate", json=body)
    empty = await stage.http.post(
        f"/escalation/v1/requests/{stage.request}/escalate", json={"by": "ann", "reason": ""}
    )

    assert (unknown.status_code, over.status_code, empty.status_code) == (404, 409, 422)


async def test_lists_are_filtered_and_paged(stage: Stage) -> None:
    await stage.route()
    await stage.breach()
    path = "/escalation/v1/escalations"

    mine = (await stage.http.get(path, params={"team": "desk", "state": "raised"})).json()
    other = (await stage.http.get(path, params={"team": "hr"})).json()
    over = (await stage.http.get(path, params={"state": "closed"})).json()
    wrong = await stage.http.get(path, params={"state": "asleep"})
    missing = await stage.http.get(f"{path}/{UUID(int=4)}")

    assert (mine["total"], other["total"], over["total"]) == (1, 0, 0)
    assert (wrong.status_code, missing.status_code) == (422, 404)


async def test_a_policy_can_be_asked_who_would_be_told(stage: Stage) -> None:
    await stage.router.say(a_directory(2, "lea"), "directory")
    at = "2026-03-02T19:00:00+08:00"
    path = "/escalation/v1/policies/standard/preview"

    answer = (await stage.http.post(path, json={"at": at, "team": "desk"})).json()
    unknown = await stage.http.post(path, json={"at": at, "team": "nowhere"})
    missing = await stage.http.post(
        "/escalation/v1/policies/none/preview", json={"at": at, "team": "desk"}
    )

    told = [(s["tier"], [p["name"] for p in s["told"]]) for s in answer["steps"]]
    assert told == [
        (1, ["Ann", "Bob"]), (1, ["Ann", "Bob"]), (2, []), (3, ["Duty"]), (3, ["Duty"]),
        (4, ["Duty"]),
    ]  # fmt: skip
    assert answer["steps"][0]["at"] == "2026-03-02T11:00:00Z"
    assert (unknown.status_code, missing.status_code) == (422, 404)


async def test_a_more_pressing_matter_is_urgent_from_then_on(stage: Stage) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(1)
    changed = RequestPriorityChanged(old=Priority.P2, new=Priority.P1)
    await stage.router.say(changed, stage.request)
    await stage.world.pass_time(15 * MINUTE)

    assert [told["is_urgent"] for told in stage.asked("escalation.step")] == [False, True]


async def test_readiness_tells_of_a_climb_that_stands_still(stage: Stage) -> None:
    await stage.route()
    await stage.breach()
    await stage.world.pass_time(1)
    well = (await stage.http.get("/escalation/ready")).json()

    stage.world.time._now += timedelta(hours=1)  # as if the timer loop were stuck
    stuck = (await stage.http.get("/escalation/ready")).json()

    assert well["checks"]["climbs"]["is_well"] is True
    assert stuck["checks"]["climbs"] == {"is_well": False, "detail": "1 with an overdue step"}
