"""What happens to messages: order, duplicates, early ones, and those nobody can handle."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING

import pytest
from sqlalchemy import insert

from shared.bus.port import Message
from shared.consuming import Knobs
from shared.consuming.held import NoSuchHeldMessage, StillWaiting
from shared.consuming.work import NotLocked
from tests.harness.dummies import kit, metadata, submitted
from tests.harness.lab import Lab, definition, laboratory
from tests.harness.waiting import until
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator
    from uuid import UUID

    from tests.conftest import Databases, ErrorLines
    from tests.harness.dummies import NoteWork


@pytest.fixture
async def lab(databases: Databases) -> AsyncIterator[Lab]:
    async with laboratory(await databases.for_dummies()) as lab:
        yield lab


async def test_events_of_a_publisher_apply_by_sequence_however_they_arrive(lab: Lab) -> None:
    a, b = lab.world.ids.new(), lab.world.ids.new()
    events = {(key, n): lab.event(key, n) for key in (a, b) for n in range(1, 6)}

    await lab.hear(events[a, 3], events[b, 5], events[a, 2])
    early = await lab.held(is_set_aside=False)
    await lab.hear(events[b, 1], events[a, 1], events[b, 3], events[b, 2])
    await lab.hear(events[a, 5], events[b, 4], events[a, 4])

    assert sorted(sequence for _, sequence in early) == [2, 3, 5]
    assert await lab.sequences(a) == [1, 2, 3, 4, 5]
    assert await lab.sequences(b) == [1, 2, 3, 4, 5]
    assert await lab.rows(kit.held) == []


async def test_an_event_that_arrives_again_is_not_applied_again(lab: Lab) -> None:
    key = lab.world.ids.new()
    first, third = lab.event(key, 1), lab.event(key, 3)

    await lab.hear(first, third)
    await lab.redeliver(first, third)
    await lab.redeliver(third, lab.event(key, 2), first)

    assert await lab.sequences(key) == [1, 2, 3]
    assert lab.dummy.runtime.stats.duplicates == 4


async def test_an_event_without_handler_counts_in_the_sequence_and_does_nothing_else(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    other = lab.event(key, 2).body.replace(b"request.submitted.v1", b"request.invented.v9")

    await lab.hear(lab.event(key, 1))
    await lab.hear(Message("levee.intake.request.invented.v9", lab.world.ids.new(), other))
    await lab.hear(lab.event(key, 3))

    assert await lab.sequences(key) == [1, 3]


def without_handler(lab: Lab, key: UUID, sequence: int) -> Message:
    """Return an event of a type the dummy does not know."""
    body = lab.event(key, sequence).body.replace(b"request.submitted.v1", b"request.invented.v9")
    return Message("levee.intake.request.invented.v9", lab.world.ids.new(), body)


async def test_what_has_no_handler_waits_for_company_and_is_counted_with_it(
    databases: Databases,
) -> None:
    knobs = Knobs(tick=timedelta(0), patience=timedelta(seconds=2))
    async with laboratory(await databases.for_dummies(), new_world(knobs=knobs)) as lab:
        key, stats, bus = lab.world.ids.new(), lab.dummy.runtime.stats, lab.world.bus
        await bus.publish([lab.event(key, 1)])
        await until(lambda: stats.handled == 1)
        await bus.publish([without_handler(lab, key, 2)])
        await until(lambda: bool(lab.dummy.runtime._messages._quiet))
        counted_alone = stats.handled
        await bus.publish([lab.event(key, 3)])
        await until(lambda: stats.handled == 3)

        assert counted_alone == 1
        assert stats.early == 0
        assert await lab.sequences(key) == [1, 3]


async def test_what_has_no_handler_is_counted_although_nothing_follows(
    databases: Databases,
) -> None:
    knobs = Knobs(tick=timedelta(0), patience=timedelta(seconds=2))
    async with laboratory(await databases.for_dummies(), new_world(knobs=knobs)) as lab:
        key, stats = lab.world.ids.new(), lab.dummy.runtime.stats
        await lab.world.bus.publish([without_handler(lab, key, 1)])
        await until(lambda: bool(lab.dummy.runtime._messages._quiet))
        lab.world.time.advance(timedelta(seconds=2))
        await until(lambda: stats.handled == 1)
        await lab.world.bus.publish([without_handler(lab, key, 2)])
        await until(lambda: bool(lab.dummy.runtime._messages._quiet))
        await lab.dummy.runtime.stop()

        assert stats.handled == 2
        assert [row.heard for row in await lab.rows(kit.subjects)] == ['{"intake":2}']


@pytest.mark.announces("set aside: refusal")
async def test_a_refused_event_is_set_aside_and_only_its_own_successors_wait(lab: Lab) -> None:
    a, b = lab.world.ids.new(), lab.world.ids.new()

    await lab.hear(lab.event(a, 1), lab.event(a, 2, "refuse"), lab.event(a, 3), lab.event(b, 1))
    await lab.hear(lab.event(a, 4), lab.event(b, 2))

    assert await lab.sequences(a) == [1]
    assert await lab.sequences(b) == [1, 2]
    assert await lab.held() == [("refusal", 2)]
    assert await lab.held(is_set_aside=False) == [("early", 3), ("early", 4)]


@pytest.mark.announces("set aside: refusal")
async def test_a_replayed_event_goes_through_with_everything_that_waited_behind_it(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    await lab.hear(lab.event(key, 1, "refuse"), lab.event(key, 2), lab.event(key, 3))
    [event_id] = await lab.held_ids()

    is_done_too_soon = await lab.dummy.runtime.held.replay(event_id)
    lab.behaviour.is_strict = False
    is_done = await lab.dummy.runtime.held.replay(event_id)
    await lab.world.settled()

    assert (is_done_too_soon, is_done) == (False, True)
    assert await lab.sequences(key) == [1, 2, 3]
    assert await lab.rows(kit.held) == []
    assert [row.held for row in await lab.rows(kit.subjects)] == [0]
    with pytest.raises(NoSuchHeldMessage):
        await lab.dummy.runtime.held.replay(event_id)


@pytest.mark.announces("set aside: refusal")
async def test_a_dismissed_event_lets_its_successors_go_on(lab: Lab) -> None:
    key = lab.world.ids.new()
    refused = lab.event(key, 1, "refuse")
    await lab.hear(refused, lab.event(key, 2))

    await lab.dummy.runtime.held.dismiss(str(refused.id))
    await lab.redeliver(refused)

    assert await lab.sequences(key) == [2]
    assert await lab.rows(kit.held) == []


async def test_a_gap_holds_back_until_it_is_skipped_and_is_never_dismissed(lab: Lab) -> None:
    key = lab.world.ids.new()
    early = lab.event(key, 4)
    await lab.hear(lab.event(key, 1), lab.event(key, 3), early, lab.event(key, 5))

    with pytest.raises(StillWaiting):
        await lab.dummy.runtime.held.dismiss(str(early.id))
    await lab.dummy.runtime.held.skip_to(str(key), "intake", 3)

    assert await lab.sequences(key) == [1, 4, 5]
    assert await lab.rows(kit.held) == []
    assert [row.held for row in await lab.rows(kit.subjects)] == [0]


@pytest.mark.announces("unreadable message set aside")
async def test_an_unreadable_message_is_set_aside_and_the_others_go_on(lab: Lab) -> None:
    key = lab.world.ids.new()
    ids = lab.world.ids
    wrong = [
        b"not json",
        b"[]",
        lab.event(key, 1).body.replace(b'"sequence":1', b'"sequence":true'),
        lab.event(key, 1).body.replace(str(key).encode(), b"x" * 300),
        lab.event(key, 1).body.replace(str(key).encode(), b"a\\u0000b"),
    ]

    await lab.hear(
        *(Message("levee.intake.request.submitted.v1", ids.new(), body) for body in wrong),
        lab.event(key, 1),
    )

    assert await lab.sequences(key) == [1]
    assert [code for code, _ in await lab.held()] == ["unreadable"] * len(wrong)


async def test_an_unreadable_message_that_can_be_read_by_now_is_handled_on_replay(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()
    event = lab.event(key, 2)
    row = {
        "event_id": "as-it-came", "key": None, "publisher": "intake", "sequence": 0, "type": "",
        "kind": "unreadable", "code": "unreadable", "detail": "", "body": event.body, "held_us": 0,
    }  # fmt: skip
    async with lab.database.transaction() as tx:
        await tx.execute(insert(kit.held), [row])

    await lab.dummy.runtime.held.replay("as-it-came")
    await lab.hear(lab.event(key, 1))

    assert await lab.sequences(key) == [1, 2]
    assert await lab.rows(kit.held) == []


@pytest.mark.announces("set aside: unreadable")
async def test_an_event_whose_data_is_wrong_is_set_aside_with_the_field_named(lab: Lab) -> None:
    key = lab.world.ids.new()
    event = lab.event(key, 1)
    body = event.body.replace(b'"urgency":"high"', b'"urgency":"very"')

    await lab.hear(Message(event.subject, event.id, body), lab.event(key, 2))

    [held], _ = await lab.dummy.runtime.held.find()
    assert (held.kind, held.key, held.sequence) == ("failed", str(key), 1)
    assert "/data/urgency" in held.detail


async def test_what_lacks_something_is_tried_again_without_end_and_never_set_aside(
    lab: Lab,
) -> None:
    a, b = lab.world.ids.new(), lab.world.ids.new()
    lab.behaviour.is_away = True

    await lab.hear(lab.event(a, 1, "away"), lab.event(a, 2), lab.event(b, 1))
    at_once = await lab.sequences(b)
    await lab.world.pass_time(600)
    held = await lab.held()
    lab.behaviour.is_away = False
    await lab.world.pass_time(15)

    assert at_once == [1]
    assert held == []
    assert lab.behaviour.attempts > 40
    assert await lab.sequences(a) == [1, 2]
    assert await lab.rows(kit.held) == []


async def test_a_batch_in_which_all_lack_something_takes_two_transactions(lab: Lab) -> None:
    lab.behaviour.is_away = True
    events = [lab.event(lab.world.ids.new(), 1, "away") for _ in range(60)]

    await lab.hear(*events)
    attempts = lab.behaviour.attempts
    lab.behaviour.is_away = False
    await lab.world.pass_time(20)

    assert attempts == len(events)
    assert await lab.dummy.count() == len(events)


async def test_a_parked_event_that_lacks_something_is_tried_again_by_itself(lab: Lab) -> None:
    key, other = lab.world.ids.new(), lab.world.ids.new()
    lab.behaviour.is_away = True

    await lab.hear(lab.event(key, 2, "away"), lab.event(key, 3))
    await lab.hear(lab.event(key, 1), lab.event(other, 1))
    before = await lab.sequences(key), await lab.sequences(other)
    lab.behaviour.is_away = False
    await lab.world.pass_time(15)

    assert before == ([1], [1])
    assert await lab.sequences(key) == [1, 2, 3]
    assert await lab.rows(kit.held) == []


async def test_a_handler_that_fails_for_an_unknown_reason_gets_four_attempts(
    lab: Lab, announced_errors: ErrorLines
) -> None:
    key = lab.world.ids.new()
    announced_errors.expect("set aside: ValueError")

    await lab.hear(lab.event(key, 1, "explode"), lab.event(key, 2))
    at_first = await lab.held()
    await lab.world.pass_time(60)

    assert at_first == []
    assert lab.behaviour.attempts == 4
    assert await lab.held() == [("ValueError", 1)]
    assert len(announced_errors.messages) == 1


@pytest.mark.announces("set aside: ValueError")
async def test_a_handler_that_failed_twice_and_then_works_leaves_no_trace(lab: Lab) -> None:
    key = lab.world.ids.new()

    await lab.hear(lab.event(key, 1, "explode"))
    await lab.world.pass_time(0.5)
    lab.behaviour.is_broken = False
    await lab.world.pass_time(5)

    assert await lab.sequences(key) == [1]
    assert await lab.held() == []


@pytest.mark.announces("set aside")
@pytest.mark.parametrize("how", ["spoil", "huge"])
async def test_the_one_event_that_spoils_the_storing_of_a_batch_is_found(
    lab: Lab, how: str
) -> None:
    keys = [lab.world.ids.new() for _ in range(40)]
    guilty = keys[17]

    await lab.hear(*(lab.event(key, 1, how if key == guilty else "fine") for key in keys))
    await lab.hear(*(lab.event(key, 2) for key in keys))
    at_once = [await lab.sequences(key) for key in keys]
    await lab.world.pass_time(60)
    [event_id] = await lab.held_ids()
    lab.behaviour.is_broken = False
    await lab.dummy.runtime.held.replay(event_id)

    assert at_once == [[] if key == guilty else [1, 2] for key in keys]
    assert await lab.sequences(guilty) == [1, 2]
    assert await lab.rows(kit.held) == []


@pytest.mark.announces("set aside")
async def test_a_parked_event_that_spoils_the_storing_is_found_behind_an_innocent_one(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()

    await lab.hear(lab.event(key, 2), lab.event(key, 3, "spoil"), lab.event(key, 4))
    await lab.hear(lab.event(key, 1))
    await lab.world.pass_time(60)

    assert await lab.sequences(key) == [1, 2]
    assert [sequence for _, sequence in await lab.held()] == [3]
    assert await lab.held(is_set_aside=False) == [("early", 4)]


@pytest.mark.announces("put back")
async def test_where_a_table_is_missing_nothing_is_set_aside_and_everything_waits(
    lab: Lab,
) -> None:
    keys = [lab.world.ids.new() for _ in range(3)]
    table = metadata.tables["entries"]
    async with lab.database.transaction() as tx:
        await tx.run_sync(table.drop)

    await lab.hear(*(lab.event(key, 1) for key in keys))
    await lab.world.pass_time(30)
    held = await lab.held()
    async with lab.database.transaction() as tx:
        await tx.run_sync(table.create)
    await lab.world.pass_time(2)

    assert held == []
    assert [await lab.sequences(key) for key in keys] == [[1]] * 3


@pytest.mark.announces("set aside: refusal")
async def test_state_that_supersedes_itself_applies_each_time_and_blocks_nothing(
    lab: Lab,
) -> None:
    name = "policy/standard"
    release = lab.event(name, 7, source="router", data=definition(1))
    wrong = lab.event(name, 9, source="router", data=definition(2, "refuse"))

    await lab.hear(release)
    await lab.redeliver(release)
    await lab.hear(wrong)
    await lab.redeliver(wrong)
    await lab.hear(lab.event(name, 8, source="router", data=definition(3)))
    before = await lab.sequences(name)
    lab.behaviour.is_strict = False
    await lab.dummy.runtime.held.replay(str(wrong.id))

    assert before == [1, 1, 3]
    assert await lab.sequences(name) == [1, 1, 3, 2]
    assert await lab.rows(kit.held) == []


@pytest.mark.announces("set aside: refusal")
async def test_a_set_aside_event_that_arrives_again_is_held_once(lab: Lab) -> None:
    key = lab.world.ids.new()
    refused = lab.event(key, 1, "refuse")

    await lab.hear(refused)
    await lab.redeliver(refused)

    assert await lab.held() == [("refusal", 1)]
    assert [row.held for row in await lab.rows(kit.subjects)] == [1]


@pytest.mark.announces("set aside: refusal")
async def test_what_a_kill_left_ready_is_found_at_the_next_start(lab: Lab) -> None:
    key = lab.world.ids.new()
    await lab.hear(lab.event(key, 1, "refuse"), lab.event(key, 2))
    lab.behaviour.is_strict = False
    async with lab.database.transaction() as tx:  # a replay, killed before it went on
        await tx.execute(kit.held.update().values(kind="early"))

    await lab.dummy.runtime._messages.find_ready()
    await lab.world.settled()

    assert await lab.sequences(key) == [1, 2]


async def test_nobody_speaks_about_a_subject_it_does_not_hold(lab: Lab) -> None:
    held, other = lab.world.ids.new(), lab.world.ids.new()

    def speak(work: NoteWork) -> None:
        work.publish(submitted(), subject=other, occurred_at=work.now)

    with pytest.raises(NotLocked):
        await lab.dummy.runtime.do(speak, locks=[held])
    assert await lab.rows(kit.outbox) == []


async def test_events_said_about_one_request_are_numbered_without_gap_across_batches(
    lab: Lab,
) -> None:
    key = lab.world.ids.new()

    for n in range(1, 4):
        await lab.hear(lab.event(key, n))

    [row] = await lab.rows(kit.subjects)
    assert row.said == 3
