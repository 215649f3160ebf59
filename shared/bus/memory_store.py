"""Streams and durables of the bus inside one process: who has been given what."""

from __future__ import annotations

import heapq
from collections import deque
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from shared.bus.port import DUPLICATE_WINDOW

if TYPE_CHECKING:
    from datetime import datetime

    from shared.bus.port import ConsumerSpec, Message, StreamSpec
    from shared.time_source import Activity


class Watcher(Protocol):
    """What a durable asks of its bus."""

    @property
    def is_connected(self) -> bool:
        """Whether acks reach the bus."""
        ...

    def now(self) -> datetime:
        """Return the present moment."""
        ...

    def watch(self, moment: datetime) -> None:
        """Call `make_due` of every durable at `moment`."""
        ...


class Taker(Protocol):
    """What a durable knows of a subscription."""

    def wake(self) -> None:
        """Look again whether there is something to take."""
        ...


class MemoryDelivery:
    """One message handed to a consumer."""

    __slots__ = ("_durable", "attempt", "deadline", "is_counted", "message", "sequence", "taker")

    def __init__(
        self,
        durable: MemoryDurable,
        sequence: int,
        message: Message,
        attempt: int,
        deadline: datetime,
        taker: Taker,
    ) -> None:
        self._durable = durable
        self.sequence = sequence
        self.message = message
        self.attempt = attempt
        self.deadline = deadline
        self.taker = taker
        #: Whether the Activity of the bus counts it (not while it waits for time to pass).
        self.is_counted = True

    @property
    def body(self) -> bytes:
        """What was published, without its subject, id and headers."""
        return self.message.body

    async def ack(self) -> None:
        """Settle it; lost while the bus is disconnected."""
        self._durable.ack(self.sequence)

    async def retry(self, after_s: float) -> None:
        """Ask for it again after `after_s` seconds of the bus's time source."""
        self._durable.retry(self.sequence, after_s)


class MemoryStream:
    """One stream: messages by sequence, and the ids of the duplicate window."""

    def __init__(self, spec: StreamSpec, activity: Activity, max_age: timedelta | None) -> None:
        self.spec = spec
        self.last = 0
        self.messages: dict[int, Message] = {}
        self.durables: list[MemoryDurable] = []
        self.activity = activity
        self.open_durables = 0
        self._max_age = spec.max_age if max_age is None else max_age
        if spec.is_last_per_subject:
            self._max_age = spec.max_age  # definitions stay, however short a replay remembers
        self._ids: dict[int, int] = {}
        self._ids_by_age: deque[tuple[datetime, int]] = deque()
        self._by_subject: dict[str, int] = {}
        #: (stored_at, last sequence stored then), for expiry by age.
        self._ages: deque[tuple[datetime, int]] = deque()
        self._first = 1

    def store(self, message: Message, now: datetime) -> int:
        """Store `message` unless its id is in the duplicate window; return its sequence."""
        key = message.id.int
        known = self._ids.get(key)
        if known is not None:
            return known
        self.last = sequence = self.last + 1
        self._ids[key] = sequence
        self._ids_by_age.append((now, key))
        self.messages[sequence] = message
        self.activity.begin(self.open_durables)
        if self.spec.is_last_per_subject:
            replaced = self._by_subject.get(message.subject)
            self._by_subject[message.subject] = sequence
            if replaced is not None:
                self._remove(replaced)
        elif not self._ages or self._ages[-1][0] != now:
            self._ages.append((now, sequence))
        else:
            self._ages[-1] = (now, sequence)
        return sequence

    def expire(self, now: datetime) -> None:
        """Forget ids older than the duplicate window and messages older than `max_age`."""
        horizon = now - DUPLICATE_WINDOW
        while self._ids_by_age and self._ids_by_age[0][0] <= horizon:
            self._ids.pop(self._ids_by_age.popleft()[1], None)
        if not self._max_age:
            return
        horizon = now - self._max_age
        while self._ages and self._ages[0][0] <= horizon:
            upto = self._ages.popleft()[1]
            for sequence in range(self._first, upto + 1):
                self._remove(sequence)
            self._first = upto + 1

    def forget_after(self, sequence: int) -> None:
        """Drop all messages behind `sequence`, their ids and whatever durables know of them."""
        for lost in range(sequence + 1, self.last + 1):
            message = self.messages.get(lost)
            if message is not None:
                self._ids.pop(message.id.int, None)
                if self._by_subject.get(message.subject) == lost:
                    del self._by_subject[message.subject]
                self._remove(lost)
        self.last = min(self.last, sequence)
        while self._ages and self._ages[-1][1] > self.last:
            stored_at, _ = self._ages.pop()
            if not self._ages or self._ages[-1][1] < self.last:
                self._ages.append((stored_at, self.last))
        self._ids_by_age = deque(aged for aged in self._ids_by_age if aged[1] in self._ids)
        for durable in self.durables:
            durable.position = min(durable.position, self.last + 1)

    def wake(self) -> None:
        """Wake whoever waits for messages of this stream."""
        for durable in self.durables:
            durable.wake()

    def count_from(self, sequence: int) -> int:
        """Return how many messages are stored at or behind `sequence`."""
        if sequence > self.last:
            return 0
        if self.spec.is_last_per_subject:
            return sum(1 for kept in self.messages if kept >= sequence)
        return self.last - max(sequence, self._first) + 1

    def _remove(self, sequence: int) -> None:
        if self.messages.pop(sequence, None) is not None:
            for durable in self.durables:
                durable.lose(sequence)


class MemoryDurable:
    """What one consumer has been given and has settled; it outlives its subscriptions."""

    def __init__(self, stream: MemoryStream, spec: ConsumerSpec, bus: Watcher) -> None:
        self.spec = spec
        self.position = 1
        self._stream = stream
        self._bus = bus
        self._takers: list[Taker] = []
        #: Handed out, by sequence; the oldest deadline first, since ack_wait is the same for all.
        self._handed: dict[int, MemoryDelivery] = {}
        #: Waiting to become due again; `_due` may hold entries that were settled since.
        self._retrying: dict[int, MemoryDelivery] = {}
        self._due: list[tuple[datetime, int]] = []
        #: Due again, not handed out yet.
        self._again: dict[int, MemoryDelivery] = {}
        stream.durables.append(self)

    @property
    def lag(self) -> int:
        """How many messages are not settled."""
        unsettled = len(self._handed) + len(self._retrying) + len(self._again)
        return self._stream.count_from(self.position) + unsettled

    @property
    def floor(self) -> int:
        """The sequence up to which everything is settled."""
        held = (*self._handed, *self._retrying, *self._again)
        return min(held, default=self.position) - 1

    def opened_by(self, taker: Taker) -> None:
        """Let `taker` share the work; its backlog counts as activity from now on."""
        if not self._takers:
            self._stream.open_durables += 1
            self._stream.activity.begin(self._counted())
        self._takers.append(taker)

    def closed_by(self, taker: Taker) -> None:
        """Let go of `taker`: what it holds waits for ack_wait and counts no more."""
        if taker not in self._takers:
            return
        if len(self._takers) == 1:
            self._stream.activity.end(self._counted())
            self._takers.clear()
            self._stream.open_durables -= 1
        else:
            self._takers.remove(taker)
        for held in self._handed.values():
            if held.taker is taker:
                self._uncount(held)

    def wake(self) -> None:
        """Wake the subscriptions that share this durable."""
        for taker in self._takers:
            taker.wake()

    def hand_out(self, taken: list[MemoryDelivery], limit: int, taker: Taker) -> None:
        """Append what may be delivered now to `taken`, up to `limit` in all."""
        room = min(limit - len(taken), self._room())
        if room <= 0 or (not self._again and self.position > self._stream.last):
            return
        deadline = self._bus.now() + self.spec.ack_wait
        before = len(taken)
        while room > 0 and self._again:
            sequence = next(iter(self._again))
            old = self._again.pop(sequence)
            self._hand(taken, sequence, old.attempt + 1, deadline, taker)
            room -= 1
        last, messages = self._stream.last, self._stream.messages
        while room > 0 and self.position <= last:
            sequence, self.position = self.position, self.position + 1
            if sequence in messages:
                self._hand(taken, sequence, 1, deadline, taker)
                room -= 1
        if len(taken) > before:
            self._bus.watch(deadline)

    def ack(self, sequence: int) -> None:
        """Settle `sequence`; a late ack settles what is already due again, as JetStream has it."""
        held = self._held(sequence)
        if held is None:
            return
        if not self._bus.is_connected:
            self._uncount(held)
            return
        is_full = self._room() <= 0
        self._drop(held)
        if is_full:
            self.wake()

    def retry(self, sequence: int, after_s: float) -> None:
        """Make `sequence` due again after `after_s` seconds; until then it is no activity."""
        held = self._handed.get(sequence)
        if held is None:
            return
        self._uncount(held)
        if not self._bus.is_connected:
            return
        del self._handed[sequence]
        self._retrying[sequence] = held
        due = self._bus.now() + timedelta(seconds=max(after_s, 0))
        heapq.heappush(self._due, (due, sequence))
        held.deadline = due
        self._bus.watch(due)

    def make_due(self, now: datetime) -> datetime | None:
        """Offer again what has waited long enough; return when to look next, None for never."""
        offered = len(self._again)
        while self._due and self._due[0][0] <= now:
            due, sequence = heapq.heappop(self._due)
            held = self._retrying.get(sequence)
            if held is not None and held.deadline == due:
                del self._retrying[sequence]
                self._offer_again(held)
        while self._handed and (oldest := next(iter(self._handed.values()))).deadline <= now:
            del self._handed[oldest.sequence]
            self._offer_again(oldest)
        if len(self._again) > offered:
            self.wake()
        following = [self._due[0][0]] if self._due else []
        following += [next(iter(self._handed.values())).deadline] if self._handed else []
        return min(following, default=None)

    def lose(self, sequence: int) -> None:
        """Forget a message the stream no longer has."""
        held = self._held(sequence)
        if held is not None:
            self._drop(held)
        elif sequence >= self.position and self._takers:
            self._stream.activity.end()

    def _hand(
        self,
        taken: list[MemoryDelivery],
        sequence: int,
        attempt: int,
        deadline: datetime,
        taker: Taker,
    ) -> None:
        message = self._stream.messages[sequence]
        delivery = MemoryDelivery(self, sequence, message, attempt, deadline, taker)
        self._handed[sequence] = delivery
        taken.append(delivery)

    def _room(self) -> int:
        return self.spec.max_ack_pending - len(self._handed) - len(self._retrying)

    def _held(self, sequence: int) -> MemoryDelivery | None:
        return (
            self._handed.get(sequence) or self._again.get(sequence) or self._retrying.get(sequence)
        )

    def _counted(self) -> int:
        held = (*self._handed.values(), *self._again.values(), *self._retrying.values())
        return self._stream.count_from(self.position) + sum(1 for one in held if one.is_counted)

    def _drop(self, held: MemoryDelivery) -> None:
        for where in (self._handed, self._again, self._retrying):
            where.pop(held.sequence, None)
        self._uncount(held)

    def _uncount(self, held: MemoryDelivery) -> None:
        if held.is_counted:
            held.is_counted = False
            if self._takers:
                self._stream.activity.end()

    def _offer_again(self, held: MemoryDelivery) -> None:
        if not held.is_counted:
            held.is_counted = True
            if self._takers:
                self._stream.activity.begin()
        self._again[held.sequence] = held
