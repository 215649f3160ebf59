"""From what intake knows to what it promised to say: published events and commands."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from uuid import UUID

from shared.events.commands.escalation import EscalationRequested
from shared.events.commands.notify import NotificationRequested, NotifyRecipient
from shared.events.intake import (
    MessagePosted,
    RequestConfirmed,
    Requester,
    RequestRated,
    RequestReopenedByRequester,
    RequestSealed,
    RequestSubmitted,
    RequestUpdated,
    RequestWithdrawn,
)

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from services.intake.domain.standing import Standing
    from services.intake.domain.values import Message, Request, Submission

#: The template notify fills for the status webhook.
STATUS_TEMPLATE = "request.status"
#: Why the watchdog asks for an escalation.
NOT_ROUTED = "not_routed"


def submitted(submission: Submission) -> RequestSubmitted:
    """Somebody asked for something."""
    post, asker = submission.post, submission.post.requester
    return RequestSubmitted(
        number=submission.number,
        source=post.source,
        external_id=post.external_id,
        request_type=post.type,
        domain=submission.domain,
        organisation_unit=post.organisation_unit,
        channel=post.channel,
        language=post.language,
        requester=Requester(id=asker.id, name=asker.name, tier=asker.tier, email=asker.email),
        urgency=post.urgency,
        impact=post.impact,
        title=post.title,
        description=post.description,
        form=dict(post.form),
        is_import=post.is_import,
    )


def updated(changes: Mapping[str, Any], changed_by: str) -> RequestUpdated:
    """What was posted was corrected; only the named fields changed."""
    return RequestUpdated(changed_by=changed_by, **changes)


def withdrawn(reason: str | None) -> RequestWithdrawn:
    """The requester no longer wants it."""
    return RequestWithdrawn(reason=reason)


def confirmed() -> RequestConfirmed:
    """The requester agrees that it is solved."""
    return RequestConfirmed()


def reopened(reason: str) -> RequestReopenedByRequester:
    """The requester says it is not solved."""
    return RequestReopenedByRequester(reason=reason)


def rated(score: int, comment: str) -> RequestRated:
    """The requester rated the result."""
    return RequestRated(score=score, comment=comment)


def sealed() -> RequestSealed:
    """It ended long ago; this is the last word about it."""
    return RequestSealed()


def posted(message: Message) -> MessagePosted:
    """Somebody wrote."""
    written = message.written
    return MessagePosted(
        message_id=UUID(message.id),
        author=written.author,
        author_id=written.author_id,
        text=written.text,
        is_effective=written.is_effective,
        is_automatic=written.is_automatic,
    )


def not_routed(request: Request) -> EscalationRequested:
    """Nobody has routed the request; intake knows neither its team nor its priority."""
    return EscalationRequested(reason=NOT_ROUTED, number=request.number)


def status_changed(
    request: Request, old: Standing, notification_id: UUID, occurred_at: datetime
) -> NotificationRequested:
    """The caller's webhook is to be told of a change of state."""
    standing = request.standing
    return NotificationRequested(
        notification_id=notification_id,
        template=STATUS_TEMPLATE,
        recipients=(
            NotifyRecipient(recipient=f"webhook:{request.callback}", channels=("webhook",)),
        ),
        parameters={
            "request_id": request.id,
            "number": request.number,
            "source": request.source,
            "external_id": request.external_id,
            "request_type": request.request_type,
            "state": standing.state.value,
            "old_state": old.state.value,
            "priority": standing.priority,
            "lane": standing.lane,
            "team": standing.team,
            "waiting_for": standing.waiting_for,
            "resolution": standing.resolution,
            "ended_because": standing.ended_because,
            "occurred_at": occurred_at.isoformat(),
        },
    )
