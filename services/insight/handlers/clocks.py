"""What the clock says."""

from __future__ import annotations

from typing import TYPE_CHECKING

import orjson

from services.insight.domain import entries
from services.insight.domain.entries import ClockEntry, Promised
from services.insight.handlers.telling import tell

if TYPE_CHECKING:
    from datetime import datetime
    from uuid import UUID

    from services.insight.handlers.port import Work
    from shared.events import clock
    from shared.events.base import Envelope
    from shared.events.clock import Promise
    from shared.vocabulary import Metric

#: The threshold that is the breach, as the clock names those it takes back.
_BREACH = "100"


def _known(work: Work, request_id: str, clock_id: UUID, metric: Metric) -> ClockEntry:
    found = work.clock(str(clock_id))
    return found or ClockEntry(str(clock_id), request_id, metric.value)


def _promised(promise: Promise) -> Promised:
    return Promised(
        target_s=promise.target_s,
        due_at=promise.due_at,
        started_at=promise.started_at,
        calendar=promise.calendar,
        calendar_version=promise.calendar_version,
        explanation=orjson.dumps(promise.explanation).decode(),
    )


def _run(work: Work, request_id: str, promises: tuple[Promise, ...], at: datetime) -> None:
    for promise in promises:
        found = _known(work, request_id, promise.clock_id, promise.metric)
        work.keep_clock(entries.run(found, _promised(promise), at))


def _change(
    event: Envelope[clock.ClockRebased] | Envelope[clock.ClockCorrected], work: Work
) -> None:
    back = {one.clock_id for one in event.data.withdrawn if _BREACH in one.thresholds}
    for promise in event.data.clocks:
        found = _known(work, event.subject, promise.clock_id, promise.metric)
        is_taken_back = promise.clock_id in back
        changed = entries.promise(
            found, _promised(promise), event.occurred_at, is_taken_back=is_taken_back
        )
        work.keep_clock(changed)


def started(event: Envelope[clock.ClockStarted], work: Work) -> None:
    """Note what is promised."""
    _run(work, event.subject, event.data.clocks, event.occurred_at)
    tell(event, work)


def resumed(event: Envelope[clock.ClockResumed], work: Work) -> None:
    """Note that clocks run again."""
    _run(work, event.subject, event.data.clocks, event.occurred_at)
    tell(event, work)


def rebased(event: Envelope[clock.ClockRebased], work: Work) -> None:
    """Note another target."""
    _change(event, work)
    tell(event, work)


def corrected(event: Envelope[clock.ClockCorrected], work: Work) -> None:
    """Note what a late fact made of it."""
    _change(event, work)
    tell(event, work)


def paused(event: Envelope[clock.ClockPaused], work: Work) -> None:
    """Note that clocks stand still."""
    data = event.data
    for clock_id, metric in zip(data.clock_ids, data.metrics, strict=False):
        found = _known(work, event.subject, clock_id, metric)
        work.keep_clock(entries.pause(found, data.reason))
    tell(event, work)


def warned(event: Envelope[clock.ClockWarned], work: Work) -> None:
    """Tell that a threshold passed; the clock itself is as it was."""
    tell(event, work)


def breached(event: Envelope[clock.ClockBreached], work: Work) -> None:
    """Note that a target passed."""
    data = event.data
    found = _known(work, event.subject, data.clock_id, data.metric)
    work.keep_clock(entries.breach(found, event.occurred_at))
    tell(event, work)


def met(event: Envelope[clock.ClockMet], work: Work) -> None:
    """Note that what was promised happened."""
    data = event.data
    found = _known(work, event.subject, data.clock_id, data.metric)
    work.keep_clock(
        entries.meet(
            found,
            data.elapsed_s,
            data.paused_s,
            is_breached=data.is_breached,
            at=event.occurred_at,
        )
    )
    tell(event, work)


def cancelled(event: Envelope[clock.ClockCancelled], work: Work) -> None:
    """Note clocks without meaning."""
    data = event.data
    for clock_id, metric in zip(data.clock_ids, data.metrics, strict=False):
        work.keep_clock(entries.withdraw(_known(work, event.subject, clock_id, metric)))
    tell(event, work)
