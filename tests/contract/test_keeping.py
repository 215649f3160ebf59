"""What is kept for a time only goes when its time is over, a little at a time, by one replica."""

from __future__ import annotations

import asyncio
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import pytest
from sqlalchemy import insert, select

from shared.consuming import Knobs
from shared.consuming.keeping import AT_ONCE, claim
from shared.database.statements import upsert
from shared.database.tables import to_us
from tests.harness.dummies import kit
from tests.harness.lab import Lab, definition, laboratory
from tests.harness.waiting import until
from tests.harness.world import MORNING, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from datetime import datetime

    from tests.conftest import Databases

REAL = Knobs(
    tick=timedelta(0), keep_published=timedelta(minutes=10), keep_settled=timedelta(days=1_100)
)
OLD, YOUNG = MORNING - timedelta(days=1_200), MORNING - timedelta(days=1_000)


@pytest.fixture
async def lab(databases: Databases) -> AsyncIterator[Lab]:
    async with laboratory(await databases.for_dummies(), new_world(knobs=REAL)) as lab:
        yield lab


def decision(number: int, at: datetime) -> dict[str, Any]:
    return {
        "event_id": str(number),
        "key": None,
        "publisher": "intake",
        "sequence": 1,
        "type": "request.submitted.v1",
        "kind": "failed",
        "code": "refusal",
        "detail": "",
        "body": b"{}",
        "held_us": to_us(at),
        "verb": "dismissed",
        "decided_by": "lin",
        "reason": "a test",
        "decided_us": to_us(at),
    }


async def decide(lab: Lab, count: int, at: datetime, first: int = 0) -> None:
    rows = [decision(first + number, at) for number in range(count)]
    async with lab.database.transaction() as tx:
        for start in range(0, count, 2_000):
            await tx.execute(insert(kit.settled), rows[start : start + 2_000])


async def settled(lab: Lab) -> list[int]:
    return sorted(int(row.event_id) for row in await lab.rows(kit.settled))


async def test_what_is_old_goes_and_what_is_not_stays(lab: Lab) -> None:
    await decide(lab, 3, OLD)
    await decide(lab, 2, YOUNG, first=3)

    await lab.world.pass_time(601)
    await until(lambda: lab.dummy.runtime.keeper.purged["settled"] == 3)

    assert await settled(lab) == [3, 4]
    assert (await lab.dummy.runtime.keeper.ages())["settled"] == pytest.approx(
        timedelta(days=1_000, seconds=601).total_seconds()
    )


async def test_no_transaction_takes_more_than_its_share_and_each_is_followed_by_a_rest(
    lab: Lab,
) -> None:
    await decide(lab, 2 * AT_ONCE + 5, OLD)
    left: list[int] = []

    lab.world.time.advance(timedelta(seconds=601))
    for _ in range(3):
        await until(lambda: lab.dummy.runtime.keeper.purged["settled"] > sum(left))
        left.append(lab.dummy.runtime.keeper.purged["settled"] - sum(left))
        # It has stopped to rest: only time that passes lets it go on.
        await lab.dummy.runtime.do(lambda work: work.note("k", "live work"), locks=["k"])
        lab.world.time.advance(timedelta(seconds=5))

    assert left == [AT_ONCE, AT_ONCE, 5]
    assert await settled(lab) == []


async def test_a_round_that_was_cut_off_is_finished_by_the_next_one(lab: Lab) -> None:
    await decide(lab, AT_ONCE + 7, OLD)
    lab.world.time.advance(timedelta(seconds=601))
    await until(lambda: lab.dummy.runtime.keeper.purged["settled"] == AT_ONCE)

    await lab.restart()  # in the middle: nobody has noted that anybody went through
    lab.world.time.advance(timedelta(seconds=6))
    await until(lambda: lab.dummy.runtime.keeper.purged["settled"] == 7)

    assert await settled(lab) == []


async def test_a_look_noted_by_a_clock_that_was_put_back_since_does_not_end_the_purging(
    lab: Lab,
) -> None:
    await decide(lab, 3, OLD)
    ahead = {"what": "settled", "looked_us": to_us(MORNING + timedelta(hours=12)), "upto": None}
    async with lab.database.transaction() as tx:
        await upsert(tx, kit.keeping, [ahead])

    await lab.dummy.runtime.keeper.go_through()

    assert await settled(lab) == []


async def test_published_rows_go_and_unpublished_and_lasting_ones_stay(lab: Lab) -> None:
    await lab.speak(lab.world.ids.new(), times=3)
    await lab.dummy.runtime.do(
        lambda work: [
            work.publish(definition(version), subject="policy/x", occurred_at=MORNING)
            for version in (1, 2)
        ],
        locks=["policy/x"],
    )
    await lab.world.settled()
    lab.world.bus.disconnect()
    await lab.speak(lab.world.ids.new())

    lab.world.time.advance(timedelta(minutes=11))
    await lab.dummy.runtime.keeper.go_through()
    while_away = len(await lab.rows(kit.outbox))
    lab.world.bus.reconnect()
    lab.world.time.advance(timedelta(seconds=1))
    await lab.world.settled()
    await lab.world.pass_time(30)
    await until(lambda: lab.dummy.runtime.keeper.purged["outbox"] == 3)

    kept = await lab.rows(kit.outbox)
    assert while_away == 6
    assert [row.stream for row in kept] == ["LEVEE_DEFINITIONS", "LEVEE_CLOCK"]
    assert b'"version":2' in kept[0].body


async def test_a_message_that_waits_for_a_person_or_a_predecessor_is_never_purged(
    lab: Lab,
) -> None:
    await lab.hear(lab.event(lab.world.ids.new(), 2))

    lab.world.time.advance(timedelta(days=4_000))
    await lab.dummy.runtime.keeper.go_through()

    assert await lab.held(is_set_aside=False) == [("early", 2)]


@pytest.mark.postgres
async def test_one_replica_purges_at_a_time_and_the_other_does_not_wait(
    postgres: Databases,
) -> None:
    url, world = await postgres.for_dummies(), new_world(knobs=REAL)
    async with laboratory(url, world) as one, laboratory(url, world) as two:
        await one.dummy.runtime.keeper.go_through()
        await decide(one, 5, OLD)
        async with one.database.transaction() as tx:
            mine = await claim(tx, kit, "settled")
            world.time.advance(timedelta(seconds=601))
            async with asyncio.timeout(9):  # shorter than a lock is waited for
                await two.dummy.runtime.keeper.go_through()
            while_held = await settled(two)

        world.time.advance(timedelta(seconds=601))
        await until(lambda: is_gone(one), 20)

        keepers = [lab.dummy.runtime.keeper for lab in (one, two)]
        assert mine is not None
        assert while_held == [0, 1, 2, 3, 4]
        assert sum(keeper.purged["settled"] for keeper in keepers) == 5


async def is_gone(lab: Lab) -> bool:
    return not await settled(lab)


async def test_a_replica_leaves_alone_what_another_has_just_gone_through(lab: Lab) -> None:
    await lab.dummy.runtime.keeper.go_through()
    async with lab.database.reading() as connection:
        (looked_us,) = (
            await connection.execute(
                select(kit.keeping.c.looked_us).where(kit.keeping.c.what == "settled")
            )
        ).scalars()
    await decide(lab, 1, OLD)

    await lab.dummy.runtime.keeper.go_through()

    assert looked_us == to_us(lab.world.time.now())
    assert await settled(lab) == [0]
