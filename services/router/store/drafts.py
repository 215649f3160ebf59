"""Drafts of work items: a row for each work item and who wrote it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any
from uuid import UUID

import orjson
from sqlalchemy import delete

from services.router.domain.drafts import Draft
from services.router.store import tables
from shared.database.statements import delete_among, rows_among, upsert
from shared.database.tables import from_us, to_us

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from services.router.domain import WorkItem
    from shared.database.engine import Transaction

#: What goes before the id of a work item among the keys to load.
DRAFTS = "drafts:"
_TABLE = tables.work_item_drafts


@dataclass(slots=True)
class Drafts:
    """The drafts of the work items whose keys were named; of no others."""

    _known: dict[UUID, dict[str, Draft]] = field(default_factory=dict)
    _changed: dict[tuple[UUID, str], Draft | None] = field(default_factory=dict)

    async def load(self, tx: Transaction, keys: Collection[str]) -> None:
        """Load what the keys name."""
        wanted = [key.removeprefix(DRAFTS) for key in keys if key.startswith(DRAFTS)]
        if wanted:
            self._known |= await read_drafts(tx, wanted)

    def of(self, item_id: UUID) -> dict[str, Draft]:
        """Return the drafts of a work item by who wrote them."""
        return self._known.setdefault(item_id, {})

    def keep(self, draft: Draft) -> None:
        """Keep a draft as it is now."""
        self.of(draft.item_id)[draft.person] = draft
        self._changed[draft.item_id, draft.person] = draft

    def forget(self, item_id: UUID, person: str) -> None:
        """Keep it no longer."""
        self.of(item_id).pop(person, None)
        self._changed[item_id, person] = None

    async def flush(self, tx: Transaction, items: Iterable[WorkItem]) -> None:
        """Write what changed; of work items that are over nothing is left."""
        places = sorted(self._changed, key=str)
        kept = [draft for place in places if (draft := self._changed[place]) is not None]
        await upsert(tx, _TABLE, [_row(draft) for draft in kept])
        for item_id, person in places:
            if self._changed[item_id, person] is None:
                one = (_TABLE.c.item_id == str(item_id)) & (_TABLE.c.person == person)
                await tx.execute(delete(_TABLE).where(one))
        over = sorted(str(item.id) for item in items if item.is_over and item.has_drafts)
        await delete_among(tx, _TABLE, "item_id", over)


async def read_drafts(tx: Transaction, item_ids: Collection[str]) -> dict[UUID, dict[str, Draft]]:
    """Return the drafts of work items by who wrote them."""
    found: dict[UUID, dict[str, Draft]] = {}
    for row in await rows_among(tx, _TABLE, "item_id", item_ids):
        draft = _draft(row)
        found.setdefault(draft.item_id, {})[draft.person] = draft
    return found


def _row(draft: Draft) -> dict[str, Any]:
    return {
        "item_id": str(draft.item_id),
        "person": draft.person,
        "version": draft.version,
        "saved_us": to_us(draft.saved_at),
        "noted_us": to_us(draft.noted_at),
        "data": orjson.dumps(dict(draft.data)).decode(),
    }


def _draft(row: Any) -> Draft:
    return Draft(
        item_id=UUID(row.item_id),
        person=row.person,
        version=row.version,
        saved_at=from_us(row.saved_us),
        noted_at=from_us(row.noted_us),
        data=orjson.loads(row.data),
    )
