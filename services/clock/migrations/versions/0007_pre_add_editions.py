"""Add editions of calendars: what a released version says when newer holidays are known."""

import sqlalchemy as sa
from alembic import op

revision = "0007_pre"
down_revision = "0006_pre"


def upgrade() -> None:
    """Create the table of editions; keep a calendar's text, and which holiday data it took."""
    op.create_table(
        "editions",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("number", sa.BigInteger, primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("data", sa.Text, nullable=False),
        sa.Column("noticed_us", sa.BigInteger, nullable=False),
    )
    op.add_column("definitions", sa.Column("released_text", sa.Text, nullable=True))
    op.add_column("definitions", sa.Column("data", sa.Text, nullable=True))
