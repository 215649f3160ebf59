"""Who says what and who hears it, read from the code as it is."""

from __future__ import annotations

import ast
import functools
import importlib
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING

from shared.events.register import ALL_EVENTS

if TYPE_CHECKING:
    from collections.abc import Iterator

    from shared.consuming import Subscription
    from shared.events.base import EventData

ROOT = Path(__file__).resolve().parents[1]
SERVICES = ("intake", "router", "clock", "escalation", "notify", "insight")


@dataclass(slots=True)
class Topology:
    """For each event type: who says it, who hears it, and whom a hearer expects to say it."""

    says: dict[str, set[str]] = field(default_factory=dict)
    hears: dict[str, set[str]] = field(default_factory=dict)
    #: By event type: the senders its hearers listen to.
    expected: dict[str, set[str]] = field(default_factory=dict)


def topology() -> Topology:
    """Return the topology of the services as they are."""
    found = Topology()
    for service in SERVICES:
        for event in said_by(service):
            found.says.setdefault(event.type, set()).add(service)
        for subscription in subscriptions(service):
            kind = subscription.event_type.type
            found.hears.setdefault(kind, set()).add(service)
            found.expected.setdefault(kind, set()).update(subscription.senders)
    return found


def subscriptions(service: str) -> tuple[Subscription[object], ...]:
    """Return what a service hears, from the table in its `events_in`."""
    events_in = importlib.import_module(f"services.{service}.events_in")
    table: tuple[Subscription[object], ...] = events_in.SUBSCRIPTIONS
    return table


def said_by(service: str) -> list[type[EventData]]:
    """Return the events a service makes somewhere in its code, in the register's order.

    Whoever makes an event says it: only the wire makes other services' events, and it lives in
    `shared`. An event that is declared and never made is one nobody says.
    """
    made = _called_in(service)
    return [event for event in ALL_EVENTS if event.__name__ in made]


def declared_by(service: str) -> list[type[EventData]]:
    """Return the facts only this service may publish."""
    return [event for event in ALL_EVENTS if event.publisher == service]


@functools.cache
def _called_in(service: str) -> frozenset[str]:
    return frozenset(_called_names(ROOT / "services" / service))


def _called_names(folder: Path) -> Iterator[str]:
    """Yield the last name of whatever is called in a folder: `router.RequestRouted(…)`."""
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if not isinstance(node, ast.Call):
                continue
            if isinstance(node.func, ast.Name):
                yield node.func.id
            elif isinstance(node.func, ast.Attribute):
                yield node.func.attr
