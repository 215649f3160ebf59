"""What is odd about the table in force: its rows, and promises inside against those outside."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from datetime import datetime

from sqlalchemy import select

from services.clock.store import tables
from services.clock.store.shelf import Shelf
from shared.business_time import Calendar
from shared.database.engine import Database
from shared.errors import Finding
from shared.targets.reading import findings_by_row, subject_of
from shared.targets.review import review_support
from shared.targets.rows import DECISION


async def review_in_force(
    database: Database, shelf: Shelf, at: datetime
) -> tuple[int, list[Finding]]:
    """Return the version of the table in force and its findings, seen from `at`.

    Computed in a thread: hundreds of pairs of promises take seconds. Raises `TargetsMissing`.
    """
    table = tables.definitions
    async with database.reading() as connection:
        library = await shelf.look(connection)
        pins = library.in_force()
        is_it = (table.c.kind == "decision") & (table.c.key == DECISION)
        wanted = select(table.c.content).where(is_it, table.c.version == pins.table)
        content = (await connection.execute(wanted)).scalar_one()
    calendars = {key: library.calendar(key, version) for key, version in pins.calendars.items()}
    return pins.table, await asyncio.to_thread(_reviewed, pins.table, content, calendars, at)


def _reviewed(
    version: int, content: str, calendars: Mapping[str, Calendar], at: datetime
) -> list[Finding]:
    rows = findings_by_row(version, content, calendars)
    return [*rows, *review_support(subject_of(version, content, calendars), at)]
