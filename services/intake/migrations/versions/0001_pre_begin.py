"""Requests, conversation, timeline, answers, catalogues, numbers."""

from __future__ import annotations

from alembic import op
from sqlalchemy import BigInteger, Boolean, Column, Integer, LargeBinary, String, Text

from shared.database import kit_v1

revision = "0001_pre"
down_revision = None


def upgrade() -> None:
    kit_v1.create(op)
    _create_requests()
    op.create_table(
        "messages",
        Column("id", String(36), primary_key=True),
        Column("request_id", String(36), nullable=False),
        Column("author", String(20), nullable=False),
        Column("author_id", String(200), nullable=False),
        Column("text", Text, nullable=False),
        Column("is_effective", Boolean, nullable=False),
        Column("is_automatic", Boolean, nullable=False),
        Column("occurred_us", BigInteger, nullable=False),
        Column("recorded_us", BigInteger, nullable=False),
        Column("sequence", BigInteger, nullable=False),
    )
    op.create_index(
        "ix_messages_request",
        "messages",
        ["request_id", "occurred_us", "recorded_us", "sequence"],
    )
    op.create_table(
        "timeline",
        Column("id", String(36), primary_key=True),
        Column("request_id", String(36), nullable=False),
        Column("occurred_us", BigInteger, nullable=False),
        Column("recorded_us", BigInteger, nullable=False),
        Column("rank", Integer, nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("publisher", String(40), nullable=False),
        Column("type", String(100), nullable=False),
        Column("params", Text, nullable=False),
    )
    op.create_index(
        "ix_timeline_request",
        "timeline",
        ["request_id", "occurred_us", "recorded_us", "rank", "sequence"],
    )
    op.create_table(
        "answers",
        Column("caller_id", String(64), primary_key=True),
        Column("key", String(255), primary_key=True),
        Column("fingerprint", String(64), nullable=False),
        Column("status", Integer, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("location", String(200), nullable=True),
        Column("created_us", BigInteger, nullable=False),
    )
    op.create_index("ix_answers_created", "answers", ["created_us"])
    op.create_table(
        "catalogues",
        Column("key", String(100), primary_key=True),
        Column("version", Integer, nullable=False),
        Column("content_hash", String(64), nullable=False),
        Column("content", Text, nullable=False),
        Column("released_us", BigInteger, nullable=False),
    )
    op.create_table(
        "numbers",
        Column("year", Integer, primary_key=True, autoincrement=False),
        Column("following", BigInteger, nullable=False),
    )


def _create_requests() -> None:
    op.create_table(
        "requests",
        Column("id", String(36), primary_key=True),
        Column("number", String(20), nullable=False),
        Column("source", String(100), nullable=False),
        Column("external_id", String(200), nullable=True),
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
        Column("state", String(20), nullable=False),
        Column("standing", Text, nullable=False),
        Column("promises", Text, nullable=False),
    )
    op.create_index("ux_requests_number", "requests", ["number"], unique=True)
    op.create_index("ux_requests_external", "requests", ["source", "external_id"], unique=True)
    op.create_index("ix_requests_submitted", "requests", ["submitted_us"])
    op.create_index("ix_requests_state", "requests", ["state", "submitted_us"])
    op.create_index("ix_requests_requester", "requests", ["requester_id", "submitted_us"])
