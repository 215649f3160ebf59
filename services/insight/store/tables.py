"""Insight's tables. Moments are microseconds since 1970 (UTC), durations seconds.

`team` and `domain` of what belongs to a request are copied from the request, so that a board of
a team reads one index instead of joining; they follow when the request is handed over.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    text,
)

from shared.database.tables import kit_tables

metadata = MetaData()
kit = kit_tables(metadata)

_OPEN_SQLITE, _OPEN_POSTGRES = text("is_open = 1"), text("is_open")

requests = Table(
    "requests",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("number", Text, nullable=False),
    Column("source", Text, nullable=True),
    Column("external_id", Text, nullable=True),
    Column("title", Text, nullable=False),
    Column("request_type", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("organisation_unit", Text, nullable=True),
    Column("channel", Text, nullable=False),
    Column("priority", String(2), nullable=True),
    Column("lane", String(20), nullable=True),
    Column("team", Text, nullable=False),
    Column("assignee", Text, nullable=True),
    Column("state", String(12), nullable=False),
    Column("waiting_reason", Text, nullable=True),
    Column("is_posted", Boolean, nullable=False),
    Column("is_routed", Boolean, nullable=False),
    Column("is_triage", Boolean, nullable=False),
    Column("submitted_us", BigInteger, nullable=True),
    Column("resolved_us", BigInteger, nullable=True),
    Column("closed_us", BigInteger, nullable=True),
    Column("handovers", Integer, nullable=False),
    Column("reopenings", Integer, nullable=False),
    Column("rating", Integer, nullable=True),
    # Derived, for boards and lists: see `rows.request_row`.
    Column("is_open", Boolean, nullable=False),
    Column("is_overdue", Boolean, nullable=False),
    Column("due_us", BigInteger, nullable=True),
    Column("urgent_us", BigInteger, nullable=True),
    Index("ix_requests_number", "number"),
    Index("ix_requests_external", "external_id"),
    Index("ix_requests_submitted", "submitted_us"),
    Index(
        "ix_requests_open",
        "team",
        "priority",
        sqlite_where=_OPEN_SQLITE,
        postgresql_where=_OPEN_POSTGRES,
    ),
    Index(
        "ix_requests_urgent",
        "urgent_us",
        sqlite_where=_OPEN_SQLITE,
        postgresql_where=_OPEN_POSTGRES,
    ),
)

clocks = Table(
    "clocks",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(200), nullable=False),
    Column("team", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("metric", String(30), nullable=False),
    Column("state", String(12), nullable=False),
    Column("target_s", Float, nullable=True),
    Column("due_us", BigInteger, nullable=True),
    Column("started_us", BigInteger, nullable=True),
    Column("calendar", Text, nullable=True),
    Column("calendar_version", Integer, nullable=True),
    # JSON: which row of which table chose the target.
    Column("explanation", Text, nullable=False),
    Column("pause_reason", Text, nullable=True),
    Column("is_breached", Boolean, nullable=False),
    Column("breached_us", BigInteger, nullable=True),
    Column("elapsed_s", Float, nullable=True),
    Column("paused_s", Float, nullable=True),
    Column("met_us", BigInteger, nullable=True),
    # When it was decided whether the promise was kept; null while open and when cancelled.
    Column("decided_us", BigInteger, nullable=True),
    Index("ix_clocks_request", "request_id"),
    # Attainment and percentiles read these alone, without the table.
    Index("ix_clocks_decided", "team", "metric", "is_breached", "decided_us", "domain"),
    Index("ix_clocks_elapsed", "metric", "elapsed_s", "met_us", "is_breached", "team", "domain"),
    Index("ix_clocks_state", "state", "metric", "team", "domain"),
)

escalations = Table(
    "escalations",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(200), nullable=False),
    Column("team", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("policy", Text, nullable=False),
    Column("priority", String(2), nullable=False),
    Column("trigger", Text, nullable=False),
    Column("metric", String(30), nullable=True),
    Column("threshold_percent", Integer, nullable=True),
    Column("state", String(12), nullable=False),
    Column("tier", Integer, nullable=False),
    # JSON: whom the last step told.
    Column("told", Text, nullable=False),
    Column("raised_us", BigInteger, nullable=True),
    Column("next_us", BigInteger, nullable=True),
    Column("acknowledged_by", Text, nullable=True),
    Column("acknowledged_us", BigInteger, nullable=True),
    Column("closed_us", BigInteger, nullable=True),
    Column("close_reason", Text, nullable=True),
    Column("is_exhausted", Boolean, nullable=False),
    Index("ix_escalations_request", "request_id"),
    Index("ix_escalations_raised", "raised_us"),
    Index("ix_escalations_state", "state"),
)

deliveries = Table(
    "deliveries",
    metadata,
    Column("id", String(36), primary_key=True),
    # A fail-over goes on under another channel.
    Column("channel", String(60), primary_key=True),
    Column("request_id", String(200), nullable=False),
    Column("team", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("template", Text, nullable=False),
    Column("recipient", Text, nullable=False),
    Column("outcome", String(12), nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("reason", Text, nullable=True),
    Column("is_seen", Boolean, nullable=False),
    Column("is_acted", Boolean, nullable=False),
    Column("is_possibly_repeated", Boolean, nullable=False),
    Column("accepted_us", BigInteger, nullable=True),
    Column("outcome_us", BigInteger, nullable=True),
    Index("ix_deliveries_request", "request_id"),
    Index("ix_deliveries_outcome", "outcome", "channel", "template", "accepted_us", "team"),
)

incidents = Table(
    "incidents",
    metadata,
    Column("id", String(36), primary_key=True),
    Column("request_id", String(200), nullable=False),
    Column("team", Text, nullable=False),
    Column("domain", Text, nullable=False),
    Column("element_id", Text, nullable=False),
    Column("code", Text, nullable=False),
    Column("raised_us", BigInteger, nullable=True),
    Column("resolved_us", BigInteger, nullable=True),
    Index("ix_incidents_request", "request_id"),
    Index("ix_incidents_open", "resolved_us"),
)

timeline = Table(
    "timeline",
    metadata,
    Column("event_id", String(36), primary_key=True),
    Column("request_id", String(200), nullable=False),
    Column("occurred_us", BigInteger, nullable=False),
    Column("recorded_us", BigInteger, nullable=False),
    Column("publisher", String(40), nullable=False),
    Column("sequence", BigInteger, nullable=False),
    Column("type", String(100), nullable=False),
    # JSON
    Column("params", Text, nullable=False),
    Column("actor", Text, nullable=True),
    Index("ix_timeline_request", "request_id", "occurred_us"),
)

names = Table(
    "names",
    metadata,
    # team, person, request_type; version: which version of a definition was read, as `zh`.
    Column("kind", String(20), primary_key=True),
    Column("key", String(200), primary_key=True),
    Column("zh", Text, nullable=False),
    Column("en", Text, nullable=False),
)
