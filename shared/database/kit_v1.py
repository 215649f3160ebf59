"""The kit's tables as version 0.1 created them.

Frozen: a service's first revision calls `create`; later changes are revisions of their own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text, text


def create(op: Any) -> None:
    """Create subjects, held, outbox and timers; `op` is alembic's module of operations."""
    op.create_table(
        "subjects",
        Column("key", String(200), primary_key=True),
        Column("said", BigInteger, nullable=False),
        Column("heard", Text, nullable=False),
        Column("held", Integer, nullable=False),
    )
    op.create_table(
        "held",
        Column("event_id", String(36), primary_key=True),
        Column("key", String(200), nullable=True),
        Column("publisher", String(40), nullable=False),
        Column("sequence", BigInteger, nullable=False),
        Column("type", String(100), nullable=False),
        Column("kind", String(12), nullable=False),
        Column("code", String(100), nullable=False),
        Column("detail", Text, nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("held_us", BigInteger, nullable=False),
    )
    op.create_index("ix_held_key", "held", ["key"])
    op.create_index("ix_held_kind", "held", ["kind", "held_us"])
    counter = BigInteger().with_variant(Integer(), "sqlite")
    op.create_table(
        "outbox",
        Column("id", counter, primary_key=True, autoincrement=True),
        Column("event_id", String(36), nullable=False),
        Column("subject", String(300), nullable=False),
        Column("stream", String(60), nullable=False),
        Column("body", LargeBinary, nullable=False),
        Column("created_us", BigInteger, nullable=False),
        Column("published_us", BigInteger, nullable=True),
        Column("stream_sequence", BigInteger, nullable=True),
    )
    waiting = text("published_us IS NULL")
    op.create_index(
        "ix_outbox_unpublished", "outbox", ["id"], sqlite_where=waiting, postgresql_where=waiting
    )
    op.create_index("ix_outbox_stream", "outbox", ["stream", "stream_sequence"])
    op.create_table(
        "timers",
        Column("id", String(36), primary_key=True),
        Column("kind", String(60), nullable=False),
        Column("key", String(200), nullable=False),
        Column("due_us", BigInteger, nullable=False),
        Column("epoch", Integer, nullable=False),
        Column("payload", Text, nullable=False),
        Column("armed_by", String(36), nullable=False),
        Column("lease_owner", String(60), nullable=True),
        Column("lease_until_us", BigInteger, nullable=True),
    )
    op.create_index("ix_timers_due", "timers", ["due_us"])
    op.create_index("ix_timers_key", "timers", ["key"])
