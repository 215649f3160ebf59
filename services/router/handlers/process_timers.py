"""Timers of diagrams: gone off late, once; tried again where what they lead to is refused."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING
from uuid import UUID

from services.router.handlers.steps import PROCESS_TIMER, record_step
from shared.vocabulary import RequestState

if TYPE_CHECKING:
    from services.router.store import RouterWork
    from shared.database.timers import Timer

#: How long a timer rests whose step was refused, the first time; twice as long each time, so that
#: what a person mends within the hour goes on by itself, and what nobody mends costs little.
_REST = timedelta(minutes=10)
_LONGEST_REST = timedelta(days=1)


def fire_process_timer(timer: Timer, work: RouterWork) -> None:
    """A timer of a diagram is due.

    Where its step cannot be applied an incident says why, once, and the timer stays: a person
    lets it go off by retrying the incident, and it tries again by itself.
    """
    record = work.find(UUID(timer.key))
    if record is None or str(record.instance_id) != timer.payload["instance_id"]:
        return
    at, task_id = work.fires_at(timer), timer.payload["task_id"]
    instance = work.instance(record)
    step = instance.fire_timer(task_id, at)
    is_held = task_id in instance.held
    # A request that was resolved and whose confirmation nobody gave in time is closed by time.
    closing = "time" if record.state is RequestState.RESOLVED else "process"
    record_step(work, record, step, at, closing=closing)
    if is_held:
        tries = timer.payload.get("refused", 0)
        rest = min(_REST * 2 ** min(tries, 10), _LONGEST_REST)
        payload = {**timer.payload, "refused": tries + 1}
        work.arm(PROCESS_TIMER, record.id, timer.name, at + rest, payload)
