"""What the router listens to."""

from __future__ import annotations

from services.router import handlers
from shared.consuming import on, on_timer, seal
from shared.events.intake import (
    MessagePosted,
    RequestConfirmed,
    RequestReopenedByRequester,
    RequestSealed,
    RequestSubmitted,
    RequestUpdated,
    RequestWithdrawn,
)

SUBSCRIPTIONS = (
    on(RequestSubmitted, handlers.route_request),
    on(RequestUpdated, handlers.update_request),
    on(RequestWithdrawn, handlers.withdraw_request),
    on(MessagePosted, handlers.note_message),
    on(RequestConfirmed, handlers.confirm_request),
    on(RequestReopenedByRequester, handlers.reopen_request),
    on(RequestSealed, seal),
)

TIMERS = (
    on_timer("process", handlers.fire_process_timer),
    on_timer("job", handlers.fire_job_timer),
    on_timer("message", handlers.fire_message_timer),
    on_timer("assignment", handlers.assign_by_rule),
)
