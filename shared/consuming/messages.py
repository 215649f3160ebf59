"""Messages of the bus: applied, held or handed back, many in one transaction."""

from __future__ import annotations

import asyncio
import logging
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar

from shared.bus.port import BusClosed
from shared.consuming import held as held_rows
from shared.consuming.batch import Arrival, Plan, plan, read_arrival
from shared.consuming.dividing import Batch, divided, entry_of, held_row, suspects_of
from shared.consuming.telling import tell_failure
from shared.consuming.transactor import (
    BATCH_MAX,
    Guilty,
    SetCause,
    Spoiled,
    Transactor,
    apply_each,
)
from shared.consuming.work import Cause, Work
from shared.database.trouble import DatabaseUnfit
from shared.errors import LeveeError, Unavailable
from shared.events.base import Envelope, EventData, read_envelope

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from shared.bus.port import Delivery
    from shared.bus.port import Subscription as Pull
    from shared.consuming.subscriptions import Subscription
    from shared.database.engine import Transaction
    from shared.database.subjects import Subject
    from shared.observability.measures import Handling

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


class NobodyToBlame(Unavailable):
    """A message cannot even be set aside: {reason}"""

    zh: ClassVar[str] = "消息连搁置都无法完成：{reason}"


class Messages(Generic[W]):
    """Takes messages and sees each one settled."""

    def __init__(self, transactor: Transactor[W], handlers: Mapping[str, Subscription[W]]) -> None:
        self._transactor, self._handlers = transactor, handlers
        self._attempts: dict[str, int] = {}
        self._lagging: list[Arrival] = []
        self._size = 100 if transactor.knobs.is_batching else 1
        #: Key -> when to look again at what is held about it and could not be handled.
        self._later: dict[str, datetime] = {}
        self._later_changed = asyncio.Event()
        #: What has no handler here and waits for company, since when, and who handles just now.
        self._quiet: list[Arrival] = []
        self._has_quiet = asyncio.Event()
        self._turn = asyncio.Lock()

    async def run(self, pull: Pull) -> None:
        """Take and handle until the subscription is closed."""
        transactor = self._transactor
        while True:
            await transactor.relay.below(transactor.knobs.backlog_limit)
            try:
                deliveries = await pull.take(self._size)
            except BusClosed:
                return
            if transactor.knobs.lag:
                await self._put_by(deliveries)
                continue
            arrivals = [read_arrival(d.body, d) for d in deliveries]
            if self._may_wait(arrivals):
                self._quiet += arrivals
                self._has_quiet.set()
                continue
            began = transactor.time.monotonic()
            async with self._turn:
                quiet, self._quiet = self._quiet, []
                await self.receive(quiet + arrivals)
            self._adapt(len(deliveries), transactor.time.monotonic() - began)
            if transactor.knobs.linger and len(deliveries) < self._size:
                await transactor.time.sleep(transactor.knobs.linger.total_seconds())

    def _may_wait(self, arrivals: Sequence[Arrival]) -> bool:
        """Tell whether nothing of this has a handler: it is only counted, for the order's sake.

        It is acknowledged once it was counted, with the next batch or a moment later.
        """
        return (
            self._transactor.knobs.patience > timedelta(0)
            and len(self._quiet) < BATCH_MAX
            and all(a.header is not None and a.header.type not in self._handlers for a in arrivals)
        )

    async def count_quiet_for_ever(self) -> None:
        """Count what has no handler when nothing came after it."""
        while True:
            await self._has_quiet.wait()
            self._has_quiet.clear()
            await self._transactor.time.sleep(self._transactor.knobs.patience.total_seconds())
            await self.count_quiet()

    async def count_quiet(self) -> None:
        """Count now what has no handler."""
        async with self._turn:
            quiet, self._quiet = self._quiet, []
            if quiet:
                await self.receive(quiet)

    async def _put_by(self, deliveries: Sequence[Delivery]) -> None:
        """Let time go on: nothing depends on these, and a simulation can be run again."""
        for delivery in deliveries:
            self._lagging.append(read_arrival(delivery.body, None))
            await delivery.ack()
        if len(self._lagging) >= self._transactor.knobs.lag:
            await self.catch_up()

    async def catch_up(self) -> None:
        """Handle what a lagging consumer has put by."""
        arrivals, self._lagging = self._lagging, []
        with self._transactor.activity.busy():
            for start in range(0, len(arrivals), BATCH_MAX):
                await self.receive(arrivals[start : start + BATCH_MAX])

    async def receive(self, arrivals: list[Arrival]) -> None:
        """Handle messages until each is applied, held or handed back."""
        parts = [Batch(arrivals)]
        while parts:
            batch = parts.pop()
            try:
                outcome = await self._around_the_guilty(batch)
            except Unavailable as error:
                await self._put_back([batch, *parts], error)
                return
            except Spoiled:
                parts += divided(batch)
            else:
                self._count(outcome)
                await self._settle(batch)

    async def go_on(self, key: str) -> None:
        """Apply what is held about `key` and has no gap before it any more."""
        at_most: int | None = None
        with self._transactor.activity.busy():
            while True:
                try:
                    outcome = await self._around_the_guilty(Batch(keys={key}, at_most=at_most))
                except Spoiled:
                    at_most = 1
                    continue
                self._count(outcome)
                if at_most is None or not outcome.apply:
                    return

    async def try_again_for_ever(self) -> None:
        """Look again, after a while, at held messages that could not be handled just then."""
        time = self._transactor.time
        while True:
            await time.wait(self._later_changed, min(self._later.values(), default=None))
            self._later_changed.clear()
            now = time.now()
            # What lies further ahead than the longest pause was noted before a clock was put back.
            far = now + timedelta(seconds=_BACKOFF_S[-1])
            for key in [key for key, at in self._later.items() if at <= now or at > far]:
                del self._later[key]
                await self._try_again(key)

    async def find_ready(self) -> None:
        """Find what is held and has its turn, left so by a kill or an earlier run."""
        async with self._transactor.database.reading() as connection:
            keys = await held_rows.ready_keys(connection, self._transactor.tables, _REMEMBERED)
        for key in keys:
            if key not in self._later:
                self._look_later(key, 0.0)

    async def _try_again(self, key: str) -> None:
        try:
            await self.go_on(key)
        except Unavailable as error:
            _log.warning("%s: held about %s: %s", self._transactor.service, key, error)
            self._look_later(key, _BACKOFF_S[1])

    def _look_later(self, key: str, after_s: float) -> None:
        self._later[key] = self._transactor.time.now() + timedelta(seconds=after_s)
        self._later_changed.set()

    def _adapt(self, size: int, took_s: float) -> None:
        if not self._transactor.knobs.is_batching:
            return
        stats = self._transactor.stats
        stats.largest_batch = max(stats.largest_batch, size)
        if took_s > 2 * _BATCH_AIM_S:
            self._size = max(_BATCH_MIN, self._size // 2)
        elif size >= self._size and took_s < _BATCH_AIM_S:
            self._size = min(BATCH_MAX, self._size * 2)

    def _count(self, outcome: Plan) -> None:
        stats = self._transactor.stats
        stats.batches += 1
        stats.duplicates += len(outcome.duplicates)
        stats.early += len(outcome.early)
        stats.handled += len(outcome.apply)

    async def _put_back(self, batches: Sequence[Batch], error: Exception) -> None:
        """Nobody in particular is guilty: the database or a neighbour is away. All again."""
        arrivals = [arrival for batch in batches for arrival in batch.arrivals]
        is_fault = isinstance(error, DatabaseUnfit | NobodyToBlame)
        _log.log(
            logging.ERROR if is_fault else logging.WARNING,
            "%s: batch of %d put back: %s",
            self._transactor.service,
            len(arrivals),
            error,
        )
        self._transactor.stats.retried += len(arrivals)
        for arrival in arrivals:
            if arrival.delivery is not None:
                await arrival.delivery.retry(_BACKOFF_S[1])

    async def _settle(self, batch: Batch) -> None:
        if batch.at_most is not None:
            # Only a part of what could go on was let go on.
            for key in {a.header.subject for a in batch.arrivals if a.header}:
                self._look_later(key, 0.0)
        for arrival in batch.arrivals:
            if arrival.delivery is None:
                continue
            entry = arrival.header.id if arrival.header else ""
            barred = batch.barred.get(entry)
            if barred is not None and not barred[1]:
                self._transactor.stats.retried += 1
                await arrival.delivery.retry(self._pause_s(entry))
            else:
                if barred is None:
                    self._attempts.pop(entry, None)
                await arrival.delivery.ack()

    def _pause_s(self, entry: str) -> float:
        return _BACKOFF_S[min(self._attempts.get(entry, 1), len(_BACKOFF_S)) - 1]

    async def _around_the_guilty(self, batch: Batch) -> Plan:
        """Handle a batch without its guilty entries, which are barred one after another.

        Raises `Unavailable` when nothing can be handled now, and `Spoiled` when the whole
        failed and several entries may be to blame.
        """
        while True:
            try:
                return await self._handle(batch)
            except Guilty as guilty:
                for entry, error in guilty.certain:
                    self._judge(batch, entry, error)
            except Spoiled as spoiled:
                suspects = suspects_of(batch)
                if not suspects and len(batch.arrivals) < 2:
                    raise NobodyToBlame(reason=repr(spoiled.error)[:200]) from spoiled.error
                if len(suspects) != 1:
                    raise
                self._judge(batch, suspects[0], spoiled.error)

    def _judge(self, batch: Batch, entry: str, error: Exception) -> None:
        """Decide whether a failing entry is set aside or tried again later."""
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
        tracer = self._transactor.tracer
        told = tell_failure(tracer, batch.plan.apply, entry, code, attempt, is_final)
        if is_final:
            self._transactor.stats.set_aside += 1
            text = "%s: %s set aside: %s: %s"
            _log.error(text, service, entry, code, detail, exc_info=error, extra=told)
            return
        _log.warning("%s: %s tried again later: %s: %s", service, entry, code, detail, extra=told)
        if not batch.has(entry):
            # One held earlier, whose turn has come: nothing will bring it but ourselves.
            for arrival in batch.plan.apply:
                if arrival.header and arrival.header.id == entry:
                    self._look_later(arrival.header.subject, self._pause_s(entry))

    async def _handle(self, batch: Batch) -> Plan:
        readable = [a for a in batch.arrivals if a.header is not None]
        keys = {a.header.subject for a in readable if a.header} | batch.keys
        tables = self._transactor.tables
        batch.plan = Plan()
        handling = self._transactor.handling("message")

        async def prepare(tx: Transaction, subjects: dict[str, Subject]) -> None:
            blocked = [key for key, subject in subjects.items() if subject.held]
            rows = await held_rows.read_held(tx, tables, blocked) if blocked else []
            batch.plan = plan(readable, subjects, rows, frozenset(batch.barred), batch.at_most)

        def choose() -> set[str]:
            # A service hears whole streams; about much of it there is nothing to do but to count.
            headers = [a.header for a in batch.plan.apply if a.header is not None]
            return {header.subject for header in headers if self._loads(header.type)}

        def run(work: W, cause: SetCause) -> None:
            entries = [(entry_of(arrival), arrival) for arrival in batch.plan.apply]
            apply_each(entries, lambda arrival: self._apply(arrival, work, cause, handling))

        async def finish(tx: Transaction, subjects: dict[str, Subject], now: datetime) -> None:
            await self._hold(tx, batch, batch.plan, subjects, now)
            await self._release(tx, batch.plan, subjects)

        # Whoever says something for the first time most often speaks of something new.
        are_new = any(a.header is not None and a.header.sequence == 1 for a in readable)
        await self._transactor.run(
            keys, (), run, are_new=are_new, prepare=prepare, choose=choose, finish=finish
        )
        handling.committed(len(batch.plan.apply))
        return batch.plan

    def _loads(self, event_type: str) -> bool:
        handler = self._handlers.get(event_type)
        return handler is not None and handler.loads

    def _apply(self, arrival: Arrival, work: W, cause: SetCause, handling: Handling) -> None:
        header = arrival.header
        assert header is not None
        subscription = self._handlers.get(header.type)
        if subscription is None:
            return
        traceparent = handling.begin(header.type, header.subject, header.raw.get("traceparent"))
        envelope: Envelope[EventData] = read_envelope(header, subscription.event_type)
        at = None if self._transactor.knobs.turns is None else envelope.time
        cause(Cause(envelope.id, envelope.correlation_id, traceparent, at=at))
        subscription.handle(envelope, work)
        handling.end()

    async def _hold(
        self,
        tx: Transaction,
        batch: Batch,
        outcome: Plan,
        subjects: dict[str, Subject],
        now: datetime,
    ) -> None:
        """Store what waits for its predecessor and what is set aside."""
        rows = [held_row(a, held_rows.EARLY, "early", "", now) for a in outcome.early]
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

    def _guilty_rows(self, batch: Batch, now: datetime) -> list[dict[str, Any]]:
        rows = []
        for arrival in batch.arrivals:
            if arrival.header is None:
                assert arrival.error is not None
                code, detail = held_rows.describe(arrival.error)
                rows.append(held_row(arrival, held_rows.UNREADABLE, code, detail, now))
                self._transactor.stats.set_aside += 1
                _log.error("%s: unreadable message set aside: %s", self._transactor.service, detail)
                continue
            error, is_final = batch.barred.get(arrival.header.id, (None, False))
            if error is not None and is_final:
                code, detail = held_rows.describe(error)
                rows.append(held_row(arrival, held_rows.FAILED, code, detail, now))
        return rows

    async def _release(self, tx: Transaction, outcome: Plan, subjects: dict[str, Subject]) -> None:
        """Forget held messages that were applied."""
        done = [a.header for a in outcome.apply if a.was_held and a.header]
        for header in done:
            subjects[header.subject].held -= 1
            subjects[header.subject].is_changed = True
        if done:
            await held_rows.release(tx, self._transactor.tables, [h.id for h in done])
