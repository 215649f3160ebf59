"""The bus on NATS JetStream: publishing, subscriptions and streams over one kept connection."""

from __future__ import annotations

import importlib.util
import logging
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from shared.bus.nats import api
from shared.bus.nats.connection import Access, Connection
from shared.bus.nats.ledger import Ledger
from shared.bus.nats.publishing import Publisher
from shared.bus.nats.pulling import NatsSubscription
from shared.bus.port import (
    MAX_MESSAGE_BYTES,
    STREAMS,
    BusUnavailable,
    MessageTooLarge,
    SubjectUnknown,
    is_valid_subject,
    publisher_of,
    stream_of,
)
from shared.errors import LeveeError

if TYPE_CHECKING:
    import ssl
    from collections.abc import Iterable, Sequence
    from pathlib import Path

    from nats.aio.client import Client

    from shared.bus.port import BusTooOld, ConsumerSpec, Message, StreamSpec
    from shared.time_source import Activity, TimeSource


_log = logging.getLogger(__name__)

# Subjects found valid are remembered; there is one per event type and per definition.
_KNOWN_SUBJECTS = 10_000


class BusAddressInvalid(LeveeError):
    """{url} is no address of a NATS server; write nats://host:4222 (or tls://…)."""

    zh = "{url} 不是 NATS 服务器地址；请写成 nats://host:4222（或 tls://…）。"


class NkeysMissing(LeveeError):
    """A credentials file needs the package nkeys: pip install 'nats-py[nkeys]'."""

    zh = "使用凭据文件需要 nkeys 包：请执行 pip install 'nats-py[nkeys]'。"


async def connect(
    servers: str | Sequence[str],
    *,
    name: str,
    time: TimeSource,
    activity: Activity | None = None,
    user: str | None = None,
    password: str | None = None,
    token: str | None = None,
    creds: Path | None = None,
    tls: ssl.SSLContext | None = None,
    replicas: int = 1,
    streams: Iterable[StreamSpec] = STREAMS,
    owner: str | None = None,
) -> NatsBus:
    """Return a bus on the given servers, connected if one of them answers now.

    `owner` is the service that connects for itself alone: it declares the streams it publishes
    to and no other, and its answers arrive below `_INBOX.<owner>`, so that its NATS user needs
    no more than that. Without one every stream is declared.

    If none does, the bus keeps trying in the background for ever; until then publishing returns
    None and subscriptions wait. Streams and durables are declared at every connection. Raises
    BusTooOld if the server that answers is older than 2.12 (one met later is not used: see
    `NatsBus.refusal`), BusAddressInvalid and NkeysMissing.
    """
    addresses = [servers] if isinstance(servers, str) else list(servers)
    for url in addresses or [""]:
        parts = urlsplit(url if "://" in url else f"nats://{url}")
        if parts.scheme not in ("nats", "tls") or not parts.hostname:
            raise BusAddressInvalid(url=url)
    if creds is not None and importlib.util.find_spec("nkeys") is None:
        raise NkeysMissing
    inbox = "_INBOX" if owner is None else f"_INBOX.{owner}"
    access = Access(addresses, name, user, password, token, creds, tls, inbox)
    bus = NatsBus(access, time, activity, tuple(streams), replicas, owner)
    await bus.open()
    return bus


class NatsBus:
    """Carries messages over JetStream; made by `connect`.

    With an `Activity` (simulated time), all services of the process must share this one object,
    and durables should be fresh: see shared.bus.nats.ledger.
    """

    def __init__(
        self,
        access: Access,
        time: TimeSource,
        activity: Activity | None,
        streams: tuple[StreamSpec, ...],
        replicas: int,
        owner: str | None = None,
    ) -> None:
        self._time = time
        self._declared = [s for s in streams if owner is None or publisher_of(s.name) == owner]
        self._names = {spec.name for spec in streams}
        self._replicas = replicas
        self._ledger = None if activity is None else Ledger(activity, streams)
        self._connection = Connection(access, self)
        self._publisher = Publisher(self._ledger, self._connection.distrust)
        self._subscriptions: list[NatsSubscription] = []
        self._subjects: set[str] = set()
        #: Durables whose stream nobody has declared yet.
        self._missing: set[str] = set()

    # ---- the port -------------------------------------------------------------------------

    async def publish(self, messages: Sequence[Message]) -> Sequence[int | None]:
        """Store messages in their streams, in order; return each one's stream sequence.

        A message without an answer within 3 s is None, and so are those after it that were not
        sent because of it. Raises MessageTooLarge and SubjectUnknown before anything is sent.
        """
        for message in messages:
            self._check(message)
        client = self._connection.client
        if client is None:
            return [None] * len(messages)
        return await self._publisher.publish(client, messages)

    async def subscribe(self, consumers: Sequence[ConsumerSpec]) -> NatsSubscription:
        """Create the durables where missing and pull from all of them, as soon as connected.

        Raises JetStreamRefused if the server does not want such a durable.
        """
        subscription = NatsSubscription(
            consumers,
            self._time,
            self._ledger,
            self._connection.distrust,
            self._subscriptions.remove,
        )
        self._subscriptions.append(subscription)
        client = self._connection.client
        if client is not None:
            try:
                await self._start(subscription, client)
            except BusUnavailable:
                self._connection.distrust()
            except LeveeError:
                await subscription.close()
                raise
        return subscription

    async def last_sequence(self, stream: str) -> int | None:
        """Return the last sequence stored in `stream`; None when the bus does not answer.

        None as well for a stream that nobody has: a service that says nothing may not ask for it.
        """
        client = self._connection.client
        if client is None or stream not in self._names:
            return None
        try:
            return await api.last_sequence(client, stream)
        except (BusUnavailable, api.JetStreamRefused):
            return None

    async def lag(self, consumer: ConsumerSpec) -> int | None:
        """Return how many messages the consumer has not settled; None when unknown."""
        client = self._connection.client
        if client is None:
            return None
        try:
            return await api.unsettled(client, consumer)
        except (BusUnavailable, api.JetStreamRefused):
            return None

    async def settled_upto(self, consumer: ConsumerSpec) -> int | None:
        """Return the sequence up to which the consumer has settled everything; None if unknown."""
        client = self._connection.client
        if client is None:
            return None
        try:
            return await api.settled_upto(client, consumer)
        except (BusUnavailable, api.JetStreamRefused):
            return None

    @property
    def is_connected(self) -> bool:
        """Whether NATS is there and streams and durables are declared."""
        return self._connection.client is not None

    @property
    def problem(self) -> str:
        """Why NATS is not there, as the last attempt met it; empty while it is."""
        return "" if self.is_connected else self._connection.problem

    @property
    def reconnects(self) -> int:
        """How often the connection came back."""
        return self._connection.reconnects

    async def close(self) -> None:
        """Give back what was not taken, send what is buffered, and leave."""
        for subscription in list(self._subscriptions):
            await subscription.close()
        await self._connection.close()

    # ---- besides the port -----------------------------------------------------------------

    @property
    def refusal(self) -> BusTooOld | None:
        """Why the server that answers is not used; None when it is or none answers."""
        return self._connection.refusal

    async def open(self) -> None:
        """Begin to connect; `connect` does that."""
        await self._connection.open()

    async def declare_streams(self) -> None:
        """Create the streams or bring them up to date; connecting does it by itself.

        Raises BusUnavailable and JetStreamRefused.
        """
        client = self._connection.client
        if client is None:
            raise BusUnavailable
        await self._declare(client)

    # ---- for the connection ---------------------------------------------------------------

    async def ready(self, client: Client) -> None:
        """Declare everything on `client` and begin to publish and pull through it."""
        await self._declare(client)
        await self._publisher.attach(client)
        started: set[NatsSubscription] = set()
        # Until none is left: more may be opened while the last one is being started.
        while waiting := [s for s in self._subscriptions if s not in started]:
            started.add(waiting[0])
            await self._start(waiting[0], client)

    async def tick(self) -> None:
        """Look whether every subscription still pulls."""
        for subscription in list(self._subscriptions):
            await subscription.tick()

    def lost(self) -> None:
        """Give up what waits for the client that is gone."""
        self._publisher.detach()
        for subscription in self._subscriptions:
            subscription.detach()

    async def _declare(self, client: Client) -> None:
        for spec in self._declared:
            await api.declare_stream(client, spec, self._replicas)

    async def _start(self, subscription: NatsSubscription, client: Client) -> None:
        for pull in subscription.pulls:
            await self._declare_consumer(client, pull.spec)
        await subscription.attach(client)

    async def _declare_consumer(self, client: Client, spec: ConsumerSpec) -> None:
        """Declare a durable; one on a stream whose owner was never here is tried again soon."""
        try:
            await api.declare_consumer(client, spec)
        except api.JetStreamRefused as refused:
            is_own = spec.stream in {stream.name for stream in self._declared}
            if refused.err_code != api.STREAM_NOT_FOUND or is_own:
                raise
            self._connection.distrust()
            if spec.durable not in self._missing:
                self._missing.add(spec.durable)
                _log.warning("%s waits until %s exists", spec.durable, spec.stream)
        else:
            self._missing.discard(spec.durable)

    def _check(self, message: Message) -> None:
        if len(message.body) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(size=len(message.body), limit=MAX_MESSAGE_BYTES)
        subject = message.subject
        if subject in self._subjects:
            return
        if not is_valid_subject(subject) or stream_of(subject) not in self._names:
            raise SubjectUnknown(subject=subject)
        if len(self._subjects) >= _KNOWN_SUBJECTS:
            self._subjects.clear()
        self._subjects.add(subject)
