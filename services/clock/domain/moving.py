"""Moving running clocks to the versions in force: what it would do, and how it is undone."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from services.clock.domain import steps
from services.clock.domain.clocks import clocks_at
from services.clock.domain.facts import Ledger, Move, Pins
from services.clock.domain.steps import Step
from services.clock.domain.targets import Library


@dataclass(frozen=True, slots=True)
class Preview:
    """What a move would do to one request: keys of running clocks."""

    changed: tuple[str, ...] = ()
    newly_breached: tuple[str, ...] = ()
    no_longer_breached: tuple[str, ...] = ()


def preview(ledger: Ledger, pins: Pins, now: datetime, library: Library) -> Preview:
    """Return what moving the request to `pins` now would change; nothing is kept."""
    if ledger.pins is None or ledger.pins == pins:
        return Preview()
    move = Move(now, ledger.pins, "", "")
    moved = replace(ledger, pins=pins, moves=(*ledger.moves, move))
    before = {clock.key: clock for clock in clocks_at(ledger, now, library) if not clock.is_ended}
    after = {clock.key: clock for clock in clocks_at(moved, now, library) if not clock.is_ended}
    late = {key for key, clock in before.items() if clock.is_breached_at(now)}
    late_then = {key for key, clock in after.items() if clock.is_breached_at(now)}
    changed = {
        key
        for key in {*before, *after}
        if key not in before
        or key not in after
        or before[key].due_at != after[key].due_at
        or before[key].target.time != after[key].target.time
    }
    return Preview(
        tuple(sorted(changed)), tuple(sorted(late_then - late)), tuple(sorted(late - late_then))
    )


def undo(ledger: Ledger, job: str, by: str, own_job: str, at: datetime, library: Library) -> Step:
    """Put the running clocks back under what they had before `job`.

    Nothing happens where the last move was another's: something newer is not undone with it.
    """
    if ledger.pins is None or not ledger.moves or ledger.moves[-1].job != job:
        return Step(ledger)
    back = ledger.moves[-1].before
    return steps.move(ledger, back, Move(at, ledger.pins, by, own_job), library)
