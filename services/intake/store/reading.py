"""What portals and agents read: one request, pages of requests, timeline and conversation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from services.intake.domain.standing import OVER
from services.intake.store.rows import answer_of, request_of
from services.intake.store.tables import answers, kit, messages, requests, timeline
from shared.consuming.sealing import unsealed
from shared.database.statements import among
from shared.database.tables import to_us

if TYPE_CHECKING:
    from datetime import datetime

    from sqlalchemy import Select, Table

    from services.intake.domain.values import Answer, Once, Request
    from shared.database.engine import Database


@dataclass(frozen=True, slots=True)
class Filter:
    """Which requests are wanted; None leaves a field open."""

    source: str | None = None
    external_id: str | None = None
    number: str | None = None
    state: str | None = None
    requester: str | None = None


@dataclass(frozen=True, slots=True)
class Reading:
    """Reads what was committed."""

    database: Database

    async def request(self, reference: UUID | str) -> Any | None:
        """Return the row of a request by id or number, or None."""
        column = requests.c.id if isinstance(reference, UUID) else requests.c.number
        async with self.database.reading() as connection:
            found = await connection.execute(select(requests).where(column == str(reference)))
            return found.one_or_none()

    async def id_of(self, number: str) -> str | None:
        """Return the id of the request with this number, or None."""
        async with self.database.reading() as connection:
            wanted = select(requests.c.id).where(requests.c.number == number)
            found: str | None = (await connection.execute(wanted)).scalar_one_or_none()
        return found

    async def requests(self, wanted: Filter, limit: int, offset: int) -> tuple[list[Any], int]:
        """Return a page of requests, the newest first, and how many there are."""
        fields = {
            requests.c.source: wanted.source,
            requests.c.external_id: wanted.external_id,
            requests.c.number: wanted.number,
            requests.c.state: wanted.state,
            requests.c.requester_id: wanted.requester,
        }
        where = [column == value for column, value in fields.items() if value is not None]
        order = (requests.c.submitted_us.desc(), requests.c.id.desc())
        chosen = select(requests).where(*where).order_by(*order)
        return await self._page(
            chosen, select(func.count()).select_from(requests).where(*where), limit, offset
        )

    async def timeline(self, request_id: str, limit: int, offset: int) -> tuple[list[Any], int]:
        """Return a page of a request's facts, the oldest first, and how many there are."""
        columns = (
            timeline.c.occurred_us,
            timeline.c.recorded_us,
            timeline.c.rank,
            timeline.c.sequence,
            timeline.c.id,
        )
        return await self._about(timeline, request_id, columns, limit, offset)

    async def messages(self, request_id: str, limit: int, offset: int) -> tuple[list[Any], int]:
        """Return a page of a request's conversation, the oldest first, and how many there are."""
        columns = (messages.c.occurred_us, messages.c.recorded_us, messages.c.sequence)
        return await self._about(messages, request_id, columns, limit, offset)

    async def answered(self, once: Once) -> tuple[str, Answer] | None:
        """Return fingerprint and answer of an earlier call with the same Idempotency-Key."""
        place = (answers.c.caller_id == once.caller_id) & (answers.c.key == once.key)
        async with self.database.reading() as connection:
            row = (await connection.execute(select(answers).where(place))).one_or_none()
        return None if row is None else (row.fingerprint, answer_of(row))

    async def posted_as(self, source: str, external_id: str) -> Request | None:
        """Return the request a source posted under its own reference."""
        rows, _ = await self.requests(Filter(source=source, external_id=external_id), 1, 0)
        return request_of(rows[0]) if rows else None

    async def unrouted(self, before: datetime) -> int:
        """Return how many requests posted before a moment nobody has routed."""
        late = (requests.c.state == "submitted") & (requests.c.submitted_us < to_us(before))
        wanted = (
            select(func.count()).select_from(requests).where(late, requests.c.is_import.is_(False))
        )
        async with self.database.reading() as connection:
            return int((await connection.execute(wanted)).scalar_one())

    async def quiet_since(self, moment: datetime, after: str, limit: int) -> tuple[list[str], str]:
        """Look at the next requests behind the id `after` that were made before a moment.

        Return those not sealed that are over and of which nothing was recorded since, and the id
        to go on from; nothing when there are no more.
        """
        async with self.database.reading() as connection:
            keys = await unsealed(connection, kit, after, moment, limit)
            is_over = requests.c.state.in_([state.value for state in OVER])
            is_touched = select(timeline.c.id).where(
                timeline.c.request_id == requests.c.id, timeline.c.recorded_us >= to_us(moment)
            )
            wanted = select(requests.c.id).where(
                among(connection, requests.c.id, keys), is_over, ~is_touched.exists()
            )
            found = (await connection.execute(wanted)).scalars().all() if keys else []
        return sorted(found), keys[-1] if len(keys) == limit else ""

    async def _about(
        self, table: Table, request_id: str, order: tuple[Any, ...], limit: int, offset: int
    ) -> tuple[list[Any], int]:
        about = table.c.request_id == request_id
        chosen = select(table).where(about).order_by(*order)
        count = select(func.count()).select_from(table).where(about)
        return await self._page(chosen, count, limit, offset)

    async def _page(
        self, chosen: Select[Any], count: Select[Any], limit: int, offset: int
    ) -> tuple[list[Any], int]:
        async with self.database.reading() as connection:
            rows = list((await connection.execute(chosen.limit(limit).offset(offset))).all())
            if len(rows) < limit and (rows or offset == 0):
                return rows, offset + len(rows)
            return rows, (await connection.execute(count)).scalar_one()
