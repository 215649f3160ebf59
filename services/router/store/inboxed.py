"""What an inbox needs of each open work item: when it is due, and who else may take it.

The router does not own clocks. What it heard of them stands in `requests.dues`, one entry per
clock that runs; each open work item of the request carries the first due moment of these and its
own, so that an inbox is one walk over an index. Hearing of a clock costs one statement to read and
two to write for a whole batch; no process instance is loaded for it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson

from services.router.store import tables
from services.router.store.tables import NEVER_US
from shared.database.statements import change_rows, delete_among, insert_rows, rows_among
from shared.database.tables import to_us

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable, Mapping
    from uuid import UUID

    from services.router.domain import Record, WorkItem
    from services.router.workflow import OpenUserTask
    from shared.database.engine import Transaction

#: Longer inputs are shown with the work item itself only.
MAX_INPUTS_BYTES = 16_384
#: Characters of a title that are searched.
_SEARCHED = 400

#: Clock → (due, what it measures); None: it does not run.
Notes = dict[str, "tuple[int, str] | None"]


@dataclass(slots=True)
class Inboxed:
    """The part of a unit of work that keeps inboxes in order."""

    #: First due moment of the clocks of each loaded request, if any.
    _next: dict[UUID, int | None] = field(default_factory=dict)
    #: Further candidates of each loaded work item, as stored.
    _stored: dict[UUID, frozenset[str]] = field(default_factory=dict)
    _notes: dict[str, Notes] = field(default_factory=dict)
    #: Clocks that changed only if they are known to run.
    _if_known: dict[str, Notes] = field(default_factory=dict)
    _inputs: list[dict[str, Any]] = field(default_factory=list)

    def saw_request(self, request_id: UUID, dues: str | None) -> None:
        """Hear what is stored of a request."""
        self._next[request_id] = next_due(orjson.loads(dues)) if dues else None

    def saw_item(self, item: WorkItem) -> None:
        """Hear what is stored of an open work item."""
        further = further_candidates(item)
        if further:
            self._stored[item.id] = further

    def note(
        self, request_id: str, changes: Mapping[str, tuple[int, str] | None], *, if_known: bool
    ) -> None:
        """Hear of clocks; `if_known`: only of those that are known to run."""
        kept = self._if_known if if_known else self._notes
        other = self._notes if if_known else self._if_known
        for clock, due in changes.items():
            if if_known and clock in other.get(request_id, {}):
                # It was said to run, or to have ended, a moment ago.
                if other[request_id][clock] is not None:
                    other[request_id][clock] = due
                continue
            kept.setdefault(request_id, {})[clock] = due
            if not if_known:
                other.get(request_id, {}).pop(clock, None)

    def keep_inputs(self, item_id: UUID, task: OpenUserTask) -> None:
        """Keep what the diagram shows of a work item that opens; nothing where it shows nothing."""
        told: dict[str, Any] = {}
        if task.variables:
            inputs = orjson.dumps(dict(task.variables))
            told["inputs"] = dict(task.variables) if len(inputs) <= MAX_INPUTS_BYTES else None
        if task.priority is not None:
            told["task_priority"] = task.priority
        if task.follow_up_at is not None:
            told["follow_up_us"] = to_us(task.follow_up_at)
        if told:
            self._inputs.append({"item_id": str(item_id), "body": orjson.dumps(told).decode()})

    def kept_inputs(self) -> list[dict[str, Any]]:
        """Return the rows of inputs that are written with the next flush."""
        return list(self._inputs)

    def columns(self, item: WorkItem, record: Record | None) -> dict[str, Any]:
        """Return the columns of a work item that an inbox reads."""
        due_us = None if item.is_over else self._due_us(item)
        if record is None:
            return {"due_us": due_us, "priority": None, "process": None, "search": None}
        return {
            "due_us": due_us,
            "priority": record.priority.value,
            "process": record.process,
            "search": searched(record.number, record.context.get("title"), item.names),
        }

    def _due_us(self, item: WorkItem) -> int:
        own = to_us(item.due_at) if item.due_at is not None else None
        return sorted_at(to_us(item.opened_at), own, self._next.get(item.request_id))

    # ---- flush -----------------------------------------------------------------------------

    async def flush_items(self, tx: Transaction, items: Collection[WorkItem]) -> None:
        """Write who else may take the changed work items, after these were written."""
        changed = [
            (item, now)
            for item in items
            if (now := further_candidates(item)) or item.id in self._stored
        ]
        table = tables.work_item_candidates
        await delete_among(tx, table, "item_id", [str(item.id) for item, _ in changed])
        await insert_rows(tx, table, self.further_rows([item for item, _ in changed]))
        await insert_rows(tx, tables.work_item_inputs, self._inputs)

    def further_rows(self, items: Iterable[WorkItem]) -> list[dict[str, Any]]:
        """Return a row for everybody who may take these besides their first teams."""
        return [
            {"candidate": candidate, "item_id": str(item.id), "due_us": self._due_us(item)}
            for item in items
            for candidate in sorted(further_candidates(item))
        ]

    async def flush_dues(self, tx: Transaction) -> None:
        """Write what was heard of clocks, and what that means for open work items."""
        ids = sorted({*self._notes, *self._if_known})
        if not ids:
            return
        rows, moved = [], dict[str, int | None]()
        for row in await rows_among(tx, tables.requests, "id", ids):
            before = orjson.loads(row.dues) if row.dues else {}
            after = self.after(row.id, before)
            if after != before:
                rows.append({"id": row.id, "dues": orjson.dumps(after).decode()})
            if next_due(after) != next_due(before):
                moved[row.id] = next_due(after)
        await change_rows(tx, tables.requests, sorted(rows, key=lambda row: str(row["id"])))
        await self._move_items(tx, moved)

    def after(self, request_id: str, before: Mapping[str, Any]) -> dict[str, Any]:
        """Return the clocks of a request that run, with what was heard of them now."""
        after = dict(before)
        for clock, due in self._notes.get(request_id, {}).items():
            _put(after, clock, due)
        for clock, due in self._if_known.get(request_id, {}).items():
            if clock in after:
                _put(after, clock, due)
        return after

    async def _move_items(self, tx: Transaction, moved: Mapping[str, int | None]) -> None:
        rows, further = [], dict[str, int]()
        for row in await rows_among(tx, tables.work_items, "request_id", moved):
            if row.due_us is None:
                continue  # nobody can do it any more
            body = orjson.loads(row.body)
            due_us = sorted_at(row.opened_us, body["due_us"], moved[row.request_id])
            if due_us != row.due_us:
                rows.append({"id": row.id, "due_us": due_us})
                if body["users"] or len(body["teams"]) > 1:
                    further[row.id] = due_us
        await change_rows(tx, tables.work_items, sorted(rows, key=lambda row: str(row["id"])))
        table = tables.work_item_candidates
        known = await rows_among(tx, table, "item_id", further)
        places = sorted((row.candidate, row.item_id) for row in known)
        changed = [
            {"candidate": candidate, "item_id": item_id, "due_us": further[item_id]}
            for candidate, item_id in places
        ]
        await change_rows(tx, table, changed)


def further_candidates(item: WorkItem) -> frozenset[str]:
    """Return who may take an open work item besides its first team."""
    if item.is_over:
        return frozenset()
    teams = (f"team:{team}" for team in item.teams[1:])
    return frozenset((*teams, *(f"user:{user}" for user in item.users)))


def next_due(dues: Mapping[str, Any]) -> int | None:
    """Return the first moment at which one of these clocks is due."""
    return min((due for due, _ in dues.values()), default=None)


def sorted_at(opened_us: int, *moments: int | None) -> int:
    """Return what an inbox sorts by: the earliest of moments; without one behind all that has one,
    oldest first.
    """
    known = [moment for moment in moments if moment is not None]
    return min(known) if known else NEVER_US + opened_us


def searched(number: str, title: object, names: Mapping[str, str]) -> str:
    """Return the text an inbox is searched in: number, title, names of the work; folded."""
    told: Iterable[str] = (number, str(title or "")[:_SEARCHED], *names.values())
    return " ".join(dict.fromkeys(part for part in told if part)).casefold()


def _put(dues: dict[str, Any], clock: str, due: tuple[int, str] | None) -> None:
    if due is None:
        dues.pop(clock, None)
    else:
        dues[clock] = list(due)
