"""What escalation listens to."""

from __future__ import annotations

from services.escalation import handlers
from shared.consuming import on, on_timer, seal
from shared.events.clock import (
    AgreementClockBreached,
    AgreementClockCancelled,
    AgreementClockCorrected,
    AgreementClockMet,
    AgreementClockRebased,
    AgreementClockWarned,
    CalendarCoverageExtended,
    CalendarCoverageWarned,
    ClockBreached,
    ClockCancelled,
    ClockCorrected,
    ClockMet,
    ClockRebased,
    ClockWarned,
)
from shared.events.commands.escalation import EscalationRequested
from shared.events.intake import RequestSealed
from shared.events.notify import NotificationActed
from shared.events.router import (
    DefinitionReleased,
    DirectoryChanged,
    RequestAssigned,
    RequestCancelled,
    RequestClosed,
    RequestHandedOver,
    RequestPriorityChanged,
    RequestReopened,
    RequestResolved,
    RequestRouted,
    RequestUnassigned,
)

SUBSCRIPTIONS = (
    on(ClockWarned, handlers.hear_warned),
    on(ClockBreached, handlers.hear_breached),
    on(ClockMet, handlers.hear_met),
    on(ClockCancelled, handlers.hear_clock_cancelled),
    on(ClockRebased, handlers.hear_changed),
    on(ClockCorrected, handlers.hear_changed),
    on(AgreementClockWarned, handlers.hear_agreement_warned),
    on(AgreementClockBreached, handlers.hear_agreement_breached),
    on(AgreementClockMet, handlers.hear_agreement_met),
    on(AgreementClockCancelled, handlers.hear_agreement_cancelled),
    on(AgreementClockRebased, handlers.hear_changed),
    on(AgreementClockCorrected, handlers.hear_changed),
    on(CalendarCoverageWarned, handlers.hear_coverage_warned),
    on(CalendarCoverageExtended, handlers.hear_coverage_extended),
    on(RequestRouted, handlers.hear_routed),
    on(RequestAssigned, handlers.hear_assigned),
    on(RequestHandedOver, handlers.hear_handed_over),
    on(RequestUnassigned, handlers.hear_unassigned),
    on(RequestPriorityChanged, handlers.hear_priority_changed),
    on(RequestResolved, handlers.hear_resolved),
    on(RequestReopened, handlers.hear_reopened),
    on(RequestClosed, handlers.hear_closed),
    on(RequestCancelled, handlers.hear_cancelled),
    on(DirectoryChanged, handlers.keep_directory),
    on(DefinitionReleased, handlers.keep_policy),
    on(NotificationActed, handlers.hear_acted),
    on(EscalationRequested, handlers.hear_requested, senders=("intake", "router")),
    on(RequestSealed, seal),
)

TIMERS = (
    on_timer("step", handlers.take_step),
    on_timer(handlers.TELL, handlers.tell_of_calendar),
)
