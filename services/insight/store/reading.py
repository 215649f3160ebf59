"""Lists and single requests, read by pages and the API."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import case, func, or_, select

from services.insight.store import tables

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    from sqlalchemy import ColumnElement

    from shared.database.engine import Transaction

#: Publishers in the order in which one makes the next one speak.
_CAUSES = {"intake": 0, "router": 1, "clock": 2, "escalation": 3, "notify": 4}


@dataclass(frozen=True, slots=True)
class Filters:
    """Which requests a list shows; None means any."""

    state: str | None = None
    team: str | None = None
    domain: str | None = None
    priority: str | None = None
    #: Number, external id, or part of a title.
    q: str | None = None
    is_overdue: bool | None = None
    is_open: bool | None = None


def _chosen(filters: Filters) -> list[ColumnElement[bool]]:
    table = tables.requests
    equal = {
        "state": filters.state,
        "team": filters.team,
        "domain": filters.domain,
        "priority": filters.priority,
    }
    chosen: list[ColumnElement[bool]] = [
        table.c[name] == value for name, value in equal.items() if value is not None
    ]
    if filters.is_open is not None:
        chosen.append(table.c.is_open if filters.is_open else ~table.c.is_open)
    if filters.is_overdue is not None:
        is_overdue = table.c.is_open & table.c.is_overdue
        chosen.append(is_overdue if filters.is_overdue else ~is_overdue)
    if filters.q:
        chosen.append(
            or_(
                table.c.number == filters.q.strip().upper(),
                table.c.external_id == filters.q.strip(),
                table.c.title.icontains(filters.q.strip(), autoescape=True),
            )
        )
    # Known only from somebody who spoke before intake and the router: not a request yet.
    chosen.append(table.c.submitted_us.is_not(None))
    return chosen


async def list_requests(
    connection: Transaction, filters: Filters, limit: int, offset: int
) -> tuple[Sequence[Any], int]:
    """Return a page of requests: least time left first, then the newest, and the total."""
    table = tables.requests
    chosen = _chosen(filters)
    total = (await connection.execute(select(func.count()).where(*chosen))).scalar_one()
    order = (
        # Ended requests have nothing due; both databases must put them last.
        (~table.c.is_open).asc(),
        table.c.urgent_us.is_(None).asc(),
        table.c.urgent_us,
        table.c.submitted_us.desc(),
        table.c.id,
    )
    wanted = select(table).where(*chosen).order_by(*order).limit(limit).offset(offset)
    return (await connection.execute(wanted)).all(), int(total)


async def most_urgent(
    connection: Transaction, team: str | None, domain: str | None, limit: int
) -> Sequence[Any]:
    """Return the open requests with the least time left."""
    table = tables.requests
    wanted = select(table).where(table.c.is_open, table.c.urgent_us.is_not(None))
    if team is not None:
        wanted = wanted.where(table.c.team == team)
    if domain is not None:
        wanted = wanted.where(table.c.domain == domain)
    found = await connection.execute(wanted.order_by(table.c.urgent_us, table.c.id).limit(limit))
    return list(found.all())


async def find_request(connection: Transaction, reference: str) -> Any | None:
    """Return a request by id or number."""
    table = tables.requests
    try:
        column, value = table.c.id, str(UUID(reference))
    except ValueError:
        column, value = table.c.number, reference.upper()
    wanted = select(table).where(column == value, table.c.submitted_us.is_not(None)).limit(1)
    return (await connection.execute(wanted)).first()


async def clocks_of(connection: Transaction, request_ids: Collection[str]) -> Sequence[Any]:
    """Return the clocks of requests in the order in which they began."""
    table = tables.clocks
    wanted = select(table).where(table.c.request_id.in_(sorted(request_ids)))
    order = (table.c.started_us, table.c.metric, table.c.id)
    return list((await connection.execute(wanted.order_by(*order))).all())


async def timeline_of(
    connection: Transaction, request_id: str, limit: int, offset: int
) -> tuple[Sequence[Any], int]:
    """Return a page of a request's timeline in the order of what happened, and the total."""
    table = tables.timeline
    chosen = table.c.request_id == request_id
    total = (await connection.execute(select(func.count()).where(chosen))).scalar_one()
    order = (
        table.c.occurred_us,
        table.c.recorded_us,
        # At the same moment what caused comes before what it caused.
        case(_CAUSES, value=table.c.publisher, else_=len(_CAUSES)),
        table.c.sequence,
        table.c.event_id,
    )
    wanted = select(table).where(chosen).order_by(*order).limit(limit).offset(offset)
    return (await connection.execute(wanted)).all(), int(total)


async def escalations_of(connection: Transaction, request_id: str) -> Sequence[Any]:
    """Return a request's escalations, oldest first."""
    table = tables.escalations
    wanted = select(table).where(table.c.request_id == request_id)
    return list((await connection.execute(wanted.order_by(table.c.raised_us, table.c.id))).all())


async def recent_escalations(
    connection: Transaction, team: str | None, domain: str | None, limit: int
) -> Sequence[Any]:
    """Return the latest escalations with number and title of their requests."""
    table, requests = tables.escalations, tables.requests
    wanted = select(table, requests.c.number, requests.c.title).join(
        requests, requests.c.id == table.c.request_id
    )
    if team is not None:
        wanted = wanted.where(table.c.team == team)
    if domain is not None:
        wanted = wanted.where(table.c.domain == domain)
    wanted = wanted.where(table.c.raised_us.is_not(None))
    order = (table.c.raised_us.desc(), table.c.id)
    return list((await connection.execute(wanted.order_by(*order).limit(limit))).all())


async def all_names(connection: Transaction) -> dict[tuple[str, str], tuple[str, str]]:
    """Return what teams, people and request types are called: (kind, key) -> (zh, en)."""
    table = tables.names
    found = await connection.execute(select(table).where(table.c.kind != "version"))
    return {(row.kind, row.key): (row.zh, row.en) for row in found}


async def known_domains(connection: Transaction) -> list[str]:
    """Return the domains of open requests, for a filter to choose from."""
    table = tables.requests
    wanted = select(table.c.domain).where(table.c.is_open).distinct().order_by(table.c.domain)
    return [name for (name,) in await connection.execute(wanted) if name]


async def count_states(connection: Transaction) -> dict[str, int]:
    """Return how many requests are in each state."""
    table = tables.requests
    wanted = (
        select(table.c.state, func.count())
        .where(table.c.submitted_us.is_not(None))
        .group_by(table.c.state)
        .order_by(table.c.state)
    )
    return {row[0]: int(row[1]) for row in await connection.execute(wanted)}
