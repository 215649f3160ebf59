"""What the clock remembers: one ledger per request, its own copy of tables and calendars."""

from services.clock.store.books import BOOKS
from services.clock.store.coverage import read_known
from services.clock.store.moves import (
    MoveJob,
    MoveUndone,
    MoveUnfinished,
    NoSuchMove,
    NothingToUndo,
    list_jobs,
    read_job,
    undone_by,
)
from services.clock.store.reading import (
    ListedClock,
    RequestUnknown,
    Snapshot,
    count_kept,
    fill_missing_numbers,
    list_calendars,
    list_clocks,
    read_ledger,
    read_ledgers,
    read_page_of_running,
    snapshot,
)
from services.clock.store.reviewing import review_in_force
from services.clock.store.shelf import Shelf, Shelved
from services.clock.store.tables import kit, metadata
from services.clock.store.work import ClockWork

__all__ = [
    "BOOKS",
    "ClockWork",
    "ListedClock",
    "MoveJob",
    "MoveUndone",
    "MoveUnfinished",
    "NoSuchMove",
    "NothingToUndo",
    "RequestUnknown",
    "Shelf",
    "Shelved",
    "Snapshot",
    "count_kept",
    "fill_missing_numbers",
    "kit",
    "list_calendars",
    "list_clocks",
    "list_jobs",
    "metadata",
    "read_job",
    "read_known",
    "read_ledger",
    "read_ledgers",
    "read_page_of_running",
    "review_in_force",
    "snapshot",
    "undone_by",
]
