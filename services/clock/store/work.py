"""The clock's unit of work: ledgers and definitions in, what changed out, in a few statements."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

from services.clock.domain.clocks import BREACH
from services.clock.domain.coverage import Known, subject_of
from services.clock.domain.editions import version_of
from services.clock.domain.facts import Ledger, Told, clock_id
from services.clock.store import tables
from services.clock.store.compiling import write_calendar
from services.clock.store.coverage import read_known, write_known
from services.clock.store.editions import Origin, read_origins, renewed
from services.clock.store.encoding import decode, encode
from services.clock.store.moves import PREFIX, MoveJob, read_pages, write_jobs
from services.clock.store.shelf import Shelf, Shelved
from shared.consuming import Work, WorkContext
from shared.database.statements import insert_missing, rows_among, upsert
from shared.database.tables import to_us
from shared.events.router import DefinitionReleased
from shared.vocabulary import ClockState

_MICROSECOND = timedelta(microseconds=1)
#: What the subjects of released calendars begin with.
_RELEASES = "calendar/"


class ClockWork(Work):
    """What the clock's handlers read and change."""

    def __init__(
        self, context: WorkContext, shelf: Shelf, started_at: datetime, caught_up_at: datetime
    ) -> None:
        """`started_at` is when this process began, `caught_up_at` when the bus told the rest."""
        super().__init__(context)
        self.started_at, self.caught_up_at = started_at, caught_up_at
        self._shelf = shelf
        self._library = Shelved(shelf, {})
        self._ledgers: dict[str, Ledger] = {}
        #: What was told when the ledger was loaded, to write only the clocks that changed.
        self._before: dict[str, Ledger] = {}
        self._released: list[dict[str, Any]] = []
        self._pages: dict[str, tuple[MoveJob, list[str]]] = {}
        self._jobs: list[MoveJob] = []
        self._known: dict[str, Known] = {}
        self._learned: list[Known] = []
        self._origins: dict[str, Origin] = {}
        self._editions: list[dict[str, Any]] = []

    @property
    def library(self) -> Shelved:
        """The definitions, as this transaction sees them."""
        return self._library

    async def load(self, keys: Collection[str]) -> None:
        """Load the ledgers of `keys` and the definitions they need."""
        self._library = await self._shelf.look(self.tx, keys)
        for row in await rows_among(self.tx, tables.requests, "id", sorted(keys)):
            self._before[row.id] = decode(UUID(row.id), row.ledger)
        self._ledgers = dict(self._before)
        pinned = [pins for ledger in self._before.values() for pins in ledger.all_pins()]
        await self._shelf.ensure(self.tx, pinned)
        moving = sorted(key for key in keys if key.startswith(PREFIX))
        if moving:
            self._pages = await read_pages(self.tx, moving)
        calendars = {str(subject_of(key)) for key in self._library.calendar_versions()}
        asked = calendars.intersection(keys)
        if asked:
            self._known = await read_known(self.tx, asked)
        if asked or any(key.startswith(_RELEASES) for key in keys):
            self._origins = await read_origins(self.tx, self._library.calendar_versions())

    def ledger(self, request_id: str) -> Ledger:
        """Return the ledger of a request, an empty one when nothing is known of it."""
        found = self._ledgers.get(request_id)
        return found if found is not None else Ledger(UUID(request_id))

    def keep(self, ledger: Ledger) -> None:
        """Keep a ledger as it is now."""
        self._ledgers[str(ledger.request_id)] = ledger

    def page_of(self, key: str) -> tuple[MoveJob, list[str]] | None:
        """Return the move a timer stands for, and the next requests it is to reach."""
        return self._pages.get(key)

    def keep_job(self, job: MoveJob) -> None:
        """Keep a move as it is now."""
        self._jobs.append(job)
        # Whoever begins it again in this very transaction finds it.
        self._pages.setdefault(f"{PREFIX}{job.id}", (job, []))

    def known_of(self, subject: str) -> Known | None:
        """Return what was told of a calendar's coverage by its subject; None for nothing yet."""
        return self._known.get(subject)

    def keep_known(self, known: Known) -> None:
        """Keep what was told of a calendar's coverage."""
        self._learned.append(known)

    def release(self, data: DefinitionReleased) -> None:
        """Take a released definition into force and keep it for good."""
        stored = self._library.release(
            data.kind, data.key, data.version, data.content or "", self.now
        )
        if stored is not None:
            self._released.append(
                {
                    "kind": data.kind,
                    "key": data.key,
                    "version": data.version,
                    "content": stored.content,
                    "content_hash": data.content_hash,
                    "released_by": data.released_by,
                    "released_us": to_us(self.now),
                    "released_text": stored.text,
                    "data": stored.data,
                }
            )

    def made_of(self, key: str) -> list[str]:
        """Return the calendars in force that name this one as a part, sorted."""
        found = self._origins.items()
        return sorted(other for other, origin in found if key in origin.members(other))

    def renew(self, key: str) -> bool:
        """Take a calendar as it reads now into force, where it says something else than it did.

        As another edition: what requests are pinned to stays as it is.
        """
        if key not in self._origins:
            return False
        in_force = self._library.calendar(key, None)
        found = renewed(in_force, self._origins[key], self._library.calendars())
        if found is None:
            return False
        number = found.calendar.version
        self._library.take_edition(found.calendar)
        self._origins[key] = replace(self._origins[key], data=found.data)
        self._editions.append(
            {
                "key": key,
                "number": number,
                "version": version_of(number),
                "content": write_calendar(found.calendar),
                "data": found.data,
                "noticed_us": to_us(self.now),
            }
        )
        return True

    async def flush(self) -> None:
        """Write the ledgers and clocks that changed, and new definitions."""
        changed = [
            (key, ledger)
            for key, ledger in sorted(self._ledgers.items())
            if self._before.get(key) is not ledger
        ]
        rows = [_request_row(key, ledger) for key, ledger in changed]
        await upsert(self.tx, tables.requests, rows)
        listed = [row for key, ledger in changed for row in self._clock_rows(key, ledger)]
        await upsert(self.tx, tables.clocks, sorted(listed, key=lambda row: str(row["id"])))
        if self._released:
            await insert_missing(self.tx, tables.definitions, self._released)
        if self._editions:
            await insert_missing(self.tx, tables.editions, self._editions)
        if self._released or self._editions:
            self._shelf.changed()
        if self._jobs:
            await write_jobs(self.tx, self._jobs)
        if self._learned:
            await write_known(self.tx, self._learned)

    def _clock_rows(self, request_id: str, ledger: Ledger) -> list[dict[str, Any]]:
        before = self._before.get(request_id)
        known = before.told if before is not None else {}
        return [
            _clock_row(ledger.request_id, key, told)
            for key, told in ledger.told.items()
            if known.get(key) is not told
        ]


def _request_row(request_id: str, ledger: Ledger) -> dict[str, Any]:
    number = ledger.routed.number if ledger.routed is not None else ""
    return {"id": request_id, "ledger": encode(ledger), "number": number}


def _clock_row(request_id: UUID, key: str, told: Told) -> dict[str, Any]:
    is_late = told.state == ClockState.RUNNING and BREACH in told.standing
    left = None if told.elapsed is None else (told.target - told.elapsed) // _MICROSECOND
    return {
        "id": str(clock_id(request_id, key)),
        "request_id": str(request_id),
        "key": key,
        "metric": key.partition("/")[0],
        "state": ClockState.BREACHED.value if is_late else told.state,
        "due_us": None if told.due_at is None else to_us(told.due_at),
        "left_us": left,
    }
