"""What the clock does when it hears a fact about a request, or when a threshold is due."""

from __future__ import annotations

from services.clock.domain import steps
from services.clock.domain.facts import Fact, FactKind, Routed
from services.clock.handlers.port import THRESHOLD, Work, record
from shared.database.timers import Timer
from shared.events.base import Envelope, EventData
from shared.events.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationRaised,
    EscalationReleased,
    EscalationStepped,
)
from shared.events.intake import MessagePosted, RequestConfirmed
from shared.events.router import (
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
from shared.vocabulary import AuthorKind


def start_clocks(event: Envelope[RequestRouted], work: Work) -> None:
    """Arm every clock the tables promise, back-dated to the submission."""
    data = event.data
    routed = Routed(
        at=event.occurred_at,
        submitted_at=data.submitted_at,
        number=data.number,
        request_type=data.request_type,
        domain=data.domain,
        channel=data.channel,
        customer_tier=data.customer_tier,
        priority=data.priority,
        team=data.team,
        is_import=data.is_import,
        organisation_unit=data.organisation_unit or "",
    )
    record(steps.route(work.ledger(event.subject), routed, work.library), work)


def note_priority(event: Envelope[RequestPriorityChanged], work: Work) -> None:
    """Give the clocks under way the target of the new priority."""
    _note(event, work, FactKind.PRIORITY_CHANGED, event.data.new)


def note_assigned(event: Envelope[RequestAssigned], work: Work) -> None:
    """One named owner: assignment is met, handling runs."""
    _note(event, work, FactKind.ASSIGNED, event.data.assignee, event.data.team)


def note_handed_over(event: Envelope[RequestHandedOver], work: Work) -> None:
    """Handling stands still until the next owner is named."""
    _note(event, work, FactKind.HANDED_OVER, event.data.reason, event.data.to_team)


def note_unassigned(event: Envelope[RequestUnassigned], work: Work) -> None:
    """Nobody owns it by name any more: the same."""
    _note(event, work, FactKind.UNASSIGNED, event.data.reason, event.data.team)


def note_waiting_started(event: Envelope[RequestWaitingStarted], work: Work) -> None:
    """The clocks whose row says so stand still."""
    _note(event, work, FactKind.WAITING_STARTED, event.data.reason)


def note_waiting_ended(event: Envelope[RequestWaitingEnded], work: Work) -> None:
    """They go on."""
    _note(event, work, FactKind.WAITING_ENDED, event.data.reason)


def note_resolved(event: Envelope[RequestResolved], work: Work) -> None:
    """Everything the resolution answers is met."""
    _note(event, work, FactKind.RESOLVED)


def note_reopened(event: Envelope[RequestReopened], work: Work) -> None:
    """Resolution and handling go on where they were."""
    _note(event, work, FactKind.REOPENED, event.data.reason)


def note_closed(event: Envelope[RequestClosed], work: Work) -> None:
    """Nothing runs any more."""
    _note(event, work, FactKind.CLOSED, event.data.reason)


def note_cancelled(event: Envelope[RequestCancelled], work: Work) -> None:
    """No promise has a meaning any more."""
    _note(event, work, FactKind.CANCELLED, event.data.reason)


def note_message(event: Envelope[MessagePosted], work: Work) -> None:
    """An effective answer is a response; the requester's words ask for the next one."""
    data = event.data
    if data.author is AuthorKind.REQUESTER:
        _note(event, work, FactKind.ASKED)
    elif data.is_effective and not data.is_automatic:
        _note(event, work, FactKind.REPLIED, data.author_id)


def note_confirmed(event: Envelope[RequestConfirmed], work: Work) -> None:
    """The requester agrees: the second figure of the resolution ends."""
    _note(event, work, FactKind.CONFIRMED)


def note_stage_started(event: Envelope[StageStarted], work: Work) -> None:
    """A diagram says that a stage begins."""
    _note(event, work, FactKind.STAGE_STARTED, event.data.stage)


def note_stage_ended(event: Envelope[StageEnded], work: Work) -> None:
    """A diagram says that a stage ends."""
    _note(event, work, FactKind.STAGE_ENDED, event.data.stage)


def note_raised(event: Envelope[EscalationRaised], work: Work) -> None:
    """From now on an acknowledgement is awaited."""
    _note(event, work, FactKind.ESCALATED, str(event.data.escalation_id))


def note_stepped(event: Envelope[EscalationStepped], work: Work) -> None:
    """The same, should the step be heard of first."""
    _note(event, work, FactKind.ESCALATED, str(event.data.escalation_id))


def note_acknowledged(event: Envelope[EscalationAcknowledged], work: Work) -> None:
    """A person took the escalation over."""
    _note(event, work, FactKind.ACKNOWLEDGED, str(event.data.escalation_id))


def note_released(event: Envelope[EscalationReleased], work: Work) -> None:
    """The escalation's reason is gone."""
    _note(event, work, FactKind.RELEASED, str(event.data.escalation_id))


def note_escalation_closed(event: Envelope[EscalationClosed], work: Work) -> None:
    """The escalation is over."""
    _note(event, work, FactKind.RELEASED, str(event.data.escalation_id))


def announce_thresholds(timer: Timer, work: Work) -> None:
    """Announce what the request's clocks have reached at the due moment.

    What was due while the house was down waits until the bus has told what happened meanwhile:
    nobody is paged for a request that was resolved in time.
    """
    ledger = work.ledger(timer.key)
    # A clock that was put back since the start must not make an hour of these seconds.
    is_catching_up = work.started_at <= work.now < work.caught_up_at
    if is_catching_up and steps.has_crossed(ledger, work.started_at):
        # Another threshold of the same request, due since, would announce those as well.
        work.arm(THRESHOLD, timer.key, timer.name, work.caught_up_at)
        return
    record(steps.fire(ledger, timer.due_at, work.library), work)


def _note(
    event: Envelope[EventData], work: Work, kind: FactKind, value: str = "", team: str = ""
) -> None:
    fact = Fact(kind, event.occurred_at, event.source, event.sequence, value, team)
    record(steps.note(work.ledger(event.subject), fact, work.library), work)
