"""Messages from outside by sender, and what became of definitions that were refused."""

import sqlalchemy as sa
from alembic import op

revision = "0010_pre"
down_revision = "0009_pre"


def upgrade() -> None:
    """Add who sent a message under which id of theirs, and the log of refusals that are over."""
    op.add_column("messages", sa.Column("sender", sa.String(200), nullable=True))
    op.add_column("messages", sa.Column("message_id", sa.String(200), nullable=True))
    op.create_table(
        "definition_refusals",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("file", sa.String(300), nullable=False),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("findings", sa.Text, nullable=False),
        sa.Column("found_us", sa.BigInteger, nullable=False),
        sa.Column("told_to", sa.String(100), nullable=True),
        sa.Column("outcome", sa.String(20), nullable=False),
        sa.Column("settled_us", sa.BigInteger, nullable=False),
        sa.Column("settled_by", sa.String(100), nullable=True),
        sa.Column("reason", sa.Text, nullable=True),
    )
    op.create_index("ix_definition_refusals_settled", "definition_refusals", ["settled_us"])
