"""Durable timers: a due moment is a row, armed and disarmed with what asked for it.

Nothing else is the memory of a deadline; `shared.database.timer_watch` only looks at the rows.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import select

from shared.database.native import Prepared
from shared.database.statements import (
    as_arrays,
    delete_among,
    insert_into,
    rows_among,
    rows_told,
)
from shared.database.tables import from_us, to_us
from shared.id_source import derived

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping

    from sqlalchemy import Table

    from shared.database.engine import Transaction
    from shared.database.tables import KitTables

_NAMESPACE = UUID("6c1f6d5e-3f0e-5a57-9d0a-5b8f6f0e7a10")


@dataclass(frozen=True, slots=True)
class Timer:
    """A due moment: `kind` names the handler, `key` the subject it is about.

    There is one per (kind, key, name): arming it again replaces it and counts up `epoch`.
    `armed_by` differs for each cause that armed it, so that what a second firing leads to is
    never taken for a repetition of the first, even at the same moment.
    """

    kind: str
    key: str
    name: str
    due_at: datetime
    payload: Mapping[str, Any] = field(default_factory=dict)
    epoch: int = 1
    armed_by: UUID = _NAMESPACE
    #: When it was armed, as long as that is remembered: it is not stored.
    armed_at: datetime | None = field(default=None, compare=False)
    #: The trace of what armed it (W3C), if it is traced; what its firing says goes on in it.
    traceparent: str | None = field(default=None, compare=False)
    id: str = field(init=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "id", timer_id(self.kind, self.key, self.name))

    @property
    def cause_id(self) -> UUID:
        """The id from which everything that one firing leads to derives its own."""
        return derived(self.armed_by, f"{self.id}/{self.epoch}/{to_us(self.due_at)}")


def timer_id(kind: str, key: str, name: str) -> str:
    """Return the id of the one timer with this kind, key and name."""
    return str(derived(_NAMESPACE, f"{kind}\x1f{key}\x1f{name}"))


async def arm(tx: Transaction, tables: KitTables, timers: Collection[Timer]) -> None:
    """Store timers; one that exists gets the new moment and payload, and the next epoch."""
    if not timers:
        return
    table = tables.timers
    rows = [
        {
            "id": timer.id,
            "kind": timer.kind,
            "key": timer.key,
            "due_us": to_us(timer.due_at),
            "epoch": timer.epoch,
            "payload": _payload(timer),
            "armed_by": str(timer.armed_by),
            "lease_owner": None,
            "lease_until_us": None,
        }
        for timer in sorted(timers, key=lambda t: t.id)
    ]
    if tx.dialect.name == "sqlite":
        await tx.execute(_arm(tx.dialect.name, table), rows)
    else:
        await tx.write(table.name, _arm(tx.dialect.name, table), as_arrays(rows))


@lru_cache(maxsize=100)
def _arm(dialect: str, table: Table) -> Prepared:
    """Return the upsert of timers; built once."""
    columns = [column.name for column in table.columns]
    insert: Any = insert_into(dialect, table)
    if dialect != "sqlite":
        insert = insert.from_select(columns, rows_told(table, columns))
    renewed = ("due_us", "payload", "armed_by", "lease_owner", "lease_until_us")
    changes = {name: insert.excluded[name] for name in renewed} | {"epoch": table.c.epoch + 1}
    statement = insert.on_conflict_do_update(index_elements=["id"], set_=changes)
    return Prepared(statement, columns if dialect == "sqlite" else None)


async def disarm(tx: Transaction, tables: KitTables, ids: Collection[str]) -> None:
    """Remove timers; unknown ids are fine."""
    if ids:
        await delete_among(tx, tables.timers, "id", sorted(ids))


async def read_due(
    tx: Transaction, tables: KitTables, ids: Collection[str], now: datetime
) -> list[Timer]:
    """Return those of `ids` that still exist and are due at `now`, earliest first."""
    if not ids:
        return []
    now_us = to_us(now)
    rows = await rows_among(tx, tables.timers, "id", ids)
    due = [row for row in rows if row.due_us <= now_us]
    return [_timer(row) for row in sorted(due, key=lambda row: (row.due_us, row.kind, row.id))]


async def is_armed(tx: Transaction, tables: KitTables, id_: str) -> bool:
    """Tell whether a timer is armed."""
    table = tables.timers
    return (await tx.execute(select(table.c.id).where(table.c.id == id_))).first() is not None


def _payload(timer: Timer) -> str:
    told: dict[str, Any] = {"name": timer.name, "payload": dict(timer.payload)}
    if timer.traceparent is not None:
        # Within the column there is: readers of before ignore it.
        told["trace"] = timer.traceparent
    return orjson.dumps(told).decode()


def _timer(row: Any) -> Timer:
    told = orjson.loads(row.payload)
    return Timer(
        row.kind,
        row.key,
        told["name"],
        from_us(row.due_us),
        told["payload"],
        row.epoch,
        UUID(row.armed_by),
        traceparent=told.get("trace"),
    )
