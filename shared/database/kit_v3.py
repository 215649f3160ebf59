"""What retention adds to the kit: sealed subjects, and how far each kind of rows was purged.

Frozen: later changes are revisions of their own.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Column, String


def create(op: Any) -> None:
    """Create sealed and keeping; `op` is alembic's module of operations."""
    op.create_table(
        "sealed",
        Column("key", String(200), primary_key=True),
        Column("sealed_us", BigInteger, nullable=False),
    )
    op.create_index("ix_sealed_sealed", "sealed", ["sealed_us"])
    op.create_table(
        "keeping",
        Column("what", String(40), primary_key=True),
        Column("looked_us", BigInteger, nullable=False),
        Column("upto", String(200), nullable=True),
    )
