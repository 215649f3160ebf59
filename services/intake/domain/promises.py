"""What is promised to the requester and why, as the clock said it.

Only the clock's own events change a promise, so they may come before or after the router's.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any

from shared.vocabulary import ClockState

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

Promises = Mapping[str, "Promise"]


@dataclass(frozen=True, slots=True)
class Promise:
    """One clock: target in seconds of calendar time, moments in UTC.

    `reason` holds the codes that explain the target (table, version, matched rows, inputs);
    words are made where a person reads them.
    """

    clock_id: str
    metric: str
    target_s: float
    calendar: str
    calendar_version: int
    started_at: datetime
    due_at: datetime | None
    thresholds_percent: tuple[int, ...] = ()
    reason: Mapping[str, Any] = field(default_factory=dict)
    is_paused: bool = False
    paused_because: str | None = None
    is_breached: bool = False
    is_met: bool = False
    is_cancelled: bool = False
    warned_percent: int | None = None
    #: Why target, calendar or outcome changed while it ran.
    changed_because: str | None = None
    elapsed_s: float | None = None
    paused_s: float | None = None

    @property
    def state(self) -> ClockState:
        """Where the clock stands; a breached one goes on measuring."""
        if self.is_cancelled:
            return ClockState.CANCELLED
        if self.is_met:
            return ClockState.MET
        if self.is_paused:
            return ClockState.PAUSED
        return ClockState.BREACHED if self.is_breached else ClockState.RUNNING

    @property
    def is_finished(self) -> bool:
        """Whether nothing is promised by it any more."""
        return self.is_met or self.is_cancelled


def started(promises: Promises, begun: Iterable[Promise]) -> Promises:
    """Clocks began; each replaces finished ones of its metric (the timeline keeps those)."""
    kept = dict(promises)
    for promise in begun:
        gone = [p.clock_id for p in kept.values() if p.metric == promise.metric and p.is_finished]
        for clock_id in gone:
            del kept[clock_id]
        kept[promise.clock_id] = promise
    return kept


def paused(promises: Promises, clock_ids: Iterable[str], reason: str) -> Promises:
    """Clocks stand still; nothing is due meanwhile."""
    return _each(
        promises,
        clock_ids,
        lambda p: replace(p, is_paused=True, paused_because=reason, due_at=None),
    )


def resumed(promises: Promises, again: Iterable[Promise], at: datetime) -> Promises:
    """Clocks run again, also ones that were met before a reopening.

    One that lies ahead again, begun anew or after a late fact, is not late any more.
    """
    kept = dict(promises)
    for promise in again:
        old = kept.get(promise.clock_id)
        kept[promise.clock_id] = promise if old is None else _renewed(old, promise, at)
    return kept


def rebased(
    promises: Promises,
    changed: Iterable[Promise],
    reason: str,
    at: datetime,
    taken_back: Collection[str] = (),
) -> Promises:
    """Another target, calendar or fact applies; a breach that no longer holds is taken back.

    `taken_back` names the clocks whose breach is said not to be so after all. Whether a clock
    stands still or has ended is not for these to say.
    """
    kept = dict(promises)
    for promise in changed:
        old = kept.get(promise.clock_id)
        renewed = promise
        if old is not None:
            renewed = replace(
                _renewed(old, promise, at, taken_back),
                is_met=old.is_met,
                is_cancelled=old.is_cancelled,
                elapsed_s=old.elapsed_s,
                paused_s=old.paused_s,
                is_paused=old.is_paused,
                paused_because=old.paused_because,
                due_at=None if old.is_paused else promise.due_at,
            )
        kept[promise.clock_id] = replace(renewed, changed_because=reason)
    return kept


def warned(promises: Promises, clock_id: str, percent: int) -> Promises:
    """A threshold of the target passed."""
    return _each(promises, [clock_id], lambda p: replace(p, warned_percent=percent))


def breached(promises: Promises, clock_id: str) -> Promises:
    """The target itself passed."""
    return _each(promises, [clock_id], lambda p: replace(p, is_breached=True))


def met(
    promises: Promises, clock_id: str, elapsed_s: float, paused_s: float, *, is_breached: bool
) -> Promises:
    """What was promised happened, in time or late."""
    return _each(
        promises,
        [clock_id],
        lambda p: replace(
            p,
            is_met=True,
            is_paused=False,
            paused_because=None,
            is_breached=is_breached,
            elapsed_s=elapsed_s,
            paused_s=paused_s,
        ),
    )


def cancelled(promises: Promises, clock_ids: Iterable[str]) -> Promises:
    """Clocks have no meaning any more."""
    return _each(promises, clock_ids, lambda p: replace(p, is_cancelled=True, is_paused=False))


def in_order(promises: Promises) -> list[Promise]:
    """Return the promises as people read them: the oldest first, then by metric."""
    return sorted(promises.values(), key=lambda p: (p.started_at, p.metric, p.clock_id))


def _renewed(old: Promise, new: Promise, at: datetime, taken_back: Collection[str] = ()) -> Promise:
    """Keep what the clock does not repeat when it states a running clock anew."""
    is_ahead = new.due_at is not None and new.due_at > at
    return replace(
        new,
        is_breached=old.is_breached and not is_ahead and new.clock_id not in taken_back,
        warned_percent=old.warned_percent,
        changed_because=old.changed_because,
        reason=new.reason or old.reason,
        thresholds_percent=new.thresholds_percent or old.thresholds_percent,
    )


def _each(
    promises: Promises, clock_ids: Iterable[str], change: Callable[[Promise], Promise]
) -> Promises:
    kept = dict(promises)
    for clock_id in clock_ids:
        if (promise := kept.get(clock_id)) is not None:
            kept[clock_id] = change(promise)
    return kept
