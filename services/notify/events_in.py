"""What notify listens to."""

from __future__ import annotations

from services.notify import handlers
from shared.consuming import on, on_timer, seal
from shared.events.commands.notify import NotificationRequested
from shared.events.escalation import EscalationAcknowledged, EscalationClosed, EscalationReleased
from shared.events.intake import RequestSealed
from shared.events.router import DefinitionReleased, DirectoryChanged

SUBSCRIPTIONS = (
    on(NotificationRequested, handlers.accept, senders=("escalation", "intake", "router")),
    on(EscalationAcknowledged, handlers.hear_acknowledged),
    on(EscalationReleased, handlers.hear_released),
    on(EscalationClosed, handlers.hear_closed),
    on(DirectoryChanged, handlers.keep_directory),
    on(DefinitionReleased, handlers.keep_templates),
    on(RequestSealed, seal),
)

TIMERS = (on_timer("send", handlers.come_back),)
