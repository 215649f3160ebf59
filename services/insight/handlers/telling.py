"""The timeline: which of an event's fields are kept, and who acted.

What people wrote (descriptions, messages, forms) stays with intake, which owns it; a timeline
needs to say that somebody answered, not what.
"""

from __future__ import annotations

from functools import cache
from typing import TYPE_CHECKING, Any

import orjson

from services.insight.domain.followers import Told

if TYPE_CHECKING:
    from services.insight.handlers.port import Work
    from shared.events.base import Envelope, EventData
    from shared.events.intake import RequestSealed

_PROMISES = {"clocks": {"__all__": {"metric", "target_s", "due_at", "calendar"}}, "reason": True}
_NAME = {"name", "agreement"}
_NAMED = {"clocks": {"__all__": _NAME | {"target_s", "due_at"}}, "reason": True}
_DELIVERY = {"template", "channel", "recipient"}
_ITEM = {"work_item_id"}

#: Event type -> the fields a timeline keeps; types that are not here leave no line.
KEPT: dict[str, Any] = {
    "request.submitted.v1": {"number", "channel", "request_type", "urgency", "impact"},
    "request.updated.v1": {"urgency", "impact", "title"},
    "request.withdrawn.v1": {"reason"},
    "message.posted.v1": {"author", "is_effective", "is_automatic"},
    "request.confirmed.v1": set(),
    "request.reopened_by_requester.v1": {"reason"},
    "request.rated.v1": {"score"},
    "request.sealed.v1": set(),
    "request.routed.v1": {"priority", "lane", "team", "is_triage", "process", "process_version"},
    "request.priority_changed.v1": {"old", "new"},
    "request.lane_changed.v1": {"old", "new", "reason", "cause"},
    "request.decided.v1": {"lane", "decision", "reason", "on_behalf_of", "level"},
    "request.closing_deferred.v1": {"reason", "waits_for"},
    "request.assigned.v1": {"team", "assignee"},
    "request.handed_over.v1": {"from_team", "to_team", "reason", "handovers", "is_counted"},
    "request.unassigned.v1": {"team", "from_assignee", "reason"},
    "request.waiting_started.v1": {"reason"},
    "request.waiting_ended.v1": {"reason"},
    "request.resolved.v1": {"resolution"},
    "request.reopened.v1": {"reason", "reopenings"},
    "request.closed.v1": {"reason"},
    "request.cancelled.v1": {"reason"},
    "work_item.opened.v1": {"name", "candidate_teams"},
    "work_item.claimed.v1": _ITEM | {"assignee"},
    "work_item.returned.v1": _ITEM | {"reason"},
    "work_item.unclaimed.v1": _ITEM | {"assignee", "unclaimed_by"},
    "work_item.delegated.v1": _ITEM | {"to_team", "to_assignee", "reason"},
    "work_item.completed.v1": _ITEM,
    "work_item.cancelled.v1": _ITEM | {"reason"},
    "process.started.v1": {"process", "version"},
    "process.ended.v1": {"outcome"},
    "incident.raised.v1": {"element_id", "code"},
    "incident.resolved.v1": {"incident_id"},
    "stage.started.v1": {"stage"},
    "stage.ended.v1": {"stage"},
    "war_room.opened.v1": {"purpose", "members", "lead"},
    "war_room.closed.v1": {"conclusion"},
    "clock.started.v1": _PROMISES,
    "clock.paused.v1": {"metrics", "reason"},
    "clock.resumed.v1": _PROMISES,
    "clock.rebased.v1": _PROMISES,
    "clock.warned.v1": {"metric", "threshold_percent", "due_at"},
    "clock.breached.v1": {"metric", "due_at", "target_s"},
    "clock.met.v1": {"metric", "elapsed_s", "target_s", "is_breached"},
    "clock.cancelled.v1": {"metrics", "reason"},
    "clock.corrected.v1": _PROMISES,
    "agreement_clock.started.v1": _NAMED,
    "agreement_clock.resumed.v1": _NAMED,
    "agreement_clock.rebased.v1": _NAMED,
    "agreement_clock.corrected.v1": _NAMED,
    "agreement_clock.paused.v1": _NAMED,
    "agreement_clock.cancelled.v1": _NAMED,
    "agreement_clock.warned.v1": {"clock": _NAME, "used_percent": True, "due_at": True},
    "agreement_clock.breached.v1": {"clock": _NAME, "due_at": True},
    "agreement_clock.met.v1": {"clock": _NAME, "elapsed_s": True, "target_s": True},
    "escalation.requested.v1": {"reason", "note"},
    "escalation.raised.v1": {
        "policy": True,
        "team": True,
        "priority": True,
        "trigger": {"kind", "metric", "threshold_percent"},
    },
    "escalation.stepped.v1": {
        "tier": True,
        "repeat": True,
        "next_at": True,
        "recipients": {"__all__": {"person"}},
    },
    "escalation.acknowledged.v1": {"tier"},
    "escalation.released.v1": {"reason"},
    "escalation.exhausted.v1": {"tiers", "duty_person"},
    "escalation.closed.v1": {"reason"},
    "notification.sent.v1": _DELIVERY | {"attempts", "is_possibly_repeated"},
    "notification.delivered.v1": _DELIVERY | {"attempts", "is_possibly_repeated"},
    "notification.seen.v1": _DELIVERY,
    "notification.acted.v1": _DELIVERY | {"action"},
    "notification.failed.v1": _DELIVERY | {"attempts", "reason", "is_final"},
    "notification.suppressed.v1": _DELIVERY | {"reason"},
    "notification.set_aside.v1": _DELIVERY | {"reason"},
}

#: Fields that name who acted; an event has one of them at most.
_ACTORS = (
    "changed_by",
    "author_id",
    "assigned_by",
    "decided_by",
    "resolved_by",
    "completed_by",
    "returned_by",
    "unassigned_by",
    "requested_by",
    "acknowledged_by",
    "actor",
)


def tell(event: Envelope[EventData], work: Work) -> None:
    """Add the event's line to its request's timeline, if its type has one."""
    kept = KEPT.get(event.type)
    if kept is None:
        return
    data = event.data
    # An empty set would include nothing anyway, but pydantic walks the fields for it.
    params = data.model_dump(mode="json", include=kept, exclude_none=True) if kept else {}
    work.tell(
        Told(
            event_id=str(event.id),
            request_id=event.subject,
            occurred_at=event.occurred_at,
            recorded_at=event.time,
            publisher=event.source,
            sequence=event.sequence,
            type=event.type,
            params=orjson.dumps(params).decode(),
            actor=_actor(data),
        )
    )


def sealed(event: Envelope[RequestSealed], work: Work) -> None:
    """The last line: nothing more is said about the request."""
    tell(event, work)
    work.seal(event.subject)


def _actor(data: EventData) -> str | None:
    field = _actor_field(type(data))
    value = getattr(data, field) if field else None
    return value if isinstance(value, str) else None


@cache
def _actor_field(event_type: type[EventData]) -> str | None:
    return next((field for field in _ACTORS if field in event_type.model_fields), None)
