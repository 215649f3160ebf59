"""Tables in a terminal, whose ids can be copied from it."""

from __future__ import annotations

from typing import Any

from rich.console import Console
from rich.table import Table

#: Of a cell; longer texts are for `show` and `--json`.
_LONGEST = 200
#: Where nobody looks (a pipe, a file) there is no edge to fold at.
_WIDTH_OF_A_PIPE = 240
#: What one hands to the next command: never folded.
_IDS = ("id", "event_id")


def show_rows(title: str, headings: tuple[str, ...], rows: list[dict[str, Any]]) -> None:
    """Print rows as a table, a column per heading; what is empty is a dash."""
    console = Console()
    if not console.is_terminal:
        console = Console(width=_WIDTH_OF_A_PIPE)
    table = Table(title=title)
    for heading in headings:
        table.add_column(heading, overflow="fold", no_wrap=heading in _IDS)
    for one in rows:
        cells = (one[heading] for heading in headings)
        table.add_row(*("–" if cell in (None, "") else str(cell)[:_LONGEST] for cell in cells))
    console.print(table)
