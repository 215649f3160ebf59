"""What an inbox sorts and filters by."""

import sqlalchemy as sa
from alembic import op

revision = "0008_pre"
down_revision = "0007_pre"

#: As store/tables.py has it: what release 0.1 writes, and what is open sorts by until it is mended.
_NEVER_US = "253402300799000000"


def upgrade() -> None:
    """Add columns, tables and indexes; the service fills in what is open when it starts."""
    op.add_column("requests", sa.Column("dues", sa.Text, nullable=True))
    op.add_column(
        "work_items",
        sa.Column("due_us", sa.BigInteger, nullable=True, server_default=_NEVER_US),
    )
    for name, kind in (
        ("priority", sa.String(2)),
        ("process", sa.String(100)),
        ("search", sa.Text()),
    ):
        op.add_column("work_items", sa.Column(name, kind, nullable=True))
    over = "UPDATE work_items SET due_us = NULL WHERE state IN ('completed', 'cancelled')"
    op.execute(over)
    is_open = sa.text("due_us IS NOT NULL")
    for name, columns in (
        ("ix_work_items_inbox", ["team", "due_us", "id", "state", "priority"]),
        ("ix_work_items_hands", ["assignee", "due_us", "id"]),
        ("ix_work_items_due", ["due_us", "id"]),
    ):
        op.create_index(name, "work_items", columns, sqlite_where=is_open, postgresql_where=is_open)
    op.create_table(
        "work_item_candidates",
        sa.Column("candidate", sa.String(110), primary_key=True),
        sa.Column("item_id", sa.String(36), primary_key=True),
        sa.Column("due_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_candidates_due", "work_item_candidates", ["candidate", "due_us", "item_id"])
    op.create_index("ix_candidates_item", "work_item_candidates", ["item_id"])
    op.create_table(
        "work_item_inputs",
        sa.Column("item_id", sa.String(36), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
