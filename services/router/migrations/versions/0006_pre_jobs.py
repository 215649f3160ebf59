"""Jobs of service tasks; incidents that know what waits for them and how they ended."""

import sqlalchemy as sa
from alembic import op

revision = "0006_pre"
down_revision = "0005_pre"


def upgrade() -> None:
    """Create the table of jobs; widen incidents by what the release before leaves empty."""
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(36), primary_key=True),
        sa.Column("request_id", sa.String(36), nullable=False),
        sa.Column("instance_id", sa.String(36), nullable=False),
        sa.Column("task_id", sa.BigInteger, nullable=False),
        sa.Column("element_id", sa.String(200), nullable=False),
        sa.Column("type", sa.String(200), nullable=False),
        sa.Column("state", sa.String(12), nullable=False),
        sa.Column("available_us", sa.BigInteger, nullable=False),
        sa.Column("attempt", sa.Integer, nullable=False),
        sa.Column("opened_us", sa.BigInteger, nullable=False),
        sa.Column("body", sa.Text, nullable=False),
    )
    op.create_index("ix_jobs_type", "jobs", ["state", "type", "available_us"])
    op.create_index("ix_jobs_request", "jobs", ["request_id"])
    op.add_column("incidents", sa.Column("process", sa.String(100), nullable=True))
    op.add_column("incidents", sa.Column("version", sa.Integer, nullable=True))
    op.add_column("incidents", sa.Column("task_id", sa.BigInteger, nullable=True))
    op.add_column("incidents", sa.Column("job_id", sa.String(36), nullable=True))
    op.add_column("incidents", sa.Column("inputs", sa.Text, nullable=True))
    op.add_column("incidents", sa.Column("resolved_by", sa.String(100), nullable=True))
    op.add_column("incidents", sa.Column("resolution", sa.String(20), nullable=True))
    op.create_index("ix_incidents_open", "incidents", ["resolved_us", "raised_us"])
    op.create_index("ix_incidents_request", "incidents", ["request_id"])
