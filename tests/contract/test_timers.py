"""What due moments promise, on SQLite and on PostgreSQL."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import select

from shared.bus.memory import MemoryBus
from shared.consuming import Knobs
from shared.consuming.held_desk import ArmedAgain
from shared.database.engine import Database
from shared.database.timer_watch import (
    LATENESS_BOUNDS_S,
    Firings,
    Lateness,
    TimerWatch,
    Watched,
)
from shared.database.timers import Timer, arm, disarm, read_due
from shared.time_source import Activity, ManualTime
from tests.harness.dummies import create_tables, kit
from tests.harness.lab import Lab, laboratory
from tests.harness.world import MORNING, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Sequence
    from datetime import datetime
    from uuid import UUID

    from tests.conftest import Databases, ErrorLines
    from tests.harness.dummies import NoteWork

MINUTE = timedelta(minutes=1)


@pytest.fixture
async def lab(databases: Databases) -> AsyncIterator[Lab]:
    async with laboratory(await databases.for_dummies()) as lab:
        yield lab


async def arm_later(
    lab: Lab, key: UUID, name: str = "fine", after_s: float = 60, again: Sequence[float] = ()
) -> None:
    due_at = lab.world.time.now() + timedelta(seconds=after_s)

    def act(work: NoteWork) -> None:
        work.arm("close", key, name, due_at, {"again_after_s": list(again)})

    await lab.dummy.runtime.do(act, locks=[key])


async def disarm_now(lab: Lab, key: UUID, name: str = "fine") -> None:
    await lab.dummy.runtime.do(lambda work: work.disarm("close", key, name), locks=[key])


async def test_a_timer_fires_once_at_its_moment_and_not_before(lab: Lab) -> None:
    key = lab.world.ids.new()
    await arm_later(lab, key)

    await lab.world.pass_time(59)
    before = await lab.dummy.texts(key)
    await lab.world.pass_time(3600)

    assert before == []
    assert await lab.dummy.texts(key) == ["fine due 09:01:00"]
    assert await lab.rows(kit.timers) == []


async def test_a_timer_armed_again_moves_and_one_disarmed_never_fires(lab: Lab) -> None:
    moved, gone, back = (lab.world.ids.new() for _ in range(3))
    for key in (moved, gone, back):
        await arm_later(lab, key, after_s=60)

    await arm_later(lab, moved, after_s=120)
    await disarm_now(lab, gone)
    await disarm_now(lab, back)
    await arm_later(lab, back, after_s=30)
    epochs = {row.key: row.epoch for row in await lab.rows(kit.timers)}
    await lab.world.pass_time(3600)

    assert epochs == {str(moved): 2, str(back): 1}
    assert await lab.dummy.texts(moved) == ["fine due 09:02:00"]
    assert await lab.dummy.texts(gone) == []
    assert await lab.dummy.texts(back) == ["fine due 09:00:30"]


async def test_a_timer_may_arm_itself_again_even_at_the_same_moment(lab: Lab) -> None:
    key = lab.world.ids.new()
    await arm_later(lab, key, again=[0.0])

    await lab.world.pass_time(60)

    assert await lab.dummy.texts(key) == ["fine due 09:01:00"] * 2
    assert (await lab.rows(kit.subjects))[0].said == 2


async def test_two_firings_at_the_same_moment_lead_to_events_with_different_ids(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    await arm_later(lab, key)
    await lab.world.pass_time(60)
    await arm_later(lab, key, after_s=0)
    await lab.world.settled()

    # The bus drops a second event with the same id: both must have arrived there.
    assert await lab.dummy.texts(key) == ["fine due 09:01:00"] * 2
    assert await lab.world.bus.last_sequence("LEVEE_CLOCK") == 2


async def test_what_is_due_together_is_fired_together_and_in_bounded_transactions(
    lab: Lab,
) -> None:
    keys = [lab.world.ids.new() for _ in range(5_000)]
    due_at = MORNING + MINUTE

    def act(work: NoteWork) -> None:
        for key in keys:
            work.arm("close", key, "fine", due_at)

    await lab.dummy.runtime.do(act, locks=[])
    fired: list[int] = []
    watch = lab.dummy.runtime.timers
    fire = watch._fire

    async def counting(due: Sequence[Watched], now: datetime) -> Firings:
        fired.append(len(due))
        return await fire(due, now)

    watch._fire = counting
    await lab.world.pass_time(60)

    assert sum(fired) == 5_000
    assert max(fired) <= 500
    assert len(fired) == 10
    assert await lab.dummy.count() == 5_000
    assert watch.lateness.fired == 5_000
    assert await lab.rows(kit.timers) == []


async def test_a_timer_survives_a_restart_and_fires_late_rather_than_never(lab: Lab) -> None:
    key, later = lab.world.ids.new(), lab.world.ids.new()
    await arm_later(lab, key, after_s=60)
    await arm_later(lab, later, after_s=600)
    await lab.dummy.runtime.stop()

    lab.world.time.advance(timedelta(seconds=300))
    await lab.restart()
    at_once = await lab.dummy.texts(key)
    await lab.world.pass_time(300)

    assert at_once == ["fine due 09:01:00"]
    assert await lab.dummy.texts(later) == ["fine due 09:10:00"]
    assert lab.dummy.runtime.timers.lateness.worst_s == 240


async def test_a_timer_armed_for_the_past_fires_at_once_and_counts_as_on_time(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()

    await arm_later(lab, key, after_s=-86_400)
    await lab.world.settled()

    assert await lab.dummy.texts(key) == ["fine due 09:00:00"]
    assert lab.dummy.runtime.timers.lateness.worst_s == 0


@pytest.mark.announces("set aside: refusal")
async def test_a_poison_timer_is_set_aside_alone_and_fires_when_replayed(lab: Lab) -> None:
    keys = [lab.world.ids.new() for _ in range(20)]
    for n, key in enumerate(keys):
        await arm_later(lab, key, "refuse" if n == 7 else "fine")

    await lab.world.pass_time(61)
    fired = await lab.dummy.count()
    [event_id] = await lab.held_ids()
    lab.behaviour.is_strict = False
    is_done = await lab.dummy.runtime.held.replay(event_id)
    await lab.world.settled()

    assert fired == 19
    assert is_done
    assert await lab.dummy.texts(keys[7]) == ["refuse due 09:01:00"]
    assert await lab.rows(kit.held) == []


@pytest.mark.announces("set aside: refusal")
async def test_a_timer_set_aside_and_armed_anew_is_not_overwritten_by_its_replay(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    await arm_later(lab, key, "refuse")
    await lab.world.pass_time(61)
    [event_id] = await lab.held_ids()
    await arm_later(lab, key, "refuse", after_s=600)

    with pytest.raises(ArmedAgain):
        await lab.dummy.runtime.held.replay(event_id)
    await lab.world.pass_time(600)

    assert len(await lab.held_ids()) == 2
    await lab.dummy.runtime.held.dismiss(event_id)
    assert event_id not in await lab.held_ids()


@pytest.mark.announces("set aside: ")
@pytest.mark.parametrize("how", ["explode", "spoil", "huge"])
async def test_a_timer_that_fails_for_an_unknown_reason_gets_four_attempts(
    lab: Lab, announced_errors: ErrorLines, how: str
) -> None:
    bad, good = lab.world.ids.new(), lab.world.ids.new()
    await arm_later(lab, bad, how)
    await arm_later(lab, good)

    await lab.world.pass_time(60)
    at_first = await lab.held()
    await lab.world.pass_time(60)

    assert at_first == []
    assert await lab.dummy.texts(good) == ["fine due 09:01:00"]
    assert await lab.dummy.texts(bad) == []
    assert len(await lab.held()) == 1
    assert len(announced_errors.messages) == 1


async def test_a_timer_that_lacks_something_keeps_its_moment_and_is_never_set_aside(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    lab.behaviour.is_away = True
    await arm_later(lab, key, "away")

    await lab.world.pass_time(600)
    held = await lab.held()
    lab.behaviour.is_away = False
    await lab.world.pass_time(15)

    assert held == []
    assert await lab.dummy.texts(key) == ["away due 09:01:00"]


@pytest.mark.announces("set aside: no-timer-handler")
async def test_a_timer_of_a_kind_nobody_knows_is_set_aside(lab: Lab) -> None:
    key = lab.world.ids.new()
    due_at = MORNING + MINUTE

    await lab.dummy.runtime.do(lambda work: work.arm("unheard-of", key, "x", due_at), locks=[key])
    await lab.world.pass_time(60)

    assert [code for code, _ in await lab.held()] == ["no-timer-handler"]


async def test_the_rows_say_what_was_armed_and_only_what_is_due_is_read(
    database: Database,
) -> None:
    await create_tables(database)
    early = Timer("k", "a", "n", MORNING, {"x": [1, "二"]})
    late = Timer("k", "b", "n", MORNING + MINUTE)

    async with database.transaction() as tx:
        await arm(tx, kit, [late, early])
        found = await read_due(tx, kit, [early.id, late.id, "unknown"], MORNING)
        await disarm(tx, kit, [early.id, "unknown"])
        left = (await tx.execute(select(kit.timers.c.id))).scalars().all()

    assert found == [early]
    assert found[0].payload == {"x": [1, "二"]}
    assert left == [late.id]


def test_lateness_is_counted_in_the_first_bound_that_holds_it() -> None:
    lateness = Lateness()

    for late_s in (0.0, 0.005, 0.006, 400.0):
        lateness.note(late_s)

    assert lateness.counts[0] == 2
    assert lateness.counts[1] == 1
    assert lateness.counts[len(LATENESS_BOUNDS_S)] == 1
    assert (lateness.fired, lateness.worst_s) == (4, 400.0)


class Replica:
    """A watcher that notes what it was given to fire, and removes the rows as firing does."""

    def __init__(self, database: Database, time: ManualTime, name: str) -> None:
        self.fired: list[str] = []
        self._database = database
        self.activity = Activity()
        self.watch = TimerWatch(
            database,
            kit,
            time,
            self.activity,
            self._fire,
            owner=name,
            horizon=timedelta(seconds=5),
            tick=timedelta(0),
        )

    async def _fire(self, due: Sequence[Watched], now: datetime) -> Firings:
        async with self._database.transaction() as tx:
            found = await read_due(tx, kit, [one.id for one in due], now)
            await disarm(tx, kit, [timer.id for timer in found])
        self.fired += [timer.id for timer in found]
        return Firings([timer.id for timer in found])

    async def look(self) -> None:
        """Take what is near; fire what is due."""
        await self.watch._refill()
        while await self.watch._fire_due():
            pass


@pytest.mark.postgres
async def test_replicas_divide_the_near_horizon_and_take_over_what_a_dead_one_held(
    postgres: Databases,
) -> None:
    database = Database(await postgres.for_dummies())
    time = ManualTime(MORNING)
    a, b = Replica(database, time, "a"), Replica(database, time, "b")
    timers = [Timer("k", str(n), "n", MORNING + timedelta(seconds=3)) for n in range(40)]
    late = Timer("k", "late", "n", MORNING + timedelta(seconds=30))
    async with database.transaction() as tx:
        await arm(tx, kit, [*timers, late])

    await a.look()  # claims all that is near, then dies
    await b.look()
    watched = a.watch.watched, b.watch.watched
    time.advance(timedelta(seconds=4))
    await b.look()
    before_lease_ends = len(b.fired)
    time.advance(timedelta(seconds=7))
    await b.look()
    taken_over = len(b.fired)
    time.advance(timedelta(seconds=25))
    await asyncio.gather(a.look(), b.look())

    assert watched == (40, 0)
    assert before_lease_ends == 0
    assert taken_over == 40
    assert sorted(a.fired + b.fired) == sorted(timer.id for timer in [*timers, late])
    await database.close()


async def test_a_real_time_horizon_fires_what_it_did_not_know_when_it_was_armed(
    databases: Databases,
) -> None:
    world = new_world(knobs=Knobs(horizon=timedelta(seconds=5), tick=timedelta(milliseconds=15)))
    async with laboratory(await databases.for_dummies(), world) as lab:
        key = world.ids.new()
        await arm_later(lab, key, after_s=12)
        in_memory_at_first = lab.dummy.runtime.timers.watched

        for _ in range(40):
            await world.pass_time(0.5)

        assert in_memory_at_first == 0
        assert await lab.dummy.texts(key) == ["fine due 09:00:12"]
        assert lab.dummy.runtime.timers.lateness.worst_s <= 0.5
        assert isinstance(world.bus, MemoryBus)
