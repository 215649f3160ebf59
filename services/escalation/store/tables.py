"""Escalation's tables. Moments are microseconds since 1970 (UTC)."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, String, Table, Text, text

from shared.database.tables import kit_tables

metadata = MetaData()
kit = kit_tables(metadata)

requests = Table(
    "requests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", String(40), nullable=True),
    # JSON: team, assignee, priority, is_import, over_at, late_causes.
    Column("body", Text, nullable=False),
    Index("ix_requests_number", "number"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(36), nullable=False),
    Column("state", String(12), nullable=False),
    Column("team", String(100), nullable=False),
    Column("raised_us", BigInteger, nullable=False),
    # The next step of a climb: what an auditor looks at.
    Column("next_us", BigInteger, nullable=True),
    # JSON: everything else.
    Column("body", Text, nullable=False),
    Index("ix_escalations_team", "team", "state", "raised_us"),
    Index("ix_escalations_state", "state", "next_us"),
    Index("ix_escalations_raised", "raised_us"),
    Index("ix_escalations_request", "request_id"),
    # One matter, one page: a request has at most one escalation that is not over.
    Index(
        "ux_escalations_running",
        "request_id",
        unique=True,
        sqlite_where=text("state <> 'closed'"),
        postgresql_where=text("state <> 'closed'"),
    ),
)

steps = Table(
    "steps",
    metadata,
    # The notification's id: derived from escalation, epoch, tier and repeat.
    Column("id", String(36), primary_key=True),
    Column("escalation_id", String(36), nullable=False),
    Column("at_us", BigInteger, nullable=False),
    Column("epoch", Integer, nullable=False),
    Column("tier", Integer, nullable=False),
    Column("repeat", Integer, nullable=False),
    # JSON: who was told, who was dropped and why.
    Column("body", Text, nullable=False),
    Index("ix_steps_escalation", "escalation_id", "at_us"),
)

policies = Table(
    "policies",
    metadata,
    # Immutable per version: an escalation goes on under the version it began with.
    Column("key", String(100), primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("content_hash", String(64), nullable=False),
    Column("content", Text, nullable=False),
)

#: One row: the directory as it was last announced, whole.
directory = Table(
    "directory",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=False),
    Column("version", Integer, nullable=False),
    Column("body", Text, nullable=False),
)
