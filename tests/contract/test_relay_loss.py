"""A broker that was away or lost what it had: what may be noted, sent and forgotten."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest

from shared.bus.memory import MemoryBus
from shared.bus.port import DEFINITIONS_STREAM, Message, latest_subject
from shared.consuming import Knobs, outbox
from shared.database.tables import to_us
from shared.id_source import SeededIds
from shared.time_source import Activity, ManualTime
from tests.harness.dummies import kit
from tests.harness.lab import Lab, definition, laboratory
from tests.harness.waiting import until
from tests.harness.world import MORNING, World, new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator

    from tests.conftest import Databases

REAL = Knobs(tick=timedelta(0), keep_published=timedelta(minutes=10))
OURS = "LEVEE_CLOCK"


class SilentBus(MemoryBus):
    """Leaves some questions for a stream's end unanswered."""

    questions = 0

    async def last_sequence(self, stream: str) -> int | None:
        """Say nothing while there are questions to be left open."""
        if self.questions:
            self.questions -= 1
            return None
        return await super().last_sequence(stream)


@pytest.fixture
async def lab(databases: Databases) -> AsyncIterator[Lab]:
    async with laboratory(await databases.for_dummies(), new_world(knobs=REAL)) as lab:
        yield lab


async def test_nothing_is_forgotten_while_the_broker_is_away(lab: Lab) -> None:
    keys = [lab.world.ids.new() for _ in range(3)]
    for key in keys:
        await lab.speak(key)
    await lab.world.settled()

    lab.world.bus.disconnect()
    for _ in range(8):
        lab.world.time.advance(timedelta(minutes=5))
        await lab.world.settled()
    lab.world.bus.forget_after(OURS, 1)
    lab.world.bus.reconnect()
    lab.world.time.advance(timedelta(seconds=3))
    await until(lambda: lab.dummy.runtime.relay.published == 3 + 2)

    assert [header.subject for header in await lab.said()] == [str(key) for key in keys]


async def test_nothing_covers_the_gap_while_the_broker_does_not_tell_where_it_ends(
    databases: Databases,
) -> None:
    time, activity = ManualTime(MORNING), Activity()
    bus = SilentBus(time, activity)
    world = World(time, activity, bus, SeededIds(time, 1), knobs=REAL)
    async with laboratory(await databases.for_dummies(), world) as lab:
        key = world.ids.new()
        await lab.speak(key, times=3)
        await world.settled()
        bus.disconnect()
        bus.forget_after(OURS, 0)
        bus.questions = 1
        bus.reconnect()
        await lab.speak(key, times=5)
        await until(lambda: bus.questions == 0)
        time.advance(timedelta(seconds=1))
        await until(lambda: lab.dummy.runtime.relay.published == 3 + 3 + 5)

        assert sorted(header.sequence for header in await lab.said()) == list(range(1, 9))


async def test_what_was_not_noted_before_the_loss_is_not_noted_after_it(
    databases: Databases,
) -> None:
    """Another replica has filled the gap, so the sequences look as if nothing were missing."""
    knobs = Knobs(tick=timedelta(0), patience=timedelta(hours=1))
    async with laboratory(await databases.for_dummies(), new_world(knobs=knobs)) as lab:
        relay, key = lab.dummy.runtime.relay, lab.world.ids.new()
        await lab.speak(key, times=3)
        await until(lambda: relay.published == 3)
        lab.world.bus.disconnect()
        lab.world.bus.forget_after(OURS, 0)
        lab.world.bus.reconnect()
        others = [lab.event(lab.world.ids.new(), 1, source="clock") for _ in range(5)]
        await lab.world.bus.publish([Message("levee.clock.x.v1", o.id, o.body) for o in others])

        await lab.speak(key)
        await until(lambda: relay.published == 3 + 4)

        said = [header.sequence for header in await lab.said() if header.subject == str(key)]
        assert sorted(said) == [1, 2, 3, 4]


async def test_marks_under_way_when_the_broker_came_back_do_not_count(lab: Lab) -> None:
    relay, key = lab.dummy.runtime.relay, lab.world.ids.new()
    await lab.speak(key, times=2)
    await lab.world.settled()
    marks = [(row.id, row.stream_sequence) for row in await lab.rows(kit.outbox)]
    relay._unmarked += marks
    taken = relay.take_marks()  # by a transaction that lasts

    lab.world.bus.disconnect()
    lab.world.bus.forget_after(OURS, 0)
    lab.world.bus.reconnect()
    lab.world.time.advance(timedelta(seconds=3))
    await until(relay._asking.locked)
    waited = relay.published
    relay.marked(taken)
    await until(lambda: relay.published == 2 + 2)

    assert taken == marks
    assert waited == 2
    assert [header.sequence for header in await lab.said()] == [1, 2]


async def test_what_supersedes_itself_is_kept_until_it_is_superseded(lab: Lab) -> None:
    old, new, other = ["a", "a", "b"]
    await store_definitions(lab, [old, new, other])
    await lab.world.settled()
    await until(lambda: lab.dummy.runtime.relay.published == 3)

    lab.world.time.advance(timedelta(minutes=30))
    await until(lambda: purged_to(lab, 2))
    lab.world.bus.disconnect()
    lab.world.bus.forget_after(DEFINITIONS_STREAM, 0)
    lab.world.bus.reconnect()
    lab.world.time.advance(timedelta(seconds=3))
    await until(lambda: lab.dummy.runtime.relay.published == 3 + 2)

    stored = [message.subject for message in lab.world.bus.stored(DEFINITIONS_STREAM)]
    assert stored == [latest_subject("definition.released.v1", key) for key in (new, other)]


async def store_definitions(lab: Lab, keys: list[str]) -> None:
    """Let the service say what supersedes itself, as the router does."""
    said = [lab.event(key, n, data=definition(n)) for n, key in enumerate(keys, 1)]
    rows = [
        {
            "uuid": message.id,
            "event_id": str(message.id),
            "subject": message.subject,
            "stream": DEFINITIONS_STREAM,
            "body": message.body,
            "created_us": to_us(lab.world.time.now()),
            "published_us": None,
            "stream_sequence": None,
        }
        for message in said
    ]
    async with lab.database.transaction() as tx:
        stored = await outbox.store(tx, kit, rows)
    lab.world.activity.begin(len(stored))
    lab.dummy.runtime.relay.hand_over(stored)


async def purged_to(lab: Lab, count: int) -> bool:
    await lab.dummy.runtime.keeper.go_through()
    return await is_down_to(lab, count)


async def is_down_to(lab: Lab, count: int) -> bool:
    return len(await lab.rows(kit.outbox)) == count
