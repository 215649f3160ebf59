"""Messages that wait: early ones for their predecessor, set-aside ones for a person."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import orjson
from sqlalchemy import delete, func, select, update

from shared.database.statements import among, upsert
from shared.database.subjects import lock_subjects, save_subjects
from shared.database.tables import from_us
from shared.errors import LeveeError, NotFound, Refused
from shared.events.register import BY_TYPE

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime

    from shared.database.engine import Transaction
    from shared.database.tables import KitTables
    from shared.events.base import Header

#: Waits for its predecessor; not a fault by itself.
EARLY = "early"
#: A handler refused it or failed on it.
FAILED = "failed"
#: It could not be read.
UNREADABLE = "unreadable"
#: A due moment whose handler failed.
TIMER = "timer"
SET_ASIDE = (FAILED, UNREADABLE, TIMER)

#: Characters of a reason that are kept.
_DETAIL_MAX = 2_000


class NoSuchHeldMessage(NotFound):
    """No message {event_id} is held here."""

    zh: ClassVar[str] = "此处没有被搁置的消息 {event_id}。"


@dataclass(frozen=True, slots=True)
class Held:
    """One held message as operators see it."""

    event_id: str
    key: str | None
    publisher: str
    sequence: int
    type: str
    kind: str
    code: str
    detail: str
    held_at: datetime

    def as_json(self) -> dict[str, Any]:
        """Return the shape of `levee setaside list --json`."""
        return {
            "event_id": self.event_id,
            "request_id": self.key,
            "publisher": self.publisher,
            "sequence": self.sequence,
            "type": self.type,
            "kind": self.kind,
            "code": self.code,
            "detail": self.detail,
            "held_at": self.held_at.isoformat(),
        }


@dataclass(frozen=True, slots=True)
class Chosen:
    """Which held messages are wanted; None means any."""

    type: str | None = None
    code: str | None = None
    key: str | None = None


EVERYTHING = Chosen()


class StillWaiting(Refused):
    """Message {event_id} waits for its predecessor; fill or skip the gap before it."""

    zh: ClassVar[str] = "消息 {event_id} 正在等待其前序消息；请补上或跳过它之前的缺口。"


def describe(error: BaseException) -> tuple[str, str]:
    """Return the stable code and the detail under which a failing message is set aside."""
    code = error.code if isinstance(error, LeveeError) else type(error).__name__
    # PostgreSQL keeps no NUL in a text.
    return code[:100], str(error)[:_DETAIL_MAX].replace("\x00", "\\0")


async def hold(tx: Transaction, tables: KitTables, rows: Sequence[dict[str, Any]]) -> None:
    """Store held messages; one that was held before keeps its place with the new reason."""
    await upsert(
        tx,
        tables.held,
        sorted(rows, key=lambda r: r["event_id"]),
        update=("kind", "code", "detail"),
    )


async def read_held(tx: Transaction, tables: KitTables, keys: Collection[str]) -> list[Any]:
    """Return everything held about `keys`."""
    wanted = select(tables.held).where(among(tx, tables.held.c.key, sorted(keys)))
    return list((await tx.execute(wanted)).all())


async def ready_keys(tx: Transaction, tables: KitTables, limit: int) -> list[str]:
    """Return keys about which something is held whose turn has come.

    That is so when a held message could not be handled just then, or when a kill came between
    its replay and its handling.
    """
    held, subjects = tables.held, tables.subjects
    first = (
        select(held.c.key, held.c.publisher, held.c.type, func.min(held.c.sequence).label("first"))
        .where(held.c.kind == EARLY)
        .group_by(held.c.key, held.c.publisher, held.c.type)
        .subquery()
    )
    wanted = select(first, subjects.c.heard).join(subjects, subjects.c.key == first.c.key)
    found: dict[str, None] = {}
    for row in await tx.execute(wanted):
        known = BY_TYPE.get(row.type)
        is_latest = known is not None and known.ordering == "latest"
        if is_latest or row.first <= orjson.loads(row.heard).get(row.publisher, 0) + 1:
            found[row.key] = None
    return list(found)[:limit]


async def release(tx: Transaction, tables: KitTables, event_ids: Collection[str]) -> None:
    """Forget held messages that were dealt with."""
    if event_ids:
        await tx.execute(
            delete(tables.held).where(among(tx, tables.held.c.event_id, sorted(event_ids)))
        )


async def blame(tx: Transaction, tables: KitTables, event_id: str, code: str, detail: str) -> None:
    """Turn an early message whose turn came, and which failed, into a set-aside one."""
    table = tables.held
    await tx.execute(
        update(table)
        .where(table.c.event_id == event_id)
        .values(kind=FAILED, code=code, detail=detail)
    )


async def is_held(tx: Transaction, tables: KitTables, event_id: str) -> bool:
    """Tell whether a message is still held."""
    table = tables.held
    found = await tx.execute(select(table.c.event_id).where(table.c.event_id == event_id))
    return found.first() is not None


async def reconsider(tx: Transaction, tables: KitTables, event_id: str) -> Any:
    """Let a set-aside message wait for its turn again; return its row as it was.

    A timer's row goes: the caller arms the timer in the same transaction. Raises
    `NoSuchHeldMessage`.
    """
    row = await _locked(tx, tables, event_id)
    table = tables.held
    if row.kind == TIMER:
        await tx.execute(delete(table).where(table.c.event_id == event_id))
    elif row.kind == FAILED:
        await tx.execute(update(table).where(table.c.event_id == event_id).values(kind=EARLY))
    return row


async def read_again(tx: Transaction, tables: KitTables, row: Any, header: Header) -> None:
    """Let a message that can be read by now wait for its turn, like any other that came early."""
    subject = (await lock_subjects(tx, tables, [header.subject]))[header.subject]
    await tx.execute(delete(tables.held).where(tables.held.c.event_id == row.event_id))
    known = select(tables.held.c.event_id).where(tables.held.c.event_id == header.id)
    is_heard = header.sequence <= subject.heard.get(header.source, 0)
    if is_heard or (await tx.execute(known)).first() is not None:
        return
    subject.held += 1
    subject.is_changed = True
    waiting = row._asdict() | {
        "event_id": header.id,
        "key": header.subject,
        "publisher": header.source,
        "sequence": header.sequence,
        "type": header.type,
        "kind": EARLY,
    }
    await hold(tx, tables, [waiting])
    await save_subjects(tx, tables, [subject])


async def dismiss(tx: Transaction, tables: KitTables, event_id: str) -> Any:
    """Forget a set-aside message and count it as heard; return its row.

    Raises `NoSuchHeldMessage`, and `StillWaiting` for one that only came early.
    """
    row = await _locked(tx, tables, event_id)
    if row.kind == EARLY:
        raise StillWaiting(event_id=event_id)
    await tx.execute(delete(tables.held).where(tables.held.c.event_id == event_id))
    if row.kind == FAILED:
        subject = (await lock_subjects(tx, tables, [row.key]))[row.key]
        subject.held = max(0, subject.held - 1)
        subject.heard[row.publisher] = max(subject.heard.get(row.publisher, 0), row.sequence)
        subject.is_changed = True
        await save_subjects(tx, tables, [subject])
    return row


async def skip_to(
    tx: Transaction, tables: KitTables, key: str, publisher: str, sequence: int
) -> list[Any]:
    """Count everything `publisher` said about `key` up to `sequence` as heard.

    What is held of it is given up; returns those rows.
    """
    table = tables.held
    subject = (await lock_subjects(tx, tables, [key]))[key]
    passed = (table.c.key == key) & (table.c.publisher == publisher)
    passed &= table.c.sequence.between(1, sequence)
    gone = list((await tx.execute(select(table).where(passed))).all())
    await tx.execute(delete(table).where(passed))
    subject.held = max(0, subject.held - len(gone))
    subject.heard[publisher] = max(subject.heard.get(publisher, 0), sequence)
    subject.is_changed = True
    await save_subjects(tx, tables, [subject])
    return gone


async def show(tx: Transaction, tables: KitTables, event_id: str) -> dict[str, Any]:
    """Return a held message with its body; raises `NoSuchHeldMessage`."""
    wanted = select(tables.held).where(tables.held.c.event_id == event_id)
    row = (await tx.execute(wanted)).first()
    if row is None:
        raise NoSuchHeldMessage(event_id=event_id)
    try:
        body = orjson.loads(row.body)
    except orjson.JSONDecodeError:
        body = row.body.decode("utf-8", "backslashreplace")
    return {**_held(row).as_json(), "body": body}


async def _locked(tx: Transaction, tables: KitTables, event_id: str) -> Any:
    """Return a held row with its subject locked, in the order everybody locks."""
    wanted = select(tables.held).where(tables.held.c.event_id == event_id)
    row = (await tx.execute(wanted)).first()
    if row is not None and row.key is not None:
        await lock_subjects(tx, tables, [row.key])
        row = (await tx.execute(wanted)).first()
    if row is None:
        raise NoSuchHeldMessage(event_id=event_id)
    return row


async def list_held(
    tx: Transaction,
    tables: KitTables,
    *,
    kinds: Sequence[str],
    limit: int,
    offset: int,
    chosen: Chosen = EVERYTHING,
) -> tuple[list[Held], int]:
    """Return one page of held messages, oldest first, and how many there are in all."""
    table = tables.held
    wanted = table.c.kind.in_(list(kinds))
    for column in ("type", "code", "key"):
        if (value := getattr(chosen, column)) is not None:
            wanted &= table.c[column] == value
    total = (await tx.execute(select(func.count()).select_from(table).where(wanted))).scalar_one()
    statement = (
        (select(table).where(wanted).order_by(table.c.held_us, table.c.event_id))
        .limit(limit)
        .offset(offset)
    )
    return [_held(row) for row in (await tx.execute(statement)).all()], total


def _held(row: Any) -> Held:
    return Held(
        row.event_id,
        row.key,
        row.publisher,
        row.sequence,
        row.type,
        row.kind,
        row.code,
        row.detail,
        from_us(row.held_us),
    )
