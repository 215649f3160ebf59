"""The log of moves: which running clocks were put under which versions, by whom, how far it is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, ClassVar

import orjson
from sqlalchemy import func, select

from services.clock.domain.facts import Pins
from services.clock.store import tables
from shared.database.engine import Database, Transaction
from shared.database.statements import upsert
from shared.database.tables import from_us, to_us
from shared.errors import NotFound, Refused
from shared.vocabulary import ClockState

#: The subject of a move's own timer: `move/<id>`.
PREFIX = "move/"
#: Requests one firing hands on; each is moved in its own turn, between live work.
PAGE = 500
#: The kinds of the timer each request to be moved gets.
ONE = ("move", "extend")
_RUNNING = (ClockState.RUNNING.value, ClockState.PAUSED.value, ClockState.BREACHED.value)


class NoSuchMove(NotFound):
    """There is no move {move_id}."""

    zh: ClassVar[str] = "没有迁移 {move_id}。"


class MoveUnfinished(Refused):
    """The move {move_id} is still under way ({waiting} requests wait): undo it when it is done.

    An undoing that overtook it would leave some requests moved for good.
    """

    zh: ClassVar[str] = (
        "迁移 {move_id} 仍在进行（还有 {waiting} 个请求在等待）：请在其完成后再撤销，"
        "否则部分请求会保持已迁移状态。"
    )


class MoveUndone(Refused):
    """The move {move_id} was undone at {undone_at} by {undone_by} (move {undoing}): once is all.

    Since then the running clocks hold what they had before it. `levee clocks move --apply` puts
    them under the versions in force again.
    """

    zh: ClassVar[str] = (
        "迁移 {move_id} 已于 {undone_at} 由 {undone_by} 撤销（迁移 {undoing}），不能再次撤销：此后"
        "运行中的计时保持迁移之前的版本。要再次采用现行版本，请执行 levee clocks move --apply。"
    )


class NothingToUndo(Refused):
    """No running clock still holds what the move {move_id} gave it: nothing is to be put back.

    Their requests ended, or were moved again since. The latest move is {latest} ({latest_at}, by
    {latest_by}): undo that one, if it is meant.
    """

    zh: ClassVar[str] = (
        "没有运行中的计时仍处于迁移 {move_id} 之后的版本，无可撤销："
        "相关请求已结束，或此后又被迁移。"
        "最近一次迁移是 {latest}（{latest_at}，{latest_by}）：若指的是它，请撤销它。"
    )


@dataclass(frozen=True, slots=True)
class MoveJob:
    """One move of all running clocks; `requests` were handed on so far, `cursor` the last."""

    id: str
    pins: Pins
    moved_by: str
    reason: str
    created_at: datetime
    undoes: str | None = None
    cursor: str = ""
    requests: int = 0
    #: Whether every running request has been handed on.
    is_spread: bool = False
    #: The calendar whose holidays were published: a move nobody had to ask for.
    extends: str | None = None

    def spread_over(self, page: list[str]) -> MoveJob:
        """Return it with a page more."""
        return replace(
            self,
            cursor=page[-1] if page else self.cursor,
            requests=self.requests + len(page),
            is_spread=len(page) < PAGE,
        )


async def read_pages(tx: Transaction, keys: list[str]) -> dict[str, tuple[MoveJob, list[str]]]:
    """Return, by timer key, each move and the next running requests it is to reach."""
    found = {}
    for key in keys:
        job = await _read(tx, key.removeprefix(PREFIX))
        if job is not None:
            found[key] = (job, await running_requests(tx, job.cursor, PAGE))
    return found


async def running_requests(tx: Transaction, after: str, limit: int) -> list[str]:
    """Return ids of requests with a running clock, in order, those behind `after`."""
    table = tables.clocks
    wanted = (
        select(table.c.request_id)
        .where(table.c.state.in_(_RUNNING), table.c.request_id > after)
        .distinct()
        .order_by(table.c.request_id)
        .limit(limit)
    )
    return [row.request_id for row in (await tx.execute(wanted)).all()]


async def write_jobs(tx: Transaction, jobs: list[MoveJob]) -> None:
    """Store moves as they stand."""
    await upsert(tx, tables.moves, [_row(job) for job in jobs])


async def read_job(database: Database, move_id: str) -> tuple[MoveJob, int]:
    """Return a move and how many requests still wait for their turn; raises `NoSuchMove`."""
    async with database.reading() as connection:
        job = await _read(connection, move_id)
        if job is None:
            raise NoSuchMove(move_id=move_id)
        return job, await _waiting(connection, move_id)


async def undone_by(database: Database, move_id: str) -> MoveJob | None:
    """Return the move that undid this one, if one did."""
    wanted = select(tables.moves).where(tables.moves.c.undoes == move_id).limit(1)
    async with database.reading() as connection:
        row = (await connection.execute(wanted)).mappings().first()
    return None if row is None else _job(row)


async def list_jobs(database: Database, limit: int, offset: int) -> tuple[list[MoveJob], int]:
    """Return the log of moves, newest first, and how many there are."""
    table = tables.moves
    page = select(table).order_by(table.c.created_us.desc(), table.c.id).limit(limit)
    async with database.reading() as connection:
        total = (await connection.execute(select(func.count()).select_from(table))).scalar_one()
        rows = (await connection.execute(page.offset(offset))).mappings().all()
    return [_job(row) for row in rows], int(total)


async def _read(tx: Transaction, move_id: str) -> MoveJob | None:
    wanted = select(tables.moves).where(tables.moves.c.id == move_id)
    row = (await tx.execute(wanted)).mappings().first()
    return None if row is None else _job(row)


async def _waiting(tx: Transaction, move_id: str) -> int:
    timers = tables.kit.timers
    # Its own timers carry it as their name; those of its undoing only mention it.
    own = f'"name":"{move_id}"'
    wanted = (
        select(func.count())
        .select_from(timers)
        .where(timers.c.kind.in_(ONE), timers.c.payload.contains(own, autoescape=True))
    )
    return int((await tx.execute(wanted)).scalar_one())


def _row(job: MoveJob) -> dict[str, Any]:
    pins = {"table": job.pins.table, "calendars": dict(job.pins.calendars)}
    return {
        "id": job.id,
        "pins": orjson.dumps(pins).decode(),
        "undoes": job.undoes,
        "moved_by": job.moved_by,
        "reason": job.reason,
        "created_us": to_us(job.created_at),
        "cursor": job.cursor,
        "requests": job.requests,
        "is_spread": job.is_spread,
        "extends": job.extends,
    }


def _job(row: Mapping[str, Any]) -> MoveJob:
    pins = orjson.loads(row["pins"])
    return MoveJob(
        id=row["id"],
        pins=Pins(pins["table"], pins["calendars"]),
        moved_by=row["moved_by"],
        reason=row["reason"],
        created_at=from_us(row["created_us"]),
        undoes=row["undoes"],
        cursor=row["cursor"],
        requests=row["requests"],
        is_spread=bool(row["is_spread"]),
        extends=row["extends"],
    )
