"""Lanes: what a request must pass before it ends, who may decide, whose turn it is."""

import sqlalchemy as sa
from alembic import op

revision = "0004_pre"
down_revision = "0003_pre"


def upgrade() -> None:
    """Widen requests and work items by what the release before leaves empty; add the turns."""
    op.add_column("requests", sa.Column("passage", sa.Text, nullable=True))
    op.add_column("work_items", sa.Column("authority", sa.Text, nullable=True))
    op.create_table(
        "turns",
        sa.Column("team", sa.String(100), primary_key=True),
        sa.Column("person", sa.String(100), nullable=False),
    )
