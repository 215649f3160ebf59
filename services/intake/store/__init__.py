"""Intake's own tables: what is loaded and written in bulk, what is read for portals."""

from services.intake.store.books import BOOKS
from services.intake.store.housekeeping import Housekeeping, answer_purge
from services.intake.store.keys import answer_key, catalogue_key, external_key
from services.intake.store.numbers import Numbers
from services.intake.store.reading import Filter, Reading
from services.intake.store.rows import promises_of, standing_of
from services.intake.store.shelf import Book, Shelf
from services.intake.store.tables import kit, metadata
from services.intake.store.work import IntakeWork

__all__ = [
    "BOOKS",
    "Book",
    "Filter",
    "Housekeeping",
    "IntakeWork",
    "Numbers",
    "Reading",
    "Shelf",
    "answer_key",
    "answer_purge",
    "catalogue_key",
    "external_key",
    "kit",
    "metadata",
    "promises_of",
    "standing_of",
]
