"""What was told of calendars' known holidays."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date

from services.clock.domain.coverage import Known, subject_of
from services.clock.store import tables
from shared.database.engine import Transaction
from shared.database.statements import rows_among, upsert


async def read_known(tx: Transaction, subjects: Collection[str]) -> dict[str, Known]:
    """Return what was told of these calendars, by their subject; unknown ones are absent."""
    rows = await rows_among(tx, tables.coverage, "id", sorted(subjects))
    return {
        row.id: Known(row.calendar, row.version, _day(row.covered_until), _day(row.warned_until))
        for row in rows
    }


async def write_known(tx: Transaction, told: Collection[Known]) -> None:
    """Store what was told."""
    rows = [
        {
            "id": str(subject_of(known.calendar)),
            "calendar": known.calendar,
            "version": known.version,
            "covered_until": _text(known.until),
            "warned_until": _text(known.warned_until),
        }
        for known in told
    ]
    await upsert(tx, tables.coverage, rows)


def _day(text: str | None) -> date | None:
    return None if text is None else date.fromisoformat(text)


def _text(day: date | None) -> str | None:
    return None if day is None else day.isoformat()
