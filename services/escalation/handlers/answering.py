"""A person takes an escalation over: by the API, by a link, or, in a log, by doing something."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from services.escalation import events_out
from services.escalation.domain import Escalation
from services.escalation.domain import acknowledge as acknowledged
from services.escalation.handlers.climbing import arm_next, must_be_known, notify

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from services.escalation.store import EscalationWork
    from shared.events.base import Envelope
    from shared.events.notify import NotificationActed

_log = logging.getLogger(__name__)

#: Who acknowledges where a log does not say who did something.
_UNNAMED = "import"


@dataclass(frozen=True, slots=True)
class Answer:
    """A person acknowledges, at `at` (UTC)."""

    escalation_id: UUID
    request_id: UUID
    by: str
    at: datetime


def acknowledge(
    command: Answer, work: EscalationWork
) -> tuple[Escalation | None, Literal["acknowledged", "already_acknowledged", "over"]]:
    """Stop the climb; return the escalation that runs, if any, and what the answer meant.

    An answer that comes late changes nothing and says so. Raises `NoSuchPerson`.
    """
    must_be_known(work, command.by)
    running = work.running(command.request_id)
    if running is None or running.id != command.escalation_id:
        return None, "over"
    if not running.is_unanswered:
        return running, "already_acknowledged"
    return _take_over(work, running, command.by, command.at), "acknowledged"


def hear_acted(event: Envelope[NotificationActed], work: EscalationWork) -> None:
    """Somebody pressed the button of a message: it counts if the message still does."""
    said = event.data
    if said.action != "acknowledge" or said.escalation_id is None:
        return
    running = work.running(event.request_id)
    is_this = running is not None and running.id == said.escalation_id
    if running is None or not is_this or not running.is_answered_by(said.epoch):
        _log.info("%s acknowledged %s too late: nothing to do", said.actor, said.escalation_id)
        return
    _take_over(work, running, said.actor, event.occurred_at)


def acknowledge_from_log(
    work: EscalationWork, request_id: UUID, by: str | None, at: datetime
) -> None:
    """Count the next thing that happened to an imported request as the answer.

    A log knows no button; that somebody did something shows that the call was heard.
    """
    if work.request(request_id).is_import:
        acknowledge_running(work, request_id, by, at)


def acknowledge_running(
    work: EscalationWork, request_id: UUID, by: str | None, at: datetime
) -> None:
    """Take over whatever is unanswered on a request; nothing, when nothing is.

    For replays of logs, where the next event of a request answers what escalated.
    """
    running = work.running(request_id)
    if running is not None and running.is_unanswered:
        _take_over(work, running, by or _UNNAMED, at)


def _take_over(work: EscalationWork, running: Escalation, by: str, at: datetime) -> Escalation:
    request = work.request(running.request_id)
    work.publish(events_out.acknowledged(running, by), subject=request.id, occurred_at=at)
    others = [person for person in running.told if person != by]
    name = work.in_force.directory.name_of(by)
    notify(work, request, events_out.tell_taken_over(running, request, others, name, at), at)
    taken = acknowledged(running, by, at)
    work.keep(taken)
    arm_next(work, taken)
    return taken
