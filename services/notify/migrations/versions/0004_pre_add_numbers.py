"""Let the messages about a request be found by its number."""

import sqlalchemy as sa
from alembic import op

revision = "0004_pre"
down_revision = "0003_pre"


def upgrade() -> None:
    """Add the number beside what a notification tells; the service fills it in when it starts."""
    op.add_column("notifications", sa.Column("number", sa.String(40), nullable=True))
    op.create_index("ix_notifications_number", "notifications", ["number"])
