"""What the API shows: the delivery log, endpoints, one delivery behind a link."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import orjson
from sqlalchemy import func, select

from services.notify.domain.deliveries import Delivery, Void
from services.notify.domain.people import Endpoint
from services.notify.store import tables
from services.notify.store.rows import delivery_of, endpoint_of, void_of
from shared.database.references import fill_numbers, request_filter
from shared.database.tables import to_us

if TYPE_CHECKING:
    from datetime import datetime, timedelta
    from uuid import UUID

    from sqlalchemy import ColumnElement

    from services.notify.store.house import Copies, House
    from shared.database.engine import Database


@dataclass(frozen=True, slots=True)
class Filter:
    """Which deliveries are wanted; None means any."""

    state: str | None = None
    recipient: str | None = None
    #: An id; an empty one is that of no request.
    request_id: str | None = None


class Reading:
    """Reads what is committed."""

    def __init__(self, database: Database, house: House) -> None:
        self._database, self._house = database, house

    async def copies(self) -> Copies:
        """Return the directory and templates in force."""
        async with self._database.reading() as connection:
            return await self._house.read(connection)

    async def page(self, wanted: Filter, limit: int, offset: int) -> tuple[list[Delivery], int]:
        """Return a page of the delivery log, newest first, and the total."""
        table = tables.deliveries
        conditions = _conditions(wanted)
        chosen = (
            select(table)
            .where(*conditions)
            .order_by(table.c.accepted_us.desc(), table.c.id)
            .limit(limit)
            .offset(offset)
        )
        async with self._database.reading() as connection:
            counted = select(func.count()).select_from(table).where(*conditions)
            total = int((await connection.execute(counted)).scalar_one())
            rows = (await connection.execute(chosen)).all()
        return [delivery_of(row) for row in rows], total

    async def delivery(self, delivery_id: UUID) -> Delivery | None:
        """Return one delivery."""
        table = tables.deliveries
        async with self._database.reading() as connection:
            wanted = select(table).where(table.c.id == str(delivery_id))
            row = (await connection.execute(wanted)).first()
        return delivery_of(row) if row is not None else None

    async def void(self, escalation_id: UUID) -> Void | None:
        """Return what is void of an escalation."""
        table = tables.voids
        async with self._database.reading() as connection:
            wanted = select(table).where(table.c.escalation_id == str(escalation_id))
            row = (await connection.execute(wanted)).first()
        return void_of(row) if row is not None else None

    async def about(self, reference: UUID | str | None) -> str | None:
        """Return what a list about a request filters by; messages tell their request's number."""
        table = tables.notifications
        columns = (table.c.number, table.c.request_id)
        return await request_filter(self._database, reference, *columns)

    async def number(self, delivery: Delivery) -> str:
        """Return what people call the request a delivery is about."""
        table = tables.notifications
        async with self._database.reading() as connection:
            wanted = select(table.c.body).where(table.c.id == str(delivery.notification_id))
            body = (await connection.execute(wanted)).scalar_one_or_none()
        parameters = orjson.loads(body)["parameters"] if body else {}
        return str(parameters.get("number") or delivery.request_id)

    async def endpoints(self) -> list[Endpoint]:
        """Return every webhook endpoint, by name."""
        table = tables.endpoints
        async with self._database.reading() as connection:
            rows = (await connection.execute(select(table).order_by(table.c.name))).all()
        return [endpoint_of(row) for row in rows]

    async def overdue(self, now: datetime, grace: timedelta) -> int:
        """Return how many deliveries wait although their time came `grace` ago; must be 0."""
        table = tables.deliveries
        wanted = (
            select(func.count())
            .select_from(table)
            .where(table.c.state == "accepted", table.c.next_us < to_us(now - grace))
        )
        async with self._database.reading() as connection:
            return int((await connection.execute(wanted)).scalar_one())

    async def count(self, state: str) -> int:
        """Return how many deliveries are in a state."""
        table = tables.deliveries
        wanted = select(func.count()).select_from(table).where(table.c.state == state)
        async with self._database.reading() as connection:
            return int((await connection.execute(wanted)).scalar_one())


async def fill_missing_numbers(database: Database) -> None:
    """Let messages that a release before this one stored be found by their request's number."""
    table = tables.notifications
    await fill_numbers(database, table.c.number, table.c.body, ("parameters", "number"))


def _conditions(wanted: Filter) -> list[ColumnElement[bool]]:
    table = tables.deliveries
    pairs = (
        (table.c.state, wanted.state),
        (table.c.recipient, wanted.recipient),
        (table.c.request_id, wanted.request_id),
    )
    return [column == value for column, value in pairs if value is not None]
