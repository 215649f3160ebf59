"""The clock's tables. Moments are microseconds since 1970, spans are microseconds."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
)

from shared.database.tables import kit_tables

metadata = MetaData()
kit = kit_tables(metadata)

requests = Table(
    "requests",
    metadata,
    Column("id", String(36), primary_key=True),
    # The ledger (store/encoding.py): the facts, the pinned versions, what was told.
    Column("ledger", LargeBinary, nullable=False),
    # What people call it: empty until it is routed, null where a release before wrote the row.
    Column("number", String(40), nullable=True),
    Index("ix_requests_number", "number"),
)

#: What lists sort and filter by; computed from the ledgers, never read to compute a clock.
clocks = Table(
    "clocks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("key", String(100), nullable=False),
    Column("metric", String(40), nullable=False),
    # running | paused | breached (still running) | met | cancelled
    Column("state", String(12), nullable=False),
    Column("due_us", BigInteger, nullable=True),
    # Working time left, of clocks that stand still.
    Column("left_us", BigInteger, nullable=True),
    Index("ix_clocks_state", "state", "due_us"),
    Index("ix_clocks_request", "request_id"),
)

#: Every released version is kept: requests are pinned to the one they were promised under.
definitions = Table(
    "definitions",
    metadata,
    # decision | calendar
    Column("kind", String(20), primary_key=True),
    Column("key", String(100), primary_key=True),
    Column("version", Integer, primary_key=True),
    # A table as released (XML); a calendar with its holidays written out (JSON), so that a
    # later edition of the holiday data cannot change what was promised.
    Column("content", Text, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("released_by", String(200), nullable=False),
    Column("released_us", BigInteger, nullable=False),
    # A calendar's file, to read it again with newer holiday data; null for tables, and for
    # calendars stored before that was kept.
    Column("released_text", Text, nullable=True),
    # The holiday data its days were taken from; empty where it needs none.
    Column("data", Text, nullable=True),
)

#: The same version of a calendar again, written out when newer holiday data were installed or a
#: calendar it is made of changed. Kept for good, as versions are.
editions = Table(
    "editions",
    metadata,
    Column("key", String(100), primary_key=True),
    # Version and edition in one (domain/editions.py): what requests are pinned to.
    Column("number", BigInteger, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("data", Text, nullable=False),
    Column("noticed_us", BigInteger, nullable=False),
)

#: Every move of running clocks to other versions: who, when, why, how far.
moves = Table(
    "moves",
    metadata,
    Column("id", String(36), primary_key=True),
    # The versions in force when it was asked for (JSON).
    Column("pins", Text, nullable=False),
    Column("undoes", String(36), nullable=True),
    Column("moved_by", String(200), nullable=False),
    Column("reason", Text, nullable=False),
    Column("created_us", BigInteger, nullable=False),
    # Up to this request it has been handed on.
    Column("cursor", String(36), nullable=False),
    Column("requests", Integer, nullable=False),
    Column("is_spread", Boolean, nullable=False),
    # The calendar whose holidays were published; null for what a person asked for.
    Column("extends", String(100), nullable=True),
)

#: What was told of each calendar's known holidays: the alarm is given once per last known date.
coverage = Table(
    "coverage",
    metadata,
    # The subject of what is said about it.
    Column("id", String(36), primary_key=True),
    Column("calendar", String(100), nullable=False),
    Column("version", Integer, nullable=False),
    # Dates as ISO 8601; null: it needs no holidays, or nobody was warned yet.
    Column("covered_until", String(10), nullable=True),
    Column("warned_until", String(10), nullable=True),
)
