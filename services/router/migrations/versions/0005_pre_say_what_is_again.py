"""Say which older version a definition is again, and whom a refused one was told to."""

import sqlalchemy as sa
from alembic import op

revision = "0005_pre"
down_revision = "0004_pre"


def upgrade() -> None:
    """Add two columns that older code leaves empty."""
    op.add_column("definitions", sa.Column("again_of", sa.Integer, nullable=True))
    op.add_column("definition_faults", sa.Column("told_to", sa.String(100), nullable=True))
