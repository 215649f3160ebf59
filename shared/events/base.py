"""What every event carries: the data model and its envelope (CloudEvents 1.0, JSON)."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated, Any, ClassVar, Generic, Literal, TypeVar
from uuid import UUID

import orjson
from pydantic import BaseModel, ConfigDict, TypeAdapter, ValidationError, WithJsonSchema

from shared.errors import Finding, Invalid

Ordering = Literal["sequence", "latest"]
#: Any JSON value, taken as it is. pydantic's JsonValue looks at every value inside, in Python, when
#: an event is read and again when it is written: twice the time, for what a parser just made.
Json = Annotated[Any, WithJsonSchema({"description": "any JSON value"})]


class EventData(BaseModel):
    """What an event says; subclasses are frozen facts in glossary words.

    Readers ignore fields they do not know, so a publisher may add optional ones first.
    """

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)

    #: noun.past_participle.vN
    type: ClassVar[str]
    #: The service that owns the fact; None for commands, which several may send.
    publisher: ClassVar[str | None] = None
    #: The service a command is addressed to; None for facts.
    receiver: ClassVar[str | None] = None
    #: "sequence": a request's events apply in their publisher's order.
    #: "latest": state of a thing that supersedes what was said before (definitions, directory).
    ordering: ClassVar[Ordering] = "sequence"


class Part(BaseModel):
    """A value inside an event."""

    model_config = ConfigDict(frozen=True, extra="ignore", allow_inf_nan=False)


E_co = TypeVar("E_co", bound=EventData, covariant=True)


class Unreadable(Invalid):
    """A message could not be read as an event: {reason}."""

    zh = "无法将消息读作事件：{reason}。"


@dataclass(frozen=True, slots=True)
class Envelope(Generic[E_co]):
    """One event as it travels.

    `subject` is the request's id (or the key of the thing a `latest` event is about), `sequence`
    counts what one publisher said about one subject, from 1. `time` is when it was recorded,
    `occurred_at` when it happened; both carry an offset and are UTC when we write them.
    """

    id: UUID
    source: str
    time: datetime
    subject: str
    occurred_at: datetime
    sequence: int
    correlation_id: str
    causation_id: UUID | None
    data: E_co
    traceparent: str | None = None

    @property
    def type(self) -> str:
        """The event's type with its version."""
        return self.data.type

    @property
    def request_id(self) -> UUID:
        """The request this is about."""
        return UUID(self.subject)

    def to_bytes(self) -> bytes:
        """Return the CloudEvents JSON form."""
        return orjson.dumps(
            {
                "specversion": "1.0",
                "id": str(self.id),
                "type": self.data.type,
                "source": f"/levee/{self.source}",
                "time": self.time,
                "subject": self.subject,
                "datacontenttype": "application/json",
                "dataschema": f"urn:levee:event:{self.data.type}",
                "occurredat": self.occurred_at,
                "sequence": self.sequence,
                "correlationid": self.correlation_id,
                "causationid": str(self.causation_id) if self.causation_id else None,
                "traceparent": self.traceparent,
                # Written in one go: building a dictionary first takes twice the time.
                "data": orjson.Fragment(self.data.__pydantic_serializer__.to_json(self.data)),
            },
            option=orjson.OPT_UTC_Z,
        )


@dataclass(frozen=True, slots=True)
class Header:
    """The envelope of a message whose data this service does not read.

    A consumer hears the whole stream of a publisher, so that sequences have no gaps; what it
    has no handler for it only counts. `id` is the text of an id, not looked at yet.
    """

    id: str
    type: str
    source: str
    subject: str
    sequence: int
    raw: dict[str, Any]


_MOMENT: TypeAdapter[datetime] = TypeAdapter(datetime)


def read_header(body: bytes) -> Header:
    """Read what every message must carry; raise `Unreadable` where it does not."""
    try:
        raw = orjson.loads(body)
        sequence = raw["sequence"]
        if type(sequence) is not int or not 1 <= sequence < 2**63:
            raise ValueError("sequence must be an integer from 1")
        return Header(
            id=_short(raw["id"], 36),
            type=_short(raw["type"], 100),
            source=_short(raw["source"].removeprefix("/levee/"), 40),
            subject=_short(raw["subject"], 200),
            sequence=sequence,
            raw=raw,
        )
    except (orjson.JSONDecodeError, AttributeError, KeyError, TypeError, ValueError) as error:
        raise Unreadable(reason=f"{type(error).__name__}: {error}") from error


def _short(value: object, limit: int) -> str:
    """Return a text that fits into the column it is kept in, or raise ValueError."""
    if not isinstance(value, str) or not 0 < len(value) <= limit or "\x00" in value:
        raise ValueError(f"a text of 1 to {limit} characters is needed")
    return value


def read_envelope(header: Header, event_type: type[E_co]) -> Envelope[E_co]:
    """Read the whole event; raise `Unreadable` with a finding per field that is wrong."""
    raw = header.raw
    try:
        caused_by = raw.get("causationid")
        return Envelope(
            id=UUID(header.id),
            source=header.source,
            time=_aware(raw["time"]),
            subject=header.subject,
            occurred_at=_aware(raw["occurredat"]),
            sequence=header.sequence,
            correlation_id=str(raw.get("correlationid") or header.subject),
            causation_id=UUID(caused_by) if caused_by else None,
            data=event_type.model_validate(raw["data"]),
            traceparent=raw.get("traceparent"),
        )
    except ValidationError as error:
        findings = [
            Finding("/data/" + "/".join(map(str, e["loc"])), e["type"], {"en": e["msg"]})
            for e in error.errors(include_url=False, include_input=False)
        ]
        raise Unreadable(findings, reason=f"data of {header.type} is not valid") from error
    except (KeyError, TypeError, ValueError) as error:
        raise Unreadable(reason=f"{type(error).__name__}: {error}") from error


def _aware(value: object) -> datetime:
    moment = _MOMENT.validate_python(value)
    if moment.tzinfo is None:
        raise ValueError("a time without an offset")
    return moment
