"""Drafts of work items."""

import sqlalchemy as sa
from alembic import op

revision = "0011_pre"
down_revision = "0010_pre"


def upgrade() -> None:
    """Add their table."""
    op.create_table(
        "work_item_drafts",
        sa.Column("item_id", sa.String(36), primary_key=True),
        sa.Column("person", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("saved_us", sa.BigInteger, nullable=False),
        sa.Column("noted_us", sa.BigInteger, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
    )
