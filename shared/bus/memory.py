"""The bus inside one process: for replays, simulated time, tests and chaos tests.

It promises what NATS JetStream promises (tests/contract/test_bus.py runs on both): streams with
sequences, a duplicate window, last value per subject, durables that remember what is settled.
Nothing is written to disk. All waiting is done through the time source.

With an `Activity`, a message counts as unsettled once per open durable on its stream from the
moment it is published until it is acked. What waits for *time* (a retry that is not due yet, an
ack that was lost while disconnected) does not count, else simulated time could never get there.
"""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

from shared.bus.memory_store import MemoryDurable, MemoryStream
from shared.bus.port import (
    MAX_MESSAGE_BYTES,
    STREAMS,
    BusClosed,
    MessageTooLarge,
    SubjectUnknown,
    is_valid_subject,
    stream_of,
)
from shared.time_source import Activity

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from datetime import datetime, timedelta

    from shared.bus.memory_store import MemoryDelivery
    from shared.bus.port import ConsumerSpec, Message, StreamSpec
    from shared.time_source import TimeSource


# Subjects found valid are remembered; there is one per event type and per definition.
_KNOWN_SUBJECTS = 10_000


class MemoryBus:
    """Keeps streams and durables in this process; several services may share one object.

    `max_age` shortens how long every stream keeps its messages (a replay of a year needs no
    more than its consumers have not settled); None keeps what each stream declares.
    """

    def __init__(
        self,
        time: TimeSource,
        activity: Activity | None = None,
        *,
        streams: Iterable[StreamSpec] = STREAMS,
        max_age: timedelta | None = None,
    ) -> None:
        self._time = time
        # Counting into an Activity nobody looks at is cheaper than asking each time.
        self._activity = Activity() if activity is None else activity
        self._streams = {s.name: MemoryStream(s, self._activity, max_age) for s in streams}
        self._by_subject: dict[str, MemoryStream] = {}
        self._durables: dict[tuple[str, str], MemoryDurable] = {}
        self._subscriptions: list[MemorySubscription] = []
        self._alarms: dict[asyncio.Task[None], datetime] = {}
        self._is_connected = True
        self._reconnects = 0

    # ---- the port -------------------------------------------------------------------------

    async def publish(self, messages: Sequence[Message]) -> Sequence[int | None]:
        """Store messages in their streams, in order; return each one's stream sequence."""
        found = [self._stream_for(message) for message in messages]
        if not self._is_connected:
            return [None] * len(messages)
        now = self._time.now()
        touched = dict.fromkeys(found)
        for stream in touched:
            stream.expire(now)
        sequences: list[int | None] = [
            stream.store(message, now) for stream, message in zip(found, messages, strict=True)
        ]
        for stream in touched:
            stream.wake()
        return sequences

    async def subscribe(self, consumers: Sequence[ConsumerSpec]) -> MemorySubscription:
        """Create the durables where missing and pull from all of them."""
        subscription = MemorySubscription(self, [self._durable(spec) for spec in consumers])
        self._subscriptions.append(subscription)
        return subscription

    async def last_sequence(self, stream: str) -> int | None:
        """Return the last sequence stored in `stream`; None while disconnected."""
        found = self._streams.get(stream)
        return found.last if found is not None and self._is_connected else None

    async def lag(self, consumer: ConsumerSpec) -> int | None:
        """Return how many messages the consumer has not settled; None when unknown."""
        durable = self._durables.get((consumer.stream, consumer.durable))
        return durable.lag if durable is not None and self._is_connected else None

    async def settled_upto(self, consumer: ConsumerSpec) -> int | None:
        """Return the sequence up to which the consumer has settled everything; None if unknown."""
        durable = self._durables.get((consumer.stream, consumer.durable))
        return durable.floor if durable is not None and self._is_connected else None

    @property
    def is_connected(self) -> bool:
        """Whether the bus answers."""
        return self._is_connected

    @property
    def problem(self) -> str:
        """Why the bus does not answer."""
        return "" if self._is_connected else "a test or a simulation took it away"

    @property
    def reconnects(self) -> int:
        """How often `reconnect` was called."""
        return self._reconnects

    async def close(self) -> None:
        """Close all subscriptions and stop waiting for anything."""
        for subscription in list(self._subscriptions):
            await subscription.close()
        alarms = list(self._alarms)
        for alarm in alarms:
            alarm.cancel()
        await asyncio.gather(*alarms, return_exceptions=True)

    # ---- for tests ------------------------------------------------------------------------

    def disconnect(self) -> None:
        """Be away: publishing returns None, nothing is delivered, acks and retries are lost."""
        self._is_connected = False

    def reconnect(self) -> None:
        """Be back; waiting subscriptions wake up."""
        self._is_connected = True
        self._reconnects += 1
        for subscription in self._subscriptions:
            subscription.wake()

    def stored(self, stream: str) -> list[Message]:
        """Return what a stream keeps, oldest first."""
        messages = self._streams[stream].messages
        return [messages[sequence] for sequence in sorted(messages)]

    def forget_after(self, stream: str, sequence: int) -> None:
        """Be the broker that lost its last minutes: drop what lies behind `sequence`."""
        self._streams[stream].forget_after(sequence)

    # ---- for subscriptions and durables ---------------------------------------------------

    def now(self) -> datetime:
        """Return the present moment of the bus's time source."""
        return self._time.now()

    def watch(self, moment: datetime) -> None:
        """Look at all durables at `moment`, unless that is going to happen before anyway."""
        if self._alarms and min(self._alarms.values()) <= moment:
            return
        alarm = asyncio.ensure_future(self._ring(moment))
        self._alarms[alarm] = moment
        alarm.add_done_callback(lambda done: self._alarms.pop(done, None))

    def left(self, subscription: MemorySubscription) -> None:
        """Forget a closed subscription."""
        if subscription in self._subscriptions:
            self._subscriptions.remove(subscription)

    def _stream_for(self, message: Message) -> MemoryStream:
        if len(message.body) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(size=len(message.body), limit=MAX_MESSAGE_BYTES)
        stream = self._by_subject.get(message.subject)
        if stream is None:
            found = is_valid_subject(message.subject) and stream_of(message.subject)
            if not found or found not in self._streams:
                raise SubjectUnknown(subject=message.subject)
            if len(self._by_subject) >= _KNOWN_SUBJECTS:
                self._by_subject.clear()
            stream = self._by_subject[message.subject] = self._streams[found]
        return stream

    def _durable(self, spec: ConsumerSpec) -> MemoryDurable:
        key = (spec.stream, spec.durable)
        durable = self._durables.get(key)
        if durable is None:
            durable = MemoryDurable(self._streams[spec.stream], spec, self)
            self._durables[key] = durable
        durable.spec = spec
        return durable

    async def _ring(self, moment: datetime) -> None:
        await self._time.sleep((moment - self._time.now()).total_seconds())
        own = asyncio.current_task()
        if own is not None:
            self._alarms.pop(own, None)
        now = self._time.now()
        following = [d.make_due(now) for d in self._durables.values()]
        if coming := [moment for moment in following if moment is not None]:
            self.watch(min(coming))


class MemorySubscription:
    """Takes from one or several durables in turn."""

    def __init__(self, bus: MemoryBus, durables: Sequence[MemoryDurable]) -> None:
        self._bus = bus
        self._durables = durables
        self._first = 0
        self._waiting: list[asyncio.Future[None]] = []
        self._is_closed = False
        for durable in durables:
            durable.opened_by(self)

    async def take(self, limit: int) -> Sequence[MemoryDelivery]:
        """Wait until something is there and return what is there at once, 1 to `limit`.

        Raises BusClosed once the subscription is closed.
        """
        while not self._is_closed:
            if self._bus.is_connected and (taken := self._take_now(limit)):
                return taken
            waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiter)
            try:
                await waiter
            finally:
                if waiter in self._waiting:
                    self._waiting.remove(waiter)
        raise BusClosed

    async def close(self) -> None:
        """Stop pulling; what was handed out and not settled is delivered again after ack_wait."""
        if self._is_closed:
            return
        self._is_closed = True
        self._bus.left(self)
        for durable in self._durables:
            durable.closed_by(self)
        self.wake()

    def wake(self) -> None:
        """Let everybody who waits in `take` look again."""
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)

    def _take_now(self, limit: int) -> list[MemoryDelivery]:
        # Another durable is first each time, so that none can starve the others.
        taken: list[MemoryDelivery] = []
        count = len(self._durables)
        for offset in range(count):
            durable = self._durables[(self._first + offset) % count]
            durable.hand_out(taken, limit, self)
            if len(taken) >= limit:
                break
        self._first = (self._first + 1) % max(count, 1)
        return taken
