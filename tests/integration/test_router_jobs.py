"""Service tasks: taken by workers, answered once, tried again, given up, mended by people."""

from __future__ import annotations

import shutil
from contextlib import asynccontextmanager
from typing import TYPE_CHECKING, Any

from tests.harness.services import Neighbour, published
from tests.harness.world import World, new_world
from tests.integration.test_router import BPMN, a_request, router
from tests.unit.router.workflow.builders import (
    BEGIN,
    ERROR,
    boundary,
    ends,
    io,
    job,
    path,
    script,
    user,
    xml,
)

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

    import httpx

STANDARD = 'id="standard-path" isExecutable="true"'
JOBS = "/router/v1/jobs"
INCIDENTS = "/router/v1/incidents"

ONE_JOB = xml(
    BEGIN,
    job("check", "stock.check", io({"item": '="desk"'}, {"left": "=count"})),
    user("after", '="triage"'),
    user("none_left", '="triage"'),
    boundary("no_stock", "check", ERROR),
    ends("e"),
    path("begin", "check", "after", "e"),
    path("no_stock", "none_left", "e"),
    process=STANDARD,
)


@asynccontextmanager
async def drawn(
    folder: Path, world: World, diagram: bytes
) -> AsyncIterator[tuple[Neighbour, httpx.AsyncClient]]:
    definitions = folder / "bpmn"
    if not definitions.exists():
        shutil.copytree(BPMN, definitions)
    (definitions / "standard-path.bpmn").write_bytes(diagram)
    async with router(folder, world, definitions) as (intake, api):
        yield intake, api


async def take(api: httpx.AsyncClient, **told: Any) -> list[dict[str, Any]]:
    body = {"worker": "robot-1", "types": ["stock.check"], "lease_s": 60, **told}
    answer = await api.post(f"{JOBS}/take", json=body)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


async def act(api: httpx.AsyncClient, taken: dict[str, Any], verb: str, **told: Any) -> Any:
    body = {"attempt": taken["attempt"], **told}
    return await api.post(f"{JOBS}/{taken['id']}/{verb}", json=body)


async def waits_at(api: httpx.AsyncClient, request: Any) -> list[str]:
    told = (await api.get(f"/router/v1/requests/{request}")).json()
    return [i["element_id"] for i in told["work_items"] if i["state"] in ("open", "claimed")]


async def open_incidents(api: httpx.AsyncClient) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = (await api.get(f"{INCIDENTS}?state=open")).json()["items"]
    return found


async def test_a_worker_takes_a_job_answers_and_the_diagram_goes_on(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)

        [job] = await take(api)
        nothing = await take(api, worker="robot-2")
        done = await act(api, job, "complete", result={"count": 3})
        again = await act(api, job, "complete", result={"count": 4})
        await world.settled()

        assert (job["attempt"], job["variables"], job["type"]) == (
            1,
            {"item": "desk"},
            "stock.check",
        )
        assert nothing == []
        assert done.json()["state"] == again.json()["state"] == "completed"
        assert await waits_at(api, request) == ["after"]
        [wanted] = published(world, "router", "job.requested.v1")
        assert (wanted["data"]["job_id"], wanted["data"]["attempt"]) == (job["id"], 1)
        assert [e["data"]["outcome"] for e in published(world, "router", "job.ended.v1")] == [
            "completed"
        ]


async def test_a_failed_attempt_rests_longer_each_time_and_ends_in_an_incident(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        await intake.say(a_request(), world.ids.new())
        rests = []
        for attempt in (1, 2, 3):
            [taken] = await take(api)
            assert taken["attempt"] == attempt
            failed = (await act(api, taken, "fail", message="the shop is closed")).json()
            rests.append(failed["state"])
            assert await take(api) == []
            await world.pass_time(10 * 4 ** (attempt - 1))

        [incident] = await open_incidents(api)
        whole = (await api.get(f"{INCIDENTS}/{incident['id']}")).json()

        assert rests == ["open", "open", "failed"]
        assert (incident["code"], incident["element_id"]) == ("job-failed", "check")
        assert incident["detail"] == "the shop is closed"
        assert whole["inputs"]["item"] == "desk"
        assert len(published(world, "router", "job.requested.v1")) == 3
        assert len(published(world, "router", "incident.raised.v1")) == 1


async def test_whoever_was_slower_than_the_lease_is_told_so(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        [slow] = await take(api, lease_s=30)
        await world.pass_time(30)
        await world.pass_time(10)

        [quick] = await take(api, worker="robot-2")
        late = await act(api, slow, "complete", result={"count": 1})
        good = await act(api, quick, "complete", result={"count": 2})

        assert (quick["attempt"], quick["retries"]) == (2, 2)
        assert (late.status_code, late.json()["code"]) == (409, "lease-lost")
        assert good.json()["state"] == "completed"
        assert await waits_at(api, request) == ["after"]


async def test_a_lease_that_ended_untaken_still_counts_and_can_be_longer(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        await intake.say(a_request(), world.ids.new())
        [taken] = await take(api, lease_s=30)
        await world.pass_time(20)
        longer = (await act(api, taken, "extend", lease_s=30)).json()
        await world.pass_time(25)
        assert await take(api) == []

        done = await act(api, taken, "complete", result={"count": 1})

        assert longer["attempt"] == 1
        assert done.json()["state"] == "completed"


async def test_a_late_answer_counts_while_nobody_else_has_the_job_also_after_the_last_attempt(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        for attempt in (1, 2, 3):
            [taken] = await take(api, lease_s=30)
            await world.pass_time(30)
            await world.pass_time(10 * 4 ** (attempt - 1))
        [incident] = await open_incidents(api)

        failed = await act(api, taken, "fail", message="said once more")
        done = await act(api, taken, "complete", result={"count": 1})
        await world.settled()

        assert incident["code"] == "job-failed"
        assert "'robot-1'" in incident["detail"]
        assert (failed.status_code, failed.json()["state"]) == (200, "failed")
        assert done.json()["state"] == "completed"
        assert await waits_at(api, request) == ["after"]
        assert await open_incidents(api) == []


async def test_an_error_of_the_business_reaches_its_boundary_event(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        [taken] = await take(api)

        thrown = await act(api, taken, "error", code="NO_STOCK", variables={"left": 0})
        again = await act(api, taken, "error", code="NO_STOCK", variables={"left": 0})
        await world.settled()

        assert thrown.json()["state"] == again.json()["state"] == "error"
        assert await waits_at(api, request) == ["none_left"]
        [ended] = published(world, "router", "job.ended.v1")
        assert (ended["data"]["outcome"], ended["data"]["error_code"]) == ("error", "NO_STOCK")


async def test_an_error_nobody_catches_waits_for_a_person_who_tries_again(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        [taken] = await take(api)

        thrown = await act(api, taken, "error", code="NO_IDEA", message="what is a desk?")
        await act(api, taken, "error", code="NO_IDEA", message="what is a desk?")
        [incident] = await open_incidents(api)
        refused = await api.post(f"{INCIDENTS}/{incident['id']}/dismiss", json={"by": "ops"})
        retried = await api.post(
            f"{INCIDENTS}/{incident['id']}/retry",
            json={"by": "ops", "variables": {"item": "chair"}},
        )
        twice = await api.post(f"{INCIDENTS}/{incident['id']}/retry", json={"by": "ops"})
        [again] = await take(api)
        await act(api, again, "complete", result={"count": 1})
        await world.settled()

        assert thrown.json()["state"] == "failed"
        assert (incident["code"], incident["detail"]) == ("uncaught-error", "what is a desk?")
        assert (refused.status_code, refused.json()["code"]) == (409, "still-waiting")
        assert retried.json()["resolution"] == "retried"
        assert (twice.status_code, twice.json()["code"]) == (409, "incident-over")
        assert (again["attempt"], again["variables"]) == (2, {"item": "chair"})
        assert await waits_at(api, request) == ["after"]
        assert await open_incidents(api) == []


async def test_a_failure_said_twice_is_one_failure(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        await intake.say(a_request(), world.ids.new())
        [taken] = await take(api)

        first = await act(api, taken, "fail", message="closed")
        again = await act(api, taken, "fail", message="closed")

        assert first.json() == again.json()
        assert first.json()["retries"] == 2


async def test_mended_variables_go_through_the_tasks_mappings_again(tmp_path: Path) -> None:
    world = new_world()
    diagram = xml(
        BEGIN,
        script("pick", "=null", "thing"),
        job("check", "stock.check", io({"item": "=thing"})),
        ends("e"),
        path("begin", "pick", "check", "e"),
        process=STANDARD,
    )
    async with drawn(tmp_path, world, diagram) as (intake, api):
        await intake.say(a_request(), world.ids.new())
        [taken] = await take(api)
        await act(api, taken, "fail", message="which?", retries=0)
        [incident] = await open_incidents(api)

        body = {"by": "ops", "variables": {"thing": "chair"}}
        await api.post(f"{INCIDENTS}/{incident['id']}/retry", json=body)

        [again] = await take(api)
        assert again["variables"] == {"item": "chair"}


async def test_a_mended_variable_that_leads_past_the_job_ends_it_and_nobody_is_held_up(
    tmp_path: Path,
) -> None:
    world = new_world()
    skip = (
        '<bpmn:conditionalEventDefinition><bpmn:condition xsi:type="bpmn:tFormalExpression"'
        ' xmlns:xsi="http://www.w3.org/2001/XMLSchema-instance">=skip = true</bpmn:condition>'
        "</bpmn:conditionalEventDefinition>"
    )
    diagram = xml(
        BEGIN,
        job("check", "stock.check", io({"item": '="desk"'})),
        boundary("skipped", "check", skip),
        ends("e", "past"),
        path("begin", "check", "e"),
        path("skipped", "past"),
        process=STANDARD,
    )
    async with drawn(tmp_path, world, diagram) as (intake, api):
        request, other = world.ids.new(), world.ids.new()
        await intake.say(a_request(), request)
        [taken] = await take(api)
        await act(api, taken, "fail", message="closed", retries=0)
        [incident] = await open_incidents(api)

        body = {"by": "ops", "variables": {"skip": True}}
        retried = await api.post(f"{INCIDENTS}/{incident['id']}/retry", json=body)
        await world.settled()
        await intake.say(a_request(number="R-2026-000002"), other)

        assert retried.json()["resolution"] == "retried"
        told = (await api.get(f"/router/v1/requests/{request}")).json()
        assert told["state"] == "closed"
        assert (await api.get(f"{JOBS}/{taken['id']}")).json()["state"] == "cancelled"
        assert len(published(world, "router", "incident.resolved.v1")) == 1
        [next_one] = await take(api)
        assert next_one["request_id"] == str(other)


async def test_what_no_store_can_hold_is_an_incident_of_its_element_and_not_a_lost_request(
    tmp_path: Path,
) -> None:
    world = new_world()
    diagram = xml(
        BEGIN,
        job("check", "stock.check", io({"big": "=request.form.big * 10"})),
        ends("e"),
        path("begin", "check", "e"),
        process=STANDARD,
    )
    async with drawn(tmp_path, world, diagram) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(form={"big": 1e300}), request)

        [incident] = await open_incidents(api)

        assert (incident["code"], incident["element_id"]) == ("data-not-json", "check")
        told = (await api.get(f"/router/v1/requests/{request}")).json()
        assert told["state"] == "open"


async def test_an_answer_the_diagram_cannot_take_in_is_kept_until_it_can(tmp_path: Path) -> None:
    world = new_world()
    diagram = xml(
        BEGIN,
        script("how_many", "=1000000000", "size"),
        job("check", "stock.check", io(None, {"left": "=for i in 1..size return count"})),
        user("after", '="triage"'),
        ends("e"),
        path("begin", "how_many", "check", "after", "e"),
        process=STANDARD,
    )
    async with drawn(tmp_path, world, diagram) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        [taken] = await take(api)

        given = await act(api, taken, "complete", result={"count": 7})
        [incident] = await open_incidents(api)
        in_vain = await api.post(f"{INCIDENTS}/{incident['id']}/retry", json={"by": "ops"})
        [second] = await open_incidents(api)
        good = await api.post(
            f"{INCIDENTS}/{second['id']}/retry", json={"by": "ops", "variables": {"size": 2}}
        )
        await world.settled()

        assert given.json()["state"] == "failed"
        assert incident["code"] == "expression-failed"
        assert in_vain.status_code == good.status_code == 200
        assert second["id"] != incident["id"]
        assert await waits_at(api, request) == ["after"]
        assert await open_incidents(api) == []
        assert len(published(world, "router", "job.requested.v1")) == 1


async def test_a_job_nobody_takes_is_told_after_an_hour_and_forgotten_when_taken(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        await intake.say(a_request(), world.ids.new())
        await world.pass_time(3599)
        assert await open_incidents(api) == []
        await world.pass_time(1)
        [untaken] = await open_incidents(api)
        await world.pass_time(3600)
        still = await open_incidents(api)

        [_] = await take(api)

        assert untaken["code"] == "job-untaken"
        assert [i["id"] for i in still] == [untaken["id"]]
        assert await open_incidents(api) == []
        [gone] = published(world, "router", "incident.resolved.v1")
        assert gone["data"]["resolution"] == "passed"


async def test_a_cancelled_request_takes_its_jobs_with_it(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        [taken] = await take(api)

        await api.post(f"/router/v1/requests/{request}/changes", json={"change": "cancel"})
        late = await act(api, taken, "complete", result={"count": 1})

        assert (late.status_code, late.json()["code"]) == (409, "job-ended")
        [ended] = published(world, "router", "job.ended.v1")
        assert ended["data"]["outcome"] == "cancelled"
        await world.pass_time(7200)
        assert await open_incidents(api) == []


async def test_all_that_stand_still_for_one_cause_are_tried_together_with_other_data(
    tmp_path: Path,
) -> None:
    world = new_world()
    diagram = xml(
        BEGIN,
        script("read", "=request.form.limit", "limit"),
        script("count", "=for i in 1..limit return i", "all"),
        user("after", '="triage"'),
        ends("e"),
        path("begin", "read", "count", "after", "e"),
        process=STANDARD,
    )
    async with drawn(tmp_path, world, diagram) as (intake, api):
        requests = [world.ids.new() for _ in range(3)]
        for number, request in enumerate(requests):
            form = {"limit": 10**9}
            await intake.say(a_request(number=f"R-2026-00000{number}", form=form), request)

        [group] = (await api.get(f"{INCIDENTS}/groups")).json()["items"]
        cause = {"process": "standard-path", "element_id": "count", "code": group["code"]}
        in_vain = (await api.post(f"{INCIDENTS}/retry", json={"by": "ops", **cause})).json()
        told = (
            await api.post(
                f"{INCIDENTS}/retry", json={"by": "ops", "variables": {"limit": 2}, **cause}
            )
        ).json()
        await world.settled()

        assert (group["process"], group["element_id"], group["incidents"]) == (
            "standard-path",
            "count",
            3,
        )
        assert (in_vain["retried"], in_vain["failed"], in_vain["left"]) == (3, [], 3)
        assert (told["retried"], told["failed"], told["more"], told["left"]) == (3, [], 0, 0)
        assert [await waits_at(api, r) for r in requests] == [["after"]] * 3
        assert await open_incidents(api) == []


async def test_a_request_whose_first_step_was_refused_begins_when_its_data_are_mended(
    tmp_path: Path,
) -> None:
    world = new_world()
    diagram = xml(
        BEGIN,
        script("read", "=for i in 1..20000 return request.title", "all"),
        user("after", '="triage"'),
        ends("e"),
        path("begin", "read", "after", "e"),
        process=STANDARD,
    )
    async with drawn(tmp_path, world, diagram) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(title="a title"), request)
        [incident] = await open_incidents(api)
        in_vain = await api.post(f"{INCIDENTS}/{incident['id']}/retry", json={"by": "ops"})
        mended = await api.post(
            f"{INCIDENTS}/{incident['id']}/retry",
            json={"by": "ops", "variables": {"request": {"title": ""}}},
        )
        await world.settled()

        assert incident["code"] == "data-too-large"
        assert (in_vain.status_code, in_vain.json()["code"]) == (409, "try-failed")
        assert mended.status_code == 200, mended.text
        assert await waits_at(api, request) == ["after"]


async def test_bad_calls_are_refused_with_what_to_mend(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, ONE_JOB) as (intake, api):
        await intake.say(a_request(), world.ids.new())
        [taken] = await take(api)
        unknown = world.ids.new()

        bodies: list[tuple[str, dict[str, Any], int]] = [
            ("take", {"worker": "r", "types": []}, 422),
            ("take", {"worker": "", "types": ["a"]}, 422),
            ("take", {"worker": "r", "types": ["a"], "lease_s": 0}, 422),
            ("take", {"worker": "r", "types": ["a"], "limit": 101}, 422),
            ("take", {"worker": "r", "types": ["a"], "surprise": 1}, 422),
            (f"{taken['id']}/complete", {"result": {}}, 422),
            (f"{taken['id']}/complete", {"attempt": 9, "result": {}}, 409),
            (f"{taken['id']}/fail", {"attempt": 1}, 422),
            (f"{unknown}/complete", {"attempt": 1}, 404),
            ("no-id/complete", {"attempt": 1}, 422),
        ]
        for where, body, status in bodies:
            answer = await api.post(f"{JOBS}/{where}", json=body)
            assert (where, answer.status_code) == (where, status), answer.text
        missing = await api.post(f"{INCIDENTS}/{unknown}/retry", json={"by": "ops"})
        assert (missing.status_code, missing.json()["code"]) == (404, "no-such-incident")
