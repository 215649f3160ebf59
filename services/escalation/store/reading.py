"""What the API shows: pages of escalations, one with its steps. Never inside a transaction."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import func, select

from services.escalation.domain import Escalation, NoSuchEscalation, NoSuchRequest, Request
from services.escalation.store import tables
from services.escalation.store.rows import escalation_of, reached_of, request_of
from shared.database.references import request_filter, request_named
from shared.database.tables import from_us, to_us

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy import ColumnElement

    from services.escalation.domain import Reached
    from services.escalation.store.copies import Copies, InForce
    from shared.database.engine import Database


@dataclass(frozen=True, slots=True)
class Filter:
    """Which escalations are wanted; None means any."""

    state: str | None = None
    team: str | None = None
    #: An id; an empty one is that of no request.
    request_id: str | None = None


@dataclass(frozen=True, slots=True)
class TakenStep:
    """One step as it was taken."""

    at: datetime
    epoch: int
    tier: int
    repeat: int
    reached: Reached


class Reading:
    """Reads what is committed."""

    def __init__(self, database: Database, copies: Copies) -> None:
        self._database, self._copies = database, copies

    async def in_force(self) -> InForce:
        """Return the directory and policies in force."""
        async with self._database.reading() as connection:
            return await self._copies.read(connection)

    async def escalation(self, escalation_id: UUID) -> Escalation:
        """Return one escalation; raise `NoSuchEscalation`."""
        table = tables.escalations
        async with self._database.reading() as connection:
            wanted = select(table).where(table.c.id == str(escalation_id))
            row = (await connection.execute(wanted)).first()
        if row is None:
            raise NoSuchEscalation(escalation_id=escalation_id)
        return escalation_of(row)

    async def steps(self, escalation_id: UUID) -> list[TakenStep]:
        """Return the steps of an escalation in the order they were taken."""
        table = tables.steps
        wanted = (
            select(table)
            .where(table.c.escalation_id == str(escalation_id))
            .order_by(table.c.at_us, table.c.epoch, table.c.tier, table.c.repeat)
        )
        async with self._database.reading() as connection:
            rows = (await connection.execute(wanted)).all()
        return [_step_of(row) for row in rows]

    async def page(
        self, wanted: Filter, limit: int, offset: int
    ) -> tuple[list[tuple[Escalation, Request]], int]:
        """Return a page of escalations with their requests, newest first, and the total."""
        table, requests = tables.escalations, tables.requests
        conditions = _conditions(wanted)
        chosen = (
            select(table)
            .where(*conditions)
            .order_by(table.c.raised_us.desc(), table.c.id)
            .limit(limit)
            .offset(offset)
        )
        async with self._database.reading() as connection:
            counted = select(func.count()).select_from(table).where(*conditions)
            total = int((await connection.execute(counted)).scalar_one())
            found = [escalation_of(row) for row in (await connection.execute(chosen)).all()]
            ids = [str(escalation.request_id) for escalation in found]
            rows = await connection.execute(select(requests).where(requests.c.id.in_(ids)))
            known = {request.id: request for request in map(request_of, rows.all())}
        return [(e, known.get(e.request_id, Request(e.request_id))) for e in found], total

    async def id_of(self, reference: UUID | str) -> UUID:
        """Return the id a reference means; raise `NoSuchRequest` for an unknown number."""
        table = tables.requests
        found = await request_named(self._database, reference, table.c.number, table.c.id)
        if found is None:
            raise NoSuchRequest(request_id=reference)
        return found

    async def about(self, reference: UUID | str | None) -> str | None:
        """Return what a list about a request filters by."""
        table = tables.requests
        return await request_filter(self._database, reference, table.c.number, table.c.id)

    async def request(self, request_id: UUID) -> Request | None:
        """Return what is known of a request."""
        table = tables.requests
        async with self._database.reading() as connection:
            wanted = select(table).where(table.c.id == str(request_id))
            row = (await connection.execute(wanted)).first()
        return request_of(row) if row is not None else None

    async def overdue(self, now: datetime, grace: timedelta) -> int:
        """Return how many climbs wait although their step was due `grace` ago; must be 0."""
        table = tables.escalations
        wanted = (
            select(func.count())
            .select_from(table)
            .where(table.c.state == "raised", table.c.next_us < to_us(now - grace))
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(wanted)).scalar_one())


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    table = tables.escalations
    pairs = (
        (table.c.state, wanted.state),
        (table.c.team, wanted.team),
        (table.c.request_id, wanted.request_id),
    )
    return [column == value for column, value in pairs if value is not None]


def _step_of(row: Any) -> TakenStep:
    reached = reached_of(orjson.loads(row.body))
    return TakenStep(from_us(row.at_us), row.epoch, row.tier, row.repeat, reached)
