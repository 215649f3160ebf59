"""Bulk statements that exist on both databases under different names."""

from __future__ import annotations

from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import String, any_, bindparam, delete, func, insert, select, update
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
    if tx.dialect.name != "sqlite" and (not columns or _are_different(table, rows)):
        await tx.write(table.name, _upsert_arrays(table, tuple(rows[0]), columns), as_arrays(rows))
        return
    await tx.execute(_upsert(tx.dialect.name, table, tuple(rows[0]), columns), list(rows))


async def insert_rows(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Insert `rows`, in the order given; all carry the same columns."""
    if not rows:
        return
    filled = tuple(rows[0])
    if tx.dialect.name == "sqlite":
        await tx.execute(_insert(table, filled), list(rows))
    else:
        await tx.write(table.name, _insert_arrays(table, filled), as_arrays(rows))


async def change_rows(tx: Transaction, table: Table, rows: Sequence[Mapping[str, Any]]) -> None:
    """Change rows that exist, found by their primary key; all carry the same columns."""
    if not rows:
        return
    filled = tuple(rows[0])
    if tx.dialect.name == "sqlite":
        keyed = [{f"to_{name}": value for name, value in row.items()} for row in rows]
        await tx.execute(_change(table, filled), keyed)
    else:
        await tx.write(table.name, _change_arrays(table, filled), as_arrays(rows))


def as_arrays(rows: Sequence[Mapping[str, Any]]) -> dict[str, list[Any]]:
    """Return rows as `rows_told` wants them bound: a list per column."""
    return {f"all_{name}": [row[name] for row in rows] for name in rows[0]}


def _are_different(table: Table, rows: Sequence[Mapping[str, Any]]) -> bool:
    """Tell whether no key comes twice: PostgreSQL replaces a row once per statement."""
    if len(rows) == 1:
        return True
    names = [column.name for column in table.primary_key]
    return len({tuple([row[name] for name in names]) for row in rows}) == len(rows)


@lru_cache(maxsize=1_000)
def _upsert_arrays(table: Table, filled: tuple[str, ...], columns: tuple[str, ...]) -> Prepared:
    keys = [column.name for column in table.primary_key]
    added = pg_insert(table).from_select(filled, rows_told(table, filled))
    changes = {name: added.excluded[name] for name in columns if name not in keys}
    if changes:
        return Prepared(added.on_conflict_do_update(index_elements=keys, set_=changes))
    return Prepared(added.on_conflict_do_nothing(index_elements=keys))


@lru_cache(maxsize=1_000)
def _insert(table: Table, filled: tuple[str, ...]) -> Prepared:
    return Prepared(insert(table), filled)


@lru_cache(maxsize=1_000)
def _insert_arrays(table: Table, filled: tuple[str, ...]) -> Prepared:
    return Prepared(pg_insert(table).from_select(filled, rows_told(table, filled)))


@lru_cache(maxsize=1_000)
def _change(table: Table, filled: tuple[str, ...]) -> Prepared:
    keys = {column.name for column in table.primary_key}
    changes: dict[str, Any] = {name: bindparam(f"to_{name}") for name in filled if name not in keys}
    changed = update(table).values(**changes)
    return Prepared(changed.where(*(table.c[key] == bindparam(f"to_{key}") for key in keys)))


@lru_cache(maxsize=1_000)
def _change_arrays(table: Table, filled: tuple[str, ...]) -> Prepared:
    keys = {column.name for column in table.primary_key}
    told = rows_told(table, filled).subquery("told")
    changed = update(table).values({name: told.c[name] for name in filled if name not in keys})
    return Prepared(changed.where(*(table.c[key] == told.c[key] for key in keys)))


def rows_told(table: Table, filled: Sequence[str]) -> Any:
    """PostgreSQL: select the rows `as_arrays` binds, in their order; the text never changes."""
    arrays = [
        bindparam(f"all_{name}", type_=ARRAY(_sent_as(table.c[name].type))) for name in filled
    ]
    told = func.unnest(*arrays).table_valued(*filled, with_ordinality="place_of_row")
    rows = told.render_derived()
    return select(*(rows.c[name] for name in filled)).order_by(rows.c.place_of_row)


def _sent_as(kind: Any) -> Any:
    """Return a column's type without its length: a cast would cut what the column refuses."""
    return String() if isinstance(kind, String) else kind


@lru_cache(maxsize=1_000)
def _upsert(
    dialect: str, table: Table, filled: tuple[str, ...], columns: tuple[str, ...]
) -> Prepared:
    """Return an upsert; built once, since building costs more than a small write."""
    keys = [column.name for column in table.primary_key]
    added = insert_into(dialect, table)
    changes = {name: added.excluded[name] for name in columns if name not in keys}
    if changes:
        return Prepared(added.on_conflict_do_update(index_elements=keys, set_=changes), filled)
    return Prepared(added.on_conflict_do_nothing(index_elements=keys), filled)


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
        await tx.write(table.name, _delete_among(dialect, table, column), bound)


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
    if not rows:
        return
    filled = tuple(rows[0])
    if tx.dialect.name == "sqlite":
        await tx.execute(_insert_missing(table, filled), list(rows))
    else:
        await tx.write(table.name, _insert_missing_arrays(table, filled), as_arrays(rows))


@lru_cache(maxsize=1_000)
def _insert_missing(table: Table, filled: tuple[str, ...]) -> Prepared:
    return Prepared(sqlite_insert(table).on_conflict_do_nothing(), filled)


@lru_cache(maxsize=1_000)
def _insert_missing_arrays(table: Table, filled: tuple[str, ...]) -> Prepared:
    added = pg_insert(table).from_select(filled, rows_told(table, filled))
    return Prepared(added.on_conflict_do_nothing())


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
