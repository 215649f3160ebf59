"""What the clock says of a request: what is promised until when, and what became of it."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from services.intake.domain import promises as rules
from services.intake.domain.promises import Promise
from services.intake.handlers.facts import fact_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from services.intake.handlers.port import Work
    from shared.events import clock
    from shared.events.base import Envelope, EventData

#: The threshold that is the breach, as the clock names those it takes back.
_BREACH = "100"


def start(event: Envelope[clock.ClockStarted], work: Work) -> None:
    """Clocks began; this may be heard before the request is known to be routed."""
    begun = _promises(event.data.clocks)
    _keep(event, work, lambda promises: rules.started(promises, begun))


def pause(event: Envelope[clock.ClockPaused], work: Work) -> None:
    """Clocks stand still."""
    ids, reason = [str(i) for i in event.data.clock_ids], event.data.reason
    _keep(event, work, lambda promises: rules.paused(promises, ids, reason))


def resume(event: Envelope[clock.ClockResumed], work: Work) -> None:
    """Clocks run again."""
    again, at = _promises(event.data.clocks), event.occurred_at
    _keep(event, work, lambda promises: rules.resumed(promises, again, at))


def rebase(event: Envelope[clock.ClockRebased], work: Work) -> None:
    """Another target or calendar applies."""
    _change(event, work)


def correct(event: Envelope[clock.ClockCorrected], work: Work) -> None:
    """A late fact changed what had been said."""
    _change(event, work)


def warn(event: Envelope[clock.ClockWarned], work: Work) -> None:
    """A threshold passed."""
    clock_id, percent = str(event.data.clock_id), event.data.threshold_percent
    _keep(event, work, lambda promises: rules.warned(promises, clock_id, percent))


def breach(event: Envelope[clock.ClockBreached], work: Work) -> None:
    """The target passed."""
    clock_id = str(event.data.clock_id)
    _keep(event, work, lambda promises: rules.breached(promises, clock_id))


def meet(event: Envelope[clock.ClockMet], work: Work) -> None:
    """What was promised happened."""
    data = event.data
    _keep(
        event,
        work,
        lambda promises: rules.met(
            promises,
            str(data.clock_id),
            data.elapsed_s,
            data.paused_s,
            is_breached=data.is_breached,
        ),
    )


def cancel(event: Envelope[clock.ClockCancelled], work: Work) -> None:
    """Clocks have no meaning any more."""
    ids = [str(i) for i in event.data.clock_ids]
    _keep(event, work, lambda promises: rules.cancelled(promises, ids))


def _change(
    event: Envelope[clock.ClockRebased] | Envelope[clock.ClockCorrected], work: Work
) -> None:
    changed, reason, at = _promises(event.data.clocks), event.data.reason, event.occurred_at
    back = {str(one.clock_id) for one in event.data.withdrawn if _BREACH in one.thresholds}
    _keep(event, work, lambda promises: rules.rebased(promises, changed, reason, at, back))


def _keep(
    event: Envelope[EventData],
    work: Work,
    change: Callable[[rules.Promises], rules.Promises],
) -> None:
    request = work.request(event.subject)
    if request is not None:
        work.keep(replace(request, promises=change(request.promises)))
        work.record(fact_of(event))


def _promises(told: Iterable[clock.Promise]) -> list[Promise]:
    return [
        Promise(
            clock_id=str(promise.clock_id),
            metric=promise.metric.value,
            target_s=promise.target_s,
            calendar=promise.calendar,
            calendar_version=promise.calendar_version,
            started_at=promise.started_at,
            due_at=promise.due_at,
            thresholds_percent=promise.thresholds_percent,
            reason=promise.explanation,
        )
        for promise in told
    ]
