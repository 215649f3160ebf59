"""Alembic's entry point for insight."""

from services.insight.store import metadata
from shared.database.migrations import run

run(metadata)
