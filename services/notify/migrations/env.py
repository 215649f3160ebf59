"""Alembic's entry point for notify."""

from services.notify.store import metadata
from shared.database.migrations import run

run(metadata)
