"""Moving running clocks to the versions in force: what it would do, and how it is undone.

One move needs nobody's word: a calendar that merely knows more holidays (`extends`) takes the
place of the one a request is pinned to, so that what was provisional is so no longer.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.clock.domain import steps
from services.clock.domain.clocks import clocks_at
from services.clock.domain.facts import COVERAGE_EXTENDED, Ledger, Move, Pins
from services.clock.domain.steps import Step
from services.clock.domain.targets import CalendarMissing, Library
from shared.business_time import extends
from shared.id_source import derived


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

    Nothing happens where another's move holds: something newer is not undone with it.
    """
    held = held_of(ledger, job)
    if ledger.pins is None or held is None:
        return Step(ledger)
    return steps.move(ledger, held.before, Move(at, ledger.pins, by, own_job), library)


def held_of(ledger: Ledger, job: str) -> Move | None:
    """Return the request's part in the move `job`, if it holds: nothing newer but what was undone.

    An undoing is itself a move that can be undone, as long as it is the last.
    """
    if ledger.moves and ledger.moves[-1].job == job:
        return ledger.moves[-1]
    standing: list[Move] = []
    for move in ledger.moves:
        if standing and move.job == undoing_of(standing[-1].job):
            standing.pop()
        else:
            standing.append(move)
    return standing[-1] if standing and standing[-1].job == job else None


def undoing_of(job: str) -> str:
    """Return the id of the move that undoes another: there is one at most."""
    try:
        return str(derived(UUID(job), "undo"))
    except ValueError:
        # What published holidays brought about is named after its calendar, and not undone.
        return ""


#: Who moves clocks when holidays are published.
BY_ITSELF = "levee"


def may_extend(ledger: Ledger, key: str, library: Library) -> bool:
    """Whether the calendar `key` in force only knows more holidays than the one pinned.

    Not where somebody took the request back from that very version.
    """
    if ledger.pins is None or key not in ledger.pins.calendars:
        return False
    try:
        newer = library.calendar(key, None)
        older = library.calendar(key, ledger.pins.calendars[key])
    except CalendarMissing:
        return False
    if any(move.before.calendars.get(key) == newer.version for move in ledger.moves):
        return False
    return extends(newer, older)


def extend(ledger: Ledger, key: str, job: str, at: datetime, library: Library) -> Step:
    """Put the running clocks under the version of a calendar that knows more holidays.

    Nothing happens where it changed in anything else: that takes somebody's word.
    """
    if not may_extend(ledger, key, library):
        return Step(ledger)
    assert ledger.pins is not None
    version = library.calendar(key, None).version
    pins = replace(ledger.pins, calendars={**ledger.pins.calendars, key: version})
    return steps.move(
        ledger, pins, Move(at, ledger.pins, BY_ITSELF, job, COVERAGE_EXTENDED), library
    )
