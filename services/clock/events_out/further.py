"""Further agreements, named stages and warnings in time: events that old readers never see."""

from __future__ import annotations

from collections.abc import Callable
from uuid import UUID

from services.clock.domain.clocks import Clock
from services.clock.domain.editions import version_of
from services.clock.domain.facts import agreement_of, metric_of, name_of
from services.clock.domain.said import Said, Topic
from services.clock.events_out.first import before, withdrawn
from shared.events.base import EventData
from shared.events.clock import (
    AgreementClockBreached,
    AgreementClockCancelled,
    AgreementClockCorrected,
    AgreementClockMet,
    AgreementClockPaused,
    AgreementClockRebased,
    AgreementClockResumed,
    AgreementClockStarted,
    AgreementClockWarned,
    NamedClock,
    NamedPromise,
)
from shared.targets.thresholds import part_of


def event(said: Said) -> EventData:
    """Return the event that says it."""
    return _MADE[said.topic](said)


def _named(clock: Clock) -> NamedClock:
    return _by_key(clock.id, clock.key, clock.target.candidates[0].row.kind)


def _by_key(clock_id: UUID, key: str, kind: str = "") -> NamedClock:
    return NamedClock(
        clock_id=clock_id,
        metric=str(metric_of(key)),
        name=str(name_of(key)),
        agreement=agreement_of(key),
        kind=kind,
    )


def _promises(said: Said) -> tuple[NamedPromise, ...]:
    return tuple(
        NamedPromise(
            **_named(clock).model_dump(),
            target_s=clock.target.time.total_seconds(),
            calendar=clock.target.calendar.key,
            calendar_version=version_of(clock.target.calendar.version),
            started_at=clock.run.started_at,
            due_at=clock.due_at,
            thresholds=tuple(str(threshold) for threshold in clock.target.thresholds),
            explanation=clock.target.explanation(),
            is_provisional=clock.due.is_provisional,
        )
        for clock in said.clocks
    )


def _warned(said: Said) -> EventData:
    clock, owner = said.clocks[0], said.owner
    part = part_of(said.percent, clock.target.time) or clock.target.time
    return AgreementClockWarned(
        clock=_named(clock),
        threshold=str(said.percent),
        used_percent=int(100 * (part / clock.target.time)),
        elapsed_s=clock.elapsed_at(said.at).total_seconds(),
        target_s=clock.target.time.total_seconds(),
        due_at=clock.due_as_of(said.at),
        priority=clock.run.priority,
        team=owner.team if owner else "",
        assignee=owner.assignee if owner else None,
    )


def _breached(said: Said) -> EventData:
    clock, owner = said.clocks[0], said.owner
    return AgreementClockBreached(
        clock=_named(clock),
        target_s=clock.target.time.total_seconds(),
        due_at=clock.due_as_of(said.at),
        priority=clock.run.priority,
        team=owner.team if owner else "",
        assignee=owner.assignee if owner else None,
        is_by_rebase=clock.is_breached_by_rebase(),
    )


def _met(said: Said) -> EventData:
    clock = said.clocks[0]
    return AgreementClockMet(
        clock=_named(clock),
        elapsed_s=clock.elapsed_at(said.at).total_seconds(),
        paused_s=clock.paused_at(said.at).total_seconds(),
        target_s=clock.target.time.total_seconds(),
        is_breached=clock.is_breached_at(said.at),
    )


def _paused(said: Said) -> EventData:
    clocks = tuple(_named(clock) for clock in said.clocks)
    return AgreementClockPaused(clocks=clocks, reason=said.reason)


def _cancelled(said: Said) -> EventData:
    clocks = tuple(_by_key(entry.id, entry.key) for entry in said.gone)
    return AgreementClockCancelled(clocks=clocks, reason=said.reason)


_MADE: dict[Topic, Callable[[Said], EventData]] = {
    Topic.STARTED: lambda said: AgreementClockStarted(clocks=_promises(said)),
    Topic.PAUSED: _paused,
    Topic.RESUMED: lambda said: AgreementClockResumed(clocks=_promises(said)),
    Topic.REBASED: lambda said: AgreementClockRebased(
        clocks=_promises(said), reason=said.reason, before=before(said), withdrawn=withdrawn(said)
    ),
    Topic.WARNED: _warned,
    Topic.BREACHED: _breached,
    Topic.MET: _met,
    Topic.CANCELLED: _cancelled,
    Topic.CORRECTED: lambda said: AgreementClockCorrected(
        clocks=_promises(said), reason=said.reason, withdrawn=withdrawn(said)
    ),
}
