"""Escalation's tables as version 0.1 has them."""

import sqlalchemy as sa
from alembic import op

from shared.database import kit_v1

revision = "0001_pre"
down_revision = None


def upgrade() -> None:
    """Create the kit's tables and escalation's own."""
    kit_v1.create(op)
    op.create_table(
        "requests",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(40), nullable=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_table(
        "escalations",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("team", sa.String(100), nullable=False),
        sa.Column("raised_us", sa.BigInteger, nullable=False),
        sa.Column("next_us", sa.BigInteger, nullable=True),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_escalations_team", "escalations", ["team", "state", "raised_us"])
    op.create_index("ix_escalations_state", "escalations", ["state", "next_us"])
    op.create_index("ix_escalations_raised", "escalations", ["raised_us"])
    op.create_index("ix_escalations_request", "escalations", ["request_id"])
    running = sa.text("state <> 'closed'")
    op.create_index(
        "ux_escalations_running",
        "escalations",
        ["request_id"],
        unique=True,
        sqlite_where=running,
        postgresql_where=running,
    )
    op.create_table(
        "steps",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("escalation_id", sa.String(36), nullable=False),
        sa.Column("at_us", sa.BigInteger, nullable=False),
        sa.Column("epoch", sa.Integer, nullable=False),
        sa.Column("tier", sa.Integer, nullable=False),
        sa.Column("repeat", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_steps_escalation", "steps", ["escalation_id", "at_us"])
    op.create_table(
        "policies",
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("content", sa.Text, nullable=False),
    )
    op.create_table(
        "directory",
        sa.Column("id", sa.Integer, primary_key=True, autoincrement=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
