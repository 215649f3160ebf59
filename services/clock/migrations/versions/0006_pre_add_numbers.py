"""Let a request be found by its number."""

import sqlalchemy as sa
from alembic import op

revision = "0006_pre"
down_revision = "0005_pre"


def upgrade() -> None:
    """Add the number beside the ledger; the service fills it in when it starts."""
    op.add_column("requests", sa.Column("number", sa.String(40), nullable=True))
    op.create_index("ix_requests_number", "requests", ["number"])
