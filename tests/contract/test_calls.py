"""What callers of a service may rely on: many share a commit, nobody pays for another's fault."""

from __future__ import annotations

import asyncio
import sqlite3
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert, text
from sqlalchemy.exc import IntegrityError

from shared.consuming import Knobs, Runtime, Work
from shared.consuming.calls import TooManyCalls
from shared.database.engine import Database
from shared.database.subjects import lock_subjects
from shared.database.trouble import DatabaseUnavailable
from shared.events.router import RequestAssigned
from tests.harness.dummies import NoteWork, entries, kit, notes
from tests.harness.lab import Away, Lab, Refusal, laboratory
from tests.harness.waiting import until
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable, Collection
    from pathlib import Path

    from tests.conftest import Databases


@pytest.fixture
async def lab(databases: Databases) -> AsyncIterator[Lab]:
    async with laboratory(await databases.for_dummies()) as lab:
        yield lab


def count_commits(database: Database) -> list[int]:
    """Return a list that grows by one with each commit."""
    commits: list[int] = []
    database.ears.append(lambda words: commits.append(1) if words == "COMMIT" else None)
    return commits


def note(key: str, text: str = "called") -> Callable[[NoteWork], int]:
    def act(work: NoteWork) -> int:
        work.note(key, text)
        return work.counts[key]

    return act


def refuse(key: str) -> Callable[[NoteWork], int]:
    def act(work: NoteWork) -> int:
        work.note(key, "must not be stored")
        raise Refusal

    return act


async def test_a_hundred_calls_at_once_share_a_few_commits(lab: Lab) -> None:
    commits = count_commits(lab.database)

    results = await asyncio.gather(
        *(lab.dummy.runtime.do(note("same"), locks=["same"], loads=["same"]) for _ in range(100))
    )

    assert sorted(results) == list(range(1, 101))
    assert len(commits) <= 3
    assert await lab.dummy.count(entries) == 100


async def test_a_subject_just_made_can_be_spoken_about_without_a_lock(lab: Lab) -> None:
    now = lab.world.time.now()

    def speak(work: NoteWork) -> None:
        said = RequestAssigned(team="desk", assignee="lin")
        work.publish(said, subject="made", occurred_at=now)

    await lab.dummy.runtime.do(speak, new=["made"])
    await lab.speak("made")

    assert [header.sequence for header in await lab.said()] == [1, 2]


async def test_a_subject_that_was_made_for_nothing_leaves_no_row_behind(lab: Lab) -> None:
    await lab.dummy.runtime.do(lambda work: None, new=["made"])

    assert await lab.rows(kit.subjects) == []


async def test_without_batching_each_call_has_a_commit_of_its_own(databases: Databases) -> None:
    world = new_world(knobs=Knobs(horizon=None, has_housekeeping=False, is_batching=False))
    async with laboratory(await databases.for_dummies(), world) as lab:
        commits = count_commits(lab.database)

        await asyncio.gather(*(lab.dummy.runtime.do(note("k"), locks=["k"]) for _ in range(10)))

        assert len(commits) == 10


async def test_a_refused_call_is_refused_to_its_caller_alone_and_leaves_nothing(
    lab: Lab,
) -> None:
    calls = [refuse(f"k{n}") if n % 3 == 1 else note(f"k{n}") for n in range(30)]

    results = await asyncio.gather(
        *(lab.dummy.runtime.do(call, locks=[f"k{n}"]) for n, call in enumerate(calls)),
        return_exceptions=True,
    )

    assert [isinstance(result, Refusal) for result in results] == [n % 3 == 1 for n in range(30)]
    assert await lab.dummy.count(entries) == 20
    assert await lab.dummy.count(notes) == 20


async def test_a_call_that_failed_on_what_a_refused_one_left_behind_is_tried_alone(
    lab: Lab,
) -> None:
    def wants_nothing_there(work: NoteWork) -> str:
        if work.counts.get("shared"):
            raise Refusal
        return "it was empty"

    results = await asyncio.gather(
        lab.dummy.runtime.do(refuse("shared"), locks=["shared"]),
        lab.dummy.runtime.do(wants_nothing_there, locks=["shared"]),
        return_exceptions=True,
    )

    assert isinstance(results[0], Refusal)
    assert results[1] == "it was empty"


async def test_a_call_that_spoils_the_storing_fails_alone(lab: Lab) -> None:
    def spoil(work: NoteWork) -> None:
        work.note("spoiled", "x", weight=None)

    calls = [lab.dummy.runtime.do(note(f"k{n}"), locks=[f"k{n}"]) for n in range(40)]
    spoiled = lab.dummy.runtime.do(spoil, locks=["spoiled"])
    results = await asyncio.gather(*calls[:20], spoiled, *calls[20:], return_exceptions=True)

    assert isinstance(results[20], IntegrityError)
    assert [result for n, result in enumerate(results) if n != 20] == [1] * 40
    assert await lab.dummy.count(entries) == 40


async def test_a_call_fails_with_whatever_it_raised_and_the_service_goes_on(lab: Lab) -> None:
    def divide(work: NoteWork) -> float:
        return 1 / work.counts.get("nothing", 0)

    with pytest.raises(ZeroDivisionError):
        await lab.dummy.runtime.do(divide)
    with pytest.raises(Away):
        await lab.dummy.runtime.do(lambda _: (_ for _ in ()).throw(Away))

    assert await lab.dummy.runtime.do(note("k"), locks=["k"]) == 1
    assert lab.dummy.runtime.dead_loops == []


async def test_a_key_another_replica_stored_just_now_is_seen_at_the_second_look(
    databases: Databases,
) -> None:
    class Racing(Work):
        """Loads, and is overtaken between its look and its write, once."""

        has_lost = False

        async def load(self, keys: Collection[str]) -> None:
            found = await self.tx.execute(text("SELECT count(*) FROM notes WHERE key = 'k'"))
            self.is_known = bool(found.scalar_one())

        async def flush(self) -> None:
            if not self.is_known:
                rows = [{"key": "k", "count": 1}]
                if not Racing.has_lost:
                    Racing.has_lost = True
                    await self.tx.execute(insert(notes), rows)
                await self.tx.execute(insert(notes), rows)

    async with laboratory(await databases.for_dummies()) as lab:
        given = lab.world.given
        runtime: Runtime[Racing] = Runtime(
            service="notify", database=lab.database, tables=kit, bus=given.bus, time=given.time,
            ids=given.ids, activity=given.activity, work=Racing, knobs=given.knobs,
        )  # fmt: skip
        await runtime.start()

        await runtime.do(lambda work: work.is_known, locks=["k"])

        assert await lab.dummy.count(notes) == 1
        await runtime.stop()


async def test_a_caller_that_left_does_not_disturb_the_others(lab: Lab) -> None:
    async with lab.database.transaction() as tx:
        await lock_subjects(tx, kit, ["a", "b"])
        leaves = asyncio.create_task(lab.dummy.runtime.do(note("a"), locks=["a"]))
        stays = asyncio.create_task(lab.dummy.runtime.do(note("b"), locks=["b"]))
        await until(lambda: lab.world.activity.count >= 2)
        leaves.cancel()

    assert await stays == 1
    await lab.world.settled()
    assert lab.world.activity.count == 0


async def test_stopping_answers_everybody_who_asked_before_and_nobody_after(lab: Lab) -> None:
    keys = [f"k{n}" for n in range(700)]
    async with lab.database.transaction() as tx:
        await lock_subjects(tx, kit, keys)
        asked = [asyncio.create_task(lab.dummy.runtime.do(note(key), locks=[key])) for key in keys]
        await until(lambda: lab.world.activity.count >= len(asked))
        stopping = asyncio.create_task(lab.dummy.runtime.stop())
    await stopping

    assert [task.result() for task in asked] == [1] * len(asked)
    with pytest.raises(DatabaseUnavailable):
        await lab.dummy.runtime.do(note("late"), locks=["late"])


async def test_a_database_that_is_away_refuses_calls_and_serves_them_when_it_is_back(
    tmp_path: Path,
) -> None:
    async with laboratory(f"sqlite+aiosqlite:///{tmp_path / 'x.db'}", lock_timeout_s=0.1) as lab:
        other = sqlite3.connect(tmp_path / "x.db")
        other.execute("BEGIN IMMEDIATE")

        calls = [lab.dummy.runtime.do(note(f"k{n}"), locks=[f"k{n}"]) for n in range(3)]
        results = await asyncio.gather(*calls, return_exceptions=True)
        other.rollback()
        other.close()

        assert all(isinstance(result, DatabaseUnavailable) for result in results)
        assert await lab.dummy.runtime.do(note("k"), locks=["k"]) == 1


async def test_more_calls_than_a_slow_database_takes_are_refused_and_the_others_served(
    databases: Databases,
) -> None:
    world = new_world(knobs=Knobs(tick=timedelta(0), calls_limit=10))
    async with laboratory(await databases.for_dummies(), world) as lab:
        runtime = lab.dummy.runtime
        async with lab.database.transaction() as slow:
            # Another replica holds the subject (PostgreSQL), or the one writer is at work (SQLite).
            await lock_subjects(slow, kit, ["a"])
            first = asyncio.create_task(runtime.do(note("a"), locks=["a"], loads=["a"]))
            await until(lambda: bool(runtime._calls._serving))
            others = [
                asyncio.create_task(runtime.do(note("a"), locks=["a"], loads=["a"]))
                for _ in range(15)
            ]
            await until(lambda: sum(task.done() for task in others) == 5)

        told = await asyncio.gather(first, *others, return_exceptions=True)

        refused = [answer for answer in told if isinstance(answer, TooManyCalls)]
        assert len(refused) == 5
        assert sorted(answer for answer in told if isinstance(answer, int)) == list(range(1, 12))
        assert await runtime.do(note("a"), locks=["a"], loads=["a"]) == 12
