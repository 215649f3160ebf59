"""From rows to what portals read; moments leave as UTC with an offset."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from services.intake.domain.promises import Promise, in_order
from services.intake.store import promises_of, standing_of
from shared.database.tables import from_us

if TYPE_CHECKING:
    from services.intake.domain.standing import Standing
    from services.intake.store import Book


def summary(row: Any) -> dict[str, Any]:
    """Return a request as lists show it."""
    return {
        "id": row.id,
        "number": row.number,
        "source": row.source,
        "external_id": row.external_id,
        "request_type": row.request_type,
        "domain": row.domain,
        "organisation_unit": row.organisation_unit,
        "channel": row.channel,
        "language": row.language,
        "requester": orjson.loads(row.requester),
        "urgency": row.urgency,
        "impact": row.impact,
        "title": row.title,
        "is_import": row.is_import,
        "submitted_at": from_us(row.submitted_us),
        "recorded_at": from_us(row.recorded_us),
        "state": row.state,
        "status": _status(standing_of(row.standing)),
        "promises": [_promise(promise) for promise in in_order(promises_of(row.promises))],
    }


def whole(row: Any) -> dict[str, Any]:
    """Return a request with everything that was posted, without its timeline."""
    standing = standing_of(row.standing)
    rating = None
    if standing.score is not None:
        rating = {"score": standing.score, "comment": standing.comment}
    return {
        **summary(row),
        "description": row.description,
        "form": orjson.loads(row.form),
        "callback": {"endpoint": row.callback} if row.callback else None,
        "rating": rating,
    }


def fact(row: Any) -> dict[str, Any]:
    """Return an entry of the timeline: codes and parameters."""
    return {
        "id": row.id,
        "occurred_at": from_us(row.occurred_us),
        "recorded_at": from_us(row.recorded_us),
        "publisher": row.publisher,
        "type": row.type,
        "params": orjson.loads(row.params),
    }


def message(row: Any) -> dict[str, Any]:
    """Return a message of the conversation."""
    return {
        "id": row.id,
        "author": row.author,
        "author_id": row.author_id,
        "text": row.text,
        "is_effective": row.is_effective,
        "is_automatic": row.is_automatic,
        "occurred_at": from_us(row.occurred_us),
        "recorded_at": from_us(row.recorded_us),
    }


def catalogue(book: Book) -> dict[str, Any]:
    """Return what can be asked, closed types included and marked."""
    types = [entry.type for _, entry in sorted(book.entries.items())]
    return {
        "versions": dict(book.versions),
        "types": [
            {
                "key": kind.key,
                "name": kind.name,
                "description": kind.description,
                "domain": kind.domain,
                "form": kind.form,
                "is_open": kind.is_open,
            }
            for kind in types
        ],
    }


def _status(standing: Standing) -> dict[str, Any]:
    return {
        "state": standing.state.value,
        "changed_at": standing.changed_at,
        "routed_at": standing.routed_at,
        "priority": standing.priority,
        "lane": standing.lane,
        "team": standing.team,
        "is_triage": standing.is_triage,
        "assignee": standing.assignee,
        "process": standing.process,
        "process_version": standing.process_version,
        "waiting_for": standing.waiting_for,
        "resolution": standing.resolution,
        "resolution_note": standing.resolution_note,
        "ended_because": standing.ended_because,
        "closing_waits_for": standing.closing_waits_for,
        "handovers": standing.handovers,
        "reopenings": standing.reopenings,
        # What the requester said and the router has perhaps not answered yet.
        "is_withdrawn": standing.withdrawn_at is not None,
        "is_confirmed": standing.confirmed_at is not None,
        "is_reopen_asked": standing.reopen_asked_at is not None,
    }


def _promise(promise: Promise) -> dict[str, Any]:
    return {
        "clock_id": promise.clock_id,
        "metric": promise.metric,
        "target_s": promise.target_s,
        "started_at": promise.started_at,
        "due_at": promise.due_at,
        "state": promise.state.value,
        "is_paused": promise.is_paused,
        "paused_because": promise.paused_because,
        "is_breached": promise.is_breached,
        "warned_percent": promise.warned_percent,
        "calendar": promise.calendar,
        "calendar_version": promise.calendar_version,
        "thresholds_percent": list(promise.thresholds_percent),
        "reason": dict(promise.reason),
        "changed_because": promise.changed_because,
        "elapsed_s": promise.elapsed_s,
        "paused_s": promise.paused_s,
    }
