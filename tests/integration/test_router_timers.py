"""Timers of diagrams: late ones, refused ones, and those that begin in the past."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

from tests.harness.services import published
from tests.harness.world import MORNING, new_world
from tests.integration.test_router import a_request
from tests.integration.test_router_jobs import INCIDENTS, STANDARD, drawn, open_incidents, waits_at
from tests.integration.test_router_messages import finish
from tests.unit.router.workflow.builders import (
    BEGIN,
    boundary,
    catch,
    ends,
    path,
    script,
    timer,
    user,
    xml,
)

if TYPE_CHECKING:
    from pathlib import Path

    from tests.harness.world import World


def reminds(cycle: str) -> bytes:
    """Draw work of which a person is reminded by a work item each time."""
    return xml(
        BEGIN,
        user("work", '="triage"'),
        boundary("due", "work", timer(cycle, "timeCycle"), interrupts=False),
        user("remind", '="triage"'),
        ends("e"),
        path("begin", "work", "e"),
        path("due", "remind", "e"),
        process=STANDARD,
    )


def reminders(world: World) -> list[str]:
    """Return when somebody was reminded."""
    opened = published(world, "router", "work_item.opened.v1")
    return [e["occurredat"] for e in opened if e["data"]["element_id"] == "remind"]


async def test_a_day_of_missed_cycles_is_one_firing_and_the_grid_goes_on(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, reminds("R/PT1H")) as (intake, _):
        await intake.say(a_request(), world.ids.new())
        await world.pass_time(3700)
        assert len(reminders(world)) == 1
    back_at = MORNING + timedelta(days=1, minutes=10)
    world.time.advance_to(back_at)

    async with drawn(tmp_path, world, reminds("R/PT1H")):
        await world.settled()
        late = reminders(world)[1:]
        await world.pass_time(3600)

        assert [moment[:19] for moment in late] == [back_at.isoformat()[:19]]
        # The next one keeps to the full hours of the first.
        assert len(reminders(world)) == 3
        on_grid = MORNING + timedelta(days=1, hours=1)
        assert reminders(world)[2][:19] == on_grid.isoformat()[:19]


async def test_a_cycle_that_began_in_the_past_fires_once_for_all_it_missed(tmp_path: Path) -> None:
    world = new_world()
    async with drawn(tmp_path, world, reminds("R/2026-03-01T12:30:00Z/PT1H")) as (intake, _):
        await intake.say(a_request(), world.ids.new())
        at_once = reminders(world)
        await world.pass_time(3600)

        assert [moment[:19] for moment in at_once] == [MORNING.isoformat()[:19]]
        on_grid = MORNING + timedelta(minutes=30)
        assert [moment[:19] for moment in reminders(world)[1:]] == [on_grid.isoformat()[:19]]


async def test_what_a_late_timer_leads_to_begins_when_it_goes_off(tmp_path: Path) -> None:
    """A chain of waits is not run through at once because the first of them was late."""
    chain = xml(
        BEGIN,
        catch("first", timer("PT1H")),
        catch("second", timer("PT1H")),
        user("after", '="triage"'),
        ends("e"),
        path("begin", "first", "second", "after", "e"),
        process=STANDARD,
    )
    world = new_world()
    async with drawn(tmp_path, world, chain) as (intake, _):
        await intake.say(a_request(), world.ids.new())
    world.time.advance_to(MORNING + timedelta(days=1))

    async with drawn(tmp_path, world, chain):
        await world.pass_time(3500)
        early = published(world, "router", "work_item.opened.v1")
        await world.pass_time(200)

        assert early == []
        assert len(published(world, "router", "work_item.opened.v1")) == 1


#: What the first person answers is doubled by the timer: too much, when it was much.
GROWS = xml(
    BEGIN,
    user("first", '="triage"'),
    user("work", '="triage"'),
    boundary("due", "work", timer("PT1H"), interrupts=False),
    script("grow", "=first.pad + first.pad", "grown"),
    user("remind", '="triage"'),
    ends("e"),
    path("begin", "first", "work", "e"),
    path("due", "grow", "remind", "e"),
    process=STANDARD,
)


async def test_a_timer_whose_step_is_refused_stays_and_a_person_lets_it_go_off(
    tmp_path: Path,
) -> None:
    world = new_world()
    async with drawn(tmp_path, world, GROWS) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        await finish(api, world, request, "first", pad="x" * 30_000)

        await world.pass_time(3 * 3600)
        [incident] = await open_incidents(api)
        path_of = f"{INCIDENTS}/{incident['id']}"
        put_away = await api.post(f"{path_of}/dismiss", json={"by": "ops"})
        in_vain = await api.post(f"{path_of}/retry", json={"by": "ops"})
        waited = await waits_at(api, request)
        mended = await api.post(
            f"{path_of}/retry", json={"by": "ops", "variables": {"first": {"pad": "x"}}}
        )
        await world.settled()

        # Tried again by itself meanwhile, and told once.
        assert (incident["code"], incident["element_id"]) == ("data-too-large", "due")
        assert (put_away.json()["code"], in_vain.json()["code"]) == ("still-waiting", "try-failed")
        assert waited == ["work"]
        assert mended.status_code == 200, mended.text
        assert sorted(await waits_at(api, request)) == ["remind", "work"]
        assert await open_incidents(api) == []
        await world.pass_time(2 * 86400)
        assert sorted(await waits_at(api, request)) == ["remind", "work"]


async def test_a_refused_timer_goes_off_by_itself_once_the_diagram_can_take_it(
    tmp_path: Path,
) -> None:
    """Something else in the diagram makes room: a second branch writes less than there was."""
    shrinks = xml(
        BEGIN,
        user("first", '="triage"'),
        user("work", '="triage"'),
        boundary("due", "work", timer("PT1H"), interrupts=False),
        script("grow", "=first.pad + first.pad", "grown"),
        user("remind", '="triage"'),
        boundary("soon", "work", timer("PT70M"), interrupts=False),
        script("shrink", '={pad: "x"}', "first"),
        user("shrunk", '="triage"'),
        ends("e"),
        path("begin", "first", "work", "e"),
        path("due", "grow", "remind", "e"),
        path("soon", "shrink", "shrunk", "e"),
        process=STANDARD,
    )
    world = new_world()
    async with drawn(tmp_path, world, shrinks) as (intake, api):
        request = world.ids.new()
        await intake.say(a_request(), request)
        await finish(api, world, request, "first", pad="x" * 30_000)

        await world.pass_time(3610)
        before = await open_incidents(api)
        await world.pass_time(2 * 3600)

        assert [incident["code"] for incident in before] == ["data-too-large"]
        assert sorted(await waits_at(api, request)) == ["remind", "shrunk", "work"]
        assert await open_incidents(api) == []
        [passed] = published(world, "router", "incident.resolved.v1")
        assert passed["data"]["resolution"] == "passed"
