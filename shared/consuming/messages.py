"""Messages of the bus: applied, held or handed back, many in one transaction."""

from __future__ import annotations

import logging
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from sqlalchemy.exc import IntegrityError

from shared.consuming import held as held_rows
from shared.consuming.batch import Arrival, Plan, plan, read_arrival
from shared.consuming.transactor import BATCH_MAX, Guilty, SetCause, Transactor
from shared.consuming.work import Cause, Work
from shared.database.tables import to_us
from shared.errors import LeveeError, Unavailable
from shared.events.base import Envelope, EventData, read_envelope

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from shared.bus.port import Subscription as Pull
    from shared.consuming.subscriptions import Subscription
    from shared.database.engine import Transaction
    from shared.database.subjects import Subject

W = TypeVar("W", bound=Work)

_log = logging.getLogger(__name__)

#: Smallest batch, and the duration of a batch that its size aims at.
_BATCH_MIN, _BATCH_AIM_S = 20, 0.15
#: Attempts at a message on which a handler fails for an unknown reason, then it is set aside.
_ATTEMPTS = 4
#: Pauses before those attempts; the last one repeats, without end, for `Unavailable`.
_BACKOFF_S = (0.2, 1.0, 5.0, 15.0)
#: Messages whose attempts are remembered; forgetting them only means a few more attempts.
_REMEMBERED = 10_000


@dataclass(slots=True)
class _Batch:
    """What one transaction is about to do."""

    arrivals: list[Arrival] = field(default_factory=list)
    #: Subjects to look at although no message about them arrived: something held may go on.
    keys: set[str] = field(default_factory=set)
    #: Entry id -> why it must not be applied: set aside (True) or tried again later (False).
    barred: dict[str, tuple[Exception, bool]] = field(default_factory=dict)

    def has(self, entry: str) -> bool:
        """Whether the entry came with this batch from the bus (and can be handed back)."""
        return any(a.header is not None and str(a.header.id) == entry for a in self.arrivals)


class Messages(Generic[W]):
    """Takes messages and sees each one settled."""

    def __init__(self, transactor: Transactor[W], handlers: Mapping[str, Subscription[W]]) -> None:
        self._transactor, self._handlers = transactor, handlers
        self._attempts: dict[str, int] = {}
        self._size = 100 if transactor.knobs.is_batching else 1

    async def run(self, pull: Pull) -> None:
        """Take and handle for ever; ends when cancelled."""
        transactor = self._transactor
        while True:
            deliveries = await pull.take(self._size)
            while transactor.relay.backlog > transactor.knobs.backlog_limit:
                await transactor.time.sleep(0.05)
            began = transactor.time.monotonic()
            await self.receive([read_arrival(d.message.body, d) for d in deliveries])
            self._adapt(len(deliveries), transactor.time.monotonic() - began)

    async def receive(self, arrivals: list[Arrival]) -> None:
        """Handle messages until each is applied, held or handed back."""
        stats = self._transactor.stats
        batch = _Batch(arrivals)
        try:
            outcome = await self._around_the_guilty(batch)
        except (LeveeError, IntegrityError) as error:
            # Nobody in particular is guilty: the database or a neighbour is away. All again.
            _log.warning(
                "%s: batch of %d put back: %s", self._transactor.service, len(arrivals), error
            )
            stats.retried += len(arrivals)
            for arrival in arrivals:
                if arrival.delivery is not None:
                    await arrival.delivery.retry(_BACKOFF_S[1])
            return
        stats.batches += 1
        stats.duplicates += len(outcome.duplicates)
        stats.early += len(outcome.early)
        stats.handled += len(outcome.apply)
        await self._settle(batch)

    async def go_on(self, key: str) -> None:
        """Apply what is held about `key` and has no gap before it any more."""
        with self._transactor.activity.busy():
            await self._around_the_guilty(_Batch(keys={key}))

    def _adapt(self, size: int, took_s: float) -> None:
        if not self._transactor.knobs.is_batching:
            return
        stats = self._transactor.stats
        stats.largest_batch = max(stats.largest_batch, size)
        if took_s > 2 * _BATCH_AIM_S:
            self._size = max(_BATCH_MIN, self._size // 2)
        elif size >= self._size and took_s < _BATCH_AIM_S:
            self._size = min(BATCH_MAX, self._size * 2)

    async def _settle(self, batch: _Batch) -> None:
        for arrival in batch.arrivals:
            if arrival.delivery is None:
                continue
            entry = str(arrival.header.id) if arrival.header else ""
            barred = batch.barred.get(entry)
            if barred is not None and not barred[1]:
                attempt = self._attempts.get(entry, 1)
                self._transactor.stats.retried += 1
                await arrival.delivery.retry(_BACKOFF_S[min(attempt, len(_BACKOFF_S)) - 1])
            else:
                self._attempts.pop(entry, None)
                await arrival.delivery.ack()

    async def _around_the_guilty(self, batch: _Batch) -> Plan:
        while True:
            try:
                return await self._handle(batch)
            except Guilty as guilty:
                is_final = self._judge(batch, guilty.entry_id, guilty.error)
                if not is_final and not batch.has(guilty.entry_id):
                    # A held message whose turn has come cannot be handed back to the bus: what
                    # let it go on is, so that both are tried again.
                    del batch.barred[guilty.entry_id]
                    code, detail = held_rows.describe(guilty.error)
                    raise _NotNow(code=code, detail=detail) from guilty.error

    def _judge(self, batch: _Batch, entry: str, error: Exception) -> bool:
        """Decide whether a failing entry is set aside (True) or tried again later."""
        attempt = self._attempts.get(entry, 0) + 1
        if len(self._attempts) > _REMEMBERED:
            self._attempts.clear()
        self._attempts[entry] = attempt
        is_final = not isinstance(error, Unavailable) and (
            isinstance(error, LeveeError) or attempt >= _ATTEMPTS
        )
        batch.barred[entry] = (error, is_final)
        service = self._transactor.service
        code, detail = held_rows.describe(error)
        if is_final:
            self._transactor.stats.set_aside += 1
            _log.error("%s: %s set aside: %s: %s", service, entry, code, detail, exc_info=error)
        else:
            _log.warning("%s: %s tried again later: %s: %s", service, entry, code, detail)
        return is_final

    async def _handle(self, batch: _Batch) -> Plan:
        readable = [a for a in batch.arrivals if a.header is not None]
        keys = {a.header.subject for a in readable if a.header} | batch.keys
        tables = self._transactor.tables
        outcome = Plan()

        async def prepare(tx: Transaction, subjects: dict[str, Subject]) -> None:
            nonlocal outcome
            blocked = [key for key, subject in subjects.items() if subject.held]
            rows = await held_rows.read_held(tx, tables, blocked) if blocked else []
            outcome = plan(readable, subjects, rows, frozenset(batch.barred))

        def run(work: W, cause: SetCause) -> None:
            for arrival in outcome.apply:
                self._apply(arrival, work, cause)

        async def finish(tx: Transaction, subjects: dict[str, Subject], now: datetime) -> None:
            await self._hold(tx, batch, outcome, subjects, now)
            await self._release(tx, outcome, subjects)

        await self._transactor.run(keys, (), run, prepare=prepare, finish=finish)
        return outcome

    def _apply(self, arrival: Arrival, work: W, cause: SetCause) -> None:
        header = arrival.header
        assert header is not None
        subscription = self._handlers.get(header.type)
        if subscription is None:
            return
        try:
            envelope: Envelope[EventData] = read_envelope(header, subscription.event_type)
            cause(Cause(header.id, envelope.correlation_id, envelope.traceparent))
            subscription.handle(envelope, work)
        except Exception as error:
            raise Guilty(str(header.id), error) from error

    async def _hold(
        self,
        tx: Transaction,
        batch: _Batch,
        outcome: Plan,
        subjects: dict[str, Subject],
        now: datetime,
    ) -> None:
        """Store what waits for its predecessor and what is set aside."""
        rows = [_held_row(a, held_rows.EARLY, "early", "", now) for a in outcome.early]
        rows += self._guilty_rows(batch, now)
        for row in rows:
            if row["key"] is not None:
                subjects[row["key"]].held += 1
                subjects[row["key"]].is_changed = True
        await held_rows.hold(tx, self._transactor.tables, rows)
        for entry, (error, is_final) in batch.barred.items():
            if is_final and not batch.has(entry):
                code, detail = held_rows.describe(error)
                await held_rows.blame(tx, self._transactor.tables, entry, code, detail)

    def _guilty_rows(self, batch: _Batch, now: datetime) -> list[dict[str, Any]]:
        rows = []
        for arrival in batch.arrivals:
            if arrival.header is None:
                assert arrival.error is not None
                code, detail = held_rows.describe(arrival.error)
                rows.append(_held_row(arrival, held_rows.UNREADABLE, code, detail, now))
                self._transactor.stats.set_aside += 1
                _log.error("%s: unreadable message set aside: %s", self._transactor.service, detail)
                continue
            error, is_final = batch.barred.get(str(arrival.header.id), (None, False))
            if error is not None and is_final:
                code, detail = held_rows.describe(error)
                rows.append(_held_row(arrival, held_rows.FAILED, code, detail, now))
        return rows

    async def _release(self, tx: Transaction, outcome: Plan, subjects: dict[str, Subject]) -> None:
        """Forget held messages that were applied."""
        done = [a.header for a in outcome.apply if a.was_held and a.header]
        for header in done:
            subjects[header.subject].held -= 1
            subjects[header.subject].is_changed = True
        if done:
            await held_rows.release(tx, self._transactor.tables, [str(h.id) for h in done])


class _NotNow(Unavailable):
    """A message held earlier cannot be applied yet: {code}: {detail}."""

    zh = "先前保留的消息暂时无法处理：{code}：{detail}。"


def _held_row(arrival: Arrival, kind: str, code: str, detail: str, now: datetime) -> dict[str, Any]:
    header = arrival.header
    message = arrival.delivery.message if arrival.delivery else None
    sender = message.subject.split(".")[1] if message and message.subject.count(".") else ""
    unread = str(message.id) if message else ""
    return {
        "event_id": str(header.id) if header else unread,
        "key": header.subject if header else None,
        "publisher": header.source if header else sender,
        "sequence": header.sequence if header else 0,
        "type": header.type if header else "",
        "kind": kind,
        "code": code,
        "detail": detail,
        "body": arrival.body,
        "held_us": to_us(now),
    }
