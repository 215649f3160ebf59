"""What waits in a service's tables, by statements that are cheap however much waits."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from sqlalchemy import func, select, text

from shared.consuming import held as held_rows
from shared.database.tables import to_us
from shared.observability.metrics import COUNT_LIMIT

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import ColumnElement, Table

    from shared.database.engine import Database, Transaction
    from shared.database.tables import KitTables

#: A timer this late has not merely waited for its tick or its turn.
OVERDUE = timedelta(seconds=5)


@dataclass(frozen=True, slots=True)
class Backlog:
    """Counts up to `COUNT_LIMIT`, ages in seconds."""

    outbox: int
    outbox_age_s: float
    #: Code -> how many were set aside for it.
    set_aside: dict[str, int]
    set_aside_age_s: float
    parked: int
    parked_age_s: float
    timers: int
    timers_overdue: int


async def read_backlog(database: Database, tables: KitTables, now: datetime) -> Backlog:
    """Read what waits at `now`; raises `DatabaseUnavailable`.

    Each statement walks an index and stops at `COUNT_LIMIT` rows.
    """
    held, timers = tables.held, tables.timers
    set_aside, early = held.c.kind.in_(held_rows.SET_ASIDE), held.c.kind == held_rows.EARLY
    async with database.reading() as tx:
        outbox, said_us = await _outbox(tx, tables.outbox)
        return Backlog(
            outbox,
            _age_s(said_us, now),
            await _by_code(tx, held, set_aside),
            _age_s(await _first(tx, held, held_rows.SET_ASIDE), now),
            await _count(tx, held, early),
            _age_s(await _first(tx, held, (held_rows.EARLY,)), now),
            await _armed(tx, timers),
            await _count(tx, timers, timers.c.due_us < to_us(now - OVERDUE)),
        )


async def _count(tx: Transaction, table: Table, *where: ColumnElement[bool]) -> int:
    some = select(text("1")).select_from(table).where(*where).limit(COUNT_LIMIT).subquery()
    return int((await tx.execute(select(func.count()).select_from(some))).scalar_one())


async def _outbox(tx: Transaction, table: Table) -> tuple[int, int | None]:
    """Count along the partial index; its first row is the first that was said."""
    waiting = table.c.published_us.is_(None)
    first = select(table.c.created_us).where(waiting).order_by(table.c.id).limit(1)
    said_us = (await tx.execute(first)).scalar_one_or_none()
    return (0 if said_us is None else await _count(tx, table, waiting)), said_us


async def _by_code(tx: Transaction, table: Table, where: ColumnElement[bool]) -> dict[str, int]:
    some = select(table.c.code).where(where).limit(COUNT_LIMIT).subquery()
    wanted = select(some.c.code, func.count()).group_by(some.c.code)
    return {code: count for code, count in (await tx.execute(wanted)).all()}


async def _first(tx: Transaction, table: Table, kinds: tuple[str, ...]) -> int | None:
    found = []
    for kind in kinds:
        first = select(func.min(table.c.held_us)).where(table.c.kind == kind)
        found.append((await tx.execute(first)).scalar_one())
    return min((moment for moment in found if moment is not None), default=None)


async def _armed(tx: Transaction, table: Table) -> int:
    """Count timers; beyond the limit PostgreSQL's planner knows well enough how many there are."""
    counted = await _count(tx, table)
    if counted < COUNT_LIMIT or tx.dialect.name == "sqlite":
        return counted
    estimate: Any = select(text("reltuples::bigint")).select_from(text("pg_class"))
    estimate = estimate.where(text("oid = CAST(:name AS regclass)")).params(name=table.name)
    return max(counted, int((await tx.execute(estimate)).scalar_one()))


def _age_s(since_us: int | None, now: datetime) -> float:
    return 0.0 if since_us is None else max(0.0, (to_us(now) - since_us) / 1e6)
