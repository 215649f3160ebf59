"""What if: a request with something else supposed, or none yet, and when clocks would be due."""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.clock.domain.clocks import Clock, clocks_at
from services.clock.domain.facts import Fact, FactKind, Ledger, Routed
from services.clock.domain.targets import Library
from shared.vocabulary import Priority

#: Whose facts they are: nobody's; so the router's own order is left as it is.
_SUPPOSED = "supposed"


@dataclass(frozen=True, slots=True)
class Wait:
    """A wait that did not happen, or has not yet; without an end it lasts."""

    reason: str
    since: datetime
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Supposition:
    """What is supposed: another priority from a moment on, waits, waits that were none."""

    priority: Priority | None = None
    priority_at: datetime | None = None
    waits: tuple[Wait, ...] = ()
    without_waits: frozenset[str] = frozenset()


def armed(routed: Routed, library: Library) -> tuple[Clock, ...]:
    """Return the clocks that would run at once for a request nobody routed.

    Raises `TargetsMissing` or `CalendarMissing`.
    """
    ledger = Ledger(UUID(int=0), routed=routed, pins=library.in_force())
    return clocks_at(ledger, max(routed.at, routed.submitted_at), library)


@dataclass(frozen=True, slots=True)
class Difference:
    """One clock as it is and as it would be; None where there is or would be none."""

    key: str
    now: Clock | None
    then: Clock | None


def supposed(ledger: Ledger, supposition: Supposition, now: datetime) -> Ledger:
    """Return the ledger as it would be; nothing of it is kept."""
    facts = [
        fact
        for fact in ledger.facts
        if not (_is_wait(fact) and fact.value in supposition.without_waits)
    ]
    changed = replace(ledger, facts=tuple(facts))
    for fact in _facts(supposition, now):
        changed = changed.with_fact(fact)
    return changed


def differences(
    ledger: Ledger, supposition: Supposition, now: datetime, library: Library
) -> tuple[Difference, ...]:
    """Return every clock beside what it would be, sorted by key."""
    is_so = {clock.key: clock for clock in clocks_at(ledger, now, library)}
    other = supposed(ledger, supposition, now)
    would = {clock.key: clock for clock in clocks_at(other, now, library)}
    return tuple(
        Difference(key, is_so.get(key), would.get(key)) for key in sorted({*is_so, *would})
    )


def _is_wait(fact: Fact) -> bool:
    return fact.kind in (FactKind.WAITING_STARTED, FactKind.WAITING_ENDED)


def _facts(supposition: Supposition, now: datetime) -> Collection[Fact]:
    told: list[Fact] = []

    def add(kind: FactKind, at: datetime, value: str) -> None:
        told.append(Fact(kind, at, _SUPPOSED, len(told) + 1, value))

    if supposition.priority is not None:
        at = supposition.priority_at or now
        add(FactKind.PRIORITY_CHANGED, at, supposition.priority.value)
    for wait in supposition.waits:
        add(FactKind.WAITING_STARTED, wait.since, wait.reason)
        if wait.until is not None:
            add(FactKind.WAITING_ENDED, wait.until, wait.reason)
    return told
