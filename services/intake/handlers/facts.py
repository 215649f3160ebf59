"""From an event to an entry of the timeline: its type and its codes, without its bulk."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from services.intake.domain.values import Fact
from shared.events.clock import ClockEvent
from shared.events.router import RouterEvent

if TYPE_CHECKING:
    from collections.abc import Mapping

    from shared.events.base import Envelope, EventData

#: What a timeline need not repeat: inputs of decisions, what the request itself carries.
_LEFT_OUT: dict[str, Any] = {
    "explanation": {"__all__": {"inputs"}},
    # How much work colleagues have in hand is not for requesters.
    "considered": True,
    "request_type": True,
    "domain": True,
    "organisation_unit": True,
    "channel": True,
    "customer_tier": True,
    "submitted_at": True,
    "number": True,
    "instance_id": True,
    "is_import": True,
}
_OF_CLOCKS = ("clock_id", "metric", "target_s", "started_at", "due_at", "calendar")


def fact_of(event: Envelope[EventData]) -> Fact:
    """Return the entry; ids and moments are the event's own, so arrival changes nothing."""
    return Fact(
        id=str(event.id),
        request_id=event.subject,
        occurred_at=event.occurred_at,
        recorded_at=event.time,
        publisher=event.source,
        sequence=event.sequence,
        type=event.type,
        params=_params(event.data),
    )


def _params(data: EventData) -> Mapping[str, Any]:
    if isinstance(data, RouterEvent):
        return data.model_dump(mode="json", exclude=_LEFT_OUT)
    told = data.model_dump(mode="json")
    if isinstance(data, ClockEvent) and "clocks" in told:
        told["clocks"] = [{k: clock[k] for k in _OF_CLOCKS} for clock in told["clocks"]]
    return told
