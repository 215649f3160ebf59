"""From escalation's terms to the contracts it publishes."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from services.escalation.domain import LINK_LIFE, Cause, Escalation, Request, Told
from shared.events.commands.notify import AcknowledgeLink, NotificationRequested, NotifyRecipient
from shared.events.escalation import (
    EscalationAcknowledged,
    EscalationClosed,
    EscalationExhausted,
    EscalationRaised,
    EscalationReleased,
    EscalationStepped,
    Recipient,
    Trigger,
)
from shared.id_source import derived
from shared.vocabulary import Priority

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from typing import Any

    from pydantic import JsonValue

    from services.escalation.domain import Telling

#: Words that tell people an escalation is over help for a while, not for ever.
_NOTICE_LIFE = timedelta(hours=4)
#: Nobody is woken for a calendar, and there are weeks to see to it.
_CALENDAR_LIFE = timedelta(days=30)
COVERAGE_ENDING, COVERAGE_EXTENDED = "calendar.coverage_ending", "calendar.coverage_extended"


def raised(escalation: Escalation) -> EscalationRaised:
    """An escalation began to climb."""
    return EscalationRaised(
        escalation_id=escalation.id,
        policy=escalation.policy,
        policy_version=escalation.policy_version,
        trigger=_trigger(escalation.causes[0]),
        team=escalation.team,
        priority=escalation.priority,
    )


def stepped(escalation: Escalation, telling: Telling) -> EscalationStepped:
    """A tier was told, or passed when `recipients` is empty."""
    return EscalationStepped(
        escalation_id=escalation.id,
        tier=telling.step.tier,
        repeat=telling.step.repeat,
        epoch=escalation.epoch,
        recipients=tuple(
            Recipient(person=t.person, role=t.role, stands_in_for=t.stands_in_for)
            for t in telling.reached.told
        ),
        next_at=telling.next_at,
    )


def acknowledged(escalation: Escalation, by: str) -> EscalationAcknowledged:
    """A person took it over; `escalation` is as it was before, whose epoch ends."""
    return EscalationAcknowledged(
        escalation_id=escalation.id,
        tier=escalation.tier,
        acknowledged_by=by,
        epoch=escalation.epoch,
    )


def released(escalation: Escalation, reason: str) -> EscalationReleased:
    """The reason is gone; `escalation` is as it was before, whose epoch ends."""
    return EscalationReleased(escalation_id=escalation.id, reason=reason, epoch=escalation.epoch)


def exhausted(escalation: Escalation, tiers: int, duty: str | None) -> EscalationExhausted:
    """No one answered."""
    return EscalationExhausted(
        escalation_id=escalation.id, tiers=tiers, duty_person=duty, epoch=escalation.epoch
    )


def closed(escalation: Escalation, reason: str) -> EscalationClosed:
    """It is over."""
    return EscalationClosed(escalation_id=escalation.id, reason=reason)


# ---- what notify is asked to do --------------------------------------------------------------


def step_id(escalation: Escalation, tier: int, repeat: int) -> UUID:
    """Return the id of a step and its notification: the same however often it is computed."""
    return derived(escalation.id, f"{escalation.epoch}/{tier}/{repeat}")


def tell_step(
    escalation: Escalation, request: Request, telling: Telling, at: datetime
) -> NotificationRequested:
    """Tell the people of a step, with a link by which they acknowledge."""
    step = telling.step
    parameters = _parameters(escalation, request)
    parameters |= {"tier": step.tier, "attempt": step.repeat + 1}
    return NotificationRequested(
        notification_id=step_id(escalation, step.tier, step.repeat),
        template="escalation.step",
        recipients=_recipients(telling.reached.told, step.channels),
        parameters=parameters,
        acknowledge=_link(escalation, at),
        expires_at=at + LINK_LIFE,
        is_urgent=request.priority is Priority.P1,
    )


def tell_exhausted(
    escalation: Escalation, request: Request, people: Iterable[Told], tiers: int, at: datetime
) -> NotificationRequested:
    """Tell the duty person and the last tier that no one answered."""
    return NotificationRequested(
        notification_id=derived(escalation.id, f"{escalation.epoch}/exhausted"),
        template="escalation.exhausted",
        recipients=_recipients(people),
        parameters=_parameters(escalation, request) | {"tier": tiers},
        acknowledge=_link(escalation, at),
        expires_at=at + LINK_LIFE,
        is_urgent=True,
    )


def tell_taken_over(
    escalation: Escalation, request: Request, people: Iterable[str], person: str, at: datetime
) -> NotificationRequested:
    """Tell those who were called that `person` (a name) took it over."""
    return _notice(escalation, request, "escalation.released", people, at, {"person": person})


def tell_over(
    escalation: Escalation, request: Request, people: Iterable[str], reason: str, at: datetime
) -> NotificationRequested:
    """Tell those who were called that nothing is left to do."""
    return _notice(escalation, request, "escalation.closed", people, at, {"reason": reason})


def tell_of_calendar(
    template: str, told: Mapping[str, Any], people: Iterable[Told], at: datetime
) -> NotificationRequested:
    """Tell those who see to calendars what is so with one; it keeps for weeks."""
    return NotificationRequested(
        notification_id=UUID(told["notification_id"]),
        template=template,
        recipients=_recipients(people),
        parameters=told["parameters"],
        expires_at=at + _CALENDAR_LIFE,
    )


def _notice(
    escalation: Escalation,
    request: Request,
    template: str,
    people: Iterable[str],
    at: datetime,
    words: dict[str, JsonValue],
) -> NotificationRequested:
    return NotificationRequested(
        notification_id=derived(escalation.id, f"{escalation.epoch}/{template}"),
        template=template,
        recipients=tuple(NotifyRecipient(recipient=person) for person in people),
        parameters=_parameters(escalation, request) | words,
        expires_at=at + _NOTICE_LIFE,
    )


def _trigger(cause: Cause) -> Trigger:
    return Trigger(
        kind=cause.kind,
        metric=cause.metric,
        threshold_percent=cause.threshold_percent,
        clock_id=cause.clock_id,
        reason=cause.reason,
    )


def _parameters(escalation: Escalation, request: Request) -> dict[str, JsonValue]:
    """Return codes and values; notify makes the words."""
    cause = escalation.main_cause
    return {
        "number": request.name,
        "priority": (request.priority or escalation.priority).value,
        "team": request.team or escalation.team,
        "reason": cause.kind,
        "metric": cause.metric,
        "threshold_percent": cause.threshold_percent,
        "note": cause.reason,
        "requested_by": cause.by,
        "due_at": cause.due_at.isoformat() if cause.due_at else None,
    }


def _recipients(
    people: Iterable[Told], channels: tuple[str, ...] = ()
) -> tuple[NotifyRecipient, ...]:
    return tuple(NotifyRecipient(recipient=told.person, channels=channels) for told in people)


def _link(escalation: Escalation, at: datetime) -> AcknowledgeLink:
    return AcknowledgeLink(
        escalation_id=escalation.id, epoch=escalation.epoch, expires_at=at + LINK_LIFE
    )
