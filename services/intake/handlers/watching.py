"""The watchdog: a request nobody routes is seen by a person, not forgotten.

The escalation is asked for once; later looks, with growing pauses, only add to the timeline that
the request still lies there, because one cause is one page.
"""

from __future__ import annotations

import logging
from datetime import timedelta
from typing import TYPE_CHECKING

from services.intake import events_out
from services.intake.domain.values import Fact

if TYPE_CHECKING:
    from datetime import datetime

    from services.intake.domain.values import Request
    from services.intake.handlers.port import Work
    from shared.database.timers import Timer

_log = logging.getLogger(__name__)

KIND = "not_routed"
_NAME = "watch"
#: How often it looks again after the first time, and what each pause grows by.
LOOKS_MAX = 3
_GROWTH = 4
#: The type of the fact each look leaves in the timeline.
FACT = "request.not_routed"


def watch(request: Request, within: timedelta, work: Work) -> None:
    """Arm the watchdog of a request just posted; imports are nobody's emergency."""
    if not request.is_import:
        payload = {"looks": 0, "pause_s": within.total_seconds()}
        work.arm(KIND, request.id, _NAME, work.now + within, payload)


def stop(request_id: str, work: Work) -> None:
    """Somebody deals with the request."""
    work.disarm(KIND, request_id, _NAME)


def look(timer: Timer, work: Work) -> None:
    """Ask for an escalation when nobody has routed the request yet."""
    request = work.request(timer.key)
    if request is None or request.standing.is_routed:
        return
    looks, pause_s = int(timer.payload["looks"]), float(timer.payload["pause_s"])
    # Not a warning each: while the router is away this is said of every request, and /ready counts.
    _log.debug("%s was not routed; look %d of %d", request.number, looks + 1, LOOKS_MAX + 1)
    if looks == 0:
        work.publish(events_out.not_routed(request), subject=timer.key, occurred_at=timer.due_at)
    work.record(_fact(request, looks, timer.due_at, work))
    if looks < LOOKS_MAX:
        pause_s *= _GROWTH
        payload = {"looks": looks + 1, "pause_s": pause_s}
        due_at = timer.due_at + timedelta(seconds=pause_s)
        work.arm(KIND, request.id, _NAME, due_at, payload)


def _fact(request: Request, looks: int, at: datetime, work: Work) -> Fact:
    # No event tells this fact: its id comes from the firing, its place from the count of looks.
    fact_id = str(work.new_id(FACT))
    return Fact(fact_id, request.id, at, work.now, "intake", looks, FACT, {"look": looks + 1})
