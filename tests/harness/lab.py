"""One dummy service under glass: what it hears is made by the test, and so is what goes wrong."""

from __future__ import annotations

from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from shared.bus.port import ConsumerSpec, Message, event_subject, latest_subject
from shared.consuming import on, on_timer, seal
from shared.database.engine import Database
from shared.errors import Refused, Unavailable
from shared.events.base import Envelope, Header, read_header
from shared.events.intake import RequestSealed, RequestSubmitted
from shared.events.router import DefinitionReleased, RequestAssigned
from tests.harness import dummies
from tests.harness.world import new_world

if TYPE_CHECKING:
    from collections.abc import AsyncIterator, Callable
    from uuid import UUID

    from shared.database.timers import Timer
    from shared.events.base import EventData
    from tests.harness.dummies import Dummy, NoteWork
    from tests.harness.world import World

#: Behind the broker's duplicate window.
_BEYOND_THE_WINDOW = timedelta(minutes=3)


class Refusal(Refused):
    """The rules of this test do not allow it."""


class Away(Unavailable):
    """What this test calls a neighbour is away."""


@dataclass(slots=True)
class Behaviour:
    """How handlers behave; the title of a request (the name of a timer) says what happens."""

    is_away: bool = False
    is_strict: bool = True
    is_broken: bool = True
    attempts: int = 0

    def act(self, how: str, work: NoteWork, key: str) -> None:
        """Fail as asked for, unless it was mended."""
        self.attempts += how != "fine"
        if how == "refuse" and self.is_strict:
            raise Refusal
        if how == "explode" and self.is_broken:
            raise ValueError("boom\x00")
        if how == "away" and self.is_away:
            raise Away
        if how == "spoil" and self.is_broken:
            work.note(key, "spoiled", weight=None)
        if how == "huge" and self.is_broken:
            work.note(key, "huge", weight=2**80)


@dataclass(slots=True)
class Lab:
    """A service that hears intake and the definitions, on one database."""

    world: World
    database: Database
    behaviour: Behaviour
    dummy: Dummy
    readers: int = 0

    def event(
        self,
        key: UUID | str,
        sequence: int,
        title: str = "fine",
        *,
        data: EventData | None = None,
        source: str = "intake",
    ) -> Message:
        """Make an event as a neighbour would say it."""
        said = data or dummies.submitted(title)
        now = self.world.time.now()
        envelope = Envelope(
            id=self.world.ids.new(),
            source=source,
            time=now,
            subject=str(key),
            occurred_at=now,
            sequence=sequence,
            correlation_id=str(key),
            causation_id=None,
            data=said,
        )
        is_latest = said.ordering == "latest"
        subject = (
            latest_subject(said.type, str(key)) if is_latest else event_subject(source, said.type)
        )
        return Message(subject, envelope.id, envelope.to_bytes())

    async def hear(self, *messages: Message) -> None:
        """Publish messages and wait until they are dealt with as far as they can be now."""
        await self.world.bus.publish(messages)
        await self.world.settled()

    async def redeliver(self, *messages: Message) -> None:
        """Let the same events arrive again although the broker forgot that they did."""
        self.world.time.advance(_BEYOND_THE_WINDOW)
        await self.world.settled()
        await self.hear(*messages)

    async def sequences(self, key: UUID | str) -> list[int]:
        """Return the sequences that were applied to a key, in the order they were."""
        return [int(text) for text in await self.dummy.texts(key) if text.isdigit()]

    async def held(self, *, is_set_aside: bool = True) -> list[tuple[str, int]]:
        """Return code and sequence of everything held."""
        found, _ = await self.dummy.runtime.held.find(is_set_aside=is_set_aside)
        return [(one.code, one.sequence) for one in found]

    async def held_ids(self) -> list[str]:
        """Return the ids of what is set aside."""
        found, _ = await self.dummy.runtime.held.find()
        return [one.event_id for one in found]

    async def said(self) -> list[Header]:
        """Return what the bus has of what this service said, as a newcomer would hear it."""
        self.readers += 1
        spec = ConsumerSpec("LEVEE_CLOCK", f"reader-{self.readers}")
        subscription = await self.world.bus.subscribe([spec])
        heard: list[Header] = []
        while await self.world.bus.lag(spec):
            for delivery in await subscription.take(1_000):
                heard.append(read_header(delivery.message.body))
                await delivery.ack()
        await subscription.close()
        return heard

    async def rows(self, table: Any) -> list[Any]:
        """Return all rows of a table."""
        async with self.database.reading() as connection:
            return list((await connection.execute(select(table))).all())

    async def speak(self, key: UUID | str, times: int = 1) -> None:
        """Let the service say something about a key."""
        now = self.world.time.now()

        def act(work: NoteWork) -> None:
            for _ in range(times):
                said = RequestAssigned(team="desk", assignee="lin")
                work.publish(said, subject=key, occurred_at=now)

        await self.dummy.runtime.do(act, locks=[key])

    async def restart(self) -> None:
        """Stop the service and start it again on the same database."""
        await self.dummy.runtime.stop()
        self.dummy = _build(self.world, self.database, self.behaviour)
        await self.dummy.runtime.start()
        await self.world.settled()


def definition(version: int, how: str = "fine") -> DefinitionReleased:
    """Return what the router says about a released definition."""
    return DefinitionReleased(
        kind="escalation_policy",
        key="standard",
        version=version,
        content_hash="0" * 64,
        content=how,
        released_by="lin",
    )


def _build(world: World, database: Database, behaviour: Behaviour) -> Dummy:
    return dummies.dummy(
        "clock",
        database,
        world.given,
        (
            on(RequestSubmitted, _hears(behaviour)),
            on(DefinitionReleased, _learns(behaviour)),
            on(RequestSealed, seal),
        ),
        (on_timer("close", _fires(behaviour)),),
    )


def _hears(behaviour: Behaviour) -> Callable[[Envelope[RequestSubmitted], NoteWork], None]:
    def hear(event: Envelope[RequestSubmitted], work: NoteWork) -> None:
        behaviour.act(event.data.title, work, event.subject)
        work.note(event.subject, str(event.sequence))
        work.publish(
            RequestAssigned(team="desk", assignee="lin"),
            subject=event.subject,
            occurred_at=event.occurred_at,
        )

    return hear


def _learns(behaviour: Behaviour) -> Callable[[Envelope[DefinitionReleased], NoteWork], None]:
    def learn(event: Envelope[DefinitionReleased], work: NoteWork) -> None:
        behaviour.act(event.data.content or "fine", work, event.subject)
        work.note(event.subject, str(event.data.version))

    return learn


def _fires(behaviour: Behaviour) -> Callable[[Timer, NoteWork], None]:
    def fire(timer: Timer, work: NoteWork) -> None:
        behaviour.act(timer.name, work, timer.key)
        work.note(timer.key, f"{timer.name} due {timer.due_at:%H:%M:%S}")
        work.publish(
            RequestAssigned(team="desk", assignee="lin"),
            subject=timer.key,
            occurred_at=timer.due_at,
        )
        for after_s in timer.payload.get("again_after_s", ()):
            due_at = timer.due_at + _seconds(after_s)
            work.arm(timer.kind, timer.key, timer.name, due_at)

    return fire


def _seconds(count: float) -> timedelta:
    return timedelta(seconds=count)


@asynccontextmanager
async def laboratory(
    url: str, world: World | None = None, *, lock_timeout_s: float = 10
) -> AsyncIterator[Lab]:
    """Run a service under glass for as long as the block lasts."""
    world = world or new_world()
    behaviour = Behaviour()
    database = Database(url, is_durable=False, lock_timeout_s=lock_timeout_s)
    await dummies.create_tables(database)
    lab = Lab(world, database, behaviour, _build(world, database, behaviour))
    await lab.dummy.runtime.start()
    await world.settled()
    try:
        yield lab
    finally:
        await lab.dummy.runtime.stop()
        await database.close()
        await world.bus.close()
