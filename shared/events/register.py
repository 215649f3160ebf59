"""The register of all event types: an explicit tuple, so that no import order can lose one."""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.events import clock, escalation, intake, notify, router
from shared.events.commands import escalation as escalation_commands
from shared.events.commands import intake as intake_commands
from shared.events.commands import notify as notify_commands

if TYPE_CHECKING:
    from shared.events.base import EventData

ALL_EVENTS: tuple[type[EventData], ...] = (
    *intake.EVENTS,
    *router.EVENTS,
    *clock.EVENTS,
    *escalation.EVENTS,
    *notify.EVENTS,
    *notify_commands.EVENTS,
    *escalation_commands.EVENTS,
    *intake_commands.EVENTS,
)

BY_TYPE: dict[str, type[EventData]] = {event.type: event for event in ALL_EVENTS}

#: Services that publish; each has one stream.
PUBLISHERS = ("intake", "router", "clock", "escalation", "notify")
