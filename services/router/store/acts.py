"""The history of work items: one row for each act, numbered within its work item.

That it was opened, and to whom it was offered first, stands in the work item itself: opening
one costs no further row, and most are claimed once and completed.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import select

from services.router.store import tables
from services.router.store.rows import item_of
from shared.database.statements import insert_rows
from shared.database.tables import from_us, to_us

if TYPE_CHECKING:
    from services.router.domain import WorkItem
    from services.router.domain.acts import Act
    from shared.database.engine import Transaction

_ACTS = tables.work_item_acts
#: What stands before the acts: that it was created, and offered.
_BEFORE = 2


@dataclass(slots=True)
class Acts:
    """The acts of one unit of work."""

    _rows: list[dict[str, Any]] = field(default_factory=list)

    def add(self, before: WorkItem, after: WorkItem, act: Act) -> None:
        """Note an act; `after.acts` is its number."""
        told = {name: value for name, value in act.told.items() if value}
        if (before.teams, before.users) != (after.teams, after.users):
            told["offered_before"] = {"teams": before.teams, "users": before.users}
        self._rows.append(
            {
                "item_id": str(after.id),
                "n": after.acts,
                "at_us": to_us(act.at),
                "kind": act.kind,
                "by_person": act.by,
                "body": orjson.dumps(told).decode() if told else None,
            }
        )

    async def flush(self, tx: Transaction) -> None:
        """Write them."""
        rows = sorted(self._rows, key=lambda row: (row["item_id"], row["n"]))
        await insert_rows(tx, _ACTS, rows)


async def read_history(
    tx: Transaction, item_id: str, limit: int, offset: int
) -> tuple[list[dict[str, Any]], int] | None:
    """Return a page of what happened to a work item, oldest first, and how much there is in all.

    None where there is no such work item.
    """
    table = tables.work_items
    row = (await tx.execute(select(table).where(table.c.id == item_id))).first()
    if row is None:
        return None
    item = item_of(row)
    wanted = select(_ACTS).where(_ACTS.c.item_id == item_id).order_by(_ACTS.c.n)
    page = wanted.where(_ACTS.c.n > offset - _BEFORE).limit(limit)
    acts = [_shown(act) for act in (await tx.execute(page)).all()]
    if offset < _BEFORE:
        begun = [*await _beginning(tx, item, wanted)][offset:]
        acts = [*begun, *acts][:limit]
    return acts, _BEFORE + item.acts


async def _beginning(tx: Transaction, item: WorkItem, wanted: Any) -> list[dict[str, Any]]:
    """Return what stands before the first act: the first change tells what was before it."""
    teams, users = list(item.teams), list(item.users)
    for act in (await tx.execute(wanted)).all() if item.acts else ():
        told = orjson.loads(act.body) if act.body else {}
        if (before := told.get("offered_before")) is not None:
            teams, users = before["teams"], before["users"]
            break
    opened = {"at": item.opened_at, "by": None}
    return [
        {"n": 1, "kind": "created", **opened, "element_id": item.element_id},
        {"n": 2, "kind": "offered", **opened, "teams": teams, "users": users},
    ]


def _shown(row: Any) -> dict[str, Any]:
    told = orjson.loads(row.body) if row.body else {}
    told.pop("offered_before", None)
    at = from_us(row.at_us)
    return {"n": row.n + _BEFORE, "kind": row.kind, "at": at, "by": row.by_person, **told}
