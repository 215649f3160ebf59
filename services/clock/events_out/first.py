"""The promise outside, in the nine events every reader has known from the beginning."""

from __future__ import annotations

from collections.abc import Callable

from services.clock.domain.clocks import Clock
from services.clock.domain.editions import version_of
from services.clock.domain.said import Said, Topic
from shared.events.base import EventData
from shared.events.clock import (
    Before,
    ClockBreached,
    ClockCancelled,
    ClockCorrected,
    ClockMet,
    ClockPaused,
    ClockRebased,
    ClockResumed,
    ClockStarted,
    ClockWarned,
    Promise,
    Withdrawn,
)
from shared.vocabulary import Metric


def promise(clock: Clock) -> Promise:
    """Return a clock as others are told of it."""
    target = clock.target
    return Promise(
        clock_id=clock.id,
        metric=Metric(clock.metric),
        target_s=target.time.total_seconds(),
        calendar=target.calendar.key,
        calendar_version=version_of(target.calendar.version),
        started_at=clock.run.started_at,
        due_at=clock.due_at,
        thresholds_percent=tuple(t for t in target.thresholds if isinstance(t, int)),
        explanation=target.explanation(),
        is_provisional=clock.due.is_provisional,
    )


def before(said: Said) -> tuple[Before, ...]:
    """Return what had been promised of the clocks that are said to be rebased."""
    return tuple(
        Before(
            clock_id=clock.id,
            target_s=told.target.total_seconds(),
            calendar=told.calendar,
            calendar_version=version_of(told.calendar_version),
            due_at=told.due_at,
        )
        for clock, told in zip(said.clocks, said.was, strict=True)
    )


def withdrawn(said: Said) -> tuple[Withdrawn, ...]:
    """Return which thresholds that were announced are not reached after all."""
    return tuple(
        Withdrawn(clock_id=clock.id, thresholds=tuple(str(each) for each in thresholds))
        for clock, thresholds in zip(said.clocks, said.withdrawn, strict=True)
        if thresholds
    )


def event(said: Said) -> EventData:
    """Return the event that says it of clocks that are not further ones."""
    return _MADE[said.topic](said)


def _promises(said: Said) -> tuple[Promise, ...]:
    return tuple(promise(clock) for clock in said.clocks)


def _paused(said: Said) -> EventData:
    ids = tuple(clock.id for clock in said.clocks)
    metrics = tuple(Metric(clock.metric) for clock in said.clocks)
    return ClockPaused(clock_ids=ids, metrics=metrics, reason=said.reason)


def _warned(said: Said) -> EventData:
    clock, owner = said.clocks[0], said.owner
    return ClockWarned(
        clock_id=clock.id,
        metric=Metric(clock.metric),
        threshold_percent=int(said.percent),
        elapsed_s=clock.elapsed_at(said.at).total_seconds(),
        target_s=clock.target.time.total_seconds(),
        due_at=clock.due_as_of(said.at),
        priority=clock.run.priority,
        team=owner.team if owner else "",
        assignee=owner.assignee if owner else None,
    )


def _breached(said: Said) -> EventData:
    clock, owner = said.clocks[0], said.owner
    return ClockBreached(
        clock_id=clock.id,
        metric=Metric(clock.metric),
        target_s=clock.target.time.total_seconds(),
        due_at=clock.due_as_of(said.at),
        priority=clock.run.priority,
        team=owner.team if owner else "",
        assignee=owner.assignee if owner else None,
        is_by_rebase=clock.is_breached_by_rebase(),
    )


def _met(said: Said) -> EventData:
    clock = said.clocks[0]
    return ClockMet(
        clock_id=clock.id,
        metric=Metric(clock.metric),
        elapsed_s=clock.elapsed_at(said.at).total_seconds(),
        paused_s=clock.paused_at(said.at).total_seconds(),
        target_s=clock.target.time.total_seconds(),
        is_breached=clock.is_breached_at(said.at),
    )


def _cancelled(said: Said) -> EventData:
    ids = tuple(entry.id for entry in said.gone)
    metrics = tuple(Metric(entry.metric) for entry in said.gone)
    return ClockCancelled(clock_ids=ids, metrics=metrics, reason=said.reason)


_MADE: dict[Topic, Callable[[Said], EventData]] = {
    Topic.STARTED: lambda said: ClockStarted(clocks=_promises(said)),
    Topic.PAUSED: _paused,
    Topic.RESUMED: lambda said: ClockResumed(clocks=_promises(said)),
    Topic.REBASED: lambda said: ClockRebased(
        clocks=_promises(said), reason=said.reason, before=before(said), withdrawn=withdrawn(said)
    ),
    Topic.WARNED: _warned,
    Topic.BREACHED: _breached,
    Topic.MET: _met,
    Topic.CANCELLED: _cancelled,
    Topic.CORRECTED: lambda said: ClockCorrected(
        clocks=_promises(said), reason=said.reason, withdrawn=withdrawn(said)
    ),
}
