"""The tables every service has: subjects (order and inbox), held messages, outbox, timers,
what was decided about held messages, which subjects are sealed, how far was purged.

Moments are integers: microseconds since 1970-01-01T00:00Z (exact, small, indexable, the same
on both databases).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    text,
)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
#: SQLite counts rows by itself only for its own INTEGER type.
_Counter = BigInteger().with_variant(Integer(), "sqlite")


def to_us(moment: datetime) -> int:
    """Return microseconds since 1970 (UTC); exact, unlike `timestamp()`."""
    return (moment - _EPOCH) // _MICROSECOND


def from_us(microseconds: int) -> datetime:
    """Return the moment, in UTC."""
    return _EPOCH + timedelta(microseconds=microseconds)


@dataclass(frozen=True, slots=True)
class KitTables:
    """The kit's tables within one service's metadata."""

    subjects: Table
    held: Table
    outbox: Table
    timers: Table
    settled: Table
    sealed: Table
    keeping: Table


def kit_tables(metadata: MetaData) -> KitTables:
    """Add the kit's tables to a service's metadata."""
    subjects = Table(
        "subjects",
        metadata,
        # A request's id, or the key of another thing events are about. The row is the lock.
        Column("key", String(200), primary_key=True),
        # How many events this service has said about it.
        Column("said", BigInteger, nullable=False),
        # JSON {publisher: last sequence applied}: the inbox.
        Column("heard", Text, nullable=False),
        # How many messages about it are held.
        Column("held", Integer, nullable=False),
    )
    held = Table(
        "held",
        metadata,
        Column("event_id", String(36), primary_key=True),
        # Null when the message could not even be read.
        Column("key", String(200), nullable=True),
        Column("publisher", String(40), nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("type", String(100), nullable=False),
        # early: came before its predecessor. failed: set aside. unreadable: set aside.
        # timer: a due moment whose handler failed, set aside.
        Column("kind", String(12), nullable=False),
        Column("code", String(100), nullable=False),
        Column("detail", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("held_us", BigInteger, nullable=False),
        Index("ix_held_key", "key"),
        Index("ix_held_kind", "kind", "held_us"),
    )
    outbox = Table(
        "outbox",
        metadata,
        Column("id", _Counter, primary_key=True, autoincrement=True),
        Column("event_id", String(36), nullable=False),
        Column("subject", String(300), nullable=False),
        Column("stream", String(60), nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_us", BigInteger, nullable=False),
        Column("published_us", BigInteger, nullable=True),
        # Where the broker put it: when the broker's last sequence falls below, it forgot.
        Column("stream_sequence", BigInteger, nullable=True),
        Index(
            "ix_outbox_unpublished",
            "id",
            sqlite_where=text("published_us IS NULL"),
            postgresql_where=text("published_us IS NULL"),
        ),
        Index("ix_outbox_stream", "stream", "stream_sequence"),
    )
    timers = Table(
        "timers",
        metadata,
        Column("id", String(36), primary_key=True),
        Column("kind", String(60), nullable=False),
        Column("key", String(200), nullable=False),
        Column("due_us", BigInteger, nullable=False),
        # Grows each time the timer is armed again: a late firing of an older one is harmless.
        Column("epoch", Integer, nullable=False),
        Column("payload", Text, nullable=False),
        # An id that differs for each cause that armed it; what follows derives its ids from it.
        Column("armed_by", String(36), nullable=False),
        # Which replica watches the near horizon, and until when that holds.
        Column("lease_owner", String(60), nullable=True),
        Column("lease_until_us", BigInteger, nullable=True),
        Index("ix_timers_due", "due_us"),
        Index("ix_timers_key", "key"),
    )
    settled = Table(
        "settled",
        metadata,
        Column("id", _Counter, primary_key=True, autoincrement=True),
        # The message as it was held.
        Column("event_id", String(36), nullable=False),
        Column("key", String(200), nullable=True),
        Column("publisher", String(40), nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("type", String(100), nullable=False),
        Column("kind", String(12), nullable=False),
        Column("code", String(100), nullable=False),
        Column("detail", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("held_us", BigInteger, nullable=False),
        # replayed, dismissed or skipped; by whom, why and when.
        Column("verb", String(12), nullable=False),
        Column("decided_by", String(200), nullable=False),
        Column("reason", Text, nullable=False),
        Column("decided_us", BigInteger, nullable=False),
        Index("ix_settled_event", "event_id"),
    )
    sealed = Table(
        "sealed",
        metadata,
        # A subject about which nothing is said any more; its position goes a while after that.
        Column("key", String(200), primary_key=True),
        Column("sealed_us", BigInteger, nullable=False),
        Index("ix_sealed_sealed", "sealed_us"),
    )
    keeping = Table(
        "keeping",
        metadata,
        # What is kept for a time only; the row is the lock of whoever purges it.
        Column("what", String(40), primary_key=True),
        # When a replica last went through to the end.
        Column("looked_us", BigInteger, nullable=False),
        # Of positions: the highest key that was forgotten.
        Column("upto", String(200), nullable=True),
    )
    return KitTables(subjects, held, outbox, timers, settled, sealed, keeping)
