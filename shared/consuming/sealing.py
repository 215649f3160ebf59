"""The end of a subject: its last word, and how its position is forgotten after that.

Intake says `request.sealed` long after a request ended and nothing more was heard of it. From then
on no service says anything about it, and each that has heard it forgets its position a while later.
What arrives about it afterwards can only be a repetition, and is dropped:

* a subject unknown here whose id is not above the highest one forgotten (`keeping.upto`) was
  forgotten. Ids grow with time (UUIDv7), and every service hears of every request from its
  beginning, so none this old is new; those of the same age that still run have their rows.
"""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any, ClassVar

from sqlalchemy import func, literal, select, update

from shared.consuming import outbox
from shared.consuming.keeping import Purge
from shared.database.statements import delete_among, insert_missing, rows_among
from shared.database.subjects import lock_subjects
from shared.database.tables import to_us
from shared.errors import Unavailable
from shared.id_source import first_id

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime

    from shared.consuming.work import Work
    from shared.database.engine import Transaction
    from shared.database.subjects import Subject
    from shared.database.tables import KitTables
    from shared.events.base import Envelope
    from shared.events.intake import RequestSealed

#: No subject younger than this is ever sealed: most transactions need not look.
YOUNGEST = timedelta(days=60)
#: What `keeping` calls positions.
POSITIONS = "positions"
_ID_LENGTH = 36


class ClockBehind(Unavailable):
    """The clock of this machine stands at {now}, long before what is kept here: set it right."""

    zh: ClassVar[str] = "本机时钟为 {now}，远早于这里已有的记录：请先校正时钟。"


def refuse_old(new: Collection[str], upto: str | None, now: datetime) -> None:
    """Raise `ClockBehind` for new subjects whose ids say they were forgotten long ago.

    Nobody would ever hear of them: their ids are taken for those of old ones.
    """
    if upto is not None and any(len(key) == _ID_LENGTH and key <= upto for key in new):
        raise ClockBehind(now=now.isoformat())


def seal(event: Envelope[RequestSealed], work: Work) -> None:
    """Hear a subject's last word: say nothing more about it."""
    work.seal(event.subject)


async def look(
    tx: Transaction, tables: KitTables, subjects: Mapping[str, Subject], now: datetime
) -> None:
    """Note of locked subjects which are sealed and which were forgotten; cheap for young ones."""
    edge = first_id(now - YOUNGEST)
    old = [key for key in subjects if len(key) == _ID_LENGTH and key < edge]
    if not old:
        return
    for row in await rows_among(tx, tables.sealed, "key", old):
        subjects[row.key].is_sealed = True
    blank = [key for key in old if subjects[key].is_blank]
    if blank:
        upto = await forgotten_upto(tx, tables)
        for key in blank:
            subjects[key].is_forgotten = upto is not None and key <= upto


async def forgotten_upto(tx: Transaction, tables: KitTables) -> str | None:
    """Return the highest key whose position was forgotten; None where none was."""
    table = tables.keeping
    found = await tx.execute(select(table.c.upto).where(table.c.what == POSITIONS))
    upto: str | None = found.scalar_one_or_none()
    return upto


async def store(tx: Transaction, tables: KitTables, keys: Collection[str], now: datetime) -> None:
    """Note subjects as sealed; ones that are stay as they were."""
    rows = [{"key": key, "sealed_us": to_us(now)} for key in sorted(keys)]
    await insert_missing(tx, tables.sealed, rows)


async def leave_no_blank(
    tx: Transaction, tables: KitTables, subjects: Mapping[str, Subject]
) -> None:
    """Remove the rows that locking made of subjects that were forgotten (PostgreSQL)."""
    gone = sorted(key for key, subject in subjects.items() if subject.is_forgotten)
    await delete_among(tx, tables.subjects, "key", gone)


def position_purge(tables: KitTables, keep: timedelta) -> Purge:
    """Return the purge of positions of sealed subjects, `keep` after they were sealed here.

    Not while something about one is held, armed, or in an outbox that is as old as its seal: that
    would be published again where a broker lost something.
    """
    subjects, sealed = tables.subjects, tables.sealed

    async def forget(tx: Transaction, edge_us: int, limit: int) -> int:
        first_us = await outbox.oldest_us(tx, tables)
        edge_us = edge_us if first_us is None else min(edge_us, first_us)
        is_held = (
            select(literal(1)).where(subjects.c.key == sealed.c.key, subjects.c.held > 0).exists()
        )
        is_armed = select(literal(1)).where(tables.timers.c.key == sealed.c.key).exists()
        old = select(sealed.c.key).where(sealed.c.sealed_us < edge_us, ~is_held, ~is_armed)
        rows = await tx.execute(old.order_by(sealed.c.sealed_us).limit(limit))
        keys = sorted(row.key for row in rows)
        if not keys:
            return 0
        # As whoever handles something about them would: nobody is in the middle of it.
        await lock_subjects(tx, tables, keys)
        await delete_among(tx, subjects, "key", keys)
        await delete_among(tx, sealed, "key", keys)
        table, upto = tables.keeping, await forgotten_upto(tx, tables)
        highest = keys[-1] if upto is None else max(upto, keys[-1])
        await tx.execute(update(table).where(table.c.what == POSITIONS).values(upto=highest))
        return len(keys)

    async def oldest(tx: Transaction) -> int | None:
        return (await tx.execute(select(func.min(sealed.c.sealed_us)))).scalar_one()  # type: ignore[no-any-return]

    return Purge(POSITIONS, keep, forget, oldest)


async def unsealed(
    tx: Transaction, tables: KitTables, after: str, before: datetime, limit: int
) -> list[str]:
    """Return the next keys behind `after` of subjects made before a moment and not sealed."""
    subjects = tables.subjects
    is_sealed = select(literal(1)).where(tables.sealed.c.key == subjects.c.key).exists()
    wanted = select(subjects.c.key).where(
        subjects.c.key > after,
        subjects.c.key < first_id(before),
        func.length(subjects.c.key) == _ID_LENGTH,
        ~is_sealed,
    )
    rows: Any = await tx.execute(wanted.order_by(subjects.c.key).limit(limit))
    return [row.key for row in rows]
