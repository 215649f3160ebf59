"""Who says what and who hears it, read from the tables in the code."""

from __future__ import annotations

import importlib
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from shared.events.register import ALL_EVENTS

if TYPE_CHECKING:
    from shared.events.base import EventData

SERVICES = ("intake", "router", "clock", "escalation", "notify", "insight")


@dataclass(slots=True)
class Topology:
    """For each event type: who says it and who hears it."""

    says: dict[str, set[str]] = field(default_factory=dict)
    hears: dict[str, set[str]] = field(default_factory=dict)


def topology() -> Topology:
    """Return the topology of the services as they are."""
    found = Topology()
    for event in ALL_EVENTS:
        if event.publisher is not None:
            found.says.setdefault(event.type, set()).add(event.publisher)
    for service in SERVICES:
        events_in = importlib.import_module(f"services.{service}.events_in")
        for subscription in events_in.SUBSCRIPTIONS:
            found.hears.setdefault(subscription.event_type.type, set()).add(service)
            if subscription.event_type.publisher is None:
                senders = found.says.setdefault(subscription.event_type.type, set())
                senders.update(subscription.senders)
    return found


def events_of(service: str) -> list[type[EventData]]:
    """Return the facts a service publishes."""
    return [event for event in ALL_EVENTS if event.publisher == service]
