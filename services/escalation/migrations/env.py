"""Alembic's entry point for escalation."""

from services.escalation.store import metadata
from shared.database.migrations import run

run(metadata)
