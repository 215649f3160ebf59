"""What makes people be told, and what takes the reason away again."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal
from uuid import UUID

from services.escalation.domain import (
    NOT_ROUTED,
    Cause,
    Escalation,
    NoSuchRequest,
    RequestIsOver,
    filled_in,
    without_clocks,
    without_thresholds,
)
from services.escalation.handlers.climbing import (
    TRIAGE,
    lose_causes,
    must_be_known,
    request_of,
    trigger,
)
from shared.vocabulary import Priority

if TYPE_CHECKING:
    from collections.abc import Callable, Collection
    from datetime import datetime

    from services.escalation.store import EscalationWork
    from shared.events.base import Envelope
    from shared.events.clock import (
        AgreementClockBreached,
        AgreementClockCancelled,
        AgreementClockCorrected,
        AgreementClockMet,
        AgreementClockRebased,
        AgreementClockWarned,
        ClockBreached,
        ClockCancelled,
        ClockCorrected,
        ClockMet,
        ClockRebased,
        ClockWarned,
    )
    from shared.events.commands.escalation import EscalationRequested

#: Why a clock is cancelled when its request is over: the router's own words.
_OVER = ("cancelled", "closed")


def hear_warned(event: Envelope[ClockWarned], work: EscalationWork) -> None:
    """A threshold passed: tell people if the policy wants it at this percentage."""
    said = event.data
    cause = Cause(
        "warned",
        event.occurred_at,
        metric=said.metric.value,
        threshold_percent=said.threshold_percent,
        clock_id=said.clock_id,
        due_at=said.due_at,
    )
    _hear_clock(event, cause, work)


def hear_breached(event: Envelope[ClockBreached], work: EscalationWork) -> None:
    """A promise was broken: tell people."""
    said = event.data
    cause = Cause(
        "breached",
        event.occurred_at,
        metric=said.metric.value,
        clock_id=said.clock_id,
        due_at=said.due_at,
    )
    _hear_clock(event, cause, work)


def hear_met(event: Envelope[ClockMet], work: EscalationWork) -> None:
    """What was promised happened: an escalation about nothing else is over."""
    reason = "met_late" if event.data.is_breached else "met_in_time"
    _lose_clocks(event.subject, {event.data.clock_id}, reason, event.occurred_at, work)


def hear_clock_cancelled(event: Envelope[ClockCancelled], work: EscalationWork) -> None:
    """A clock lost its meaning: so did an escalation about nothing else.

    Where it did so because the request is over, that is the reason, whoever says it first.
    """
    gone, why = set(event.data.clock_ids), event.data.reason
    reason = why if why in _OVER else "clock_cancelled"
    _lose_clocks(event.subject, gone, reason, event.occurred_at, work)


def hear_agreement_warned(event: Envelope[AgreementClockWarned], work: EscalationWork) -> None:
    """The same of a further agreement or a named stage, or at a threshold in time."""
    said = event.data
    is_time = said.threshold[:1] in ("+", "-")
    cause = Cause(
        "warned",
        event.occurred_at,
        metric=said.clock.name,
        threshold_percent=said.used_percent if is_time else int(said.threshold),
        threshold_time=said.threshold if is_time else None,
        clock_id=said.clock.clock_id,
        due_at=said.due_at,
    )
    _hear_clock(event, cause, work)


def hear_agreement_breached(event: Envelope[AgreementClockBreached], work: EscalationWork) -> None:
    """A promise between teams or with a supplier, or a stage's, was broken."""
    said = event.data
    cause = Cause(
        "breached",
        event.occurred_at,
        metric=said.clock.name,
        clock_id=said.clock.clock_id,
        due_at=said.due_at,
    )
    _hear_clock(event, cause, work)


def hear_agreement_met(event: Envelope[AgreementClockMet], work: EscalationWork) -> None:
    """It was kept, or came at last."""
    reason = "met_late" if event.data.is_breached else "met_in_time"
    _lose_clocks(event.subject, {event.data.clock.clock_id}, reason, event.occurred_at, work)


def hear_agreement_cancelled(
    event: Envelope[AgreementClockCancelled], work: EscalationWork
) -> None:
    """Its clocks lost their meaning."""
    gone, why = {clock.clock_id for clock in event.data.clocks}, event.data.reason
    reason = why if why in _OVER else "clock_cancelled"
    _lose_clocks(event.subject, gone, reason, event.occurred_at, work)


def hear_changed(
    event: Envelope[ClockRebased]
    | Envelope[ClockCorrected]
    | Envelope[AgreementClockRebased]
    | Envelope[AgreementClockCorrected],
    work: EscalationWork,
) -> None:
    """Another target, or a late fact: nobody is called for what is not so after all."""
    withdrawn = {one.clock_id: one.thresholds for one in event.data.withdrawn}
    if withdrawn:
        _lose(
            event.subject,
            lambda causes: without_thresholds(causes, withdrawn),
            "taken_back",
            event.occurred_at,
            work,
        )


def hear_requested(event: Envelope[EscalationRequested], work: EscalationWork) -> None:
    """A watchdog or a person wants people told now."""
    said = event.data
    request = filled_in(
        request_of(work, event.subject),
        number=said.number,
        team=said.team or TRIAGE,
        priority=said.priority or Priority.P2,
    )
    if said.reason == NOT_ROUTED and request.is_routed:
        work.keep_request(request)
        return
    kind = NOT_ROUTED if said.reason == NOT_ROUTED else "requested"
    cause = Cause(kind, event.occurred_at, reason=said.note or None, by=said.requested_by)
    trigger(work, request, cause, said.policy)


@dataclass(frozen=True, slots=True)
class Raising:
    """A person presses the button, at `at` (UTC), for the reason they give."""

    request_id: UUID
    by: str
    reason: str
    at: datetime


def raise_by_hand(
    command: Raising, work: EscalationWork
) -> tuple[Escalation, Literal["raised", "reopened", "attached"]]:
    """Tell people because a person wants it; return the escalation and what it meant.

    Raises `NoSuchRequest`, `RequestIsOver`, `NoSuchPerson`, `PolicyUnknown`.
    """
    request = work.find(command.request_id)
    if request is None:
        raise NoSuchRequest(request_id=command.request_id)
    if request.is_over:
        raise RequestIsOver(number=request.name)
    must_be_known(work, command.by)
    before = work.running(request.id)
    cause = Cause("requested", command.at, reason=command.reason, by=command.by)
    after = trigger(work, request, cause)
    assert after is not None, "every policy wants people told when a person asks for it"
    if before is None:
        return after, "raised"
    return after, "attached" if after.epoch == before.epoch else "reopened"


def _hear_clock(
    event: Envelope[ClockWarned]
    | Envelope[ClockBreached]
    | Envelope[AgreementClockWarned]
    | Envelope[AgreementClockBreached],
    cause: Cause,
    work: EscalationWork,
) -> None:
    said = event.data
    request = filled_in(
        request_of(work, event.subject),
        team=said.team,
        assignee=said.assignee,
        priority=said.priority,
    )
    trigger(work, request, cause)


def _lose_clocks(
    subject: str, gone: Collection[UUID], reason: str, at: datetime, work: EscalationWork
) -> None:
    _lose(subject, lambda causes: without_clocks(causes, gone), reason, at, work)


def _lose(
    subject: str,
    left: Callable[[tuple[Cause, ...]], tuple[Cause, ...]],
    reason: str,
    at: datetime,
    work: EscalationWork,
) -> None:
    request = work.find(UUID(subject))
    if request is None:
        return
    work.keep_request(replace(request, late_causes=left(request.late_causes)))
    running = work.running(request.id)
    if running is not None:
        lose_causes(work, running, left(running.causes), reason, at)
