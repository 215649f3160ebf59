"""A bus that does what a real one may: late, in another order, and twice.

It wraps the bus in memory. What a consumer is handed is shuffled; some messages are given back
first and come seconds later, behind those of other publishers; some acks are lost, so that their
message comes again. Which ones is drawn from a seed.
"""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from shared.bus.memory import MemoryBus
    from shared.bus.port import ConsumerSpec, Delivery, Message, Subscription

#: Longest delay; journeys let more time than this pass between two acts.
LATE_S = 8.0
_LATE, _TWICE = 0.3, 0.2


class UnrulyBus:
    """The bus in memory with bad manners."""

    def __init__(self, bus: MemoryBus, seed: int) -> None:
        self._bus, self._chance = bus, Random(seed)
        self.late = self.twice = 0

    async def publish(self, messages: Sequence[Message]) -> Sequence[int | None]:
        """Store messages."""
        return await self._bus.publish(messages)

    async def subscribe(self, consumers: Sequence[ConsumerSpec]) -> UnrulySubscription:
        """Pull from the durables, unruly."""
        return UnrulySubscription(self, await self._bus.subscribe(consumers), self._chance)

    async def last_sequence(self, stream: str) -> int | None:
        """Return the last sequence stored."""
        return await self._bus.last_sequence(stream)

    async def lag(self, consumer: ConsumerSpec) -> int | None:
        """Return what is not settled."""
        return await self._bus.lag(consumer)

    async def settled_upto(self, consumer: ConsumerSpec) -> int | None:
        """Return up to where everything is settled."""
        return await self._bus.settled_upto(consumer)

    @property
    def is_connected(self) -> bool:
        """Whether the bus answers."""
        return self._bus.is_connected

    @property
    def problem(self) -> str:
        """Why the bus does not answer."""
        return self._bus.problem

    @property
    def reconnects(self) -> int:
        """How often the connection came back."""
        return self._bus.reconnects

    async def close(self) -> None:
        """Leave."""
        await self._bus.close()


@dataclass(slots=True)
class UnrulySubscription:
    """A pull whose deliveries come as they like."""

    bus: UnrulyBus
    pull: Subscription
    chance: Random

    async def take(self, limit: int) -> Sequence[Delivery]:
        """Return some of what is there, in any order; the rest comes later."""
        while True:
            kept: list[Delivery] = []
            for delivery in await self.pull.take(limit):
                if delivery.attempt == 1 and self.chance.random() < _LATE:
                    self.bus.late += 1
                    await delivery.retry(self.chance.uniform(0.5, LATE_S / 2))
                else:
                    kept.append(self._perhaps_twice(delivery))
            if kept:
                self.chance.shuffle(kept)
                return kept

    async def close(self) -> None:
        """Stop pulling."""
        await self.pull.close()

    def _perhaps_twice(self, delivery: Delivery) -> Delivery:
        if delivery.attempt > 2 or self.chance.random() >= _TWICE:
            return delivery
        self.bus.twice += 1
        return _AckLost(delivery, self.chance.uniform(0.5, LATE_S / 2))


@dataclass(frozen=True, slots=True)
class _AckLost:
    """A delivery whose ack never arrives."""

    inner: Delivery
    again_after_s: float

    @property
    def message(self) -> Message:
        """What was published."""
        return self.inner.message

    @property
    def body(self) -> bytes:
        """What was published, without its subject, id and headers."""
        return self.inner.body

    @property
    def attempt(self) -> int:
        """How often it was handed out."""
        return self.inner.attempt

    async def ack(self) -> None:
        """Lose it: the message comes again."""
        await self.inner.retry(self.again_after_s)

    async def retry(self, after_s: float) -> None:
        """Ask for it again."""
        await self.inner.retry(after_s)
