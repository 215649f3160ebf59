"""A shortened demo day through all services: what the demo promises to show does happen."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, date, datetime
from typing import TYPE_CHECKING

import pytest_asyncio

from levee.demo.plan import moment
from levee.demo.run import Told, play_day

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from pathlib import Path

DAY = date(2026, 3, 10)
#: The next morning: the night in between is played too.
MORNING_AFTER = datetime(2026, 3, 11, 0, 30, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Played:
    """A played day and where its data lies."""

    told: Told
    folder: Path


@pytest_asyncio.fixture
async def played(tmp_path: Path) -> AsyncIterator[Played]:
    told = await play_day(
        DAY, tmp_path, now=lambda: MORNING_AFTER, requests=25, bus_kind="memory", seed=1
    )
    yield Played(told, tmp_path)


async def test_the_day_tells_the_stories_it_promises(played: Played) -> None:
    watcher, figures = played.told.scene.watcher, played.told.figures
    by_number = {known.number: known for known in watcher.requests.values()}

    # Everything that was planned came in.
    assert figures.requests == 25
    assert watcher.counts["request.submitted"] == 25

    # The storm: P1s, routed, escalated to people, all solved by the end of the day.
    storm = {key for key, known in watcher.requests.items() if known.case.kind == "storm"}
    assert len(storm) >= 6
    assert {watcher.requests[key].priority for key in storm} == {"P1"}
    assert {watcher.requests[key].state for key in storm} <= {"resolved", "closed"}
    assert watcher.escalated & storm, "no P1 of the storm was escalated"

    # The forgotten request climbed to the very end, again with each promise broken after it, and
    # stayed open.
    (silent,) = set(watcher.exhausted)
    forgotten = watcher.requests[silent]
    assert forgotten.case.kind == "forgotten"
    assert forgotten.state == "open"
    kinds = [line.kind for line in watcher.story]
    assert kinds.count("escalation.exhausted") == len(watcher.exhausted)
    assert kinds.index("escalation.stepped") < kinds.index("escalation.exhausted")
    assert played.told.example == forgotten.number
    assert by_number[played.told.example] is forgotten

    # Whoever is on leave was never told; the deputy was, in their place.
    assert watcher.stand_ins[("zheng.li", "he.jing")] >= 2
    assert "he.jing" not in watcher.told

    # Each tier of the forgotten request, in the order of the policy.
    roles = [line.en for line in watcher.story if line.kind == "escalation.stepped"]
    assert [role.rsplit(" ", 1)[-1] for role in dict.fromkeys(roles)] == [
        "member",
        "lead",
        "manager",
        "duty",
    ]

    # The night: the house stands at the present, the summary at closing time.
    at_end = moment(DAY, 18, 30)
    assert played.told.scene.day.ends_at == at_end < MORNING_AFTER
    assert (played.folder / "data" / "insight.db").is_file()

    # Nothing was set aside on the way.
    assert watcher.counts["incident.raised"] == 0
