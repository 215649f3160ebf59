"""Requests and work items for tests of the router's rules."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any
from uuid import UUID

from services.router.domain import Record, WorkItem
from shared.vocabulary import Lane, Priority, RequestState

NOW = datetime(2026, 3, 2, 9, tzinfo=UTC)
REQUEST = UUID("01900000-0000-7000-8000-000000000001")
INSTANCE = UUID("01900000-0000-7000-8000-000000000002")
ITEM = UUID("01900000-0000-7000-8000-000000000003")


def a_record(**given: Any) -> Record:
    """Return an open request of the desk, asked for by ann."""
    values: dict[str, Any] = {
        "id": REQUEST,
        "number": "R-2026-000001",
        "state": RequestState.OPEN,
        "lane": Lane.STANDARD,
        "priority": Priority.P3,
        "team": "desk",
        "submitted_at": NOW,
        "process": "standard-path",
        "process_version": 1,
        "instance_id": INSTANCE,
        "context": {"requester": "ann", "form": {}},
    }
    return Record(**(values | given))


def an_item(**given: Any) -> WorkItem:
    """Return an open work item."""
    values: dict[str, Any] = {
        "id": ITEM,
        "request_id": REQUEST,
        "instance_id": INSTANCE,
        "task_id": 7,
        "element_id": "decide",
        "names": {"zh-CN": "决策", "en": "Decide"},
        "teams": (),
        "users": (),
        "opened_at": NOW,
    }
    return WorkItem(**(values | given))
