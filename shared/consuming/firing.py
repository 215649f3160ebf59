"""Due moments: everything due within a tick in one transaction."""

from __future__ import annotations

import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

import orjson

from shared.consuming import held as held_rows
from shared.consuming.transactor import Guilty, SetCause, Transactor
from shared.consuming.work import Cause, Work
from shared.database import timers as timer_rows
from shared.database.tables import to_us
from shared.errors import Unavailable
from shared.id_source import derived

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.database.engine import Transaction
    from shared.database.subjects import Subject

W = TypeVar("W", bound=Work)

_log = logging.getLogger(__name__)

#: Pause after which a timer whose handler needs something that is away is tried again.
_RETRY_S = 1.0


class Firing(Generic[W]):
    """Hands due timers to their handlers."""

    def __init__(
        self,
        transactor: Transactor[W],
        handlers: Mapping[str, Callable[[timer_rows.Timer, W], None]],
    ) -> None:
        self._transactor, self._handlers = transactor, handlers

    async def fire(self, due: Sequence[tuple[str, str]], now: datetime) -> None:
        """Fire (timer id, subject) pairs; those no longer armed or due do nothing."""
        remaining = list(due)
        while remaining:
            try:
                await self._together(remaining, now)
            except Guilty as guilty:
                await self._judge(guilty, now)
                remaining = [entry for entry in remaining if entry[0] != guilty.entry_id]
            else:
                return

    async def _together(self, due: Sequence[tuple[str, str]], now: datetime) -> None:
        ids = [timer for timer, _ in due]
        fired: list[timer_rows.Timer] = []

        async def prepare(tx: Transaction, _: dict[str, Subject]) -> None:
            fired[:] = await timer_rows.read_due(tx, self._transactor.tables, ids, now)
            await timer_rows.disarm(tx, self._transactor.tables, [timer.id for timer in fired])

        def run(work: W, cause: SetCause) -> None:
            for timer in fired:
                # The epoch makes the ids of what follows differ from an earlier firing's.
                index = f"{timer.epoch}/{to_us(timer.due_at)}"
                cause(Cause(derived(UUID(timer.id), index), timer.key))
                try:
                    self._handlers[timer.kind](timer, work)
                except Exception as error:
                    raise Guilty(timer.id, error) from error

        await self._transactor.run({key for _, key in due}, (), run, prepare=prepare)
        self._transactor.stats.timers += len(fired)

    async def _judge(self, guilty: Guilty, now: datetime) -> None:
        """Try a timer again a little later, or set it aside."""
        transactor, error = self._transactor, guilty.error
        code, detail = held_rows.describe(error)
        async with transactor.database.transaction() as tx:
            found = await timer_rows.read_due(tx, transactor.tables, [guilty.entry_id], now)
            if isinstance(error, Unavailable):
                _log.warning(
                    "%s: timer %s tried again: %s", transactor.service, guilty.entry_id, detail
                )
                later = [_later(timer, now) for timer in found]
                await timer_rows.arm(tx, transactor.tables, later)
            else:
                _log.error(
                    "%s: timer %s set aside: %s: %s",
                    transactor.service,
                    guilty.entry_id,
                    code,
                    detail,
                    exc_info=error,
                )
                later = []
                transactor.stats.set_aside += len(found)
                rows = [_held_timer(timer, code, detail, now) for timer in found]
                await held_rows.hold(tx, transactor.tables, rows)
                await timer_rows.disarm(tx, transactor.tables, [guilty.entry_id])
        if transactor.timers is not None:
            transactor.timers.armed(later)


def _later(timer: timer_rows.Timer, now: datetime) -> timer_rows.Timer:
    due_at = now + timedelta(seconds=_RETRY_S)
    return timer_rows.Timer(timer.kind, timer.key, timer.name, due_at, timer.payload)


def _held_timer(timer: timer_rows.Timer, code: str, detail: str, now: datetime) -> dict[str, Any]:
    body = {
        "kind": timer.kind,
        "key": timer.key,
        "name": timer.name,
        "due_at": timer.due_at.isoformat(),
        "payload": dict(timer.payload),
    }
    return {
        "event_id": timer.id,
        "key": timer.key,
        "publisher": "",
        "sequence": 0,
        "type": timer.kind,
        "kind": held_rows.TIMER,
        "code": code,
        "detail": detail,
        "body": orjson.dumps(body),
        "held_us": to_us(now),
    }


def timer_from_held(row: Any) -> timer_rows.Timer:
    """Return the timer a held row keeps."""
    body = orjson.loads(row.body)
    return timer_rows.Timer(
        body["kind"],
        body["key"],
        body["name"],
        datetime.fromisoformat(body["due_at"]),
        body["payload"],
    )
