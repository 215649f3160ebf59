"""The known holidays of a calendar end soon, or more are known: who sees to it is told."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any

from services.escalation import events_out
from services.escalation.domain import reach
from services.escalation.handlers.climbing import LOOK_AGAIN, TRIAGE

if TYPE_CHECKING:
    from services.escalation.store import EscalationWork
    from shared.database.timers import Timer
    from shared.events.base import Envelope
    from shared.events.clock import CalendarCoverageExtended, CalendarCoverageWarned

_log = logging.getLogger(__name__)

#: The kind of the timer by which somebody is told of a calendar, named by the template.
TELL = "tell_calendar"
#: How often it looks, a second apart, for a directory that is on its way.
_LOOKS = 60


def hear_coverage_warned(event: Envelope[CalendarCoverageWarned], work: EscalationWork) -> None:
    """Somebody must see to the next holidays: the duty person hears of it."""
    said = event.data
    told = {"days_left": said.days_left}
    _tell(event, events_out.COVERAGE_ENDING, said.covered_until.isoformat(), told, work)


def hear_coverage_extended(event: Envelope[CalendarCoverageExtended], work: EscalationWork) -> None:
    """It is done: the same person hears that running clocks are computed anew."""
    said = event.data
    told = {"covered_until_before": said.covered_until_before.isoformat()}
    _tell(event, events_out.COVERAGE_EXTENDED, said.covered_until.isoformat(), told, work)


def _tell(
    event: Envelope[CalendarCoverageWarned] | Envelope[CalendarCoverageExtended],
    template: str,
    covered_until: str,
    told: dict[str, Any],
    work: EscalationWork,
) -> None:
    said = event.data
    parameters = {"calendar": said.name, "key": said.calendar, "covered_until": covered_until}
    payload = {
        "notification_id": str(work.new_id(template)),
        "parameters": parameters | told,
        "at": event.occurred_at.isoformat(),
        "looks": 0,
    }
    work.arm(TELL, event.subject, template, work.now, payload)


def tell_of_calendar(timer: Timer, work: EscalationWork) -> None:
    """Tell the duty person, or who stands in; the triage team where there is none."""
    payload, directory = dict(timer.payload), work.in_force.directory
    if not directory.is_known and payload["looks"] < _LOOKS:
        payload["looks"] += 1
        work.arm(TELL, timer.key, timer.name, work.now + LOOK_AGAIN, payload)
        return
    for selectors in (("duty",), ("lead", "manager", "member")):
        people = reach(directory, selectors, TRIAGE, None, work.now).told
        if people:
            at = datetime.fromisoformat(payload["at"])
            command = events_out.tell_of_calendar(timer.name, payload, people, at)
            work.publish(command, subject=timer.key, occurred_at=at)
            return
    _log.warning("%s of %s: nobody is there to be told", timer.name, payload["parameters"]["key"])
