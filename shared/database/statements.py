"""Bulk statements that exist on both databases under different names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import any_, bindparam, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Column, ColumnElement, Table

    from shared.database.engine import Transaction

#: Keys per IN (…): far below both databases' limits of bound parameters.
CHUNK = 5_000


async def upsert(
    tx: Transaction,
    table: Table,
    rows: Sequence[Mapping[str, Any]],
    *,
    update: Iterable[str] | None = None,
) -> None:
    """Insert `rows`, or replace the columns `update` (default: all others) where a key exists.

    Rows are written in the order given: sort them where two writers may meet. All rows carry
    the same columns.
    """
    if not rows:
        return
    keys = [column.name for column in table.primary_key]
    columns = [c for c in (update if update is not None else rows[0]) if c not in keys]
    insert: Any = insert_into(tx, table)
    if columns:
        changes = {name: insert.excluded[name] for name in columns}
        statement = insert.on_conflict_do_update(index_elements=keys, set_=changes)
    else:
        statement = insert.on_conflict_do_nothing(index_elements=keys)
    await tx.execute(statement, list(rows))


async def insert_missing(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key does not exist yet; leave the others alone."""
    if rows:
        statement = insert_into(tx, table).on_conflict_do_nothing()
        await tx.execute(statement, list(rows))


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield `values` in pieces that fit into one IN (…)."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def among(tx: Transaction, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return `column IN (values)` as one bound value, however many there are.

    The statement's text is always the same, so that the database prepares it once; an IN (…)
    list is a new statement for each length.
    """
    listed = list(values)
    if tx.dialect.name == "sqlite":
        each = func.json_each(orjson.dumps(listed).decode()).table_valued("value")
        return column.in_(select(each.c.value))
    return column == any_(bindparam(None, listed, type_=ARRAY(column.type)))


def insert_into(tx: Transaction, table: Table) -> Any:
    """Return the INSERT of this database's own dialect, which knows ON CONFLICT."""
    return sqlite_insert(table) if tx.dialect.name == "sqlite" else pg_insert(table)
