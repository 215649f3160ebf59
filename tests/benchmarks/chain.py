"""The floor of the whole path: `python -m tests.benchmarks.chain ROLE --url … --nats … --port …`.

The same commits and publishes, and nothing else: no BPMN, no decisions, no calendars, no order of
events. `intake` checks a POST and stores two rows, `router` and `clock` store an inbox row, one
row of their own and an outbox row for each message; each batch is one transaction, published at
once after its commit, its outbox rows deleted many at a time. As the pipeline of the spikes was
(facts on floors, whole pipeline, "batched").
"""

from __future__ import annotations

import argparse
import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
import uvloop
from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    MetaData,
    String,
    Table,
    Text,
    bindparam,
    delete,
    insert,
)
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.ext.asyncio import AsyncEngine, create_async_engine

from shared.bus.nats import connect
from shared.bus.port import ConsumerSpec, Message, event_subject
from shared.database.tables import to_us
from shared.id_source import RandomIds
from shared.service import serve_app
from shared.time_source import SystemTime
from tests.benchmarks import peers
from tests.benchmarks.peers import GroupCommit, framed, outbox

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.bus.nats import NatsBus

#: Role -> what it says.
SAYS = {
    "intake": event_subject("intake", "request.submitted.v1"),
    "router": event_subject("router", "request.routed.v1"),
    "clock": event_subject("clock", "clock.started.v1"),
}
#: What each consumer of the chain hears.
HEARS = {
    "router": ConsumerSpec("LEVEE_INTAKE", "floor-router"),
    "clock": ConsumerSpec("LEVEE_ROUTER", "floor-clock"),
}
_TAKEN_AT_ONCE = 200

metadata = MetaData()
inbox = Table("inbox", metadata, Column("id", String(36), primary_key=True))
done = Table(
    "done",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("due_us", BigInteger, nullable=False, index=True),
    Column("state", Text, nullable=False),
)
Index("ix_outbox_event", outbox.c.event_id)
_TIME = SystemTime()
_IDS = RandomIds(_TIME)
_FORGET = delete(outbox).where(outbox.c.event_id == bindparam("gone"))


@dataclass(slots=True)
class Relay:
    """Publishes what was committed, at once; forgets it many at a time."""

    engine: AsyncEngine
    bus: NatsBus
    subject: str
    waiting: list[dict[str, Any]] = field(default_factory=list)
    wake: asyncio.Event = field(default_factory=asyncio.Event)

    def hand_over(self, rows: Sequence[dict[str, Any]]) -> None:
        """Take rows just committed."""
        self.waiting += rows
        self.wake.set()

    async def run(self) -> None:
        """Serve for ever."""
        while True:
            await self.wake.wait()
            self.wake.clear()
            rows, self.waiting = self.waiting, []
            if rows:
                told = [Message(self.subject, UUID(row["event_id"]), row["body"]) for row in rows]
                sequences = await self.bus.publish(told)
                assert None not in sequences
                async with self.engine.begin() as tx:
                    await tx.execute(_FORGET, [{"gone": row["event_id"]} for row in rows])


class Accepting(GroupCommit):
    """The POSTs of one transaction, published after it."""

    def __init__(self, engine: AsyncEngine, relay: Relay) -> None:
        super().__init__(engine)
        self._relay = relay

    def committed(self, said: Sequence[dict[str, Any]]) -> None:
        """Hand over what was stored."""
        self._relay.hand_over(said)


async def consume(role: str, engine: AsyncEngine, bus: NatsBus, relay: Relay) -> None:
    """Take what is there, store it in one transaction, acknowledge, say it; for ever."""
    subscription = await bus.subscribe([HEARS[role]])
    while True:
        deliveries = await subscription.take(_TAKEN_AT_ONCE)
        heard = [orjson.loads(delivery.body) for delivery in deliveries]
        said = await _store(engine, relay.subject, heard)
        for delivery in deliveries:
            await delivery.ack()
        relay.hand_over(said)


async def _store(
    engine: AsyncEngine, subject: str, heard: Sequence[dict[str, Any]]
) -> list[dict[str, Any]]:
    now_us = to_us(_TIME.now())
    async with engine.begin() as tx:
        seen = pg_insert(inbox).on_conflict_do_nothing().returning(inbox.c.id)
        fresh = set((await tx.execute(seen, [{"id": event["id"]} for event in heard])).scalars())
        events = [event for event in heard if event["id"] in fresh]
        if not events:
            return []
        rows = [
            {
                "id": event["subject"],
                "due_us": now_us,
                "state": orjson.dumps(event["data"]).decode(),
            }
            for event in events
        ]
        said = [_said(event, subject, now_us) for event in events]
        await tx.execute(insert(done), rows)
        await tx.execute(insert(outbox), said)
    return said


def _said(event: dict[str, Any], subject: str, now_us: int) -> dict[str, Any]:
    told = {"id": str(_IDS.new()), "subject": event["subject"], "data": event["data"]}
    return {
        "event_id": told["id"],
        "subject": subject,
        "body": orjson.dumps(told),
        "created_us": now_us,
    }


async def main(role: str, url: str, nats: str, port: int) -> None:
    """Serve until SIGTERM."""
    engine = create_async_engine(url, pool_size=20, max_overflow=0)
    async with engine.begin() as tx:
        await tx.run_sync(peers.metadata.create_all)
        await tx.run_sync(metadata.create_all)
    bus = await connect(nats, name=f"floor-{role}", time=_TIME)
    relay = Relay(engine, bus, SAYS[role])
    accepting = Accepting(engine, relay)
    work = accepting.run() if role == "intake" else consume(role, engine, bus, relay)
    tasks = [asyncio.create_task(relay.run()), asyncio.create_task(work)]
    try:
        await serve_app(framed(accepting.store), "127.0.0.1", port)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
        await bus.close()
        await engine.dispose()


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("role", choices=list(SAYS))
    parser.add_argument("--url", required=True)
    parser.add_argument("--nats", required=True)
    parser.add_argument("--port", type=int, required=True)
    asked = parser.parse_args()
    uvloop.run(main(asked.role, asked.url, asked.nats, asked.port))
