"""Due moments: everything due within a tick in one transaction."""

from __future__ import annotations

import logging
from datetime import datetime
from typing import TYPE_CHECKING, Any, Generic, TypeVar
from uuid import UUID

import orjson

from shared.consuming import held as held_rows
from shared.consuming.transactor import Guilty, SetCause, Spoiled, Transactor, apply_each
from shared.consuming.work import Cause, Work
from shared.database import timers as timer_rows
from shared.database.subjects import lock_subjects
from shared.database.tables import from_us, to_us
from shared.database.timer_watch import Firings, Watched
from shared.errors import LeveeError, Unavailable
from shared.observability import about

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from shared.database.engine import Transaction
    from shared.database.subjects import Subject
    from shared.observability.measures import Handling

W = TypeVar("W", bound=Work)

_log = logging.getLogger(__name__)

#: Attempts at a timer on which a handler fails for an unknown reason, then it is set aside.
_ATTEMPTS = 4
#: Pauses before those attempts; the last one repeats, without end, for `Unavailable`.
_BACKOFF_S = (0.2, 1.0, 5.0, 15.0)
#: Timers whose attempts are remembered; forgetting them only means a few more attempts.
_REMEMBERED = 10_000


class NoTimerHandler(LeveeError):
    """No handler is known for timers of the kind {kind}; a newer version may have one."""

    zh = "没有处理 {kind} 类定时的代码；可能属于更新的版本。"


class Firing(Generic[W]):
    """Hands due timers to their handlers."""

    def __init__(
        self,
        transactor: Transactor[W],
        handlers: Mapping[str, Callable[[timer_rows.Timer, W], None]],
    ) -> None:
        self._transactor, self._handlers = transactor, handlers
        self._attempts: dict[str, int] = {}

    async def fire(self, due: Sequence[Watched], now: datetime) -> Firings:
        """Fire; timers no longer armed or due do nothing.

        One whose handler lacks something is tried again, its moment unchanged; one that fails
        for good is set aside. Raises `DatabaseUnavailable` when nothing can be fired now.
        """
        outcome = Firings()
        keys = {one.id: one for one in due}
        parts = [list(due)]
        while parts:
            part = parts.pop()
            try:
                fired = await self._together(part, now)
            except Guilty as guilty:
                for entry, error in guilty.certain:
                    await self._judge(keys[entry], error, now, outcome)
                out = {entry for entry, _ in guilty.certain}
                parts.append([one for one in part if one.id not in out])
            except Spoiled as spoiled:
                if len(part) == 1:
                    await self._judge(part[0], spoiled.error, now, outcome)
                else:
                    parts += [part[len(part) // 2 :], part[: len(part) // 2]]
            else:
                outcome.fired += fired
        return outcome

    async def _together(self, due: Sequence[Watched], now: datetime) -> list[str]:
        if not due:
            return []
        since = {one.id: one.since_us for one in due}
        fired: list[timer_rows.Timer] = []
        handling = self._transactor.handling("timer")

        async def prepare(tx: Transaction, _: dict[str, Subject]) -> None:
            fired[:] = await timer_rows.read_due(tx, self._transactor.tables, since, now)
            await timer_rows.disarm(tx, self._transactor.tables, [timer.id for timer in fired])

        def run(work: W, cause: SetCause) -> None:
            entries = [(timer.id, timer) for timer in fired]
            apply_each(entries, lambda timer: self._apply(timer, since, work, cause, handling))

        await self._transactor.run({one.key for one in due}, (), run, prepare=prepare)
        handling.committed(len(fired))
        self._transactor.stats.timers += len(fired)
        for timer in fired:
            self._attempts.pop(timer.id, None)
        return [timer.id for timer in fired]

    def _apply(
        self,
        timer: timer_rows.Timer,
        since: Mapping[str, int],
        work: W,
        cause: SetCause,
        handling: Handling,
    ) -> None:
        at = None if self._transactor.knobs.turns is None else from_us(since[timer.id])
        traceparent = handling.begin(timer.kind, timer.key, timer.traceparent)
        cause(Cause(timer.cause_id, timer.key, traceparent, at=at))
        handle = self._handlers.get(timer.kind)
        if handle is None:
            raise NoTimerHandler(kind=timer.kind)
        handle(timer, work)
        handling.end()

    async def _judge(self, due: Watched, error: Exception, now: datetime, outcome: Firings) -> None:
        """Try a timer again a little later, or set it aside."""
        entry, key = due.id, due.key
        attempt = self._attempts.get(entry, 0) + 1
        if len(self._attempts) > _REMEMBERED:
            self._attempts.clear()
        self._attempts[entry] = attempt
        service = self._transactor.service
        code, detail = held_rows.describe(error)
        is_known = isinstance(error, LeveeError)
        if isinstance(error, Unavailable) or (not is_known and attempt < _ATTEMPTS):
            text = "%s: timer %s tried again: %s: %s"
            _log.warning(text, service, entry, code, detail, extra=about(key))
            self._transactor.stats.retried += 1
            outcome.again_after_s[entry] = _BACKOFF_S[min(attempt, len(_BACKOFF_S)) - 1]
            return
        text = "%s: timer %s set aside: %s: %s"
        _log.error(text, service, entry, code, detail, exc_info=error, extra=about(key))
        if self._transactor.tracer is not None:
            self._transactor.tracer.failed(f"timer {entry}", key, None, code, attempt=attempt)
        del self._attempts[entry]
        await self._set_aside(entry, key, code, detail, now)

    async def _set_aside(self, entry: str, key: str, code: str, detail: str, now: datetime) -> None:
        transactor = self._transactor
        async with transactor.database.transaction() as tx:
            # Locked, so that nobody arms it again between our look and our removal.
            await lock_subjects(tx, transactor.tables, [key])
            found = await timer_rows.read_due(tx, transactor.tables, [entry], now)
            rows = [_held_timer(timer, code, detail, now) for timer in found]
            await held_rows.hold(tx, transactor.tables, rows)
            await timer_rows.disarm(tx, transactor.tables, [entry])
        transactor.stats.set_aside += len(found)


def _held_timer(timer: timer_rows.Timer, code: str, detail: str, now: datetime) -> dict[str, Any]:
    body = {
        "kind": timer.kind,
        "key": timer.key,
        "name": timer.name,
        "due_at": timer.due_at.isoformat(),
        "payload": dict(timer.payload),
        "epoch": timer.epoch,
        "armed_by": str(timer.armed_by),
        "trace": timer.traceparent,
    }
    return {
        # Not the timer's own id: it may be armed, and set aside, more than once.
        "event_id": str(timer.cause_id),
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
        body["epoch"],
        UUID(body["armed_by"]),
        traceparent=body.get("trace"),
    )
