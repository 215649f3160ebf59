"""The clock's own copy of tables and calendars, compiled once per process."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterable
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from sqlalchemy import func, literal, select, tuple_, union_all

from services.clock.domain.editions import edition_of, version_of
from services.clock.domain.facts import Pins
from services.clock.domain.targets import CalendarMissing, TargetsMissing
from services.clock.store.compiling import (
    DefinitionBroken,
    accept_table,
    compile_calendar,
    compile_table,
    read_stored_calendar,
    write_calendar,
)
from services.clock.store.tables import definitions, editions
from shared.business_time import Calendar
from shared.consuming import Glance
from shared.database.engine import Transaction
from shared.database.native import Prepared
from shared.database.statements import chunks
from shared.targets.rows import DECISION
from shared.targets.table import Table

_log = logging.getLogger(__name__)

_CALENDAR, _TABLE = "calendar", "decision"

Place = tuple[str, str, int]

#: The kind under which `_NEWEST` tells the newest edition of each version of a calendar.
_EDITION = "edition"
_NEWEST = Prepared(
    union_all(
        select(
            definitions.c.kind,
            definitions.c.key,
            func.max(definitions.c.version).label("version"),
            literal(0).label("number"),
        ).group_by(definitions.c.kind, definitions.c.key),
        select(
            literal(_EDITION), editions.c.key, editions.c.version, func.max(editions.c.number)
        ).group_by(editions.c.key, editions.c.version),
    )
)


@dataclass(frozen=True, slots=True)
class Stored:
    """What is kept of a release: as it is read again, and of a calendar its file and its data."""

    content: str
    text: str | None = None
    data: str | None = None


@dataclass(slots=True)
class Shelf:
    """Compiled versions. A version never changes, so what is here stays right."""

    tables: dict[int, Table] = field(default_factory=dict)
    calendars: dict[tuple[str, int], Calendar] = field(default_factory=dict)
    #: Released versions that could not be used: (kind, key) -> version and why.
    refused: dict[tuple[str, str], tuple[int, str]] = field(default_factory=dict)
    refusals: int = 0
    #: Without one every look reads the tables.
    glance: Glance | None = None
    _versions: dict[tuple[str, str], int] = field(default_factory=dict)

    async def look(self, tx: Transaction, keys: Collection[str] | None = None) -> Shelved:
        """Return the definitions in force, as of now or, where it was recent, of the last look.

        `keys` are what a transaction is about; without them there is always a look.
        """
        if self.glance is None or keys is None or self.glance.is_due(keys):
            rows = (await tx.execute(_NEWEST)).all()
            self._versions = _newest(rows)
            wanted = [(*place, version) for place, version in self._versions.items()]
            await self._compile(tx, wanted)
            if self.glance is not None:
                self.glance.looked()
        return Shelved(self, dict(self._versions))

    def changed(self) -> None:
        """Hear that a version is being stored: the next transaction looks."""
        if self.glance is not None:
            self.glance.forget()

    async def ensure(self, tx: Transaction, pinned: Iterable[Pins]) -> None:
        """Compile the versions that requests are pinned to, where they are not yet."""
        wanted = {(_TABLE, DECISION, pins.table) for pins in pinned}
        wanted |= {(_CALENDAR, *item) for pins in pinned for item in pins.calendars.items()}
        await self._compile(tx, wanted)

    async def ensure_calendars(self, tx: Transaction, wanted: Iterable[tuple[str, int]]) -> None:
        """Compile these calendars, where they are not yet."""
        await self._compile(tx, [(_CALENDAR, key, version) for key, version in wanted])

    def _is_known(self, place: Place) -> bool:
        kind, key, version = place
        if kind == _CALENDAR:
            return (key, version) in self.calendars
        return key != DECISION or version in self.tables

    async def _compile(self, tx: Transaction, wanted: Iterable[Place]) -> None:
        missing = sorted(place for place in set(wanted) if not self._is_known(place))
        again = [(key, number) for _, key, number in missing if edition_of(number)]
        for part in chunks(again):
            numbered = tuple_(editions.c.key, editions.c.number)
            for row in (await tx.execute(select(editions).where(numbered.in_(part)))).all():
                self.calendars[(row.key, row.number)] = read_stored_calendar(row.content)
        table = definitions
        for part in chunks([place for place in missing if not edition_of(place[2])]):
            places = tuple_(table.c.kind, table.c.key, table.c.version)
            for row in (await tx.execute(select(table).where(places.in_(part)))).all():
                if row.kind == _CALENDAR:
                    self.calendars[(row.key, row.version)] = read_stored_calendar(row.content)
                elif row.key == DECISION:
                    self.tables[row.version] = compile_table(row.version, row.content)


@dataclass(slots=True)
class Shelved:
    """The library as one transaction sees it: what is in force, and every version ever."""

    shelf: Shelf
    versions: dict[tuple[str, str], int]

    def table(self, version: int) -> Table:
        """Return a version of the table `targets`; raises `TargetsMissing`."""
        try:
            return self.shelf.tables[version]
        except KeyError:
            raise TargetsMissing from None

    def calendar(self, key: str, version: int | None) -> Calendar:
        """Return a calendar, as in force now when no version is named; or `CalendarMissing`."""
        wanted = self.versions.get((_CALENDAR, key)) if version is None else version
        found = None if wanted is None else self.shelf.calendars.get((key, wanted))
        if found is None:
            raise CalendarMissing(key=key)
        return found

    def in_force(self) -> Pins:
        """Return the versions in force; raises `TargetsMissing`."""
        table = self.versions.get((_TABLE, DECISION))
        if table is None:
            raise TargetsMissing
        return Pins(table, self.calendar_versions())

    def calendar_versions(self) -> dict[str, int]:
        """Return the calendars in force."""
        return {key: version for (kind, key), version in self.versions.items() if kind == _CALENDAR}

    def calendars(self) -> dict[str, Calendar]:
        """Return the calendars in force themselves."""
        versions = self.calendar_versions().items()
        return {key: self.shelf.calendars[(key, number)] for key, number in versions}

    def take_edition(self, calendar: Calendar) -> None:
        """Take an edition of a calendar into force."""
        self.shelf.calendars[(calendar.key, calendar.version)] = calendar
        self.versions[(_CALENDAR, calendar.key)] = calendar.version

    def release(
        self, kind: str, key: str, version: int, content: str, at: datetime
    ) -> Stored | None:
        """Take a released version into force; return what to store, None when it is not taken.

        `at` is now. What is older than the version in force is not news. What cannot be used is
        logged and counted, and the version in force stays. Raises `CalendarMissing` when a
        calendar is made of one that has not come yet.
        """
        if version <= version_of(self.versions.get((kind, key), 0)):
            return None
        try:
            stored = self._compiled(kind, key, version, content, at)
        except DefinitionBroken as error:
            _log.warning("%s; the version in force stays", error)
            self.shelf.refused[(kind, key)] = (version, str(error))
            self.shelf.refusals += 1
            return None
        self.shelf.refused.pop((kind, key), None)
        self.versions[(kind, key)] = version
        return stored

    def _compiled(self, kind: str, key: str, version: int, content: str, at: datetime) -> Stored:
        if kind == _TABLE:
            table, findings = accept_table(version, content, self.calendars() or None, at)
            self.shelf.tables[version] = table
            for finding in findings:
                told = finding.message["en"], finding.fix.get("en", "")
                _log.warning("%s v%d, %s: %s %s", key, version, finding.path, *told)
            return Stored(content)
        found = compile_calendar(key, version, content, self.calendars())
        self.shelf.calendars[(key, version)] = found.calendar
        return Stored(write_calendar(found.calendar), content, found.data)


def _newest(rows: Iterable[Any]) -> dict[tuple[str, str], int]:
    """Return what is in force: the newest edition of the newest version."""
    told = list(rows)
    found = {(row.kind, row.key): row.version for row in told if row.kind != _EDITION}
    for row in told:
        if row.kind == _EDITION and found.get((_CALENDAR, row.key)) == row.version:
            found[(_CALENDAR, row.key)] = row.number
    return found
