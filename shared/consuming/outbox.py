"""The outbox: what was said, stored with what made it true; the statements, not the loops."""

from __future__ import annotations

from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import (
    BigInteger,
    LargeBinary,
    String,
    bindparam,
    delete,
    func,
    insert,
    select,
    update,
)
from sqlalchemy.dialects.postgresql import ARRAY

from shared.bus.port import DEFINITIONS_STREAM, Message
from shared.database.native import Prepared
from shared.database.statements import delete_among
from shared.database.tables import to_us

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from sqlalchemy import Table

    from shared.database.engine import Transaction
    from shared.database.tables import KitTables

#: How far the clocks of two replicas may differ.
_SKEW = timedelta(seconds=60)
#: Where the writer's connection remembers the last id it gave.
_LAST_ID = "levee_last_outbox_id"
#: The columns sent to PostgreSQL as arrays.
_SENT = {"event_id": String, "subject": String, "stream": String, "body": LargeBinary}


async def store(
    tx: Transaction, tables: KitTables, rows: Sequence[dict[str, Any]]
) -> list[tuple[int, Message]]:
    """Store what was said, in order; return each row's id and message."""
    if not rows:
        return []
    if tx.dialect.name == "sqlite":
        ids = await _store_sqlite(tx, tables, rows)
    else:
        ids = await _store_postgres(tx, tables, rows)
    return [
        (row_id, Message(row["subject"], row["uuid"], row["body"]))
        for row_id, row in zip(ids, rows, strict=True)
    ]


async def _store_sqlite(
    tx: Transaction, tables: KitTables, rows: Sequence[dict[str, Any]]
) -> Sequence[int]:
    """Number the rows here: there is one writer, and it is us."""
    table = tables.outbox
    last = tx.notes.get(_LAST_ID)
    if last is None:
        last = (await tx.execute(select(func.max(table.c.id)))).scalar_one() or 0
    ids = range(last + 1, last + 1 + len(rows))
    # A transaction that is rolled back leaves a gap, which nobody minds.
    tx.notes[_LAST_ID] = ids[-1]
    numbered = [{**row, "id": row_id} for row_id, row in zip(ids, rows, strict=True)]
    await tx.execute(_store_numbered(table), numbered)
    return ids


@lru_cache(maxsize=100)
def _store_numbered(table: Table) -> Prepared:
    return Prepared(insert(table), [column.name for column in table.columns])


async def _store_postgres(
    tx: Transaction, tables: KitTables, rows: Sequence[dict[str, Any]]
) -> Sequence[int]:
    """Send the rows as arrays: one statement, whose text never changes."""
    values: dict[str, Any] = {name: [row[name] for row in rows] for name in _SENT}
    values["created_us"] = rows[0]["created_us"]
    told = await tx.write_and_tell(tables.outbox.name, _store(tables.outbox), values)
    stored = told.all()
    by_event = {row.event_id: row.id for row in stored}
    return [by_event[row["event_id"]] for row in rows]


@lru_cache(maxsize=100)
def _store(table: Table) -> Prepared:
    """PostgreSQL: the insert of what was said; built once."""
    arrays: list[Any] = [bindparam(name, type_=ARRAY(kind)) for name, kind in _SENT.items()]
    told = func.unnest(*arrays).table_valued(*_SENT, with_ordinality="place").render_derived()
    created = bindparam("created_us", type_=BigInteger)
    values = select(*(told.c[name] for name in _SENT), created).order_by(told.c.place)
    statement = insert(table).from_select([*_SENT, "created_us"], values)
    return Prepared(statement.returning(table.c.id, table.c.event_id))


async def mark(
    tx: Transaction, tables: KitTables, published: Sequence[tuple[int, int]], now: datetime
) -> None:
    """Note that rows were published, with the broker's sequence of each."""
    statement, published_us = _mark(tx.dialect.name, tables.outbox), to_us(now)
    if tx.dialect.name == "sqlite":
        rows = [{"row": row, "place": place, "now": published_us} for row, place in published]
        await tx.execute(statement, rows)
        return
    ids, sequences = (list(column) for column in zip(*published, strict=True))
    # Other rows than those being added: both may go in one statement.
    bound = {"ids": ids, "sequences": sequences, "now": published_us}
    await tx.write(f"{tables.outbox.name}/published", statement, bound)


@lru_cache(maxsize=100)
def _mark(dialect: str, table: Table) -> Prepared:
    """Return the update of published rows; built once."""
    now = bindparam("now", type_=BigInteger)
    if dialect == "sqlite":
        changed = update(table).where(table.c.id == bindparam("row"))
        return Prepared(changed.values(published_us=now, stream_sequence=bindparam("place")))
    arrays = [bindparam(name, type_=ARRAY(BigInteger)) for name in ("ids", "sequences")]
    told = func.unnest(*arrays).table_valued("id", "at").render_derived(name="told")
    changed = update(table).where(table.c.id == told.c.id)
    return Prepared(changed.values(published_us=now, stream_sequence=told.c.at))


async def remove(tx: Transaction, tables: KitTables, ids: Sequence[int]) -> None:
    """Forget rows that were published and need not be kept."""
    await delete_among(tx, tables.outbox, "id", ids)


async def purge(tx: Transaction, tables: KitTables, edge: int, limit: int) -> int:
    """Forget up to `limit` rows published before `edge` (microseconds); return how many.

    Looks at the oldest rows only: ids grow with time, and an outbox may hold millions. What
    supersedes itself stays until it is superseded: should the broker lose its disk, a latecomer
    finds it nowhere else.
    """
    table = tables.outbox
    is_lasting = table.c.stream == DEFINITIONS_STREAM
    oldest = select(table.c.id, table.c.published_us).where(~is_lasting).order_by(table.c.id)
    oldest_rows = oldest.limit(limit).subquery()
    gone = select(oldest_rows.c.id).where(oldest_rows.c.published_us < edge)
    forgotten = int((await tx.execute(delete(table).where(table.c.id.in_(gone)))).rowcount)
    later = table.alias("later")
    same = (later.c.stream == DEFINITIONS_STREAM) & (later.c.subject == table.c.subject)
    is_superseded = select(later.c.id).where(same, later.c.id > table.c.id).exists()
    superseded = delete(table).where(is_lasting, table.c.published_us < edge, is_superseded)
    await tx.execute(superseded)
    return forgotten


async def oldest_us(tx: Transaction, tables: KitTables) -> int | None:
    """Return when the first row was said that is kept for a time only; None where there is none."""
    table = tables.outbox
    first = select(table.c.created_us).where(table.c.stream != DEFINITIONS_STREAM)
    found = await tx.execute(first.order_by(table.c.id).limit(1))
    moment: int | None = found.scalar_one_or_none()
    return moment


async def read_unpublished(
    tx: Transaction, tables: KitTables, before: datetime, limit: int, now: datetime
) -> list[tuple[int, Message]]:
    """Return rows said before (or at) `before` that were not published, the oldest first.

    What was said later than `now` was said before the clock was put back.
    """
    table = tables.outbox
    created = table.c.created_us
    is_old = (created <= to_us(before)) | (created > to_us(now + _SKEW))
    wanted = (
        select(table.c.id, table.c.event_id, table.c.subject, table.c.body)
        .where(table.c.published_us.is_(None), is_old)
        .order_by(table.c.id)
        .limit(limit)
    )
    rows = (await tx.execute(wanted)).all()
    return [(row.id, Message(row.subject, UUID(row.event_id), row.body)) for row in rows]


async def count_unpublished(tx: Transaction, tables: KitTables) -> tuple[int, int | None]:
    """Return how many rows wait, and when the oldest was said, in microseconds since 1970."""
    table = tables.outbox
    wanted = select(func.count(), func.min(table.c.created_us))
    count, oldest = (await tx.execute(wanted.where(table.c.published_us.is_(None)))).one()
    return count, oldest


async def highest_sequences(tx: Transaction, tables: KitTables) -> list[tuple[str, int]]:
    """Return per stream the highest sequence the broker ever gave to a row still kept."""
    table = tables.outbox
    highest = select(table.c.stream, func.max(table.c.stream_sequence))
    highest = highest.where(table.c.stream_sequence.is_not(None)).group_by(table.c.stream)
    return [(stream, sequence) for stream, sequence in await tx.execute(highest)]


async def forget_publication(tx: Transaction, tables: KitTables, stream: str, after: int) -> int:
    """Count rows behind sequence `after` as unpublished again; return how many."""
    table = tables.outbox
    lost = (table.c.stream == stream) & (table.c.stream_sequence > after)
    changed = update(table).where(lost).values(published_us=None, stream_sequence=None)
    return int((await tx.execute(changed)).rowcount)


async def unpublish(tx: Transaction, tables: KitTables, ids: Sequence[int]) -> None:
    """Count these rows as unpublished again."""
    table = tables.outbox
    changed = update(table).where(table.c.id == bindparam("row"))
    changed = changed.values(published_us=None, stream_sequence=None)
    await tx.execute(changed, [{"row": row_id} for row_id in ids])
