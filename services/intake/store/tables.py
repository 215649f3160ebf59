"""Intake's tables. Moments are microseconds since 1970 (UTC), documents are JSON texts."""

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
    Column("number", String(20), nullable=False),
    Column("source", String(100), nullable=False),
    Column("external_id", String(200), nullable=True),
    # sha256 of the post: the same post again is told from another one under its reference.
    Column("content_hash", String(64), nullable=False),
    Column("request_type", String(100), nullable=False),
    Column("domain", String(100), nullable=False),
    Column("organisation_unit", String(200), nullable=True),
    Column("channel", String(50), nullable=False),
    Column("language", String(35), nullable=False),
    Column("requester_id", String(200), nullable=False),
    Column("requester", Text, nullable=False),
    Column("urgency", String(10), nullable=False),
    Column("impact", String(10), nullable=False),
    Column("title", Text, nullable=False),
    Column("description", Text, nullable=False),
    Column("form", Text, nullable=False),
    Column("callback", String(100), nullable=True),
    Column("is_import", Boolean, nullable=False),
    Column("submitted_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    # The projection from the router's and the clock's events.
    Column("state", String(20), nullable=False),
    Column("standing", Text, nullable=False),
    Column("promises", Text, nullable=False),
    Index("ux_requests_number", "number", unique=True),
    # Rows without an external id are not unique among one another, on both databases.
    Index("ux_requests_external", "source", "external_id", unique=True),
    Index("ix_requests_submitted", "submitted_us"),
    Index("ix_requests_state", "state", "submitted_us"),
    Index("ix_requests_requester", "requester_id", "submitted_us"),
)

messages = Table(
    "messages",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("author", String(20), nullable=False),
    Column("author_id", String(200), nullable=False),
    Column("text", Text, nullable=False),
    Column("is_effective", Boolean, nullable=False),
    Column("is_automatic", Boolean, nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    # Of the event that said it: what was written first within one moment.
    Column("sequence", BigInteger, nullable=False),
    Index("ix_messages_request", "request_id", "occurred_us", "recorded_us", "sequence"),
)

timeline = Table(
    "timeline",
    metadata,
    # The id of the event that told the fact.
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    # intake before router before clock: what led to what within one moment.
    Column("rank", Integer, nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("publisher", String(40), nullable=False),
    Column("type", String(100), nullable=False),
    Column("params", Text, nullable=False),
    Index("ix_timeline_request", "request_id", "occurred_us", "recorded_us", "rank", "sequence"),
)

answers = Table(
    "answers",
    metadata,
    Column("caller_id", String(64), primary_key=True),
    Column("key", String(255), primary_key=True),
    Column("fingerprint", String(64), nullable=False),
    Column("status", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("location", String(200), nullable=True),
    Column("created_us", BigInteger, nullable=False),
    Index("ix_answers_created", "created_us"),
)

catalogues = Table(
    "catalogues",
    metadata,
    Column("key", String(100), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content_hash", String(64), nullable=False),
    Column("content", Text, nullable=False),
    Column("released_us", BigInteger, nullable=False),
)

numbers = Table(
    "numbers",
    metadata,
    Column("year", Integer, primary_key=True, autoincrement=False),
    # The first number of that year no replica has taken.
    Column("following", BigInteger, nullable=False),
)
