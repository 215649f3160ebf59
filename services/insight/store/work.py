"""Insight's unit of work: a handful of statements for a whole batch."""

from __future__ import annotations

from collections import defaultdict
from typing import TYPE_CHECKING, Any, Generic, Protocol, TypeVar

from sqlalchemy import insert, select

from services.insight.domain.entries import ClockEntry, RequestEntry
from services.insight.domain.followers import (
    DeliveryEntry,
    EscalationEntry,
    IncidentEntry,
    Name,
    Told,
)
from services.insight.store import rows, tables
from shared.consuming import Work, WorkContext
from shared.database.statements import among, rows_among, upsert

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable

    from sqlalchemy import Table

E = TypeVar("E", bound="_Belongs")

#: Name kind under which the version of a definition that was read is kept.
VERSION = "version"


class _Belongs(Protocol):
    """An entry that belongs to a request."""

    @property
    def request_id(self) -> str:
        """Which."""


class _Kept(Generic[E]):
    """Entries of one kind that belong to the requests of the batch."""

    def __init__(
        self,
        table: Table,
        read: Callable[[Any], E],
        write: Callable[[E], rows.Row],
        key: Callable[[E], str],
    ) -> None:
        self.table, self._read, self._write, self._key = table, read, write, key
        self.entries: dict[str, E] = {}
        self.of_request: defaultdict[str, set[str]] = defaultdict(set)
        self.changed: set[str] = set()

    def add(self, row: Any) -> None:
        """Take a stored row in."""
        self._take(self._read(row))

    def keep(self, entry: E) -> None:
        """Remember a new or changed entry."""
        self.changed.add(self._take(entry))

    def _take(self, entry: E) -> str:
        key = self._key(entry)
        self.entries[key] = entry
        self.of_request[entry.request_id].add(key)
        return key

    def of(self, request_id: str) -> Iterable[E]:
        """Return what belongs to a request."""
        return (self.entries[key] for key in self.of_request.get(request_id, ()))

    def changed_rows(
        self, moved: Collection[str], requests: dict[str, RequestEntry]
    ) -> list[rows.Row]:
        """Return rows to write: what changed, and what belongs to requests that moved."""
        keys = self.changed.union(*(self.of_request.get(r, ()) for r in moved))
        found = []
        for key in sorted(keys):
            entry = self.entries[key]
            request = requests.get(entry.request_id)
            row = self._write(entry)
            row["team"] = request.team if request else ""
            row["domain"] = request.domain if request else ""
            found.append(row)
        return found


class InsightWork(Work):
    """The entries of the batch's requests."""

    def __init__(self, context: WorkContext, changed: Callable[[], None] | None = None) -> None:
        """Begin a batch; `changed` is called when something is about to be written."""
        super().__init__(context)
        self._tell_changed = changed
        self._requests: dict[str, RequestEntry] = {}
        self._placed: dict[str, tuple[str, str]] = {}
        self._changed: set[str] = set()
        self._clocks: _Kept[ClockEntry] = _Kept(
            tables.clocks, rows.clock_entry, rows.clock_row, lambda e: e.id
        )
        self._escalations: _Kept[EscalationEntry] = _Kept(
            tables.escalations, rows.escalation_entry, rows.escalation_row, lambda e: e.id
        )
        self._deliveries: _Kept[DeliveryEntry] = _Kept(
            tables.deliveries,
            rows.delivery_entry,
            rows.delivery_row,
            lambda e: _place(e.id, e.channel),
        )
        self._incidents: _Kept[IncidentEntry] = _Kept(
            tables.incidents, rows.incident_entry, rows.incident_row, lambda e: e.id
        )
        self._told: list[Told] = []
        self._names: dict[tuple[str, str], Name] = {}
        self._versions: dict[str, int] = {}

    async def load(self, keys: Collection[str]) -> None:
        """Load everything known of the batch's requests."""
        wanted = sorted(keys)
        for row in await rows_among(self.tx, tables.requests, "id", wanted):
            entry = rows.request_entry(row)
            self._requests[entry.id] = entry
            self._placed[entry.id] = (entry.team, entry.domain)
        for kept in (self._clocks, self._escalations, self._deliveries, self._incidents):
            await self._load(kept, wanted)
        definitions = [key for key in wanted if "/" in key or key == "directory"]
        if definitions:
            known = tables.names
            chosen = select(known.c.key, known.c.zh).where(
                known.c.kind == VERSION, among(self.tx, known.c.key, definitions)
            )
            self._versions = {row.key: int(row.zh) for row in await self.tx.execute(chosen)}

    async def _load(self, kept: _Kept[Any], wanted: list[str]) -> None:
        for row in await rows_among(self.tx, kept.table, "request_id", wanted):
            kept.add(row)

    # ---- for handlers ----------------------------------------------------------------------

    def request(self, request_id: str) -> RequestEntry:
        """Return a request, an empty entry when nothing is known of it yet."""
        return self._requests.get(request_id) or RequestEntry(request_id)

    def keep_request(self, entry: RequestEntry) -> None:
        """Remember what is known of a request now."""
        self._requests[entry.id] = entry
        self._changed.add(entry.id)

    def clock(self, clock_id: str) -> ClockEntry | None:
        """Return a clock of the batch's requests."""
        return self._clocks.entries.get(clock_id)

    def keep_clock(self, entry: ClockEntry) -> None:
        """Remember a clock."""
        self._clocks.keep(entry)

    def escalation(self, escalation_id: str) -> EscalationEntry | None:
        """Return an escalation of the batch's requests."""
        return self._escalations.entries.get(escalation_id)

    def keep_escalation(self, entry: EscalationEntry) -> None:
        """Remember an escalation."""
        self._escalations.keep(entry)

    def delivery(self, delivery_id: str, channel: str) -> DeliveryEntry | None:
        """Return a delivery about the batch's requests."""
        return self._deliveries.entries.get(_place(delivery_id, channel))

    def keep_delivery(self, entry: DeliveryEntry) -> None:
        """Remember a delivery."""
        self._deliveries.keep(entry)

    def incident(self, incident_id: str) -> IncidentEntry | None:
        """Return an incident of the batch's requests."""
        return self._incidents.entries.get(incident_id)

    def keep_incident(self, entry: IncidentEntry) -> None:
        """Remember an incident."""
        self._incidents.keep(entry)

    def tell(self, told: Told) -> None:
        """Add a line to a request's timeline."""
        self._told.append(told)

    def is_news(self, key: str, version: int) -> bool:
        """Whether this version of a definition is newer than what was read; remembers it."""
        if version <= self._versions.get(key, 0):
            return False
        self._versions[key] = version
        self.keep_name(Name(VERSION, key, str(version), ""))
        return True

    def keep_name(self, name: Name) -> None:
        """Remember what something is called."""
        self._names[(name.kind, name.key)] = name

    # ---- the end ---------------------------------------------------------------------------

    async def flush(self) -> None:
        """Write what changed, each table in one statement."""
        moved = self._moved()
        touched = {self._clocks.entries[key].request_id for key in self._clocks.changed}
        wanted = sorted(self._changed | (touched & self._requests.keys()))
        changed = [rows.request_row(self._requests[key], self._clocks.of(key)) for key in wanted]
        await upsert(self.tx, tables.requests, changed)
        for kept in (self._clocks, self._escalations, self._deliveries, self._incidents):
            await self._flush(kept, moved)
        if self._told:
            told = [rows.told_row(line) for line in self._told]
            await self.tx.execute(insert(tables.timeline), told)
        called = [
            {"kind": n.kind, "key": n.key, "zh": rows.clean(n.zh), "en": rows.clean(n.en)}
            for _, n in sorted(self._names.items())
        ]
        await upsert(self.tx, tables.names, called)
        if self._tell_changed is not None:
            self._tell_changed()

    async def _flush(self, kept: _Kept[Any], moved: Collection[str]) -> None:
        await upsert(self.tx, kept.table, kept.changed_rows(moved, self._requests))

    def _moved(self) -> list[str]:
        """Return requests whose team or domain is another than what is stored with theirs."""
        return [
            key
            for key in sorted(self._changed)
            if self._placed.get(key, ("", ""))
            != (self._requests[key].team, self._requests[key].domain)
        ]


def _place(delivery_id: str, channel: str) -> str:
    return f"{delivery_id} {channel}"
