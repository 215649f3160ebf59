"""Two small services with real tables, for trying the kit without any of the product's rules.

`intake` stores what is posted and says `request.submitted`; `router` hears it, says
`request.assigned` and arms a timer; when that is due it says `request.closed`; `intake` hears
both. Every handling leaves an entry and adds one to a count that was read before: a doubled,
lost or concurrent handling shows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import Column, Integer, MetaData, String, Table, func, insert, select

from shared.consuming import Runtime, Work, on, on_timer
from shared.database.statements import chunks, upsert
from shared.database.tables import kit_tables
from shared.events.intake import Requester, RequestSubmitted
from shared.events.router import RequestAssigned, RequestClosed
from shared.service import Service
from shared.vocabulary import Impact, Urgency

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from fastapi import APIRouter

    from shared.consuming import Subscription, TimerSubscription, WorkContext
    from shared.database.engine import Database
    from shared.database.timers import Timer
    from shared.events.base import Envelope
    from shared.service import Surroundings

CLOSES_AFTER = timedelta(seconds=60)

metadata = MetaData()
kit = kit_tables(metadata)
notes = Table(
    "notes",
    metadata,
    Column("key", String(200), primary_key=True),
    Column("count", Integer, nullable=False),
)
entries = Table(
    "entries",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String(200), nullable=False, index=True),
    Column("text", String(200), nullable=False),
    # Not null and without default: a handler that leaves it out spoils the whole flush.
    Column("weight", Integer, nullable=False),
)


class NoteWork(Work):
    """Counts and notes per request."""

    def __init__(self, context: WorkContext) -> None:
        super().__init__(context)
        self.counts: dict[str, int] = {}
        self._noted: list[dict[str, Any]] = []
        self._changed: set[str] = set()

    async def load(self, keys: Collection[str]) -> None:
        """Load the counts of `keys`."""
        for part in chunks(sorted(keys)):
            found = select(notes.c.key, notes.c.count).where(notes.c.key.in_(part))
            self.counts |= {row.key: row.count for row in await self.tx.execute(found)}

    def note(self, key: UUID | str, text: str, weight: int | None = 1) -> None:
        """Write `text` down and count it."""
        key = str(key)
        self.counts[key] = self.counts.get(key, 0) + 1
        self._changed.add(key)
        self._noted.append({"key": key, "text": text, "weight": weight})

    async def flush(self) -> None:
        """Write counts and entries."""
        if self._noted:
            rows = [{"key": key, "count": self.counts[key]} for key in sorted(self._changed)]
            await upsert(self.tx, notes, rows)
            await self.tx.execute(insert(entries), self._noted)


def submitted(title: str = "printer is down") -> RequestSubmitted:
    """Return what intake says about a request that was posted."""
    return RequestSubmitted(
        number="R-2026-000001",
        source="portal",
        request_type="incident",
        domain="it",
        channel="portal",
        requester=Requester(id="u1"),
        urgency=Urgency.HIGH,
        impact=Impact.LOW,
        title=title,
    )


def post(work: NoteWork, request_id: UUID, title: str, now: datetime) -> int:
    """Take a request; return how many entries there are about it now."""
    work.note(request_id, "posted")
    work.publish(submitted(title), subject=request_id, occurred_at=now)
    return work.counts[str(request_id)]


def assign(event: Envelope[RequestSubmitted], work: NoteWork) -> None:
    """Give the request to a team and close it after a while."""
    work.note(event.subject, "submitted")
    work.publish(
        RequestAssigned(team="desk", assignee="lin"),
        subject=event.subject,
        occurred_at=event.occurred_at,
    )
    work.arm("close", event.subject, "quiet", event.occurred_at + CLOSES_AFTER)


def close(timer: Timer, work: NoteWork) -> None:
    """Close the request whose time has come."""
    work.note(timer.key, "due")
    work.publish(RequestClosed(reason="time"), subject=timer.key, occurred_at=timer.due_at)


def hear_assigned(event: Envelope[RequestAssigned], work: NoteWork) -> None:
    """Note who has it."""
    work.note(event.subject, "assigned")


def hear_closed(event: Envelope[RequestClosed], work: NoteWork) -> None:
    """Note that it is over."""
    work.note(event.subject, "closed")


INTAKE: tuple[Subscription[NoteWork], ...] = (
    on(RequestAssigned, hear_assigned),
    on(RequestClosed, hear_closed),
)
ROUTER: tuple[Subscription[NoteWork], ...] = (on(RequestSubmitted, assign),)
ROUTER_TIMERS: tuple[TimerSubscription[NoteWork], ...] = (on_timer("close", close),)


@dataclass(slots=True)
class Dummy:
    """A dummy service and what a test wants to know of it."""

    service: Service
    database: Database
    runtime: Runtime[NoteWork]
    routes: Sequence[APIRouter] = field(default=())

    async def post(self, request_id: UUID, title: str = "printer is down") -> int:
        """Post a request as its API would."""
        now = self.runtime.time.now()
        return await self.runtime.do(
            lambda work: post(work, request_id, title, now), locks=[request_id]
        )

    async def texts(self, key: UUID | str) -> list[str]:
        """Return what was noted about a key, in the order of writing."""
        wanted = select(entries.c.text).where(entries.c.key == str(key)).order_by(entries.c.id)
        async with self.database.reading() as connection:
            return list((await connection.execute(wanted)).scalars().all())

    async def count(self, table: Table = entries) -> int:
        """Return how many rows a table has."""
        async with self.database.reading() as connection:
            found = await connection.execute(select(func.count()).select_from(table))
            return int(found.scalar_one())


def dummy(
    name: str,
    database: Database,
    given: Surroundings,
    subscriptions: Sequence[Subscription[NoteWork]] = (),
    timers: Sequence[TimerSubscription[NoteWork]] = (),
    routes: Sequence[APIRouter] = (),
) -> Dummy:
    """Build a dummy service that publishes under `name`, on a database that has the tables."""
    runtime = Runtime(
        service=name,
        database=database,
        tables=kit,
        bus=given.bus,
        time=given.time,
        ids=given.ids,
        activity=given.activity,
        work=NoteWork,
        subscriptions=subscriptions,
        timers=timers,
        knobs=given.knobs,
    )
    return Dummy(Service(name, runtime, routes=routes), database, runtime, routes)


def intake(database: Database, given: Surroundings) -> Dummy:
    """Build the dummy that takes requests."""
    return dummy("intake", database, given, INTAKE)


def router(database: Database, given: Surroundings) -> Dummy:
    """Build the dummy that assigns and closes them."""
    return dummy("router", database, given, ROUTER, ROUTER_TIMERS)


async def create_tables(database: Database) -> None:
    """Create the tables of both dummies; migrations are a service's own, dummies have none."""
    async with database.altering() as connection:
        await connection.run_sync(metadata.create_all)
