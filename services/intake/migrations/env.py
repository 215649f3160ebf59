"""Applies intake's revisions."""

from services.intake.store import metadata
from shared.database.migrations import run

run(metadata)
