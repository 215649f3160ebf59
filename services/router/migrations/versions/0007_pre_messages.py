"""Messages from outside, and the elements that wait for them."""

import sqlalchemy as sa
from alembic import op

revision = "0007_pre"
down_revision = "0006_pre"


def upgrade() -> None:
    """Create both tables."""
    op.create_table(
        "waiting",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("instance_id", sa.String(36), nullable=False),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("element_id", sa.String(200), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("since_us", sa.BigInteger, nullable=False),
    )
    op.create_index("ix_waiting_message", "waiting", ["name", "key"])
    op.create_table(
        "messages",
        sa.Column("id", sa.String(200), primary_key=True),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("payload", sa.Text, nullable=False),
        sa.Column("received_us", sa.BigInteger, nullable=False),
        sa.Column("expires_us", sa.BigInteger, nullable=False),
        sa.Column("request_id", sa.String(36), nullable=True),
        sa.Column("element_id", sa.String(200), nullable=True),
        sa.Column("correlated_us", sa.BigInteger, nullable=True),
    )
    op.create_index("ix_messages_waiting", "messages", ["name", "key", "state"])
    op.create_index("ix_messages_expires", "messages", ["expires_us"])
