"""Time that stands, jumps or runs fast: who wakes when, and in which order."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from uuid import UUID, uuid5

from hypothesis import given
from hypothesis import strategies as st

from shared.id_source import RandomIds, SeededIds, derived
from shared.time_source import Activity, ManualTime, ScaledTime, SimulatedTime, SystemTime

START = datetime(2026, 1, 1, tzinfo=UTC)
HOUR = timedelta(hours=1)


async def sleeper(time: ManualTime, seconds: float, woken: list[float]) -> None:
    await time.sleep(seconds)
    woken.append(seconds)


async def test_moved_time_wakes_whom_it_concerns_the_earliest_first() -> None:
    time, woken = ManualTime(START), list[float]()
    tasks = [asyncio.create_task(sleeper(time, s, woken)) for s in (30, 10, 20, 40)]
    await Activity().settled()

    time.advance(timedelta(seconds=30))
    await Activity().settled()

    assert woken == [10, 20, 30]
    assert time.next_moment() == START + timedelta(seconds=40)
    time.advance(HOUR)
    await asyncio.gather(*tasks)


async def test_time_never_goes_back() -> None:
    time = ManualTime(START)

    time.advance_to(START + HOUR)
    time.advance_to(START)

    assert time.now() == START + HOUR


async def test_waiting_ends_with_the_event_or_with_the_moment() -> None:
    time, event = ManualTime(START), asyncio.Event()
    told = asyncio.create_task(time.wait(event, START + HOUR))
    await Activity().settled()
    event.set()
    by_event = await told
    event.clear()
    late = asyncio.create_task(time.wait(event, START + HOUR))
    await Activity().settled()
    time.advance(HOUR)

    assert (by_event, await late) == (True, False)
    assert await time.wait(event, START) is False
    event.set()
    assert await time.wait(event, None) is True


async def test_waiting_again_and_again_for_a_far_moment_leaves_nothing_behind() -> None:
    time, event = ManualTime(START), asyncio.Event()

    for _ in range(5_000):
        waiting = asyncio.create_task(time.wait(event, START + HOUR))
        await asyncio.wait({waiting}, timeout=0)
        event.set()
        await waiting
        event.clear()

    assert len(time._sleepers) < 200


@given(due=st.lists(st.integers(0, 10_000), min_size=1, max_size=30), grain=st.integers(0, 50))
def test_the_simulated_world_lives_through_due_moments_in_order(due: list[int], grain: int) -> None:
    async def live() -> list[tuple[int, datetime]]:
        activity = Activity()
        time = SimulatedTime(START, activity, timedelta(seconds=grain))
        seen: list[tuple[int, datetime]] = []

        async def act(seconds: int) -> None:
            await time.sleep(seconds)
            with activity.busy():
                await asyncio.wait({asyncio.create_task(_something())})
                seen.append((seconds, time.now()))

        tasks = [asyncio.create_task(act(seconds)) for seconds in due]
        await activity.settled()
        await time.run_until(START + timedelta(seconds=20_000))
        await asyncio.gather(*tasks)
        assert time.now() == START + timedelta(seconds=20_000)
        return seen

    seen = asyncio.run(live())

    assert sorted(seconds for seconds, _ in seen) == sorted(due)
    moments = [moment for _, moment in seen]
    assert moments == sorted(moments)
    for seconds, moment in seen:
        late = moment - (START + timedelta(seconds=seconds))
        assert timedelta(0) <= late <= timedelta(seconds=grain)


async def _something() -> None:
    await asyncio.wait({asyncio.create_task(Activity().settled())})


async def test_a_year_of_daily_work_passes_in_a_moment() -> None:
    activity = Activity()
    time = SimulatedTime(START, activity)
    days: list[datetime] = []

    async def daily() -> None:
        while True:
            await time.sleep(86_400)
            days.append(time.now())

    machine = SystemTime()
    began = machine.monotonic()
    tasks = [asyncio.create_task(daily()) for _ in range(10)]
    await time.run_until(START + timedelta(days=365))
    for task in tasks:
        task.cancel()

    assert len(days) == 3_650
    assert days == sorted(days)
    assert machine.monotonic() - began < 10


async def test_time_stands_still_while_anything_is_unsettled() -> None:
    activity = Activity()
    time = SimulatedTime(START, activity)
    asked = asyncio.create_task(time.sleep(60))
    activity.begin()
    running = asyncio.create_task(time.run_until(START + HOUR))

    for _ in range(50):
        await asyncio.wait({running}, timeout=0)
    while_busy = time.now()
    activity.end()
    await running

    assert while_busy == START
    assert asked.done()


async def test_scaled_time_runs_as_many_times_as_fast() -> None:
    time = ScaledTime(START, 3_600)

    await time.sleep(36)

    assert timedelta(seconds=36) <= time.now() - START < timedelta(minutes=30)
    assert await time.wait(asyncio.Event(), time.now() + timedelta(seconds=36)) is False


def test_seeded_ids_repeat_and_random_ones_do_not() -> None:
    time = ManualTime(START)

    def some(seed: int) -> list[str]:
        ids = SeededIds(time, seed)
        return [str(ids.new()) for _ in range(100)]

    assert some(1) == some(1)
    assert not set(some(1)) & set(some(2))
    assert len({RandomIds(time).new() for _ in range(1_000)}) == 1_000


@given(days=st.integers(0, 80_000), milliseconds=st.integers(0, 86_399_998))
def test_ids_are_uuid7_and_sort_by_their_millisecond(days: int, milliseconds: int) -> None:
    epoch = datetime(1980, 1, 1, tzinfo=UTC)
    time = ManualTime(epoch + timedelta(days=days, milliseconds=milliseconds))
    first = RandomIds(time).new()
    time.advance(timedelta(milliseconds=1))
    second = RandomIds(time).new()

    assert (first.version, first.variant) == (7, "specified in RFC 4122")
    assert first < second


def test_a_derived_id_depends_on_cause_and_index_alone() -> None:
    cause = SeededIds(ManualTime(START), 1).new()

    assert derived(cause, 1) == derived(cause, "1")
    assert derived(cause, 1) != derived(cause, 2)


@given(cause=st.uuids(), name=st.text(max_size=50))
def test_a_derived_id_is_the_one_the_rfc_makes_of_cause_and_name(cause: UUID, name: str) -> None:
    assert derived(cause, name) == uuid5(cause, name)
