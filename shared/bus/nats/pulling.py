"""Pulling: standing requests whose answers arrive in an own inbox.

Not nats-py's `fetch`: it costs 20 µs a message instead of 8 and sleeps through a restart of the
server (floors.md §1 trap 2, §2). A request asks for a batch and expires after 5 s; the next one is
sent when half of what may be under way has been used up, so the server always holds one.
"""

from __future__ import annotations

import asyncio
import itertools
from collections import deque
from contextlib import suppress
from typing import TYPE_CHECKING, Protocol
from uuid import UUID

import orjson
from nats.errors import Error as NatsError

from shared.bus.nats.publishing import MESSAGE_ID
from shared.bus.port import BusClosed, Message, stream_of
from shared.id_source import derived

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from nats.aio.client import Client
    from nats.aio.msg import Msg

    from shared.bus.nats.ledger import Ledger
    from shared.bus.port import ConsumerSpec
    from shared.time_source import TimeSource

_EXPIRES_S = 5
# A request that neither delivered nor expired by then is lost.
_OVERDUE_S = _EXPIRES_S + 2.0
_PREFETCH_BATCHES = 2
_LEAVE_S = 2.0
# What lay here for most of its ack_wait comes again anyway; handing it out would double the work.
_FRESH_FRACTION = 0.8

_ACK = b"+ACK"
_NAK = b"-NAK"
# $JS.ACK.<stream>.<consumer>.<delivered>.<stream seq>.<consumer seq>.<time>.<pending>, and with
# a domain and an account hash before the stream: counted from the end of the short form.
_SHORT_ACK_TOKENS = 9
_DELIVERED, _STREAM_SEQUENCE = 4, 5
_DOMAIN_TOKENS = 2

_EXPIRED = "408"
_HEARTBEAT = "100"
_PENDING = "Nats-Pending-Messages"


class _Interest(Protocol):
    async def drain(self) -> None: ...


class NatsDelivery:
    """One message handed to a consumer."""

    __slots__ = ("_message", "_pull", "arrived_s", "raw")

    def __init__(self, pull: Pull, raw: Msg, arrived_s: float) -> None:
        self._pull = pull
        self._message: Message | None = None
        self.raw = raw
        self.arrived_s = arrived_s

    @property
    def message(self) -> Message:
        """What was published."""
        if self._message is None:
            headers = dict(self.raw.headers or {})
            # Every message of ours has one; what somebody else put there gets an id from its
            # place rather than stopping the consumer: each is set aside as unreadable.
            told = headers.pop(MESSAGE_ID, "")
            try:
                id_ = UUID(told)
            except ValueError:
                id_ = derived(UUID(int=0), f"{stream_of(self.raw.subject)}/{self.sequence}")
            self._message = Message(self.raw.subject, id_, self.raw.data, headers)
        return self._message

    @property
    def body(self) -> bytes:
        """What was published, without its subject, id and headers."""
        data: bytes = self.raw.data
        return data

    @property
    def attempt(self) -> int:
        """How often it has been handed out, this time included, as the server counts."""
        return self._token(_DELIVERED)

    @property
    def sequence(self) -> int:
        """Its sequence in the stream."""
        return self._token(_STREAM_SEQUENCE)

    async def ack(self) -> None:
        """Say that it is dealt with; lost while NATS is away, then it comes again."""
        await self._pull.settle(self, _ACK)

    async def retry(self, after_s: float) -> None:
        """Ask for it again after `after_s` seconds of the server's time."""
        delay = {"delay": int(max(after_s, 0) * 1_000_000_000)}
        await self._pull.settle(self, _NAK + b" " + orjson.dumps(delay))

    def _token(self, index: int) -> int:
        tokens = self.raw.reply.split(".")
        return int(tokens[index if len(tokens) == _SHORT_ACK_TOKENS else index + _DOMAIN_TOKENS])


class Pull:
    """The standing pull of one durable on behalf of one subscription."""

    def __init__(
        self,
        spec: ConsumerSpec,
        owner: NatsSubscription,
        ledger: Ledger | None,
        distrust: Callable[[], None],
    ) -> None:
        self.spec = spec
        self._owner = owner
        self._ledger = ledger
        self._distrust = distrust
        self._next = f"$JS.API.CONSUMER.MSG.NEXT.{spec.stream}.{spec.durable}"
        self._numbers = itertools.count(1)
        self._client: Client | None = None
        self._interest: _Interest | None = None
        self._inbox = ""
        self._asked_s = 0.0
        #: How many messages may be asked for or lie here at once; 0 until somebody takes.
        self._target = 0
        self._outstanding = 0
        #: How many lie in the owner's queue.
        self.queued = 0
        if ledger is not None:
            ledger.opened(spec.stream, spec.durable)

    async def attach(self, client: Client) -> None:
        """Pull through `client`; what the last one was asked for is void."""
        if client is not self._client:
            self._inbox = client.new_inbox()
            self._interest = await client.subscribe(f"{self._inbox}.*", cb=self._received)
            self._client = client
        self._outstanding = 0
        await self.top_up()

    def detach(self) -> None:
        """Wait for another client."""
        self._client = self._interest = None
        self._outstanding = 0

    async def want(self, limit: int) -> None:
        """Keep about two batches of `limit` under way."""
        self._target = min(limit * _PREFETCH_BATCHES, max(self.spec.max_ack_pending, 1))
        await self.top_up()

    async def top_up(self) -> None:
        """Ask for more if half of what may be under way has been used up."""
        under_way = self._outstanding + self.queued
        client = self._client
        if client is None or not client.is_connected:
            return
        if self._target == 0 or under_way > self._target // 2:
            return
        batch = self._target - under_way
        self._outstanding += batch
        self._asked_s = self._owner.seconds()
        question = b'{"batch":%d,"expires":%d}' % (batch, _EXPIRES_S * 1_000_000_000)
        with suppress(NatsError, OSError):
            inbox = f"{self._inbox}.{next(self._numbers)}"
            await client.publish(self._next, question, inbox)

    async def tick(self) -> None:
        """Ask again if the last request got lost."""
        if self._owner.seconds() - self._asked_s > _OVERDUE_S:
            self._outstanding = 0
        await self.top_up()

    async def settle(self, delivery: NatsDelivery, answer: bytes) -> None:
        """Send an answer; it may be lost."""
        client = self._client
        if client is None or not client.is_connected:
            return
        try:
            await client.publish(delivery.raw.reply, answer)
        except (NatsError, OSError):
            return
        if self._ledger is not None:
            stream, durable, sequence = self.spec.stream, self.spec.durable, delivery.sequence
            if answer is _ACK:
                self._ledger.settled(stream, durable, sequence)
            else:
                self._ledger.retried(stream, durable, delivery.raw.subject, sequence)

    async def leave(self) -> None:
        """Stop, after whatever the server has already sent is here."""
        self._target = 0
        if self._interest is not None:
            with suppress(NatsError, OSError, TimeoutError):
                async with asyncio.timeout(_LEAVE_S):
                    await self._interest.drain()

    def forget(self) -> None:
        """Count no more for this durable."""
        self.detach()
        if self._ledger is not None:
            self._ledger.closed(self.spec.stream, self.spec.durable)

    async def _received(self, raw: Msg) -> None:
        if not raw.reply:
            await self._told(raw.headers or {})
            return
        self._outstanding = max(self._outstanding - 1, 0)
        self.queued += 1
        delivery = NatsDelivery(self, raw, self._owner.seconds())
        if self._ledger is not None:
            self._ledger.arrived(self.spec.stream, self.spec.durable, delivery.sequence)
        self._owner.put(self, delivery)

    async def _told(self, headers: dict[str, str]) -> None:
        """Deal with what the server says about a request instead of answering it."""
        status = headers.get("Status")
        if status == _HEARTBEAT:
            return
        unused = headers.get(_PENDING)
        self._outstanding = 0 if unused is None else max(self._outstanding - int(unused), 0)
        if status == _EXPIRED:
            await self.top_up()
        else:
            # No such consumer, another leader, shutting down: `tick` and `ready` ask again.
            self._distrust()


class NatsSubscription:
    """One queue over the standing pulls of one or several durables."""

    def __init__(
        self,
        specs: Sequence[ConsumerSpec],
        time: TimeSource,
        ledger: Ledger | None,
        distrust: Callable[[], None],
        left: Callable[[NatsSubscription], None],
    ) -> None:
        self.seconds = time.monotonic
        self.pulls = [Pull(spec, self, ledger, distrust) for spec in specs]
        self._left = left
        self._queue: deque[tuple[Pull, NatsDelivery]] = deque()
        self._waiting: list[asyncio.Future[None]] = []
        self._is_closed = False

    async def take(self, limit: int) -> Sequence[NatsDelivery]:
        """Wait until something is there and return what is there at once, 1 to `limit`.

        Raises BusClosed once the subscription is closed.
        """
        while not self._is_closed:
            taken = self._take_now(limit)
            for pull in self.pulls:
                await pull.want(limit)
            if taken:
                return taken
            if not self._queue:
                await self._wait()
        raise BusClosed

    async def close(self) -> None:
        """Stop pulling; what lies here untaken goes back to the server at once."""
        if self._is_closed:
            return
        self._is_closed = True
        self._left(self)
        self._wake()
        await asyncio.gather(*(pull.leave() for pull in self.pulls))
        while self._queue:
            pull, delivery = self._queue.popleft()
            await pull.settle(delivery, _NAK)
        for pull in self.pulls:
            pull.forget()

    async def attach(self, client: Client) -> None:
        """Pull through `client` from now on."""
        for pull in self.pulls:
            if not self._is_closed:
                await pull.attach(client)

    def detach(self) -> None:
        """Wait for another client; what lies here can still be taken."""
        for pull in self.pulls:
            pull.detach()

    async def tick(self) -> None:
        """Look whether every pull stands."""
        for pull in self.pulls:
            await pull.tick()

    def put(self, pull: Pull, delivery: NatsDelivery) -> None:
        """Queue what arrived."""
        self._queue.append((pull, delivery))
        if self._waiting:
            self._wake()

    def _take_now(self, limit: int) -> list[NatsDelivery]:
        taken: list[NatsDelivery] = []
        now_s = self.seconds()
        while self._queue and len(taken) < limit:
            pull, delivery = self._queue.popleft()
            pull.queued -= 1
            fresh_s = pull.spec.ack_wait.total_seconds() * _FRESH_FRACTION
            if now_s - delivery.arrived_s < fresh_s:
                taken.append(delivery)
        return taken

    async def _wait(self) -> None:
        waiter: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter
        finally:
            if waiter in self._waiting:
                self._waiting.remove(waiter)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for waiter in waiting:
            if not waiter.done():
                waiter.set_result(None)
