"""Messages from outside: waited for, delivered, kept for whoever comes later."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from services.router.domain import MessageIdTaken
from services.router.domain.messages import (
    InMessage,
    MessageState,
    Waiting,
    correlated,
    refused,
)
from services.router.handlers.steps import record_step

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.store import RouterWork
    from shared.database.timers import Timer


def receive_message(
    message: InMessage, wanted: UUID | None, is_kept: bool, at: datetime, work: RouterWork
) -> InMessage:
    """Deliver a message to the element `wanted` names, or keep it for whoever waits later.

    One that was received before is what it was then, unless it still waits and now finds somebody.
    """
    known = work.letters.find(message.place)
    if known is not None and (known.name, known.key) != (message.name, message.key):
        raise MessageIdTaken(message_id=message.id, name=known.name, key=known.key)
    if known is not None and not known.is_waiting(at):
        return known
    message = known or message
    waiting = work.letters.find_waiting(wanted) if wanted else None
    if waiting is not None and (waiting.name, waiting.key) == (message.name, message.key):
        return _deliver(work, message, waiting, at)
    if known is None:
        message = message if is_kept else replace(message, state=MessageState.UNMATCHED)
        work.letters.keep(message)
    return message


def fire_message_timer(timer: Timer, work: RouterWork) -> None:
    """An element begins to wait: hand it the oldest message that came before it."""
    waiting = work.letters.find_waiting(UUID(timer.payload["waiting"]))
    if waiting is None:
        return
    at = work.fires_at(timer)
    waiting_for_it = [
        message
        for message in work.letters.buffered()
        if (message.name, message.key) == (waiting.name, waiting.key) and message.is_waiting(at)
    ]
    for message in sorted(waiting_for_it, key=lambda m: (m.received_at, m.id)):
        # One that cannot be taken in does not stand in the way of those behind it.
        if _deliver(work, message, waiting, at).state is not MessageState.REFUSED:
            return


def _deliver(work: RouterWork, message: InMessage, waiting: Waiting, at: datetime) -> InMessage:
    record = work.record(waiting.request_id)
    if record.instance_id != waiting.instance_id:
        return message
    instance = work.instance(record)
    step = instance.receive(waiting.task_id, waiting.name, dict(message.payload), at)
    if step.is_applied:
        message = correlated(message, waiting, at)
    elif step.incidents:
        message = refused(message, waiting, at)
        # Where no element is to blame, it is the one that waited.
        blamed = [replace(i, element_id=i.element_id or waiting.element_id) for i in step.incidents]
        step = replace(step, incidents=tuple(blamed))
    else:
        # Nobody waits there any more; the message is still to be had.
        return message
    work.letters.keep(message)
    record_step(work, record, step, at)
    return message
