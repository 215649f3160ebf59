"""Bulk statements that exist on both databases under different names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import any_, bindparam, delete, func, select
from sqlalchemy.dialects.postgresql import ARRAY
from sqlalchemy.dialects.postgresql import insert as pg_insert
from sqlalchemy.dialects.sqlite import insert as sqlite_insert

from shared.database.native import Prepared

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from sqlalchemy import Column, ColumnElement, Row, Table

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
    columns = tuple(update if update is not None else rows[0])
    await tx.execute(_upsert(tx.dialect.name, table, tuple(rows[0]), columns), list(rows))


@lru_cache(maxsize=1_000)
def _upsert(
    dialect: str, table: Table, filled: tuple[str, ...], columns: tuple[str, ...]
) -> Prepared:
    """Return an upsert; built once, since building costs more than a small write."""
    keys = [column.name for column in table.primary_key]
    insert = insert_into(dialect, table)
    changes = {name: insert.excluded[name] for name in columns if name not in keys}
    if changes:
        return Prepared(insert.on_conflict_do_update(index_elements=keys, set_=changes), filled)
    return Prepared(insert.on_conflict_do_nothing(index_elements=keys), filled)


async def rows_among(
    tx: Transaction, table: Table, column: str, values: Iterable[Any]
) -> Sequence[Row[Any]]:
    """Return the rows whose `column` is one of `values`, in no order; for hot paths.

    The statement is built once per table and column.
    """
    wanted = list(values)
    if not wanted:
        return ()
    dialect = tx.dialect.name
    bound = {"wanted": listed(dialect, wanted)}
    found: Sequence[Row[Any]] = (await tx.execute(_rows_among(dialect, table, column), bound)).all()
    return found


async def delete_among(tx: Transaction, table: Table, column: str, values: Iterable[Any]) -> None:
    """Delete the rows whose `column` is one of `values`; for hot paths, as `rows_among`."""
    wanted = list(values)
    if wanted:
        dialect = tx.dialect.name
        bound = {"wanted": listed(dialect, wanted)}
        await tx.execute(_delete_among(dialect, table, column), bound)


@lru_cache(maxsize=1_000)
def _rows_among(dialect: str, table: Table, column: str) -> Prepared:
    return Prepared(select(table).where(one_of(dialect, table.c[column], "wanted")))


@lru_cache(maxsize=1_000)
def _delete_among(dialect: str, table: Table, column: str) -> Prepared:
    return Prepared(delete(table).where(one_of(dialect, table.c[column], "wanted")))


def one_of(dialect: str, column: Column[Any], name: str) -> ColumnElement[bool]:
    """Return `column IN (:name)` for a statement that is built once; bind `listed(…)`."""
    if dialect == "sqlite":
        each = func.json_each(bindparam(name)).table_valued("value")
        return column.in_(select(each.c.value))
    return column == any_(bindparam(name, type_=ARRAY(column.type)))


def listed(dialect: str, values: Iterable[Any]) -> Any:
    """Return `values` as the one bound value `one_of` wants."""
    found = list(values)
    return orjson.dumps(found).decode() if dialect == "sqlite" else found


async def insert_missing(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert the rows whose key does not exist yet; leave the others alone."""
    if rows:
        await tx.execute(_insert_missing(tx.dialect.name, table, tuple(rows[0])), list(rows))


@lru_cache(maxsize=1_000)
def _insert_missing(dialect: str, table: Table, filled: tuple[str, ...]) -> Prepared:
    return Prepared(insert_into(dialect, table).on_conflict_do_nothing(), filled)


def chunks(values: Sequence[Any]) -> Iterator[Sequence[Any]]:
    """Yield `values` in pieces that fit into one IN (…)."""
    for start in range(0, len(values), CHUNK):
        yield values[start : start + CHUNK]


def among(tx: Transaction, column: Column[Any], values: Iterable[Any]) -> ColumnElement[bool]:
    """Return `column IN (values)` as one bound value, however many there are.

    The statement's text is always the same, so that the database prepares it once; an IN (…)
    list is a new statement for each length.
    """
    wanted = list(values)
    if tx.dialect.name == "sqlite":
        each = func.json_each(orjson.dumps(wanted).decode()).table_valued("value")
        return column.in_(select(each.c.value))
    return column == any_(bindparam(None, wanted, type_=ARRAY(column.type)))


def insert_into(dialect: str, table: Table) -> Any:
    """Return the INSERT of a database's own dialect, which knows ON CONFLICT."""
    return sqlite_insert(table) if dialect == "sqlite" else pg_insert(table)
