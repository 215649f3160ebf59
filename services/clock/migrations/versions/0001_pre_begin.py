"""Begin: the kit's tables, ledgers, the list of clocks, definitions."""

import sqlalchemy as sa
from alembic import op

from shared.database import kit_v1

revision = "0001_pre"
down_revision = None


def upgrade() -> None:
    """Create the kit's tables and the clock's own."""
    kit_v1.create(op)
    op.create_table(
        "requests",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("ledger", sa.LargeBinary, nullable=False),
    )
    op.create_table(
        "clocks",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("metric", sa.String(40), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("due_us", sa.BigInteger, nullable=True),
        sa.Column("left_us", sa.BigInteger, nullable=True),
    )
    op.create_index("ix_clocks_state", "clocks", ["state", "due_us"])
    op.create_index("ix_clocks_request", "clocks", ["request_id"])
    op.create_table(
        "definitions",
        sa.Column("kind", sa.String(20), primary_key=True),
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("released_by", sa.String(200), nullable=False),
        sa.Column("released_us", sa.BigInteger, nullable=False),
    )
