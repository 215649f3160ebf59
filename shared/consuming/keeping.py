"""What is kept for a time only: forgotten in short transactions, by one replica at a time.

A round goes through one kind of rows, the oldest first, some at a time, and rests after each
transaction for longer than it took: live work finds the database free in between. Whatever a kill
leaves is found by the next round.
"""

from __future__ import annotations

import logging
from collections import Counter
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Protocol

from sqlalchemy import delete, func, select, tuple_, update
from sqlalchemy.exc import SQLAlchemyError

from shared.database.statements import insert_missing
from shared.database.tables import to_us
from shared.errors import Unavailable

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from sqlalchemy import Column

    from shared.database.engine import Database, Transaction
    from shared.database.tables import KitTables
    from shared.time_source import TimeSource

_log = logging.getLogger(__name__)

#: Rows one transaction forgets at most: some milliseconds on either database.
AT_ONCE = 1_000
#: How often a kind of rows is gone through.
EVERY = timedelta(minutes=10)
#: How long to rest after a transaction, in multiples of what it took, and at least.
_REST_SHARE, _REST_S = 3.0, 0.005
#: How long after a start the first look comes: what waited for the service is caught up first.
_FIRST_S = 5.0
#: How long to wait after the database did not answer.
_PAUSE_S = 30.0


class Forget(Protocol):
    """Forgets rows older than a moment (microseconds since 1970), the oldest first."""

    async def __call__(self, tx: Transaction, edge_us: int, limit: int) -> int:
        """Forget up to `limit` rows; return how many. Fewer than `limit` means: no more."""
        ...


class Oldest(Protocol):
    """Tells how old the oldest of these rows is."""

    async def __call__(self, tx: Transaction) -> int | None:
        """Return the moment of the oldest (microseconds since 1970); None where there is none."""
        ...


def _always() -> bool:
    return True


@dataclass(frozen=True, slots=True)
class Purge:
    """A kind of rows that is kept for a time only.

    `what` names it in metrics and docs. `may` says whether forgetting is safe just now.
    """

    what: str
    keep: timedelta
    forget: Forget
    oldest: Oldest
    every: timedelta = EVERY
    may: Callable[[], bool] = _always


def purge_by(what: str, keep: timedelta, moment: Column[Any]) -> Purge:
    """Return the purge of a whole table by an indexed column of moments."""
    table = moment.table
    key = tuple(table.primary_key)

    async def forget(tx: Transaction, edge_us: int, limit: int) -> int:
        old = select(*key).where(moment < edge_us).order_by(moment).limit(limit)
        gone = delete(table).where((tuple_(*key) if len(key) > 1 else key[0]).in_(old))
        return int((await tx.execute(gone)).rowcount)

    async def oldest(tx: Transaction) -> int | None:
        return (await tx.execute(select(func.min(moment)))).scalar_one()  # type: ignore[no-any-return]

    return Purge(what, keep, forget, oldest)


def settled_purge(tables: KitTables, keep: timedelta) -> Purge:
    """Return the purge of decisions about set-aside messages; their ids grow with time."""
    table = tables.settled

    async def forget(tx: Transaction, edge_us: int, limit: int) -> int:
        first = select(table.c.id, table.c.decided_us).order_by(table.c.id).limit(limit).subquery()
        old = select(first.c.id).where(first.c.decided_us < edge_us)
        return int((await tx.execute(delete(table).where(table.c.id.in_(old)))).rowcount)

    async def oldest(tx: Transaction) -> int | None:
        first = select(table.c.decided_us).order_by(table.c.id).limit(1)
        return (await tx.execute(first)).scalar_one_or_none()  # type: ignore[no-any-return]

    return Purge("settled", keep, forget, oldest)


@dataclass(slots=True)
class Keeper:
    """Goes through everything a service keeps for a time, for as long as it runs."""

    service: str
    database: Database
    tables: KitTables
    time: TimeSource
    purges: Sequence[Purge]
    #: What -> rows this process has forgotten.
    purged: Counter[str] = field(default_factory=Counter)

    async def run(self) -> None:
        """Purge for ever; ends when cancelled."""
        await self.time.sleep(_FIRST_S)
        due = {purge.what: self.time.now() for purge in self.purges}
        while due:
            now = self.time.now()
            for purge in self.purges:
                # A clock that was put back an hour must not make an hour's pause.
                if due[purge.what] <= now or due[purge.what] > now + purge.every:
                    due[purge.what] = await self._go_through(purge)
            first = min(due.values())
            await self.time.sleep(max((first - self.time.now()).total_seconds(), _REST_S))

    async def go_through(self) -> None:
        """Go through everything once, unless another replica has just done so."""
        for purge in self.purges:
            await self._go_through(purge)

    async def _go_through(self, purge: Purge) -> datetime:
        """Forget what is old; return when to look again."""
        began = self.time.now()
        try:
            while purge.may() and await self._some(purge):
                pass
        except Unavailable as error:
            _log.warning("%s: purging %s: %s", self.service, purge.what, error)
            return began + timedelta(seconds=_PAUSE_S)
        except SQLAlchemyError as error:
            _log.error("%s: purging %s: %s", self.service, purge.what, error, exc_info=error)
        return began + purge.every

    async def _some(self, purge: Purge) -> bool:
        """Forget some rows in one transaction; return whether there may be more."""
        began, now = self.time.monotonic(), self.time.now()
        async with self.database.transaction() as tx:
            looked_us = await claim(tx, self.tables, purge.what)
            if looked_us is None or _is_looked_at(looked_us, now, purge.every):
                return False
            gone = await purge.forget(tx, to_us(now - purge.keep), AT_ONCE)
            if gone < AT_ONCE:
                await _note(tx, self.tables, purge.what, now)
        self.purged[purge.what] += gone
        if gone < AT_ONCE:
            return False
        rest_s = (self.time.monotonic() - began) * _REST_SHARE
        await self.time.sleep(max(rest_s, _REST_S))
        return True

    async def ages(self) -> dict[str, float]:
        """Return how old the oldest row of each kind is, in seconds; 0 where there is none.

        Raises `DatabaseUnavailable`.
        """
        now_us, told = to_us(self.time.now()), {}
        async with self.database.reading() as connection:
            for purge in self.purges:
                oldest_us = await purge.oldest(connection)
                told[purge.what] = (
                    0.0 if oldest_us is None else max(0.0, (now_us - oldest_us) / 1e6)
                )
        return told


async def claim(tx: Transaction, tables: KitTables, what: str) -> int | None:
    """Be the only one who purges `what` until the transaction ends.

    Return when somebody last went through to the end (microseconds since 1970), None while
    another replica is at it.
    """
    table = tables.keeping
    wanted = select(table.c.looked_us).where(table.c.what == what)
    if tx.dialect.name != "sqlite":
        wanted = wanted.with_for_update(skip_locked=True)
    found = (await tx.execute(wanted)).first()
    if found is None:
        await insert_missing(tx, table, [{"what": what, "looked_us": 0, "upto": None}])
        found = (await tx.execute(wanted)).first()
    return None if found is None else int(found.looked_us)


def _is_looked_at(looked_us: int, now: datetime, every: timedelta) -> bool:
    """Tell whether another replica has just gone through; a moment ahead of us tells nothing."""
    return to_us(now - every) < looked_us <= to_us(now)


async def _note(tx: Transaction, tables: KitTables, what: str, now: datetime) -> None:
    table = tables.keeping
    await tx.execute(update(table).where(table.c.what == what).values(looked_us=to_us(now)))
