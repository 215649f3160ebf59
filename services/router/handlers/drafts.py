"""Drafts of work items: kept for who has the work item, gone with it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from services.router.domain import acts, drafts
from services.router.domain.acts import Act
from services.router.handlers.work_items import open_item
from shared.errors import Finding, Invalid

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from services.router.domain.drafts import Draft
    from services.router.store import RouterWork


def save_draft(
    item_id: UUID,
    person: str,
    data: Mapping[str, Any],
    seen: Collection[str],
    at: datetime,
    work: RouterWork,
) -> Draft:
    """Keep what the holder of a work item has filled in so far.

    Raises `NoSuchWorkItem`, `WorkItemEnded`, `NotClaimedByYou`, `DraftTooLarge`, `DraftMoved`.
    """
    item = open_item(work, item_id)
    known = work.drafts.of(item_id)
    draft = drafts.save(item, person, data, _size(data), known, seen, at)
    if draft.noted_at == at:
        told = {"on_behalf_of": item.stands_in.get(person)}
        work.acted(item, item.with_drafts(), Act(acts.DRAFT_SAVED, at, person, told))
    work.drafts.keep(draft)
    return draft


def discard_draft(item_id: UUID, person: str, at: datetime, work: RouterWork) -> None:
    """Forget somebody's own draft; without one nothing happens."""
    item = open_item(work, item_id)
    if person in work.drafts.of(item_id):
        work.acted(item, item, Act(acts.DRAFT_DISCARDED, at, person))
        work.drafts.forget(item_id, person)


def _size(data: Mapping[str, Any]) -> int:
    try:
        return len(orjson.dumps(dict(data)))
    except TypeError as error:
        # Numbers beyond 64 bits, or nested deeper than any form.
        told = {"zh-CN": "嵌套过深，或数字超出范围", "en": "nested too deep, or a number too large"}
        raise Invalid([Finding("/data", "not-storable", told)]) from error
