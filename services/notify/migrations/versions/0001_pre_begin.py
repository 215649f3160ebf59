"""Notify's tables as version 0.1 has them."""

import sqlalchemy as sa
from alembic import op

from shared.database import kit_v1

revision = "0001_pre"
down_revision = None


def upgrade() -> None:
    """Create the kit's tables and notify's own."""
    kit_v1.create(op)
    op.create_table(
        "notifications",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("accepted_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_notifications_request", "notifications", ["request_id"])
    op.create_table(
        "deliveries",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("notification_id", sa.String(36), nullable=False),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("recipient", sa.String(200), nullable=False),
        sa.Column("channel", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("accepted_us", sa.BigInteger, nullable=False),
        sa.Column("next_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_deliveries_request", "deliveries", ["request_id", "state"])
    op.create_index("ix_deliveries_state", "deliveries", ["state", "accepted_us"])
    op.create_index("ix_deliveries_recipient", "deliveries", ["recipient", "accepted_us"])
    op.create_index("ix_deliveries_accepted", "deliveries", ["accepted_us"])
    op.create_table(
        "endpoints",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("name", sa.String(100), nullable=False, unique=True),
        sa.Column("url", sa.Text, nullable=False),
        sa.Column("secret", sa.String(200), nullable=False),
        sa.Column("created_us", sa.BigInteger, nullable=False),
        sa.Column("disabled_us", sa.BigInteger, nullable=True),
    )
    op.create_table(
        "buckets",
        sa.Column("lane", sa.String(60), primary_key=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "voids",
        sa.Column("escalation_id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("epoch", sa.BigInteger, nullable=False),
        sa.Column("reason", sa.String(100), nullable=False),
        sa.Column("taken_by", sa.String(100), nullable=True),
    )
    op.create_index("ix_voids_request", "voids", ["request_id"])
    op.create_table(
        "templates",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "directory",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "secrets",
        sa.Column("name", sa.String(40), primary_key=True),
        sa.Column("value", sa.LargeBinary, nullable=False),
    )
