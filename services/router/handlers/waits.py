"""Which elements wait for messages from outside: kept where such a message can find them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router.domain.messages import OWN_MESSAGES, Waiting
from services.router.store.letters import waiting_id

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.domain import Record
    from services.router.store import RouterWork
    from services.router.workflow import Step, Wait

#: The kind of the timer that looks for messages which came before somebody waited for them.
MESSAGE_TIMER = "message"


def record_waits(work: RouterWork, record: Record, step: Step, at: datetime) -> None:
    """Keep who waits for what, and look at once whether it has come already."""
    for name, task_id in step.waits_gone:
        if name not in OWN_MESSAGES:
            gone = waiting_id(record.instance_id, task_id)
            work.letters.drop_waiting(gone)
            work.disarm(MESSAGE_TIMER, record.id, str(gone))
    for wait in step.waits:
        if wait.message not in OWN_MESSAGES:
            record_waiting(work, record, wait, at)


def record_waiting(work: RouterWork, record: Record, wait: Wait, at: datetime) -> None:
    """Keep that an element waits, and look at once whether its message has come already."""
    waiting = Waiting(
        id=waiting_id(record.instance_id, wait.task_id),
        request_id=record.id,
        instance_id=record.instance_id,
        task_id=wait.task_id,
        element_id=wait.element_id,
        name=wait.message,
        key=wait.key or record.number,
        since=at,
    )
    work.letters.keep_waiting(waiting)
    # In a transaction of its own: what was said before this one's commit is seen there.
    payload = {"waiting": str(waiting.id)}
    work.arm(MESSAGE_TIMER, record.id, str(waiting.id), at, payload)
