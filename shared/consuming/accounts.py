"""What a service tells an auditor about its requests: sums and digests, never its tables.

Every service has the same books by the kit (what it said, heard, holds, has armed); its own
`Books` add what only it understands. Whoever compares the services is elsewhere.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, select

from shared.consuming import held as held_rows
from shared.consuming import outbox, sealing
from shared.database.statements import rows_among
from shared.database.tables import from_us, to_us

if TYPE_CHECKING:
    from sqlalchemy import Column

    from shared.bus.port import Bus, ConsumerSpec
    from shared.database.engine import Database, Transaction
    from shared.database.tables import KitTables
    from shared.time_source import TimeSource

#: What a request's id looks like (UUIDv7); other things events are about have other keys, or ids
#: derived from names.
_SHAPE = "________-____-7___-____-____________"


@dataclass(frozen=True, slots=True)
class Fault:
    """Something in a service's own rows that does not add up: a stable code and its details."""

    code: str
    detail: Mapping[str, Any] = field(default_factory=dict)


@dataclass(slots=True)
class Account:
    """What a service has of one request.

    `facts` are compared with the neighbours', `faults` are wrong by themselves. `timers` are the
    (kind, name) that must be armed, `allowed` those that may be.
    """

    facts: dict[str, Any] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)
    timers: set[tuple[str, str]] = field(default_factory=set)
    allowed: set[tuple[str, str]] = field(default_factory=set)


@dataclass(frozen=True, slots=True)
class Books:
    """A service's own part: the columns that hold request ids, and how its rows add up."""

    keys: tuple[Column[Any], ...]
    account: Callable[[Transaction, Collection[str]], Awaitable[Mapping[str, Account]]]


@dataclass(frozen=True, slots=True)
class Accounts:
    """One service's books, as an auditor may ask for them."""

    service: str
    database: Database
    tables: KitTables
    time: TimeSource
    bus: Bus
    consumers: tuple[ConsumerSpec, ...]
    books: Books

    async def summary(self, tolerance: timedelta) -> dict[str, Any]:
        """Return the sums of the moment and how far everything has got.

        `hears` tells per stream up to which sequence all is settled, `outbox` which rows wait:
        with both, what is late is told from what is lost. A due moment or an outbox row older
        than `tolerance` counts as overdue. `forgotten_upto`: of requests up to this id that say
        nothing and heard nothing here, the positions were forgotten (see `sealing`).
        """
        now = self.time.now()
        edge = to_us(now - tolerance)
        timers, rows, held = self.tables.timers, self.tables.outbox, self.tables.held
        async with _snapshot(self.database) as tx:
            waiting, oldest_us = await outbox.count_unpublished(tx, self.tables)
            unpublished = select(func.min(rows.c.id)).where(rows.c.published_us.is_(None))
            first = (await tx.execute(unpublished)).scalar_one()
            last = (await tx.execute(select(func.max(rows.c.id)))).scalar_one() or 0
            late = select(func.count(), func.min(timers.c.due_us)).where(timers.c.due_us < edge)
            overdue, since_us = (await tx.execute(late)).one()
            kinds = select(held.c.kind, func.count()).group_by(held.c.kind)
            counts = {row[0]: row[1] for row in await tx.execute(kinds)}
            upto = await sealing.forgotten_upto(tx, self.tables)
        return {
            "service": self.service,
            "at": now,
            "outbox": {
                "waiting": waiting,
                "oldest_at": None if oldest_us is None else from_us(oldest_us),
                "is_stuck": oldest_us is not None and oldest_us < edge,
                "first": first,
                "last": last,
            },
            "timers": {
                "overdue": overdue,
                "since": None if since_us is None else from_us(since_us),
            },
            "held": counts,
            "forgotten_upto": upto,
            "stream_last": await self.bus.last_sequence(f"LEVEE_{self.service.upper()}"),
            "hears": [
                {
                    "stream": spec.stream,
                    "settled": await self.bus.settled_upto(spec),
                    "lag": await self.bus.lag(spec),
                }
                for spec in self.consumers
            ],
        }

    async def page(self, after: str, limit: int, tolerance: timedelta) -> dict[str, Any]:
        """Return the accounts of the `limit` requests behind `after`, in the order of their ids."""
        async with _snapshot(self.database) as tx:
            keys = await self._keys(tx, after, limit)
            items = await self._accounts(tx, keys, tolerance)
        return {"items": items, "next_after": keys[-1] if len(keys) == limit else None}

    async def look(self, keys: Collection[str], tolerance: timedelta) -> dict[str, Any]:
        """Return the accounts of the requests named; of an unknown one an empty account."""
        async with _snapshot(self.database) as tx:
            items = await self._accounts(tx, sorted(set(keys)), tolerance)
        return {"items": items, "next_after": None}

    async def _keys(self, tx: Transaction, after: str, limit: int) -> list[str]:
        own = (self.tables.subjects.c.key, self.tables.timers.c.key, self.tables.held.c.key)
        found: set[str] = set()
        for column in (*own, *self.books.keys):
            wanted = select(column).where(column > after, column.like(_SHAPE)).distinct()
            rows = await tx.execute(wanted.order_by(column).limit(limit))
            found.update(row[0] for row in rows)
        return sorted(found)[:limit]

    async def _accounts(
        self, tx: Transaction, keys: Collection[str], tolerance: timedelta
    ) -> list[dict[str, Any]]:
        if not keys:
            return []
        edge = to_us(self.time.now() - tolerance)
        subjects = {row.key: row for row in await rows_among(tx, self.tables.subjects, "key", keys)}
        timers: dict[str, list[Any]] = {}
        for row in await rows_among(tx, self.tables.timers, "key", keys):
            timers.setdefault(row.key, []).append(row)
        held: dict[str, list[Any]] = {}
        for row in await held_rows.read_held(tx, self.tables, keys):
            held.setdefault(row.key, []).append(row)
        own = await self.books.account(tx, keys)
        return [
            _entry(
                key,
                subjects.get(key),
                timers.get(key, []),
                held.get(key, []),
                own.get(key) or Account(),
                edge,
            )
            for key in keys
        ]


def _entry(
    key: str, subject: Any, timers: list[Any], held: list[Any], own: Account, edge: int
) -> dict[str, Any]:
    faults = [{"code": fault.code, "detail": dict(fault.detail)} for fault in own.faults]
    armed = {(row.kind, orjson.loads(row.payload)["name"]): row for row in timers}
    aside = {(row.type, orjson.loads(row.body)["name"]) for row in held if row.kind == "timer"}
    faults += [
        _timer_fault("timer_missing", kind, name)
        for kind, name in sorted(own.timers - set(armed) - aside)
    ]
    faults += [
        _timer_fault("timer_without_owner", kind, name)
        for kind, name in sorted(set(armed) - own.timers - own.allowed)
    ]
    faults += [
        _timer_fault("timer_overdue", kind, name, due_at=from_us(row.due_us).isoformat())
        for (kind, name), row in sorted(armed.items(), key=lambda pair: pair[0])
        if row.due_us < edge
    ]
    is_told = (row for row in held if row.kind != held_rows.EARLY or row.held_us < edge)
    faults += [_held_fault(row) for row in sorted(is_told, key=lambda row: row.event_id)]
    return {
        "request_id": key,
        "said": subject.said if subject is not None else 0,
        "heard": orjson.loads(subject.heard) if subject is not None else {},
        "facts": own.facts,
        "faults": faults,
    }


def _timer_fault(code: str, kind: str, name: str, **more: str) -> dict[str, Any]:
    return {"code": code, "detail": {"kind": kind, "name": name, **more}}


def _held_fault(row: Any) -> dict[str, Any]:
    """A message that was set aside, or one that waits too long for its predecessor."""
    code = "parked" if row.kind == held_rows.EARLY else "set_aside"
    detail = {"event_id": row.event_id, "type": row.type, "code": row.code}
    return {"code": code, "detail": detail | {"held_at": from_us(row.held_us).isoformat()}}


@asynccontextmanager
async def _snapshot(database: Database) -> AsyncIterator[Transaction]:
    """Open a reading that sees one moment, however many statements it takes."""
    async with database.reading() as connection:
        if not database.is_sqlite:
            await connection.tell("BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY")
        yield connection
        if not database.is_sqlite:
            await connection.tell("ROLLBACK")
