"""Locks, own sequences and the inbox: one row per thing events are about."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import select

from shared.database.statements import chunks, insert_missing, upsert

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

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


async def lock_subjects(
    tx: Transaction, tables: KitTables, keys: Collection[str]
) -> dict[str, Subject]:
    """Lock the rows of `keys` in sorted order, creating missing ones, and return them.

    Until the transaction ends no other replica handles anything about these keys.
    """
    ordered = sorted(set(keys))
    subjects: dict[str, Subject] = {}
    table = tables.subjects
    is_sqlite = tx.dialect.name == "sqlite"
    for part in chunks(ordered):
        found = await _read(tx, tables, part)
        missing = [key for key in part if key not in found]
        if missing:
            rows = [{"key": key, "said": 0, "heard": "{}", "held": 0} for key in missing]
            await insert_missing(tx, table, rows)
            if is_sqlite:
                found |= {key: Subject(key) for key in missing}
            else:
                found |= await _read(tx, tables, missing)
        subjects |= found
    return subjects


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


async def _read(tx: Transaction, tables: KitTables, keys: Collection[str]) -> dict[str, Subject]:
    table = tables.subjects
    statement = (
        select(table.c.key, table.c.said, table.c.heard, table.c.held)
        .where(table.c.key.in_(list(keys)))
        .order_by(table.c.key)
    )
    if tx.dialect.name != "sqlite":
        statement = statement.with_for_update()
    rows = (await tx.execute(statement)).all()
    return {row.key: Subject(row.key, row.said, orjson.loads(row.heard), row.held) for row in rows}
