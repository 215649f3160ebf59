"""Insight's tables as version 0.1 has them."""

import sqlalchemy as sa
from alembic import op

from shared.database import kit_v1

revision = "0001_pre"
down_revision = None


def upgrade() -> None:
    """Create the kit's tables and insight's own."""
    kit_v1.create(op)
    _requests()
    _clocks()
    _escalations()
    _deliveries()
    _incidents()
    _timeline()
    _names()


def _requests() -> None:
    op.create_table(
        "requests",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.Text, nullable=False),
        sa.Column("source", sa.Text, nullable=True),
        sa.Column("external_id", sa.Text, nullable=True),
        sa.Column("title", sa.Text, nullable=False),
        sa.Column("request_type", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("organisation_unit", sa.Text, nullable=True),
        sa.Column("channel", sa.Text, nullable=False),
        sa.Column("priority", sa.String(2), nullable=True),
        sa.Column("lane", sa.String(20), nullable=True),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("assignee", sa.Text, nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("waiting_reason", sa.Text, nullable=True),
        sa.Column("is_posted", sa.Boolean, nullable=False),
        sa.Column("is_routed", sa.Boolean, nullable=False),
        sa.Column("is_triage", sa.Boolean, nullable=False),
        sa.Column("submitted_us", sa.BigInteger, nullable=True),
        sa.Column("resolved_us", sa.BigInteger, nullable=True),
        sa.Column("closed_us", sa.BigInteger, nullable=True),
        sa.Column("handovers", sa.Integer, nullable=False),
        sa.Column("reopenings", sa.Integer, nullable=False),
        sa.Column("rating", sa.Integer, nullable=True),
        sa.Column("is_open", sa.Boolean, nullable=False),
        sa.Column("is_overdue", sa.Boolean, nullable=False),
        sa.Column("due_us", sa.BigInteger, nullable=True),
        sa.Column("urgent_us", sa.BigInteger, nullable=True),
    )
    op.create_index("ix_requests_external", "requests", ["external_id"])
    op.create_index("ix_requests_number", "requests", ["number"])
    op.create_index(
        "ix_requests_open",
        "requests",
        ["team", "priority"],
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open"),
    )
    op.create_index("ix_requests_submitted", "requests", ["submitted_us"])
    op.create_index(
        "ix_requests_urgent",
        "requests",
        ["urgent_us"],
        sqlite_where=sa.text("is_open = 1"),
        postgresql_where=sa.text("is_open"),
    )


def _clocks() -> None:
    op.create_table(
        "clocks",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("metric", sa.String(30), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("target_s", sa.Float, nullable=True),
        sa.Column("due_us", sa.BigInteger, nullable=True),
        sa.Column("started_us", sa.BigInteger, nullable=True),
        sa.Column("calendar", sa.Text, nullable=True),
        sa.Column("calendar_version", sa.Integer, nullable=True),
        sa.Column("explanation", sa.Text, nullable=False),
        sa.Column("pause_reason", sa.Text, nullable=True),
        sa.Column("is_breached", sa.Boolean, nullable=False),
        sa.Column("breached_us", sa.BigInteger, nullable=True),
        sa.Column("elapsed_s", sa.Float, nullable=True),
        sa.Column("paused_s", sa.Float, nullable=True),
        sa.Column("met_us", sa.BigInteger, nullable=True),
        sa.Column("decided_us", sa.BigInteger, nullable=True),
    )
    op.create_index(
        "ix_clocks_decided", "clocks", ["team", "metric", "is_breached", "decided_us", "domain"]
    )
    op.create_index(
        "ix_clocks_elapsed",
        "clocks",
        ["metric", "elapsed_s", "met_us", "is_breached", "team", "domain"],
    )
    op.create_index("ix_clocks_request", "clocks", ["request_id"])
    op.create_index("ix_clocks_state", "clocks", ["state", "metric", "team", "domain"])


def _escalations() -> None:
    op.create_table(
        "escalations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("policy", sa.Text, nullable=False),
        sa.Column("priority", sa.String(2), nullable=False),
        sa.Column("trigger", sa.Text, nullable=False),
        sa.Column("metric", sa.String(30), nullable=True),
        sa.Column("threshold_percent", sa.Integer, nullable=True),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("tier", sa.Integer, nullable=False),
        sa.Column("told", sa.Text, nullable=False),
        sa.Column("raised_us", sa.BigInteger, nullable=True),
        sa.Column("next_us", sa.BigInteger, nullable=True),
        sa.Column("acknowledged_by", sa.Text, nullable=True),
        sa.Column("acknowledged_us", sa.BigInteger, nullable=True),
        sa.Column("closed_us", sa.BigInteger, nullable=True),
        sa.Column("close_reason", sa.Text, nullable=True),
        sa.Column("is_exhausted", sa.Boolean, nullable=False),
    )
    op.create_index("ix_escalations_raised", "escalations", ["raised_us"])
    op.create_index("ix_escalations_request", "escalations", ["request_id"])
    op.create_index("ix_escalations_state", "escalations", ["state"])


def _deliveries() -> None:
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("channel", sa.String(60), primary_key=True),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("template", sa.Text, nullable=False),
        sa.Column("recipient", sa.Text, nullable=False),
        sa.Column("outcome", sa.String(12), nullable=False),
        sa.Column("attempts", sa.Integer, nullable=False),
        sa.Column("reason", sa.Text, nullable=True),
        sa.Column("is_seen", sa.Boolean, nullable=False),
        sa.Column("is_acted", sa.Boolean, nullable=False),
        sa.Column("is_possibly_repeated", sa.Boolean, nullable=False),
        sa.Column("accepted_us", sa.BigInteger, nullable=True),
        sa.Column("outcome_us", sa.BigInteger, nullable=True),
    )
    op.create_index(
        "ix_deliveries_outcome",
        "deliveries",
        ["outcome", "channel", "template", "accepted_us", "team"],
    )
    op.create_index("ix_deliveries_request", "deliveries", ["request_id"])


def _incidents() -> None:
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("team", sa.Text, nullable=False),
        sa.Column("domain", sa.Text, nullable=False),
        sa.Column("element_id", sa.Text, nullable=False),
        sa.Column("code", sa.Text, nullable=False),
        sa.Column("raised_us", sa.BigInteger, nullable=True),
        sa.Column("resolved_us", sa.BigInteger, nullable=True),
    )
    op.create_index("ix_incidents_open", "incidents", ["resolved_us"])
    op.create_index("ix_incidents_request", "incidents", ["request_id"])


def _timeline() -> None:
    op.create_table(
        "timeline",
        sa.Column("event_id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(200), nullable=False),
        sa.Column("occurred_us", sa.BigInteger, nullable=False),
        sa.Column("recorded_us", sa.BigInteger, nullable=False),
        sa.Column("publisher", sa.String(40), nullable=False),
        sa.Column("sequence", sa.BigInteger, nullable=False),
        sa.Column("type", sa.String(100), nullable=False),
        sa.Column("params", sa.Text, nullable=False),
        sa.Column("actor", sa.Text, nullable=True),
    )
    op.create_index("ix_timeline_request", "timeline", ["request_id", "occurred_us"])


def _names() -> None:
    op.create_table(
        "names",
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("key", sa.String(200), primary_key=True),
        sa.Column("zh", sa.Text, nullable=False),
        sa.Column("en", sa.Text, nullable=False),
    )
