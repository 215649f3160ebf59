"""Add the log of moves to other versions."""

import sqlalchemy as sa
from alembic import op

revision = "0003_pre"
down_revision = "0002_pre"


def upgrade() -> None:
    """Create the table of moves."""
    op.create_table(
        "moves",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("pins", sa.Text, nullable=False),
        sa.Column("undoes", sa.String(36), nullable=True),
        sa.Column("moved_by", sa.String(200), nullable=False),
        sa.Column("reason", sa.Text, nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("cursor", sa.String(36), nullable=False),
        sa.Column("requests", sa.Integer, nullable=False),
        sa.Column("is_spread", sa.Boolean, nullable=False),
    )
