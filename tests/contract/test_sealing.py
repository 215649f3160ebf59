"""A request's last word: nothing is said after it, and what was forgotten is never done again."""

from __future__ import annotations

import random
from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.consuming import Knobs
from shared.consuming.sealing import POSITIONS, YOUNGEST, ClockBehind, forgotten_upto
from shared.consuming.work import Sealed
from shared.database.tables import to_us
from shared.events.intake import RequestSealed
from tests.harness.dummies import kit
from tests.harness.lab import Lab, laboratory
from tests.harness.waiting import until
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from shared.bus.port import Message
    from tests.conftest import Databases

KEPT = timedelta(days=30)
LATER = timedelta(minutes=11)
REAL = Knobs(tick=timedelta(0), keep_published=timedelta(minutes=10), keep_positions=KEPT)


@pytest.fixture
async def lab(databases: Databases) -> AsyncIterator[Lab]:
    async with laboratory(await databases.for_dummies(), new_world(knobs=REAL)) as lab:
        yield lab


async def let_pass(lab: Lab, span: timedelta) -> None:
    """Move time in one step and go through everything that is kept for a time."""
    lab.world.time.advance(span)
    await lab.world.settled()
    await went_through(lab)


async def went_through(lab: Lab) -> None:
    """Return once positions were gone through at this moment, by whomever."""
    now_us = to_us(lab.world.time.now())

    async def is_noted() -> bool:
        await lab.dummy.runtime.keeper.go_through()
        rows = await lab.rows(kit.keeping)
        return any(row.what == POSITIONS and row.looked_us == now_us for row in rows)

    await until(is_noted)


async def a_sealed_request(lab: Lab) -> tuple[UUID, list[Message]]:
    """Let a request live, grow old and be sealed; return it with all that was said about it."""
    key = lab.world.ids.new()
    said = [lab.event(key, 1), lab.event(key, 2)]
    await lab.hear(*said)
    await let_pass(lab, YOUNGEST + timedelta(days=1))
    said.append(lab.event(key, 3, data=RequestSealed()))
    await lab.hear(said[-1])
    return key, said


async def positions(lab: Lab) -> set[str]:
    return {row.key for row in await lab.rows(kit.subjects)}


async def upto(lab: Lab) -> str | None:
    async with lab.database.reading() as connection:
        return await forgotten_upto(connection, kit)


async def test_nothing_is_said_about_a_sealed_request(lab: Lab) -> None:
    key, _ = await a_sealed_request(lab)
    rows = len(await lab.rows(kit.outbox))

    with pytest.raises(Sealed) as refused:
        await lab.speak(key)

    assert refused.value.params == {"key": str(key)}
    assert len(await lab.rows(kit.outbox)) == rows


async def test_a_position_goes_a_while_after_the_last_word_and_not_before(lab: Lab) -> None:
    key, _ = await a_sealed_request(lab)
    await let_pass(lab, KEPT - timedelta(hours=1))
    before = await positions(lab)
    await let_pass(lab, timedelta(hours=2))

    assert before == {str(key)}
    assert await positions(lab) == set()
    assert await lab.rows(kit.sealed) == []
    assert await upto(lab) == str(key)


@pytest.mark.parametrize("seed", range(4))
async def test_what_comes_again_after_its_position_went_is_dropped_in_any_order(
    lab: Lab, seed: int
) -> None:
    key, said = await a_sealed_request(lab)
    await let_pass(lab, KEPT + LATER)
    noted, published = await lab.dummy.texts(key), lab.dummy.runtime.relay.published
    again = said * 2
    random.Random(seed).shuffle(again)

    for message in again:
        await lab.redeliver(message)
    await lab.redeliver(*again)

    assert await lab.dummy.texts(key) == noted == ["1", "2"]
    assert lab.dummy.runtime.relay.published == published
    assert await lab.rows(kit.held) == []
    assert await positions(lab) == set()
    with pytest.raises(Sealed):
        await lab.speak(key)


async def test_a_request_of_the_same_age_that_still_runs_goes_on(lab: Lab) -> None:
    running = lab.world.ids.new()
    await lab.hear(lab.event(running, 1))
    lab.world.time.advance(timedelta(seconds=1))
    key, _ = await a_sealed_request(lab)
    await let_pass(lab, KEPT + LATER)

    await lab.hear(lab.event(running, 2))
    await lab.speak(running)
    new = lab.world.ids.new()
    await lab.hear(lab.event(new, 1))

    assert str(running) < str(key) == await upto(lab)
    assert await lab.sequences(running) == [1, 2]
    assert await lab.sequences(new) == [1]
    assert await positions(lab) == {str(running), str(new)}


async def test_a_position_stays_while_something_about_it_waits(lab: Lab) -> None:
    key, _ = await a_sealed_request(lab)
    await lab.hear(lab.event(key, 5))  # early: its predecessor never came
    await let_pass(lab, KEPT + LATER)
    while_held = await positions(lab)

    await lab.dummy.runtime.held.skip_to(str(key), "intake", 5)
    await lab.dummy.runtime.do(
        lambda work: work.arm("close", key, "fine", lab.world.time.now() + timedelta(days=2)),
        locks=[key],
    )
    await let_pass(lab, LATER)
    while_armed = await positions(lab)
    await lab.dummy.runtime.do(lambda work: work.disarm("close", key, "fine"), locks=[key])
    await let_pass(lab, LATER)

    assert while_held == while_armed == {str(key)}
    assert await positions(lab) == set()


async def test_a_position_stays_while_the_outbox_could_say_its_past_again(lab: Lab) -> None:
    other = lab.world.ids.new()
    lab.world.bus.disconnect()
    await lab.speak(other)
    lab.world.bus.reconnect()
    lab.world.time.advance(timedelta(seconds=1))
    await lab.world.settled()
    key, _ = await a_sealed_request(lab)
    lab.world.bus.disconnect()  # from here on no published row may go
    await lab.speak(other)

    lab.world.time.advance(KEPT + LATER)
    await went_through(lab)
    while_away = await positions(lab)
    lab.world.bus.reconnect()
    lab.world.time.advance(timedelta(seconds=4))
    await lab.world.settled()
    await let_pass(lab, LATER)
    await let_pass(lab, LATER)

    assert str(key) in while_away
    assert await positions(lab) == {str(other)}


async def test_nothing_new_is_begun_by_a_clock_that_stands_before_what_was_forgotten(
    lab: Lab,
) -> None:
    await a_sealed_request(lab)
    await let_pass(lab, KEPT + LATER)
    await lab.restart()
    lab.world.time.set_by(-timedelta(days=365))
    too_old = lab.world.ids.new()

    with pytest.raises(ClockBehind):
        await lab.dummy.runtime.do(lambda work: work.note(too_old, "posted"), new=[too_old])
    lab.world.time.set_by(timedelta(days=365))
    young = lab.world.ids.new()
    await lab.dummy.runtime.do(lambda work: work.note(young, "posted"), new=[young])

    assert await lab.dummy.texts(too_old) == []
    assert await lab.dummy.texts(young) == ["posted"]


async def test_young_requests_cost_no_statement_more(lab: Lab) -> None:
    await went_through(lab)
    told: list[str] = []
    lab.database.ears.append(told.append)

    await lab.hear(lab.event(lab.world.ids.new(), 1))

    assert not [words for words in told if "sealed" in words or "keeping" in words]
