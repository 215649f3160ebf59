"""Keep what is kept for a time only: sealed subjects, and how far was purged."""

from alembic import op

from shared.database import kit_v3

revision = "0003_pre"
down_revision = "0002_pre"


def upgrade() -> None:
    """Add the kit's tables of retention."""
    kit_v3.create(op)
