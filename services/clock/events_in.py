"""What the clock hears, on one screen."""

from __future__ import annotations

from services.clock import handlers
from services.clock.store import ClockWork
from shared.consuming import Subscription, TimerSubscription, on, on_timer, seal
from shared.events.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationRaised,
    EscalationReleased,
    EscalationStepped,
)
from shared.events.intake import MessagePosted, RequestConfirmed, RequestSealed
from shared.events.router import (
    DefinitionReleased,
    RequestAssigned,
    RequestCancelled,
    RequestClosed,
    RequestHandedOver,
    RequestPriorityChanged,
    RequestReopened,
    RequestResolved,
    RequestRouted,
    RequestUnassigned,
    RequestWaitingEnded,
    RequestWaitingStarted,
    StageEnded,
    StageStarted,
)

SUBSCRIPTIONS: tuple[Subscription[ClockWork], ...] = (
    on(RequestRouted, handlers.start_clocks),
    on(RequestPriorityChanged, handlers.note_priority),
    on(RequestAssigned, handlers.note_assigned),
    on(RequestHandedOver, handlers.note_handed_over),
    on(RequestUnassigned, handlers.note_unassigned),
    on(RequestWaitingStarted, handlers.note_waiting_started),
    on(RequestWaitingEnded, handlers.note_waiting_ended),
    on(RequestResolved, handlers.note_resolved),
    on(RequestReopened, handlers.note_reopened),
    on(RequestClosed, handlers.note_closed),
    on(RequestCancelled, handlers.note_cancelled),
    on(StageStarted, handlers.note_stage_started),
    on(StageEnded, handlers.note_stage_ended),
    on(MessagePosted, handlers.note_message),
    on(RequestConfirmed, handlers.note_confirmed),
    on(RequestSealed, seal),
    on(EscalationRaised, handlers.note_raised),
    on(EscalationStepped, handlers.note_stepped),
    on(EscalationAcknowledged, handlers.note_acknowledged),
    on(EscalationReleased, handlers.note_released),
    on(EscalationClosed, handlers.note_escalation_closed),
    on(DefinitionReleased, handlers.take_definition),
)

TIMERS: tuple[TimerSubscription[ClockWork], ...] = (
    on_timer(handlers.THRESHOLD, handlers.announce_thresholds),
    on_timer(handlers.MOVE_PAGE, handlers.spread_move),
    on_timer(handlers.MOVE, handlers.move_clocks),
    on_timer(handlers.COVERAGE, handlers.look_at_coverage),
    on_timer(handlers.RENEW, handlers.renew_calendar),
    on_timer(handlers.EXTEND_PAGE, handlers.spread_move),
    on_timer(handlers.EXTEND, handlers.extend_clocks),
)
