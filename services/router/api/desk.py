"""What callers may ask of the router, through HTTP or inside the same process."""

from __future__ import annotations

import logging
from collections import Counter
from typing import TYPE_CHECKING, Any
from uuid import UUID

from sqlalchemy import func, select

from services.router import handlers
from services.router.api.releasing import Releasing
from services.router.domain import NoSuchWorkItem, RequestNotRouted
from services.router.domain.drafts import seen_by
from services.router.gateways import Folder, must_be_on_known_shifts, read_directory
from services.router.handlers import Change, HandOn
from services.router.store import RouterWork, tables
from services.router.store.acts import read_history
from services.router.store.drafts import DRAFTS, read_drafts
from services.router.store.inbox import mend
from services.router.store.rows import item_of, record_of
from shared.database.references import request_filter, request_named
from shared.database.statements import insert_missing

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Sequence
    from contextlib import AbstractAsyncContextManager
    from datetime import datetime
    from typing import TypeVar

    from sqlalchemy import Table

    from services.router.domain import Record, WorkItem
    from services.router.domain.drafts import Draft
    from services.router.store import Repository
    from shared.consuming import Runtime
    from shared.database.engine import Transaction
    from shared.events.router import DirectoryChanged

    R = TypeVar("R")

_log = logging.getLogger(__name__)


class Desk:
    """The router's front desk."""

    def __init__(
        self, runtime: Runtime[RouterWork], repository: Repository, folder: Folder | None
    ) -> None:
        self._runtime, self.repository, self._folder = runtime, repository, folder
        self.releasing = Releasing(runtime, repository, folder)

    def now(self) -> datetime:
        """Return the present moment, UTC."""
        return self._runtime.time.now()

    def reading(self) -> AbstractAsyncContextManager[Transaction]:
        """Open a connection for reading."""
        return self._runtime.database.reading()

    # ---- definitions -----------------------------------------------------------------------

    async def begin(self) -> None:
        """Read what is in force, seed the directory, take the folder's definitions in."""
        async with self._runtime.database.transaction() as tx:
            row = {"id": 1, "revision": 0, "directory_version": 0, "directory": "{}"}
            await insert_missing(tx, tables.house, [row])
            await self.repository.refresh(tx)
        await mend(self._runtime.database)
        if self.repository.directory.version == 0 and self._folder is not None:
            seed = self._folder.directory_seed()
            if seed is not None:
                # Its calendars are released a moment later.
                await self._keep_directory(read_directory(seed), self._folder.keys("calendar"))
        await self.load_folder()

    async def load_folder(self) -> int:
        """Take new and changed files of the folder into force; return how many were released."""
        return await self.releasing.load_folder()

    async def put_directory(self, directory: DirectoryChanged) -> int:
        """Put a directory in force and announce it; return its version.

        Raises `BadDefinition` where it names a calendar nobody knows.
        """
        async with self._runtime.database.reading() as connection:
            await self.repository.refresh(connection)
        return await self._keep_directory(directory, self.repository.snapshot().calendars().keys())

    async def _keep_directory(self, directory: DirectoryChanged, known: Collection[str]) -> int:
        must_be_on_known_shifts(directory, known)
        version = await self._runtime.do(
            lambda work: handlers.keep_directory(directory, work), locks=["directory"]
        )
        async with self._runtime.database.reading() as connection:
            await self.repository.refresh(connection)
        return version

    async def figures(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Count the definitions in force and those refused and not mended."""
        in_force = Counter((found.kind,) for found in self.repository.all_in_force())
        return {
            "levee_definitions_in_force": {kind: float(n) for kind, n in in_force.items()},
            "levee_definitions_refused": {(): float(len(await self._unseen_faults()))},
        }

    async def checks(self) -> dict[str, tuple[bool, str]]:
        """Return what /ready tells about definitions and incidents."""
        refused = await self._unseen_faults()
        table = tables.incidents
        waiting = select(func.count()).select_from(table).where(table.c.resolved_us.is_(None))
        async with self._runtime.database.reading() as connection:
            incidents = (await connection.execute(waiting)).scalar_one()
        in_force = len(self.repository.all_in_force())
        told = f"{in_force} in force" + (f", refused: {', '.join(refused)}" if refused else "")
        return {
            "definitions": (not refused and in_force > 0, told),
            "incidents": (incidents == 0, f"{incidents} waiting"),
        }

    async def _unseen_faults(self) -> list[str]:
        """Return the files refused whose reasons nobody has been told yet."""
        faults = await self.releasing.shelf.faults()
        return [fault["file"] for fault in faults if fault["told_to"] is None]

    # ---- requests and work items -----------------------------------------------------------

    async def change(self, request_id: UUID, change: Change) -> Record:
        """Do to a request what a person wants done."""
        return await self._runtime.do(
            lambda work: handlers.apply_change(request_id, change, work), locks=[request_id]
        )

    async def claim(self, item_id: UUID, person: str, at: datetime) -> WorkItem:
        """Take a work item."""
        return await self._at(item_id, handlers.claim_item, person, at)

    async def give_back(self, item_id: UUID, person: str, reason: str, at: datetime) -> WorkItem:
        """Return a work item to its teams, with the reason."""
        return await self._at(item_id, handlers.return_item, person, reason, at)

    async def unclaim(self, item_id: UUID, person: str, at: datetime) -> WorkItem:
        """Put a work item back to its teams."""
        return await self._at(item_id, handlers.unclaim_item, person, at)

    async def delegate(self, item_id: UUID, to: HandOn, at: datetime) -> WorkItem:
        """Hand a work item on."""
        return await self._at(item_id, handlers.delegate_item, to, at)

    async def complete(
        self, item_id: UUID, person: str | None, result: dict[str, Any], at: datetime
    ) -> WorkItem:
        """Complete a work item."""
        return await self._at(item_id, handlers.complete_item, person, result, at)

    async def draft(self, item_id: UUID, person: str) -> Draft:
        """Return the draft somebody goes on from; raise `NoSuchWorkItem`, `NoDraft`."""
        table = tables.work_items
        async with self._runtime.database.reading() as connection:
            wanted = select(table).where(table.c.id == str(item_id))
            row = (await connection.execute(wanted)).first()
            if row is None:
                raise NoSuchWorkItem(work_item_id=item_id)
            known = await read_drafts(connection, [row.id])
        return seen_by(item_of(row), person, known.get(item_id, {}))

    async def save_draft(
        self, item_id: UUID, person: str, data: dict[str, Any], seen: tuple[str, ...], at: datetime
    ) -> Draft:
        """Keep what somebody has filled in of a work item they have."""
        loads = [f"{DRAFTS}{item_id}"]
        return await self._at(item_id, handlers.save_draft, person, data, seen, at, loads=loads)

    async def discard_draft(self, item_id: UUID, person: str, at: datetime) -> None:
        """Forget somebody's own draft."""
        loads = [f"{DRAFTS}{item_id}"]
        await self._at(item_id, handlers.discard_draft, person, at, loads=loads)

    async def _at(
        self, item_id: UUID, act: Callable[..., R], *given: Any, loads: Collection[str] = ()
    ) -> R:
        """Do something to a work item while nobody else does anything to its request."""
        request_id = await self._request_of(item_id)
        return await self._runtime.do(
            lambda work: act(item_id, *given, work=work), locks=[request_id], loads=loads
        )

    async def id_of(self, reference: UUID | str) -> UUID:
        """Return the id a reference means; raise `RequestNotRouted` for an unknown number."""
        found = await request_named(self._runtime.database, reference, *tables.NAMED)
        if found is None:
            raise RequestNotRouted(request_id=reference)
        return found

    async def about(self, reference: UUID | str | None) -> str | None:
        """Return what a list about a request filters by."""
        return await request_filter(self._runtime.database, reference, *tables.NAMED)

    async def request(self, reference: UUID | str) -> dict[str, Any]:
        """Return a request with its open work items; raise `RequestNotRouted`."""
        request_id = await self.id_of(reference)
        async with self._runtime.database.reading() as connection:
            wanted = select(tables.requests).where(tables.requests.c.id == str(request_id))
            row = (await connection.execute(wanted)).first()
            if row is None:
                raise RequestNotRouted(request_id=request_id)
            items = select(tables.work_items).where(
                tables.work_items.c.request_id == str(request_id)
            )
            oldest_first = (tables.work_items.c.opened_us, tables.work_items.c.id)
            found = (await connection.execute(items.order_by(*oldest_first))).all()
        return {
            **record_json(record_of(row)),
            "work_items": [item_json(item_of(item)) for item in found],
        }

    async def requests(
        self, filters: dict[str, str | None], limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of requests by state, team, priority, assignee or number."""
        rows, total = await self._page(tables.requests, filters, limit, offset)
        return [record_json(record_of(row)) for row in rows], total

    async def items(
        self, filters: dict[str, str | None], limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of work items by team, assignee or state, oldest first."""
        rows, total = await self._page(tables.work_items, filters, limit, offset)
        return [item_json(item_of(row)) for row in rows], total

    async def item(self, item_id: UUID) -> dict[str, Any]:
        """Return one work item; raise `NoSuchWorkItem`."""
        rows, _ = await self._page(tables.work_items, {"id": str(item_id)}, 1, 0)
        if not rows:
            raise NoSuchWorkItem(work_item_id=item_id)
        return item_json(item_of(rows[0]))

    async def history(
        self, item_id: UUID, limit: int, offset: int
    ) -> tuple[list[dict[str, Any]], int]:
        """Return a page of what happened to a work item, oldest first; raise `NoSuchWorkItem`."""
        async with self._runtime.database.reading() as connection:
            found = await read_history(connection, str(item_id), limit, offset)
        if found is None:
            raise NoSuchWorkItem(work_item_id=item_id)
        return found

    async def everything(self) -> list[Record]:
        """Return every request: for reports of a replay."""
        async with self._runtime.database.reading() as connection:
            rows: Sequence[Any] = (await connection.execute(select(tables.requests))).all()
        return [record_of(row) for row in rows]

    async def _page(
        self, table: Table, filters: dict[str, str | None], limit: int, offset: int
    ) -> tuple[Sequence[Any], int]:
        chosen = [table.c[name] == value for name, value in filters.items() if value is not None]
        async with self._runtime.database.reading() as connection:
            counted = select(func.count()).select_from(table).where(*chosen)
            total = (await connection.execute(counted)).scalar_one()
            # Ids are UUIDv7 or follow the request's: their order is the order of arrival.
            order = table.c.opened_us if "opened_us" in table.c else table.c.submitted_us
            wanted = select(table).where(*chosen).order_by(order, table.c.id)
            rows = (await connection.execute(wanted.limit(limit).offset(offset))).all()
        return rows, total

    async def _request_of(self, item_id: UUID) -> UUID:
        table = tables.work_items
        async with self._runtime.database.reading() as connection:
            wanted = select(table.c.request_id).where(table.c.id == str(item_id))
            found = (await connection.execute(wanted)).scalar_one_or_none()
        if found is None:
            raise NoSuchWorkItem(work_item_id=item_id)
        return UUID(found)


def record_json(record: Record) -> dict[str, Any]:
    """Return a request as the API shows it."""
    return {
        "id": str(record.id),
        "number": record.number,
        "state": record.state.value,
        "lane": record.lane.value,
        "priority": record.priority.value,
        "team": record.team,
        "assignee": record.assignee,
        "waiting_reason": record.waiting_reason,
        "handovers": record.handovers,
        "reopenings": record.reopenings,
        "submitted_at": record.submitted_at,
        "request_type": record.context.get("request_type"),
        "title": record.context.get("title"),
        "process": record.process,
        "process_version": record.process_version,
        "instance_id": str(record.instance_id),
        "review": record.review,
        "closing_deferred": record.closing,
    }


def item_json(item: WorkItem) -> dict[str, Any]:
    """Return a work item as the API shows it."""
    return {
        "id": str(item.id),
        "request_id": str(item.request_id),
        "element_id": item.element_id,
        "name": dict(item.names),
        "state": item.state.value,
        "candidate_teams": list(item.teams),
        "candidate_users": list(item.users),
        "assignee": item.assignee,
        "on_behalf_of": item.stands_in.get(item.assignee or ""),
        "handovers": item.handovers,
        "form": item.form,
        "purpose": item.purpose,
        "excludes": list(item.excludes),
        "opened_at": item.opened_at,
        "due_at": item.due_at,
    }
