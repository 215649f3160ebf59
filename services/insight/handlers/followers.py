"""What escalation and notify say."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.insight.domain import followers
from services.insight.domain.followers import DeliveryEntry, EscalationEntry, Outcome
from services.insight.handlers.telling import tell

if TYPE_CHECKING:
    from uuid import UUID

    from services.insight.handlers.port import Work
    from shared.events import escalation, notify
    from shared.events.base import Envelope


def _escalation(work: Work, request_id: str, escalation_id: UUID) -> EscalationEntry:
    found = work.escalation(str(escalation_id))
    return found or EscalationEntry(str(escalation_id), request_id)


def raised(event: Envelope[escalation.EscalationRaised], work: Work) -> None:
    """Note that people are going to be told, and why."""
    data = event.data
    found = _escalation(work, event.subject, data.escalation_id)
    work.keep_escalation(
        replace(
            found,
            policy=data.policy,
            priority=data.priority.value,
            trigger=data.trigger.kind,
            metric=data.trigger.metric,
            threshold_percent=data.trigger.threshold_percent,
            raised_at=found.raised_at or event.occurred_at,
        )
    )
    tell(event, work)


def stepped(event: Envelope[escalation.EscalationStepped], work: Work) -> None:
    """Note who was told."""
    data = event.data
    found = _escalation(work, event.subject, data.escalation_id)
    told = tuple(recipient.person for recipient in data.recipients)
    work.keep_escalation(followers.step(found, data.tier, told, data.next_at))
    tell(event, work)


def acknowledged(event: Envelope[escalation.EscalationAcknowledged], work: Work) -> None:
    """Note who took it over."""
    data = event.data
    found = _escalation(work, event.subject, data.escalation_id)
    work.keep_escalation(followers.acknowledge(found, data.acknowledged_by, event.occurred_at))
    tell(event, work)


def exhausted(event: Envelope[escalation.EscalationExhausted], work: Work) -> None:
    """Note that nobody answered."""
    found = _escalation(work, event.subject, event.data.escalation_id)
    work.keep_escalation(followers.exhaust(found))
    tell(event, work)


def released(event: Envelope[escalation.EscalationReleased], work: Work) -> None:
    """Note that its reason is gone."""
    found = _escalation(work, event.subject, event.data.escalation_id)
    work.keep_escalation(followers.end(found, event.data.reason, event.occurred_at))
    tell(event, work)


def closed(event: Envelope[escalation.EscalationClosed], work: Work) -> None:
    """Note that it is over."""
    found = _escalation(work, event.subject, event.data.escalation_id)
    work.keep_escalation(followers.end(found, event.data.reason, event.occurred_at))
    tell(event, work)


def _delivery(work: Work, event: Envelope[notify.NotifyEvent]) -> DeliveryEntry:
    data = event.data
    found = work.delivery(str(data.delivery_id), data.channel)
    return found or DeliveryEntry(
        id=str(data.delivery_id),
        channel=data.channel,
        request_id=event.subject,
        template=data.template,
        recipient=data.recipient,
    )


def accepted(event: Envelope[notify.NotificationAccepted], work: Work) -> None:
    """Note a delivery that will be tried."""
    entry = _delivery(work, event)
    work.keep_delivery(followers.reach(entry, Outcome.ACCEPTED, event.occurred_at))


def sent(event: Envelope[notify.NotificationSent], work: Work) -> None:
    """Note that the provider took it."""
    _arrived(event, work, Outcome.SENT)


def delivered(event: Envelope[notify.NotificationDelivered], work: Work) -> None:
    """Note that the far end confirmed it."""
    _arrived(event, work, Outcome.DELIVERED)


def _arrived(
    event: Envelope[notify.NotificationSent] | Envelope[notify.NotificationDelivered],
    work: Work,
    outcome: Outcome,
) -> None:
    entry = _delivery(work, event)
    entry = replace(
        entry,
        attempts=max(entry.attempts, event.data.attempts),
        is_possibly_repeated=entry.is_possibly_repeated or event.data.is_possibly_repeated,
    )
    work.keep_delivery(followers.reach(entry, outcome, event.occurred_at))
    tell(event, work)


def seen(event: Envelope[notify.NotificationSeen], work: Work) -> None:
    """Note that somebody, or a robot, opened the link."""
    work.keep_delivery(replace(_delivery(work, event), is_seen=True))
    tell(event, work)


def acted(event: Envelope[notify.NotificationActed], work: Work) -> None:
    """Note that the recipient pressed the button."""
    work.keep_delivery(replace(_delivery(work, event), is_acted=True))
    tell(event, work)


def failed(event: Envelope[notify.NotificationFailed], work: Work) -> None:
    """Note an attempt that failed; the last one decides the outcome."""
    data = event.data
    entry = replace(_delivery(work, event), attempts=data.attempts, reason=data.reason)
    if data.is_final:
        entry = followers.reach(entry, Outcome.FAILED, event.occurred_at)
    work.keep_delivery(entry)
    tell(event, work)


def suppressed(event: Envelope[notify.NotificationSuppressed], work: Work) -> None:
    """Note what was not sent, on purpose."""
    entry = replace(_delivery(work, event), reason=event.data.reason)
    work.keep_delivery(followers.reach(entry, Outcome.SUPPRESSED, event.occurred_at))
    tell(event, work)


def set_aside(event: Envelope[notify.NotificationSetAside], work: Work) -> None:
    """Note what waits for a person to send it again."""
    entry = replace(_delivery(work, event), reason=event.data.reason)
    work.keep_delivery(followers.reach(entry, Outcome.SET_ASIDE, event.occurred_at))
    tell(event, work)
