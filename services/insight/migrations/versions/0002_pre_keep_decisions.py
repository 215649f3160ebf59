"""Keep who settled a held message, when and why."""

from alembic import op

from shared.database import kit_v2

revision = "0002_pre"
down_revision = "0001_pre"


def upgrade() -> None:
    """Add the kit's table of decisions."""
    kit_v2.create(op)
