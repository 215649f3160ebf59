"""One attempt: claimed in a transaction, made outside of any, recorded in another."""

from __future__ import annotations

import logging
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from services.notify import events_out
from services.notify.channels import LIMITS, Bucket
from services.notify.channels.limits import close, free_at, take
from services.notify.domain.deliveries import (
    Delivery,
    Meaning,
    State,
    claimed,
    is_claimable,
    is_exhausted,
    is_expired,
    next_attempt,
    patience_s,
    postponed,
)
from services.notify.domain.people import WEBHOOK
from services.notify.handlers.ending import (
    arm,
    give_up,
    hand_over,
    has_other,
    reached,
    set_aside,
    succeed,
    suppress,
)
from services.notify.handlers.wording import worded
from services.notify.store import Tokens

if TYPE_CHECKING:
    from datetime import datetime

    from services.notify.channels import Outcome, Outgoing
    from services.notify.domain.people import Recipient
    from services.notify.store import NotifyWork
    from shared.database.timers import Timer

_log = logging.getLogger(__name__)

#: An address changed since the delivery was queued: its new lane is looked at after this.
_NEW_LANE = timedelta(seconds=1)
_MEANINGS: dict[str, Meaning] = {
    "accepted": "taken",
    "delivered": "arrived",
    "retry": "again",
    "refused": "refused",
    "unknown": "doubtful",
}


def come_back(timer: Timer, work: NotifyWork) -> None:
    """A delivery's time has come, or its attempt is in doubt: the sender has it again."""
    delivery = work.delivery(UUID(timer.name))
    if delivery is not None and delivery.is_open:
        hand_over(work, delivery)


def claim(delivery_id: UUID, work: NotifyWork) -> tuple[Delivery, Outgoing] | None:
    """Begin an attempt; return it with the message, or None when nothing is to be sent now.

    This is the last look before the message leaves: what was acknowledged, has expired or would
    break a provider's limit stays here.
    """
    delivery = work.delivery(delivery_id)
    if delivery is None or not is_claimable(delivery, work.now):
        return None
    if _is_stopped(work, delivery):
        return None
    recipient = reached(work, delivery)
    route = recipient.route(delivery.channel)
    if route is None:
        give_up(work, delivery, recipient.reason or "no_address", work.now)
        return None
    if route.lane != delivery.lane:
        _wait(work, replace(delivery, lane=route.lane), work.now + _NEW_LANE, "address_changed")
        return None
    if is_exhausted(delivery):
        # Nobody ever said what became of its attempts: each was lost with the process that made it.
        give_up(work, replace(delivery, is_possibly_repeated=True), "no_outcome", work.now)
        return None
    if not _has_token(work, delivery):
        return None
    taken = claimed(delivery, work.now)
    work.keep(taken)
    assert taken.lease_until is not None
    arm(work, taken, taken.lease_until)
    return taken, worded(work, taken, route, recipient.reader)


def record(delivery_id: UUID, attempt: int, outcome: Outcome, work: NotifyWork) -> None:
    """Note what became of an attempt, and decide what follows.

    An outcome of an attempt that is not the current one comes too late and is dropped: a later
    attempt has the say.
    """
    delivery = work.delivery(delivery_id)
    if delivery is None or delivery.state is not State.SENDING or delivery.attempts != attempt:
        _log.warning("delivery %s: outcome %s of attempt %d is late", delivery_id, outcome, attempt)
        return
    noted = replace(
        delivery,
        provider_code=outcome.provider_code,
        provider_message=outcome.provider_message,
    )
    meaning = _MEANINGS[outcome.kind]
    if meaning in ("taken", "arrived"):
        state = State.DELIVERED if meaning == "arrived" else State.SENT
        succeed(work, noted, state, work.now)
        return
    _close_lane(work, noted, outcome)
    if outcome.fault == "gone":
        _disable_endpoint(work, reached(work, noted), noted)
    _failed(work, noted, meaning, outcome)


def _failed(work: NotifyWork, delivery: Delivery, meaning: Meaning, outcome: Outcome) -> None:
    reason = outcome.provider_code or outcome.kind
    if meaning == "doubtful":
        delivery = replace(delivery, is_possibly_repeated=True)
    void = work.void_of(delivery)
    if void is not None:
        suppress(work, delivery, void.reason, work.now)
        return
    again_at = next_attempt(
        delivery,
        meaning,
        outcome.retry_after_s,
        work.now,
        has_other=has_other(work, delivery),
    )
    if again_at is None:
        give_up(work, delivery, reason, work.now)
        return
    event = events_out.failed(delivery, reason, is_final=False)
    work.publish(event, subject=delivery.request_id, occurred_at=work.now)
    _wait(work, delivery, again_at, "retry")


def _is_stopped(work: NotifyWork, delivery: Delivery) -> bool:
    """Stop what means nothing any more or has no words."""
    void = work.void_of(delivery)
    if void is not None:
        suppress(work, delivery, void.reason, work.now)
    elif is_expired(delivery, work.now):
        suppress(work, delivery, "expired", work.now)
    elif delivery.channel != WEBHOOK and work.copies.template(delivery.template) is None:
        set_aside(work, delivery, "unknown_template", work.now)
    else:
        return False
    return True


def _has_token(work: NotifyWork, delivery: Delivery) -> bool:
    """Take a token of the provider's limit, or wait until there is one.

    A provider that wants to be left alone for longer than the message can wait does not keep it
    from the recipient's next channel.
    """
    limits = LIMITS.get(delivery.channel, ())
    bucket = _bucket(work, delivery.lane)
    at = free_at(bucket, limits, work.now)
    if at > work.now:
        patience = timedelta(seconds=patience_s(delivery))
        is_closed = bucket.closed_until is not None and bucket.closed_until - work.now > patience
        if is_closed and has_other(work, delivery):
            give_up(work, delivery, "cooling_down", work.now)
            return False
        _wait(work, delivery, at, "limit")
        return False
    if limits:
        taken = take(bucket, limits, work.now)
        work.keep_tokens(delivery.lane, Tokens(taken.taken_at, taken.closed_until))
    return True


def _close_lane(work: NotifyWork, delivery: Delivery, outcome: Outcome) -> None:
    """Let nothing else go to a provider that asked for a pause."""
    if outcome.retry_after_s is None or not LIMITS.get(delivery.channel):
        return
    until = work.now + timedelta(seconds=outcome.retry_after_s)
    closed = close(_bucket(work, delivery.lane), until)
    work.keep_tokens(delivery.lane, Tokens(closed.taken_at, closed.closed_until))


def _disable_endpoint(work: NotifyWork, recipient: Recipient, delivery: Delivery) -> None:
    route = recipient.route(WEBHOOK)
    for endpoint in work.endpoints:
        if route is not None and endpoint.url == route.address and endpoint.disabled_at is None:
            _log.warning("webhook endpoint %s asks never to be called again", endpoint.name)
            work.keep_endpoint(replace(endpoint, disabled_at=work.now))


def _wait(work: NotifyWork, delivery: Delivery, until: datetime, why: str) -> None:
    waiting = postponed(delivery, until, why)
    work.keep(waiting)
    arm(work, waiting, until)


def _bucket(work: NotifyWork, lane: str) -> Bucket:
    tokens = work.tokens(lane)
    return Bucket(tokens.taken_at, tokens.closed_until)
