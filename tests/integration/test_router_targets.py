"""What the clock could not read is refused when it is handed in: cell, reason, remedy."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from tests.harness.world import new_world
from tests.integration.test_router import BPMN, router
from tests.integration.test_router_releases import applied, file, kept_by_the_bus, versions

if TYPE_CHECKING:
    from pathlib import Path

    import httpx

TARGETS = (BPMN / "targets.dmn").read_text(encoding="utf-8")
ROW = "rule targets_first_response_p1_always"
#: Open when either is: made of calendars that ship, by their keys.
BOTH = "name: {en: Both}\nkind: union\nof: [office-cn, 24x7]\n"
SATURDAYS = 'zone: Asia/Shanghai\nwindows: {sat: ["09:00-12:00"]}\n'
SUNDAYS = SATURDAYS.replace("sat", "sun")


def targets(cell: str, written: str) -> dict[str, Any]:
    """The shipped table, the first occurrence of a cell replaced."""
    return file("decision", "targets", TARGETS.replace(cell, written, 1))


def faults(answer: httpx.Response) -> list[tuple[str, str]]:
    return [(each["path"], each["rule"]) for each in answer.json()["errors"]]


@pytest.mark.parametrize(
    ("cell", "written", "column", "rule"),
    [
        ('"PT15M"', '"soon"', "target", "row-unusable"),
        ('"PT15M"', "soon", "target", "row-unusable"),
        ('"PT15M"', '"P1D"', "target", "bare-day"),
        ('"24x7"', '"nowhere"', "calendar", "calendar-unknown"),
        ('"first_response"', '"answer"', "metric", "metric-unknown"),
        ('"50,75,90"', '"half"', "thresholds", "row-unusable"),
    ],
)
async def test_a_table_with_a_cell_nobody_can_read_is_refused(
    tmp_path: Path, cell: str, written: str, column: str, rule: str
) -> None:
    async with router(tmp_path, new_world()) as (_, api):
        before = await versions(api)
        refused = await applied(api, targets(cell, written))

        assert refused.status_code == 422
        assert faults(refused) == [(f"{ROW} / {column}", rule)]
        [told] = refused.json()["errors"]
        assert told["detail"]
        assert told["fix"]
        assert await versions(api) == before


async def test_a_table_may_come_with_the_calendar_it_counts_on(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        table = targets('"24x7"', '"saturdays"')
        alone = await applied(api, table)
        together = await applied(api, table, file("calendar", "saturdays", SATURDAYS))

        assert faults(alone) == [(f"{ROW} / calendar", "calendar-unknown")]
        assert "saturdays" in alone.json()["errors"][0]["detail"]
        assert together.status_code == 200


async def test_a_calendar_may_be_made_of_others_by_their_keys(tmp_path: Path) -> None:
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        done = await applied(api, file("calendar", "both", BOTH))
        # In the order of their names the combination would be said before what it is made of.
        later = await applied(
            api,
            file("calendar", "a-weekend", "kind: union\nof: [saturdays, z-sundays]\n"),
            file("calendar", "saturdays", SATURDAYS),
            file("calendar", "z-sundays", SUNDAYS),
        )
        await world.settled()

        assert (done.status_code, later.status_code) == (200, 200)
        said = [each["key"] for each in kept_by_the_bus(world) if each["kind"] == "calendar"]
        assert said.index("a-weekend") > max(said.index("saturdays"), said.index("z-sundays"))


async def test_one_made_of_what_is_not_there_or_of_itself_is_refused(tmp_path: Path) -> None:
    async with router(tmp_path, new_world()) as (_, api):
        missing = await applied(api, file("calendar", "both", BOTH.replace("24x7", "moon")))
        circle = await applied(
            api,
            file("calendar", "one", "kind: union\nof: [24x7, two]\n"),
            file("calendar", "two", "kind: union\nof: [24x7, one]\n"),
        )

        assert faults(missing) == [("of[1]", "member-unknown")]
        assert {rule for _, rule in faults(circle)} == {"member-circle"}


async def test_a_calendar_is_not_changed_under_one_that_is_made_of_it(tmp_path: Path) -> None:
    """What both have in common would never be open."""
    narrow = "kind: intersection\nof: [saturdays, office]\n"
    async with router(tmp_path, new_world()) as (_, api):
        begun = await applied(
            api,
            file("calendar", "saturdays", SATURDAYS),
            file("calendar", "office", SATURDAYS),
            file("calendar", "narrow", narrow),
        )
        refused = await applied(api, file("calendar", "office", SUNDAYS))

        assert begun.status_code == 200
        [(_, rule)] = faults(refused)
        assert rule == "breaks-caller"
        assert "calendar/narrow" in refused.json()["errors"][0]["detail"]


async def test_a_shift_on_a_calendar_nobody_knows_is_refused(tmp_path: Path) -> None:
    people = "people:\n  - {id: ann, name: Ann}\n  - {id: bob, name: Bob, shift: nights}\n"
    async with router(tmp_path, new_world()) as (_, api):
        refused = await api.put("/router/v1/directory", content=people.encode())
        known = await api.put(
            "/router/v1/directory", content=people.replace("nights", "office-cn").encode()
        )

        assert refused.status_code == 422
        assert faults(refused) == [("/people/1/shift", "calendar-unknown")]
        assert "office-cn" in refused.json()["errors"][0]["fix"]["en"]
        assert known.status_code == 200


async def test_a_restart_takes_combinations_before_their_members(tmp_path: Path) -> None:
    """They are read from the database in whatever order it has them."""
    world = new_world()
    async with router(tmp_path, world) as (_, api):
        await applied(
            api,
            file("calendar", "a-weekend", "kind: union\nof: [saturdays, 24x7]\n"),
            file("calendar", "saturdays", SATURDAYS),
        )
    async with router(tmp_path, world) as (_, api):
        assert (await versions(api))["calendar/a-weekend"] == 1
