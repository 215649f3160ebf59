"""Let a request be found by its number."""

from alembic import op

revision = "0004_pre"
down_revision = "0003_pre"


def upgrade() -> None:
    """Add the index."""
    op.create_index("ix_requests_number", "requests", ["number"])
