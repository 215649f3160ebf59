"""Alembic's entry point for the router."""

from services.router.store import metadata
from shared.database.migrations import run

run(metadata)
