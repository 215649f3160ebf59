"""What the clock remembers: one ledger per request, its own copy of tables and calendars."""

from services.clock.store.books import BOOKS
from services.clock.store.reading import (
    ListedClock,
    RequestUnknown,
    Snapshot,
    list_calendars,
    list_clocks,
    read_ledger,
    read_ledgers,
    snapshot,
)
from services.clock.store.shelf import Shelf, Shelved
from services.clock.store.tables import kit, metadata
from services.clock.store.work import ClockWork

__all__ = [
    "BOOKS",
    "ClockWork",
    "ListedClock",
    "RequestUnknown",
    "Shelf",
    "Shelved",
    "Snapshot",
    "kit",
    "list_calendars",
    "list_clocks",
    "metadata",
    "read_ledger",
    "read_ledgers",
    "snapshot",
]
