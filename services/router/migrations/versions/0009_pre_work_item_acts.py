"""The history of work items."""

import sqlalchemy as sa
from alembic import op

revision = "0009_pre"
down_revision = "0008_pre"


def upgrade() -> None:
    """Add the table of acts, and how many each work item has."""
    op.add_column("work_items", sa.Column("course", sa.Text, nullable=True))
    op.create_table(
        "work_item_acts",
        sa.Column("item_id", sa.String(36), primary_key=True),
        sa.Column("n", sa.Integer, primary_key=True),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("kind", sa.String(20), nullable=False),
        sa.Column("by_person", sa.String(100), nullable=True),
        sa.Column("body", sa.Text, nullable=True),
    )
