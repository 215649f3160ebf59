"""Drafts: what somebody has filled in of a work item and not yet handed in.

A draft is its writer's. Nobody else reads it, with one exception: who stands in for the writer, and
has taken the work item for them, goes on from it. It is gone when the work item is over.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, ClassVar
from uuid import UUID

from services.router.domain.errors import NotClaimedByYou
from services.router.domain.work_items import WorkItem, must_be_open
from shared.errors import Invalid, NotFound, Refused

#: Bytes of a draft as JSON: a form of a thousand fields has a third. What is larger is a document,
#: and documents travel by reference.
MAX_BYTES = 64 * 1024
#: A page that saves by itself every few seconds leaves one entry in the history in this time.
NOTED_EVERY = timedelta(minutes=15)
#: No draft was there, as far as the caller knows; any draft was.
NOTHING, ANYTHING = "none", "*"


class NoDraft(NotFound):
    """{person} has no draft of work item {work_item_id}."""

    zh: ClassVar[str] = "{person} 没有工作项 {work_item_id} 的草稿。"


class DraftMoved(Refused):
    """The draft is at version {version} by now (saved {saved_at}): look at it, then save again."""

    zh: ClassVar[str] = "草稿已是第 {version} 版（{saved_at} 保存）：请先查看，再保存。"
    status: ClassVar[int] = 412


class DraftTooLarge(Invalid):
    """The draft has {size} bytes, at most {limit} are kept; attach documents to the request."""

    zh: ClassVar[str] = "草稿有 {size} 字节，上限为 {limit}；文档请作为附件提交。"
    status: ClassVar[int] = 413


@dataclass(frozen=True, slots=True)
class Draft:
    """One person's draft of one work item; `version` counts its savings, from 1."""

    item_id: UUID
    person: str
    version: int
    saved_at: datetime
    #: When a saving was last put into the history.
    noted_at: datetime
    data: Mapping[str, Any]


#: Drafts of one work item by who wrote them.
Drafts = Mapping[str, Draft]


def seen_by(item: WorkItem, person: str, drafts: Drafts) -> Draft:
    """Return the draft somebody goes on from; raise `NoDraft` for everybody else alike."""
    own = drafts.get(person)
    if own is None and item.assignee == person:
        # Taken for somebody who is away: what they had begun is gone on with in their name.
        own = drafts.get(item.stands_in.get(person, ""))
    if own is None or item.is_over:
        raise NoDraft(person=person, work_item_id=item.id)
    return own


def save(
    item: WorkItem,
    person: str,
    data: Mapping[str, Any],
    size: int,
    drafts: Drafts,
    seen: Collection[str],
    at: datetime,
) -> Draft:
    """Return what is kept of what the holder has filled in; `size` are its bytes as JSON.

    `seen` are the versions the caller goes on from; empty: does not say, the last one wins.
    Raises `WorkItemEnded`, `NotClaimedByYou`, `DraftTooLarge`, `DraftMoved`.
    """
    must_be_open(item)
    if item.assignee != person:
        raise NotClaimedByYou(work_item_id=item.id, person=person)
    if size > MAX_BYTES:
        raise DraftTooLarge(size=size, limit=MAX_BYTES)
    known = drafts.get(person) or drafts.get(item.stands_in.get(person, ""))
    _must_be_as_seen(known, seen)
    own = drafts.get(person)
    noted_at = own.noted_at if own is not None and at - own.noted_at < NOTED_EVERY else at
    version = 1 if known is None else known.version + 1
    return Draft(item.id, person, version, at, noted_at, data)


def _must_be_as_seen(known: Draft | None, seen: Collection[str]) -> None:
    if not seen:
        return
    now = NOTHING if known is None else str(known.version)
    if now in seen or (ANYTHING in seen and known is not None):
        return
    saved_at = known.saved_at.isoformat() if known is not None else "-"
    raise DraftMoved(version=known.version if known else 0, saved_at=saved_at)
