"""What the services ask of a message bus.

Streams are declared here once; consumers are durable, one per service and stream. Messages are
at-least-once; order holds per stream as stored, redelivery excepted.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import TYPE_CHECKING, Protocol

from shared.errors import LeveeError, Unavailable
from shared.events.register import PUBLISHERS

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from uuid import UUID

# JetStream forgets message ids after this window; inbox positions cover what is older.
DUPLICATE_WINDOW = timedelta(minutes=2)
#: Below 1 MiB (architecture.md, The bus); documents travel by reference.
MAX_MESSAGE_BYTES = 1_000_000
#: State that supersedes what was said before lives here, last value per subject.
DEFINITIONS_STREAM = "LEVEE_DEFINITIONS"
#: Who owns the repository of released definitions (contracts.md, Owners of state).
DEFINITIONS_PUBLISHER = "router"


class BusUnavailable(Unavailable):
    """The message bus does not answer."""

    zh = "消息总线没有响应。"


class BusTooOld(LeveeError):
    """nats-server {version} is older than 2.12, which silently ignores what Levee relies on."""

    zh = "nats-server {version} 低于 2.12，会悄悄忽略 Levee 依赖的功能，请升级。"


class MessageTooLarge(LeveeError):
    """A message of {size} bytes is larger than {limit}; send documents by reference."""

    zh = "消息有 {size} 字节，超过上限 {limit}；文档请按引用发送。"


class SubjectUnknown(LeveeError):
    """No stream stores the subject {subject}; subjects read levee.<publisher>.<type>."""

    zh = "没有任何流存储主题 {subject}；主题格式为 levee.<发布者>.<类型>。"


class BusClosed(LeveeError):
    """This subscription is closed; nothing more comes from it."""

    zh = "该订阅已关闭，不会再有消息。"


@dataclass(frozen=True, slots=True)
class StreamSpec:
    """A stream as it must exist."""

    name: str
    subjects: tuple[str, ...]
    #: Keeps only the last message of each subject, for latecomers.
    is_last_per_subject: bool = False
    max_age: timedelta = timedelta(days=30)
    #: The oldest messages go first, heard or not; None leaves what the stream has.
    max_bytes: int | None = None


#: One stream per publishing service, and one for what supersedes itself.
STREAMS: tuple[StreamSpec, ...] = (
    *(StreamSpec(f"LEVEE_{name.upper()}", (f"levee.{name}.>",)) for name in PUBLISHERS),
    StreamSpec(
        DEFINITIONS_STREAM,
        ("levee.definitions.>",),
        is_last_per_subject=True,
        max_age=timedelta(0),
    ),
)


def kept_streams(keeps: Mapping[str, tuple[timedelta, int | None]]) -> tuple[StreamSpec, ...]:
    """Return all streams; those of the publishers named are kept for an age and up to a size.

    Definitions supersede one another and are kept for good.
    """
    return tuple(
        spec
        if spec.is_last_per_subject or (keep := keeps.get(publisher_of(spec.name))) is None
        else replace(spec, max_age=keep[0], max_bytes=keep[1])
        for spec in STREAMS
    )


def publisher_of(stream: str) -> str:
    """Return the service that publishes to a stream, and alone may declare it."""
    if stream == DEFINITIONS_STREAM:
        return DEFINITIONS_PUBLISHER
    return stream.removeprefix("LEVEE_").lower()


def stream_of(subject: str) -> str:
    """Return the name of the stream that stores `subject`."""
    return f"LEVEE_{subject.split('.', 2)[1].upper()}"


# One level per dot, no wildcards, no white space: NATS would read those as protocol.
_SUBJECT = re.compile(r"levee(\.[^\s.*>\x00-\x1f]+){2,}")


def is_valid_subject(subject: str) -> bool:
    """Return whether `subject` may be published to."""
    return _SUBJECT.fullmatch(subject) is not None


def event_subject(publisher: str, event_type: str) -> str:
    """Return the NATS subject of a fact: `levee.<publisher>.<type>`."""
    return f"levee.{publisher}.{event_type}"


def latest_subject(event_type: str, key: str) -> str:
    """Return the subject of state that supersedes itself: one per thing it is about."""
    safe = "".join(c if c.isalnum() or c in "-_" else "." if c == "/" else "_" for c in key)
    # NATS knows no empty levels: a key that begins or ends with a slash still gets a subject.
    levels = ".".join(level or "_" for level in safe.split("."))
    return f"levee.definitions.{event_type.split('.', 1)[0]}.{levels}"


@dataclass(frozen=True, slots=True)
class Message:
    """What is published: `id` is the event's id and becomes Nats-Msg-Id."""

    subject: str
    id: UUID
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class ConsumerSpec:
    """A durable pull consumer: one per service and stream."""

    stream: str
    durable: str
    #: A delivery not settled within this time is delivered again (to any replica).
    ack_wait: timedelta = timedelta(seconds=10)
    #: How many deliveries may be unsettled at once: the consumer's back-pressure.
    max_ack_pending: int = 2_000


class Delivery(Protocol):
    """One message handed to a consumer; settle it exactly once."""

    @property
    def message(self) -> Message:
        """What was published."""
        ...

    @property
    def body(self) -> bytes:
        """What was published, without its subject, id and headers: they cost more to read."""
        ...

    @property
    def attempt(self) -> int:
        """How often it has been handed out, this time included, as the bus counts."""
        ...

    async def ack(self) -> None:
        """Say that it is dealt with; only after the commit. Never raises: a lost ack means a
        redelivery, which the inbox position drops."""
        ...

    async def retry(self, after_s: float) -> None:
        """Ask for it again after `after_s` seconds. Never raises."""
        ...


class Subscription(Protocol):
    """A standing pull of one or several durable consumers of one service."""

    async def take(self, limit: int) -> Sequence[Delivery]:
        """Wait until something is there and return what is there at once, 1 to `limit`.

        Never waits for a batch to fill. Survives reconnects of the bus by itself. Raises
        `BusClosed` once it is closed, also to whoever is waiting then.
        """
        ...

    async def close(self) -> None:
        """Stop pulling; what was handed out and not settled is delivered again later."""
        ...


class Bus(Protocol):
    """Carries messages between services, at least once."""

    async def publish(self, messages: Sequence[Message]) -> Sequence[int | None]:
        """Store messages in their streams, in order; return each one's stream sequence.

        None marks a message that is not known to be stored (timeout, broker away): publish it
        again, the id makes that safe. Messages stored before (same id within the duplicate
        window) return their first sequence and are not stored again. Raises nothing for a
        broker that is away: everything is None then. Raises `MessageTooLarge` and
        `SubjectUnknown` before anything is sent.
        """
        ...

    async def subscribe(self, consumers: Sequence[ConsumerSpec]) -> Subscription:
        """Create the durables where missing and pull from all of them."""
        ...

    async def last_sequence(self, stream: str) -> int | None:
        """Return the last sequence stored in `stream`; None when the bus does not answer."""
        ...

    async def lag(self, consumer: ConsumerSpec) -> int | None:
        """Return how many messages the consumer has not settled; None when unknown."""
        ...

    async def settled_upto(self, consumer: ConsumerSpec) -> int | None:
        """Return the sequence up to which the consumer has settled everything; None if unknown.

        It may tell less than is true, never more: what lies behind it may be on its way.
        """
        ...

    @property
    def is_connected(self) -> bool:
        """Whether the bus answers, as far as known."""
        ...

    @property
    def problem(self) -> str:
        """Why it does not answer, as last seen; empty while it does."""
        ...

    @property
    def reconnects(self) -> int:
        """How often the connection came back; a change means: look whether messages are gone."""
        ...

    async def close(self) -> None:
        """Finish what is under way and leave."""
        ...
