"""Five thousand clocks that cross a threshold in one second: bounded, once each, fair to others."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import pytest

from services.clock.main import build
from services.clock.settings import Settings
from shared.database.timer_watch import FIRE_LIMIT
from tests.harness.services import at_work
from tests.integration.test_clock import Scene, clock, routed

_MANY = 5_000
_HOUR = timedelta(hours=1)
MODEL = "https://www.omg.org/spec/DMN/20191111/MODEL/"


def only_a_resolution() -> str:
    """Return a table with one clock per request: half of its hour is announced, and its end."""
    rows = [
        ('"resolution"', '"PT1H"', '"50"', "true"),
        ('"first_response","assignment"', '""', '""', "false"),
    ]
    told = "".join(
        f'<rule id="r{n}"><inputEntry><text>{metric}</text></inputEntry>'
        f"<outputEntry><text>{target}</text></outputEntry>"
        '<outputEntry><text>"24x7"</text></outputEntry>'
        f"<outputEntry><text>{thresholds}</text></outputEntry>"
        f"<outputEntry><text>{wanted}</text></outputEntry></rule>"
        for n, (metric, target, thresholds, wanted) in enumerate(rows)
    )
    outputs = "".join(
        f'<output name="{name}" typeRef="{kind}"/>'
        for name, kind in (
            ("target", "string"),
            ("calendar", "string"),
            ("thresholds", "string"),
            ("is_clock_wanted", "boolean"),
        )
    )
    return (
        f'<definitions xmlns="{MODEL}" name="t" namespace="n"><decision id="targets" name="t">'
        '<variable name="targets"/><decisionTable hitPolicy="RULE ORDER"><input>'
        '<inputExpression typeRef="string"><text>metric</text></inputExpression></input>'
        f"{outputs}{told}</decisionTable></decision></definitions>"
    )


async def routed_together(scene: Scene, count: int) -> None:
    """Route so many requests whose hour began within one second of now."""
    await scene.release("decision", "targets", only_a_resolution(), 2)
    now = scene.world.time.now()
    for number in range(count):
        began = now - timedelta(microseconds=number * 1_000_000 // count)
        data = routed(scene.world, submitted_at=began)
        await scene.router.say(data, scene.world.ids.new(), is_awaited=False)
    await scene.world.settled()


def announced(scene: Scene) -> list[tuple[str, int]]:
    """Return which clock announced what, in order; the breach is 100."""
    said = scene.said("clock.warned.v1", "clock.breached.v1")
    return [(e["data"]["clock_id"], e["data"].get("threshold_percent", 100)) for e in said]


async def test_five_thousand_cross_once_each_in_bounded_batches_beside_live_work(
    tmp_path: Path,
) -> None:
    async with clock(tmp_path) as scene:
        await routed_together(scene, _MANY)
        world, stats = scene.world, scene.service.runtime.stats
        half = (_HOUR / 2).total_seconds()
        await world.pass_time(half - 2)
        assert announced(scene) == []

        # All are due at once, and somebody asks for something in the same moment.
        live = world.ids.new()
        world.time.advance_to(world.time.now() + timedelta(seconds=2))
        await scene.router.say(routed(world), live, is_awaited=False)
        await world.settled()

        told = announced(scene)
        assert len(told) == len(set(told)) == _MANY
        sizes = stats.measures.batches["timer"]
        filled = [bound for bound, n in zip(sizes.bounds, sizes.counts, strict=False) if n]
        assert max(filled) <= FIRE_LIMIT
        assert sizes.counts[-1] == 0
        order = [e["subject"] for e in scene.said("clock.warned.v1", "clock.started.v1")]
        behind = len(order) - order.index(str(live))
        assert behind > _MANY // 2, "the live request waited for most of the others"

        await world.pass_time(half)
        breaches = [pair for pair in announced(scene) if pair[1] == 100]
        assert len(breaches) == len(set(breaches)) == _MANY


@pytest.mark.parametrize("again", [1, 2])
async def test_a_restart_in_the_middle_announces_the_rest_and_nothing_twice(
    tmp_path: Path, again: int
) -> None:
    async with clock(tmp_path) as scene:
        await routed_together(scene, 300)
        world = scene.world
        await scene.service.stop()
        world.time.advance_to(world.time.now() + _HOUR / 2)
        settings = Settings(
            database_url=f"sqlite+aiosqlite:///{tmp_path}/clock.db", is_durable=False
        )

        for _ in range(again):
            async with at_work(build(settings, world.given), world):
                await world.pass_time(10)

        told = announced(scene)
        assert len(told) == len(set(told)) == 300
