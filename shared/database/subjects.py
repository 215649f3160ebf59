"""Locks, own sequences and the inbox: one row per thing events are about."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import String, bindparam, func, literal, select
from sqlalchemy.dialects.postgresql import ARRAY, insert

from shared.database.native import Prepared
from shared.database.statements import one_of, rows_among, upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from sqlalchemy import Table

    from shared.database.engine import Transaction
    from shared.database.tables import KitTables


@dataclass(slots=True)
class Subject:
    """What is known of one key while its row is locked."""

    key: str
    said: int = 0
    heard: dict[str, int] = field(default_factory=dict)
    held: int = 0
    is_changed: bool = False
    #: Its last word was heard: nothing more is said about it.
    is_sealed: bool = False
    #: Its position was forgotten after that: what arrives is a repetition.
    is_forgotten: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether nothing was ever said, heard or held about it, as far as is known here."""
        return not (self.said or self.heard or self.held)


async def lock_subjects(
    tx: Transaction, tables: KitTables, keys: Collection[str], *, are_new: bool = False
) -> dict[str, Subject]:
    """Lock the rows of `keys` in sorted order, creating missing ones, and return them.

    Until the transaction ends no other replica handles anything about these keys. Whoever locks
    several keys cannot meet another in a deadly embrace: all missing rows are created before the
    first one is locked, both in the same order.

    `are_new` is a guess that saves a statement when it is right: that the rows do not exist yet.
    """
    ordered = sorted(set(keys))
    if not ordered:
        return {}
    table = tables.subjects
    if tx.dialect.name == "sqlite":
        # One writer: the transaction itself is the lock, missing rows are born when saved.
        found = _subjects(await rows_among(tx, table, "key", ordered))
        return {key: Subject(key) for key in ordered} | found
    wanted = {"wanted": ordered}
    if not are_new:
        known = (await tx.execute(_lock_if_all_exist(table), wanted)).all()
        if len(known) == len(ordered):
            return _subjects(known)
    made = (await tx.execute(_create_missing(table), wanted)).all()
    if len(made) == len(ordered):
        # What this transaction has inserted nobody else can see, let alone lock.
        return {key: Subject(key) for key in ordered}
    return _subjects((await tx.execute(_lock(table), wanted)).all())


async def save_subjects(tx: Transaction, tables: KitTables, subjects: Iterable[Subject]) -> None:
    """Write back the subjects that changed."""
    changed = sorted((s for s in subjects if s.is_changed), key=lambda s: s.key)
    rows = [
        {
            "key": s.key,
            "said": s.said,
            "heard": orjson.dumps(s.heard).decode(),
            "held": s.held,
        }
        for s in changed
    ]
    await upsert(tx, tables.subjects, rows)


def _subjects(rows: Iterable[Any]) -> dict[str, Subject]:
    return {row.key: Subject(row.key, row.said, orjson.loads(row.heard), row.held) for row in rows}


# Both statements are built once: building one costs more than running it on a few rows.


@lru_cache(maxsize=100)
def _create_missing(table: Table) -> Prepared:
    """PostgreSQL: insert the rows that do not exist yet, in the order of locking."""
    wanted = func.unnest(bindparam("wanted", type_=ARRAY(String))).column_valued("key_wanted")
    is_known = select(table.c.key).where(table.c.key == wanted).exists()
    missing = (
        select(wanted, literal(0), literal("{}"), literal(0))
        .where(~is_known)
        .order_by(wanted.collate("C"))
    )
    columns = [table.c.key, table.c.said, table.c.heard, table.c.held]
    created = insert(table).from_select(columns, missing).on_conflict_do_nothing()
    return Prepared(created.returning(table.c.key))


@lru_cache(maxsize=100)
def _lock_if_all_exist(table: Table) -> Prepared:
    """PostgreSQL: lock the rows, in the one order, if none is missing; lock none otherwise."""
    is_wanted = one_of("postgresql", table.c.key, "wanted")
    there = select(func.count()).select_from(table).where(is_wanted).scalar_subquery()
    asked = func.cardinality(bindparam("wanted", type_=ARRAY(String)))
    chosen = select(table).where(is_wanted, there == asked)
    return Prepared(chosen.order_by(table.c.key.collate("C")).with_for_update())


@lru_cache(maxsize=100)
def _lock(table: Table) -> Prepared:
    """PostgreSQL: lock the rows in the one order everybody locks in."""
    chosen = select(table).where(one_of("postgresql", table.c.key, "wanted"))
    return Prepared(chosen.order_by(table.c.key.collate("C")).with_for_update())
