"""What every service's second revision adds to the kit: decisions about held messages.

Frozen: later changes are revisions of their own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, Integer, LargeBinary, String, Text


def create(op: Any) -> None:
    """Create settled; `op` is alembic's module of operations."""
    op.create_table(
        "settled",
        Column(
            "id",
            BigInteger().with_variant(Integer(), "sqlite"),
            primary_key=True,
            autoincrement=True,
        ),
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
        Column("verb", String(12), nullable=False),
        Column("decided_by", String(200), nullable=False),
        Column("reason", Text, nullable=False),
        Column("decided_us", BigInteger, nullable=False),
    )
    op.create_index("ix_settled_event", "settled", ["event_id"])
