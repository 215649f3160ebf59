"""What the router listens to."""

from __future__ import annotations

from services.router import handlers
from services.router.handlers import dues
from shared.consuming import on, on_timer, seal
from shared.events import clock
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
    # For the order of inboxes only: nothing is loaded, and nothing said.
    on(clock.ClockStarted, dues.note_running, loads=False),
    on(clock.ClockResumed, dues.note_running, loads=False),
    on(clock.ClockRebased, dues.note_changed, loads=False),
    on(clock.ClockCorrected, dues.note_changed, loads=False),
    on(clock.ClockPaused, dues.note_standing, loads=False),
    on(clock.ClockCancelled, dues.note_standing, loads=False),
    on(clock.ClockMet, dues.note_met, loads=False),
    on(clock.AgreementClockStarted, dues.note_named_running, loads=False),
    on(clock.AgreementClockResumed, dues.note_named_running, loads=False),
    on(clock.AgreementClockRebased, dues.note_named_changed, loads=False),
    on(clock.AgreementClockCorrected, dues.note_named_changed, loads=False),
    on(clock.AgreementClockPaused, dues.note_named_standing, loads=False),
    on(clock.AgreementClockCancelled, dues.note_named_standing, loads=False),
    on(clock.AgreementClockMet, dues.note_named_met, loads=False),
)

TIMERS = (
    on_timer("process", handlers.fire_process_timer),
    on_timer("job", handlers.fire_job_timer),
    on_timer("message", handlers.fire_message_timer),
    on_timer("assignment", handlers.assign_by_rule),
)
