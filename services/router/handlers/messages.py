"""Messages from outside: waited for, delivered, kept for whoever comes later."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING
from uuid import UUID

from services.router.domain.messages import (
    InMessage,
    MessageState,
    Waiting,
    correlated,
)
from services.router.handlers.steps import close_with_process, record_step

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
    known = work.letters.find(message.id)
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
    # Measured by when it is looked at: an old moment must not find what has expired since.
    at = max(timer.due_at, work.now)
    waiting_for_it = [
        message
        for message in work.letters.buffered()
        if (message.name, message.key) == (waiting.name, waiting.key) and message.is_waiting(at)
    ]
    for message in sorted(waiting_for_it, key=lambda m: (m.received_at, m.id))[:1]:
        _deliver(work, message, waiting, at)


def _deliver(work: RouterWork, message: InMessage, waiting: Waiting, at: datetime) -> InMessage:
    record = work.record(waiting.request_id)
    if record.instance_id != waiting.instance_id:
        return message
    instance = work.instance(record)
    step = instance.receive(waiting.task_id, waiting.name, dict(message.payload), at)
    if step.is_applied:
        message = correlated(message, waiting, at)
    # What the diagram could not take in stays, and an incident says why.
    work.letters.keep(message)
    record = record_step(work, record, step, at)
    close_with_process(work, record, waiting.instance_id, at)
    return message
