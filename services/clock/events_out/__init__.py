"""From what there is to say about clocks to the published contracts."""

from __future__ import annotations

from services.clock.domain.said import Said
from services.clock.events_out import first, further
from services.clock.events_out.calendars import coverage_extended, coverage_warned
from shared.events.base import EventData


def event(said: Said) -> EventData:
    """Return the event that says it."""
    return further.event(said) if said.is_further else first.event(said)


__all__ = ["coverage_extended", "coverage_warned", "event"]
