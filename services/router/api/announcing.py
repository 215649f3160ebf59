"""Definitions stay on the bus for whoever comes late: a bus that lost them is told again.

A broker whose store is new (restored house, lost disk) holds no definitions, and the outbox keeps
what was published for minutes only. The tables are the truth, so they are announced from there.
"""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from sqlalchemy import select

from services.router.store import RouterWork, tables
from shared.bus.port import DEFINITIONS_STREAM
from shared.database.tables import from_us
from shared.errors import Unavailable
from shared.events import router as said

if TYPE_CHECKING:
    from services.router.store import Repository
    from shared.consuming import Runtime

_log = logging.getLogger(__name__)

#: How often a connection that is new is looked for.
_LOOK_S = 2.0


class Announcer:
    """Looks after each (re)connection whether the bus still has what is in force."""

    def __init__(self, runtime: Runtime[RouterWork], repository: Repository) -> None:
        self._runtime, self._repository = runtime, repository
        self._seen_reconnects = -1

    async def watch(self) -> None:
        """Look for ever; ends when cancelled."""
        while True:
            await self._runtime.time.sleep(_LOOK_S)
            try:
                await self.look()
            except Unavailable as error:
                _log.warning("definitions not announced again this time: %s", error)

    async def look(self) -> int:
        """Announce everything in force where the stream cannot hold it; return how many."""
        bus = self._runtime.bus
        reconnects = bus.reconnects
        if reconnects == self._seen_reconnects or not bus.is_connected:
            return 0
        last = await bus.last_sequence(DEFINITIONS_STREAM)
        if last is None:
            return 0
        rows, directory = await self._in_force()
        count = len(rows) + (directory.version > 0)
        # Every thing in force was said once at least: a stream that counts less has lost some.
        if last < count:
            _log.warning(
                "%s ends at %s, %s definitions are in force: announcing them again",
                DEFINITIONS_STREAM,
                last,
                count,
            )
            await self._announce(rows, directory)
            # What waits in the outbox already follows; the next connection is looked at anew.
        self._seen_reconnects = reconnects
        return count if last < count else 0

    async def _in_force(self) -> tuple[list[Any], said.DirectoryChanged]:
        table = tables.definitions
        wanted = select(table).where(table.c.is_in_force).order_by(table.c.released_us)
        async with self._runtime.database.reading() as connection:
            await self._repository.refresh(connection)
            rows = list((await connection.execute(wanted)).all())
        return rows, self._repository.directory

    async def _announce(self, rows: list[Any], directory: said.DirectoryChanged) -> None:
        acts = [
            self._runtime.do(
                lambda work, row=row: _say(work, row),  # type: ignore[misc]
                locks=[f"{row.kind}/{row.key}"],
            )
            for row in rows
        ]
        if directory.version > 0:
            acts.append(
                self._runtime.do(lambda work: _say_directory(work, directory), locks=["directory"])
            )
        await asyncio.gather(*acts)


def _say(work: RouterWork, row: Any) -> None:
    event = said.DefinitionReleased(
        kind=row.kind,
        key=row.key,
        version=row.version,
        content_hash=row.content_hash,
        content=row.content,
        released_by=row.released_by,
    )
    released_at: datetime = from_us(row.released_us)
    work.publish(event, subject=f"{row.kind}/{row.key}", occurred_at=released_at)


def _say_directory(work: RouterWork, directory: said.DirectoryChanged) -> None:
    work.publish(directory, subject="directory", occurred_at=work.now)
