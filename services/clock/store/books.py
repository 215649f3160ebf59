"""What the clock tells an auditor of its requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping
from uuid import UUID

from sqlalchemy import select, union_all

from services.clock.domain.facts import Ledger, clock_id, is_further, metric_of
from services.clock.store import tables
from services.clock.store.encoding import decode
from shared.consuming.accounts import Account, Books, Fault
from shared.database.engine import Transaction
from shared.database.statements import rows_among

#: The kind of a clock's timers (handlers.py).
_THRESHOLD = "threshold"
_MOVE, _MOVE_PAGE, _PAGE_NAME = "move", "move_page", "page"
_EXTEND = "extend"


async def account(tx: Transaction, keys: Collection[str]) -> Mapping[str, Account]:
    """Return the account of each request: its ledger, the clocks listed, the timers they need.

    `thresholds` counts per metric and percentage how often one was announced to everybody;
    those of further agreements and those in time are told to whom they concern, and only looked
    at for one announced twice. `clocks` is what was promised.
    """
    found = {key: Account() for key in keys}
    told: dict[str, str] = {}
    for row in await rows_among(tx, tables.requests, "id", keys):
        ledger = decode(UUID(row.id), row.ledger)
        told |= {str(clock_id(ledger.request_id, key)): key for key in ledger.told}
        found[row.id] = _account(ledger)
    moves = await _moves(tx)
    for key in found:
        found[key].allowed.update(moves | {(_MOVE_PAGE, _PAGE_NAME)})
    listed: set[str] = set()
    for row in await rows_among(tx, tables.clocks, "request_id", keys):
        listed.add(row.id)
        if row.id not in told:
            found[row.request_id].faults.append(Fault("clock_without_ledger", {"clock": row.key}))
    for key in keys:
        for clock in found[key].facts.get("clocks", ()):
            if str(clock_id(UUID(key), clock)) not in listed:
                found[key].faults.append(Fault("clock_missing", {"clock": clock}))
    return found


async def _moves(tx: Transaction) -> set[tuple[str, str]]:
    """Return kind and name of the timers that moves under way have at requests."""
    jobs = [row.id for row in (await tx.execute(select(tables.moves.c.id))).all()]
    moves = {(kind, job) for kind in (_MOVE, _EXTEND) for job in jobs}
    released, later = tables.definitions, tables.editions
    versions = select(released.c.key, released.c.version).where(released.c.kind == "calendar")
    editions = select(later.c.key, later.c.number)
    numbers = (await tx.execute(union_all(versions, editions))).all()
    return moves | {(_EXTEND, f"{row.key}/{row.version}") for row in numbers}


def _account(ledger: Ledger) -> Account:
    thresholds: Counter[str] = Counter()
    timers: set[tuple[str, str]] = set()
    faults = []
    for key, told in ledger.told.items():
        if not is_further(key):
            shared = (percent for percent in told.fired if isinstance(percent, int))
            thresholds.update(f"{metric_of(key)}/{percent}" for percent in shared)
        # Again is right after it was taken back, and only then.
        standing = Counter(told.fired)
        standing.subtract(told.taken_back)
        twice = [threshold for threshold, count in standing.items() if count > 1]
        faults += [Fault("threshold_twice", {"clock": key, "percent": p}) for p in twice]
        if told.next_at is not None and not told.is_over:
            timers.add((_THRESHOLD, str(clock_id(ledger.request_id, key))))
    facts = {
        "request": ledger.routed is not None,
        "clocks": sorted(ledger.told),
        "thresholds": dict(thresholds),
    }
    return Account(facts, faults, timers)


BOOKS = Books((tables.requests.c.id, tables.clocks.c.request_id), account)
