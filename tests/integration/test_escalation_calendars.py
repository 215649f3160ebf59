"""Who is told that the known holidays of a calendar end, and that more are known."""

from __future__ import annotations

from datetime import date
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.main import build
from services.escalation.settings import Settings
from shared.events.clock import CalendarCoverageExtended, CalendarCoverageWarned
from shared.events.router import Absence, DirectoryChanged, Person, Team
from tests.harness.services import Neighbour, at_work, published
from tests.harness.world import MORNING, World, new_world

if TYPE_CHECKING:
    from pathlib import Path
    from typing import Any

    from shared.service import Service

OFFICE = UUID("2d0c5c2b-31b8-5f5e-9d0a-000000000001")
NAME = {"zh-CN": "办公时间", "en": "Office"}


def escalation(folder: Path, world: World) -> Service:
    url = f"sqlite+aiosqlite:///{folder}/escalation.db"
    return build(Settings(database_url=url, is_durable=False), world.given)


def directory(*, duty: str | None = "duty", away: bool = False) -> DirectoryChanged:
    absence = Absence(starts_at=MORNING, ends_at=MORNING.replace(year=2027), deputy="lea")
    people = (
        Person(id="duty", name="Duty", absences=(absence,) if away else ()),
        Person(id="lea", name="Lea"),
        Person(id="max", name="Max"),
    )
    triage = Team(id="triage", name={"en": "Triage"}, members=("max",), lead="lea")
    return DirectoryChanged(version=1, people=people, teams=(triage,), duty_person=duty)


def ending() -> CalendarCoverageWarned:
    return CalendarCoverageWarned(
        calendar="office-cn", calendar_version=2, name=NAME,
        covered_until=date(2026, 12, 31), days_left=60,
    )  # fmt: skip


def asked(world: World) -> list[dict[str, Any]]:
    return [e["data"] for e in published(world, "escalation", "notification.requested.v1")]


async def test_the_duty_person_hears_of_the_end_and_of_the_publication(tmp_path: Path) -> None:
    world = new_world()
    async with at_work(escalation(tmp_path, world), world):
        router, clock = Neighbour(world, "router"), Neighbour(world, "clock")
        await router.say(directory(), "directory")

        await clock.say(ending(), OFFICE)
        extended = CalendarCoverageExtended(
            calendar="office-cn", calendar_version=3, name=NAME,
            covered_until_before=date(2026, 12, 31), covered_until=date(2027, 12, 31),
        )  # fmt: skip
        await clock.say(extended, OFFICE)
        await world.pass_time(5)

    first, second = asked(world)
    assert first["template"] == "calendar.coverage_ending"
    assert [entry["recipient"] for entry in first["recipients"]] == ["duty"]
    assert first["parameters"] == {
        "calendar": NAME,
        "key": "office-cn",
        "covered_until": "2026-12-31",
        "days_left": 60,
    }
    assert not first["is_urgent"]
    assert second["template"] == "calendar.coverage_extended"
    assert second["parameters"]["covered_until_before"] == "2026-12-31"


async def test_who_is_away_has_a_deputy_and_a_house_without_duty_its_triage_team(
    tmp_path: Path,
) -> None:
    for number, (known, expected) in enumerate(
        [(directory(away=True), "lea"), (directory(duty=None), "lea")]
    ):
        world, folder = new_world(), tmp_path / str(number)
        folder.mkdir()
        async with at_work(escalation(folder, world), world):
            await Neighbour(world, "router").say(known, "directory")
            await Neighbour(world, "clock").say(ending(), OFFICE)
            await world.pass_time(5)

        recipients = asked(world)[0]["recipients"]
        assert recipients[0]["recipient"] == expected


async def test_it_waits_for_a_directory_that_is_on_its_way(tmp_path: Path) -> None:
    world = new_world()
    async with at_work(escalation(tmp_path, world), world):
        await Neighbour(world, "clock").say(ending(), OFFICE)
        await world.pass_time(10)
        before = asked(world)

        await Neighbour(world, "router").say(directory(), "directory")
        await world.pass_time(2)

    assert before == []
    assert len(asked(world)) == 1


async def test_where_nobody_is_known_the_log_says_so_and_nothing_waits_for_ever(
    tmp_path: Path, caplog: Any
) -> None:
    world = new_world()
    service = escalation(tmp_path, world)
    async with at_work(service, world):
        await Neighbour(world, "clock").say(ending(), OFFICE)
        await world.pass_time(120)

        assert world.time.next_moment() is None or service.runtime.timers.lateness.fired >= 60

    assert asked(world) == []
    assert "nobody is there to be told" in caplog.text
