"""What intake hears, on one screen."""

from __future__ import annotations

from services.intake.handlers import asking, hearing, promising, releasing, watching
from services.intake.store import IntakeWork
from shared.consuming import Subscription, TimerSubscription, on, on_timer
from shared.events import clock, router
from shared.events.commands.intake import MessageRequested

SUBSCRIPTIONS: tuple[Subscription[IntakeWork], ...] = (
    on(router.DefinitionReleased, releasing.keep_catalogue),
    on(router.RequestRouted, hearing.route),
    on(router.RequestPriorityChanged, hearing.reprioritise),
    on(router.RequestLaneChanged, hearing.change_lane),
    on(router.RequestAssigned, hearing.assign),
    on(router.RequestHandedOver, hearing.hand_over),
    on(router.RequestUnassigned, hearing.unassign),
    on(router.RequestWaitingStarted, hearing.wait),
    on(router.RequestWaitingEnded, hearing.go_on),
    on(router.RequestResolved, hearing.resolve),
    on(router.RequestReopened, hearing.reopen),
    on(router.RequestClosed, hearing.close),
    on(router.RequestCancelled, hearing.cancel),
    on(router.RequestClosingDeferred, hearing.hold),
    on(router.RequestDecided, hearing.note),
    on(MessageRequested, asking.ask, senders=("router",)),
    on(router.WorkItemOpened, hearing.note),
    on(router.WorkItemClaimed, hearing.note),
    on(router.WorkItemReturned, hearing.note),
    on(router.WorkItemUnclaimed, hearing.note),
    on(router.WorkItemDelegated, hearing.note),
    on(router.WorkItemCompleted, hearing.note),
    on(router.WorkItemCancelled, hearing.note),
    on(router.IncidentRaised, hearing.note),
    on(router.IncidentResolved, hearing.note),
    on(clock.ClockStarted, promising.start),
    on(clock.ClockPaused, promising.pause),
    on(clock.ClockResumed, promising.resume),
    on(clock.ClockRebased, promising.rebase),
    on(clock.ClockWarned, promising.warn),
    on(clock.ClockBreached, promising.breach),
    on(clock.ClockMet, promising.meet),
    on(clock.ClockCancelled, promising.cancel),
    on(clock.ClockCorrected, promising.correct),
)

TIMERS: tuple[TimerSubscription[IntakeWork], ...] = (on_timer(watching.KIND, watching.look),)
