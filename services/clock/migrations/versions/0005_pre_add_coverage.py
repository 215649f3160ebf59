"""Add what was told of calendars' known holidays, and moves that these bring about."""

import sqlalchemy as sa
from alembic import op

revision = "0005_pre"
down_revision = "0004_pre"


def upgrade() -> None:
    """Create the table of coverage, and say of a move which calendar it is for."""
    op.create_table(
        "coverage",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("calendar", sa.String(100), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("covered_until", sa.String(10), nullable=True),
        sa.Column("warned_until", sa.String(10), nullable=True),
    )
    op.add_column("moves", sa.Column("extends", sa.String(100), nullable=True))
