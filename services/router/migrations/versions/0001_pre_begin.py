"""The router's tables as version 0.1 has them."""

import sqlalchemy as sa
from alembic import op

from shared.database import kit_v1

revision = "0001_pre"
down_revision = None


def upgrade() -> None:
    """Create the kit's tables and the router's own."""
    kit_v1.create(op)
    op.create_table(
        "requests",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("number", sa.String(20), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("lane", sa.String(12), nullable=False),
        sa.Column("priority", sa.String(2), nullable=False),
        sa.Column("team", sa.String(100), nullable=False),
        sa.Column("assignee", sa.String(100), nullable=True),
        sa.Column("submitted_us", sa.BigInteger, nullable=False),
        sa.Column("instance_id", sa.String(36), nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_requests_team", "requests", ["team", "state"])
    op.create_index("ix_requests_number", "requests", ["number"])
    op.create_table(
        "instances",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("process", sa.String(100), nullable=False),
        sa.Column("version", sa.Integer, nullable=False),
        sa.Column("moves", sa.Integer, nullable=False),
        sa.Column("is_ended", sa.Boolean, nullable=False),
        sa.Column("state", sa.LargeBinary, nullable=False),
    )
    op.create_index("ix_instances_request", "instances", ["request_id"])
    op.create_table(
        "work_items",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("instance_id", sa.String(36), nullable=False),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("element_id", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("team", sa.String(100), nullable=True),
        sa.Column("assignee", sa.String(100), nullable=True),
        sa.Column("opened_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_work_items_request", "work_items", ["request_id"])
    op.create_index("ix_work_items_team", "work_items", ["team", "state"])
    op.create_index("ix_work_items_assignee", "work_items", ["assignee", "state"])
    op.create_table(
        "incidents",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("instance_id", sa.String(36), nullable=False),
        sa.Column("element_id", sa.String(200), nullable=False),
        sa.Column("code", sa.String(100), nullable=False),
        sa.Column("detail", sa.Text, nullable=False),
        sa.Column("raised_us", sa.BigInteger, nullable=False),
        sa.Column("resolved_us", sa.BigInteger, nullable=True),
    )
    op.create_table(
        "definitions",
        sa.Column("kind", sa.String(30), primary_key=True),
        sa.Column("key", sa.String(100), primary_key=True),
        sa.Column("version", sa.Integer, primary_key=True),
        sa.Column("content", sa.Text, nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("released_by", sa.String(100), nullable=False),
        sa.Column("released_us", sa.BigInteger, nullable=False),
        sa.Column("is_in_force", sa.Boolean, nullable=False),
    )
    op.create_table(
        "definition_faults",
        sa.Column("file", sa.String(300), primary_key=True),
        sa.Column("kind", sa.String(30), nullable=False),
        sa.Column("key", sa.String(100), nullable=False),
        sa.Column("content_hash", sa.String(64), nullable=False),
        sa.Column("findings", sa.Text, nullable=False),
        sa.Column("found_us", sa.BigInteger, nullable=False),
    )
    op.create_table(
        "house",
        sa.Column("id", sa.Integer, primary_key=True),
        sa.Column("revision", sa.Integer, nullable=False),
        sa.Column("directory_version", sa.Integer, nullable=False),
        sa.Column("directory", sa.Text, nullable=False),
    )
