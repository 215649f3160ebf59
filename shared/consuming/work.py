"""The unit of work: what handlers of one transaction read, change, say and arm."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, ClassVar

from shared.bus.port import (
    MAX_MESSAGE_BYTES,
    MessageTooLarge,
    SubjectUnknown,
    event_subject,
    is_valid_subject,
    latest_subject,
    stream_of,
)
from shared.database.tables import to_us
from shared.database.timers import Timer, timer_id
from shared.errors import LeveeError, Refused
from shared.events.base import Envelope
from shared.id_source import derived

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping
    from datetime import datetime
    from uuid import UUID

    from shared.database.engine import Transaction
    from shared.database.subjects import Subject
    from shared.events.base import EventData


class Sealed(Refused):
    """Request {key} was sealed: it ended long ago and nothing is added to it; post a new one."""

    zh: ClassVar[str] = "请求 {key} 已封存：它早已结束，不能再追加内容；请提交新的请求。"


class NotLocked(LeveeError):
    """This transaction does not hold {key}: name it in `locks`, or wait for its own event."""

    zh: ClassVar[str] = "当前事务没有锁定 {key}：请在 locks 中写明，或等待它自己的事件。"


@dataclass(slots=True)
class Cause:
    """What is being handled: everything said meanwhile derives its id from it."""

    id: UUID
    correlation_id: str | None = None
    traceparent: str | None = None
    said: int = 0
    #: The moment it happens at, where several happen together (simulated time); None for now.
    at: datetime | None = None


@dataclass(slots=True)
class WorkContext:
    """What the runtime hands to a service's unit of work."""

    tx: Transaction
    #: When things are recorded; when they happened stands in the event or timer.
    now: datetime
    service: str
    subjects: dict[str, Subject]
    cause: Cause
    outgoing: list[dict[str, Any]] = field(default_factory=list)
    armed: dict[str, Timer] = field(default_factory=dict)
    disarmed: set[str] = field(default_factory=set)
    sealed: set[str] = field(default_factory=set)


class Work:
    """Base of every service's unit of work: loads, changes, says, arms; never commits.

    Subclasses override `load` (a few statements for all keys of the batch) and `flush` (bulk
    writes of what changed). Handlers use the values in between, synchronously.
    """

    def __init__(self, context: WorkContext) -> None:
        self._context = context

    @property
    def now(self) -> datetime:
        """The moment of recording, UTC."""
        return self._context.cause.at or self._context.now

    @property
    def tx(self) -> Transaction:
        """The open transaction, for `load` and `flush`."""
        return self._context.tx

    @property
    def cause_id(self) -> UUID:
        """The id of what is being handled."""
        return self._context.cause.id

    async def load(self, keys: Collection[str]) -> None:
        """Load what the handlers need of `keys` (subjects of the batch's events and timers)."""

    async def flush(self) -> None:
        """Write what changed."""

    def new_id(self, name: str) -> UUID:
        """Return the id of a thing this cause brings about; the same when handled again."""
        return derived(self._context.cause.id, name)

    def publish(self, data: EventData, *, subject: UUID | str, occurred_at: datetime) -> UUID:
        """Say something: a row in the outbox, stored with everything else or not at all.

        `subject` is the request's id (for `latest` events: the key of the thing). The id is
        derived from the cause, this service and a running index: a repeated handling repeats it,
        and two services that hear the same cause do not say the same id. Raises
        `MessageTooLarge`, `SubjectUnknown`, `NotLocked` for a subject this transaction does not
        hold, and `Sealed` for one whose last word was said.
        """
        context, cause, key = self._context, self._context.cause, str(subject)
        locked = context.subjects.get(key)
        if locked is None:
            raise NotLocked(key=key)
        self.refuse_sealed(key)
        locked.said += 1
        locked.is_changed = True
        event_id = derived(cause.id, f"{context.service}/{cause.said}")
        cause.said += 1
        envelope = Envelope(
            id=event_id,
            source=context.service,
            time=self.now,
            subject=key,
            occurred_at=occurred_at,
            sequence=locked.said,
            correlation_id=cause.correlation_id or key,
            causation_id=cause.id,
            data=data,
            traceparent=cause.traceparent,
        )
        body = envelope.to_bytes()
        if len(body) > MAX_MESSAGE_BYTES:
            raise MessageTooLarge(size=len(body), limit=MAX_MESSAGE_BYTES)
        if data.ordering == "latest":
            route = latest_subject(data.type, key)
        else:
            route = event_subject(context.service, data.type)
        if not is_valid_subject(route):
            raise SubjectUnknown(subject=route)
        context.outgoing.append(
            {
                # For whoever publishes it; no column: reading the text again costs.
                "uuid": event_id,
                "event_id": str(event_id),
                "subject": route,
                "stream": stream_of(route),
                "body": body,
                "created_us": to_us(self.now),
                "published_us": None,
                "stream_sequence": None,
            }
        )
        return event_id

    def refuse_sealed(self, subject: UUID | str) -> None:
        """Raise `Sealed` for a locked subject about which nothing more is said."""
        if self.is_sealed(subject):
            raise Sealed(key=str(subject))

    def is_sealed(self, subject: UUID | str) -> bool:
        """Tell whether a locked subject's last word was said or heard."""
        locked = self._context.subjects[str(subject)]
        return locked.is_sealed or locked.is_forgotten

    def seal(self, subject: UUID | str) -> None:
        """Note that a subject's last word was said or heard."""
        key = str(subject)
        self._context.sealed.add(key)
        self._context.subjects[key].is_sealed = True

    def arm(
        self,
        kind: str,
        key: UUID | str,
        name: str,
        due_at: datetime,
        payload: Mapping[str, Any] | None = None,
    ) -> None:
        """Arm the one timer (kind, key, name); an armed one moves."""
        cause = self._context.cause
        timer = Timer(
            kind,
            str(key),
            name,
            due_at,
            payload or {},
            armed_by=cause.id,
            armed_at=self.now,
            traceparent=cause.traceparent,
        )
        self._context.disarmed.discard(timer.id)
        self._context.armed[timer.id] = timer

    def disarm(self, kind: str, key: UUID | str, name: str) -> None:
        """Disarm the timer (kind, key, name), if there is one."""
        gone = timer_id(kind, str(key), name)
        self._context.armed.pop(gone, None)
        self._context.disarmed.add(gone)
