"""What is read outside a unit of work: for the API and for the report of a replay."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from typing import Any, ClassVar, TypedDict
from uuid import UUID

from sqlalchemy import ColumnElement, func, literal, select, union_all

from services.clock.domain.clocks import BREACH, clocks_at
from services.clock.domain.editions import version_of
from services.clock.domain.facts import Ledger
from services.clock.domain.moving import BY_ITSELF
from services.clock.store import tables
from services.clock.store.encoding import decode
from services.clock.store.moves import running_requests
from services.clock.store.shelf import Shelf, Shelved
from shared.database.engine import Database, Transaction
from shared.database.references import fill_numbers, request_named
from shared.database.statements import chunks
from shared.database.tables import to_us
from shared.errors import NotFound
from shared.vocabulary import ClockState

#: Ledgers read at a time by `snapshot`.
_AT_A_TIME = 2_000
#: Ledgers looked at between two answers to others.
_AT_A_LOOK = 100


class RequestUnknown(NotFound):
    """The clock knows no request {request_id}; it learns of one when it is routed.

    Name it by its number (R-2026-000123) or by its id.
    """

    zh: ClassVar[str] = (
        "计时服务不认识请求 {request_id}；请求分派后才会开始计时。"
        "请用编号（R-2026-000123）或 id 指明请求。"
    )


@dataclass(frozen=True, slots=True)
class ListedClock:
    """A clock as lists find it: which one of which request."""

    request_id: UUID
    key: str


class Snapshot(TypedDict):
    """One clock at a moment; durations in seconds of working time, `due_at` None while paused."""

    clock: str
    metric: str
    calendar: str
    calendar_version: int
    target_s: float
    elapsed_s: float
    paused_s: float
    due_at: datetime | None
    state: str
    is_breached: bool


async def read_ledgers(connection: Transaction, ids: Collection[str]) -> dict[str, Ledger]:
    """Return the ledgers of requests; unknown ones are absent."""
    table = tables.requests
    found: dict[str, Ledger] = {}
    for part in chunks(sorted(ids)):
        rows = await connection.execute(select(table).where(table.c.id.in_(part)))
        found |= {row.id: decode(UUID(row.id), row.ledger) for row in rows.all()}
    return found


async def read_ledger(
    database: Database, shelf: Shelf, reference: UUID | str
) -> tuple[Ledger, Shelved]:
    """Return the ledger of a routed request, by id or number, and the definitions to read it by.

    Raises `RequestUnknown`.
    """
    columns = (tables.requests.c.number, tables.requests.c.id)
    request_id = await request_named(database, reference, *columns)
    async with database.reading() as connection:
        found = await read_ledgers(connection, [str(request_id)])
        ledger = found.get(str(request_id))
        if ledger is None or ledger.pins is None:
            raise RequestUnknown(request_id=str(reference))
        library = await shelf.look(connection)
        await shelf.ensure(connection, ledger.all_pins())
    return ledger, library


async def fill_missing_numbers(database: Database) -> None:
    """Let requests that a release before this one stored be found by their numbers."""
    table = tables.requests
    await fill_numbers(database, table.c.number, table.c.ledger, ("routed", "number"))


async def list_clocks(
    database: Database,
    shelf: Shelf,
    *,
    states: Collection[str],
    metric: str | None,
    agreement: str | None = None,
    due_before: datetime | None = None,
    limit: int,
    offset: int,
) -> tuple[list[tuple[Ledger, str]], int, Shelved]:
    """Return a page of clocks (ledger and clock key), least time left first, and the total.

    `agreement`: only its clocks; an empty one means the promise outside.

    Running ones by their due moment, then those that stand still by the working time left.
    """
    table = tables.clocks
    wanted: list[ColumnElement[bool]] = []
    if states:
        wanted.append(table.c.state.in_(sorted(states)))
    if metric is not None:
        wanted.append(table.c.metric == metric)
    if agreement:
        wanted.append(table.c.key.endswith(f"@{agreement}", autoescape=True))
    elif agreement is not None:
        wanted.append(table.c.key.not_like("%@%"))
    if due_before is not None:
        wanted.append(table.c.due_us < to_us(due_before))
    async with database.reading() as connection:
        counted = await connection.execute(select(func.count()).select_from(table).where(*wanted))
        page = await connection.execute(
            select(table.c.request_id, table.c.key)
            .where(*wanted)
            .order_by(table.c.due_us.is_(None), table.c.due_us, table.c.left_us, table.c.id)
            .limit(limit)
            .offset(offset)
        )
        rows = page.all()
        ledgers = await read_ledgers(connection, {row.request_id for row in rows})
        library = await shelf.look(connection)
        await shelf.ensure(
            connection, [pins for ledger in ledgers.values() for pins in ledger.all_pins()]
        )
    found = [(ledgers[row.request_id], row.key) for row in rows if row.request_id in ledgers]
    return found, int(counted.scalar_one()), library


async def read_page_of_running(
    database: Database, shelf: Shelf, after: str
) -> tuple[list[Ledger], Shelved]:
    """Return some ledgers with a running clock, in order of their ids, those behind `after`."""
    async with database.reading() as connection:
        ids = await running_requests(connection, after, _AT_A_LOOK)
        found = await read_ledgers(connection, ids)
        library = await shelf.look(connection)
        pinned = [pins for ledger in found.values() for pins in ledger.all_pins()]
        await shelf.ensure(connection, pinned)
    return [found[each] for each in ids if each in found], library


async def count_kept(
    database: Database, key: str, since: datetime, until: datetime
) -> tuple[int, int]:
    """Return how many promises due in [since, until) were kept, and how many broken.

    `key` is the clock's ("resolution", "resolution@uc-hotline"). Cancelled ones count for
    neither, nor do those whose moment has come but that still run in time.
    """
    table = tables.clocks
    wanted = select(table.c.request_id).where(
        table.c.key == key,
        table.c.state != ClockState.CANCELLED.value,
        table.c.due_us >= to_us(since),
        table.c.due_us < to_us(until),
    )
    kept = broken = 0
    async with database.reading() as connection:
        ids = [row.request_id for row in (await connection.execute(wanted)).all()]
        for part in chunks(sorted(ids)):
            for ledger in (await read_ledgers(connection, part)).values():
                told = ledger.told.get(key)
                if told is None:
                    continue
                is_broken = told.is_breached or BREACH in told.standing
                broken += is_broken
                kept += told.is_over and not is_broken
    return kept, broken


async def list_calendars(database: Database) -> list[dict[str, Any]]:
    """Return every edition of every calendar: key, number, when and by whom it was released.

    One that came with newer holiday data was released by `BY_ITSELF`, when they were noticed.
    """
    table, later = tables.definitions, tables.editions
    columns = (table.c.key, table.c.version.label("number"), table.c.released_by)
    released = select(*columns, table.c.released_us, table.c.data).where(table.c.kind == "calendar")
    noticed = select(
        later.c.key, later.c.number, literal(BY_ITSELF), later.c.noticed_us, later.c.data
    )
    async with database.reading() as connection:
        rows = (await connection.execute(union_all(released, noticed))).mappings().all()
    return sorted(
        (dict(row) for row in rows),
        key=lambda row: (row["key"], version_of(row["number"]), row["number"]),
    )


async def snapshot(
    database: Database, now: datetime, shelf: Shelf | None = None
) -> dict[str, list[Snapshot]]:
    """Return every request's clocks as they stood at `now`, by request id, sorted.

    For the report of a replay: computed from the ledgers, a few statements in all. Requests not
    routed, or submitted after `now`, are absent.
    """
    shelf = shelf or Shelf()
    table = tables.requests
    found: dict[str, list[Snapshot]] = {}
    after = ""
    async with database.reading() as connection:
        library = await shelf.look(connection)
        while True:
            wanted = select(table).where(table.c.id > after).order_by(table.c.id)
            rows = (await connection.execute(wanted.limit(_AT_A_TIME))).all()
            if not rows:
                return found
            ledgers = [decode(UUID(row.id), row.ledger) for row in rows]
            await shelf.ensure(connection, [pins for each in ledgers for pins in each.all_pins()])
            for ledger in ledgers:
                clocks = _snapshots(ledger, now, library)
                if clocks:
                    found[str(ledger.request_id)] = clocks
            after = rows[-1].id


def _snapshots(ledger: Ledger, now: datetime, library: Shelved) -> list[Snapshot]:
    return [
        Snapshot(
            clock=clock.key,
            metric=str(clock.metric),
            calendar=clock.target.calendar.key,
            calendar_version=version_of(clock.target.calendar.version),
            target_s=clock.target.time.total_seconds(),
            elapsed_s=clock.elapsed_at(now).total_seconds(),
            paused_s=clock.paused_at(now).total_seconds(),
            due_at=clock.due_at,
            state=clock.state_at(now).value,
            is_breached=clock.is_breached_at(now),
        )
        for clock in sorted(clocks_at(ledger, now, library), key=lambda clock: clock.key)
    ]
