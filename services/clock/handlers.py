"""What the clock does when it hears something, or when a moment is due."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from services.clock import events_out
from services.clock.domain import moving, steps
from services.clock.domain.facts import Fact, FactKind, Ledger, Move, Routed, clock_id
from services.clock.domain.steps import Step
from services.clock.domain.table import DECISION
from services.clock.domain.targets import Library
from services.clock.store.moves import MoveJob
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
    DefinitionReleased,
    RequestAssigned,
    RequestCancelled,
    RequestClosed,
    RequestHandedOver,
    RequestPriorityChanged,
    RequestReopened,
    RequestResolved,
    RequestRouted,
    RequestWaitingEnded,
    RequestWaitingStarted,
)
from shared.vocabulary import AuthorKind

#: The kind of the one timer each running clock has, named by the clock's id.
THRESHOLD = "threshold"
#: The kinds of a move's timers: one that hands on pages of requests, one at each request.
MOVE_PAGE, MOVE, PAGE_NAME = "move_page", "move", "page"


class Work(Protocol):
    """What these handlers need of the unit of work."""

    #: When this process started, and when it is taken to have heard what happened meanwhile.
    started_at: datetime
    caught_up_at: datetime

    @property
    def now(self) -> datetime:
        """The moment of recording."""
        ...

    @property
    def library(self) -> Library:
        """The definitions."""
        ...

    def ledger(self, request_id: str) -> Ledger:
        """Return the ledger of a request, an empty one when nothing is known of it."""
        ...

    def keep(self, ledger: Ledger) -> None:
        """Keep a ledger as it is now."""
        ...

    def release(self, data: DefinitionReleased) -> None:
        """Take a released definition into force."""
        ...

    def page_of(self, key: str) -> tuple[MoveJob, list[str]] | None:
        """Return the move a timer stands for, and the next requests it is to reach."""
        ...

    def keep_job(self, job: MoveJob) -> None:
        """Keep a move as it is now."""
        ...

    def publish(self, data: EventData, *, subject: UUID | str, occurred_at: datetime) -> UUID:
        """Say something."""
        ...

    def arm(
        self,
        kind: str,
        key: UUID | str,
        name: str,
        due_at: datetime,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Arm the one timer with this kind, key and name."""
        ...

    def disarm(self, kind: str, key: UUID | str, name: str) -> None:
        """Disarm it."""
        ...


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
    _record(steps.route(work.ledger(event.subject), routed, work.library), work)


def note_priority(event: Envelope[RequestPriorityChanged], work: Work) -> None:
    """Give the clocks under way the target of the new priority."""
    _note(event, work, FactKind.PRIORITY_CHANGED, event.data.new)


def note_assigned(event: Envelope[RequestAssigned], work: Work) -> None:
    """One named owner: assignment is met, handling runs."""
    _note(event, work, FactKind.ASSIGNED, event.data.assignee, event.data.team)


def note_handed_over(event: Envelope[RequestHandedOver], work: Work) -> None:
    """Handling stands still until the next owner is named."""
    _note(event, work, FactKind.HANDED_OVER, event.data.reason, event.data.to_team)


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


def take_definition(event: Envelope[DefinitionReleased], work: Work) -> None:
    """Keep tables and calendars the clock computes with; requests stay on their version."""
    data = event.data
    if data.kind == "calendar" or (data.kind == "decision" and data.key == DECISION):
        work.release(data)


def announce_thresholds(timer: Timer, work: Work) -> None:
    """Announce what the request's clocks have reached at the due moment.

    What was due while the house was down waits until the bus has told what happened meanwhile:
    nobody is paged for a request that was resolved in time.
    """
    ledger = work.ledger(timer.key)
    if work.now < work.caught_up_at and steps.has_crossed(ledger, work.started_at):
        # Another threshold of the same request, due since, would announce those as well.
        work.arm(THRESHOLD, timer.key, timer.name, work.caught_up_at)
        return
    _record(steps.fire(ledger, timer.due_at, work.library), work)


def begin_move(job: MoveJob, work: Work) -> None:
    """Keep a move and let its first page be handed on."""
    work.keep_job(job)
    work.arm(MOVE_PAGE, f"{MOVE}/{job.id}", PAGE_NAME, work.now)


def spread_move(timer: Timer, work: Work) -> None:
    """Hand a page of requests on, each to its own turn; then the next page."""
    found = work.page_of(timer.key)
    if found is None:
        return
    job, page = found
    payload = {"by": job.moved_by, "undoes": job.undoes}
    for request_id in page:
        work.arm(MOVE, request_id, job.id, work.now, payload)
    after = job.spread_over(page)
    work.keep_job(after)
    if not after.is_spread:
        work.arm(MOVE_PAGE, timer.key, timer.name, work.now)


def move_clocks(timer: Timer, work: Work) -> None:
    """Put one request's running clocks under the versions in force, or back.

    Should a version be released while the move is under way, whom it reaches later gets that.
    """
    ledger, told = work.ledger(timer.key), timer.payload
    if ledger.pins is None:
        return
    if told["undoes"] is not None:
        step = moving.undo(ledger, told["undoes"], told["by"], timer.name, work.now, work.library)
    else:
        move = Move(work.now, ledger.pins, told["by"], timer.name)
        step = steps.move(ledger, work.library.in_force(), move, work.library)
    if step.ledger is not ledger:
        _record(step, work)


def _note(
    event: Envelope[EventData], work: Work, kind: FactKind, value: str = "", team: str = ""
) -> None:
    fact = Fact(kind, event.occurred_at, event.source, event.sequence, value, team)
    _record(steps.note(work.ledger(event.subject), fact, work.library), work)


def _record(step: Step, work: Work) -> None:
    """Keep the ledger, say what there is to say, set the timers."""
    request_id = step.ledger.request_id
    work.keep(step.ledger)
    for said in step.said:
        work.publish(events_out.event(said), subject=request_id, occurred_at=said.at)
    for key, next_at in (step.timers or {}).items():
        name = str(clock_id(request_id, key))
        if next_at is None:
            work.disarm(THRESHOLD, request_id, name)
        else:
            work.arm(THRESHOLD, request_id, name, next_at)
