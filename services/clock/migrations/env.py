"""Alembic's entry point for the clock."""

from services.clock.store import metadata
from shared.database.migrations import run

run(metadata)
