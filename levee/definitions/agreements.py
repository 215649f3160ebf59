"""Tables of targets: rows nobody could use, promises inside that cannot support those outside."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from shared.decisions import DecisionTable
from shared.errors import LeveeError
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from shared.business_time import Calendar
    from shared.decisions import DecisionModel
    from shared.errors import Finding


def tables_of_targets(model: DecisionModel) -> tuple[str, ...]:
    """Return the decisions that say how long something may take, by their headings."""
    return tuple(
        decision.id
        for decision in model.decisions_by_id.values()
        if isinstance(decision.logic, DecisionTable)
        and {"target", "calendar"} <= {output.name for output in decision.logic.outputs}
        and "metric" in {column.expression.text.strip() for column in decision.logic.columns}
    )


def review_targets(
    model: DecisionModel, content: bytes, file: str, at: datetime | None = None
) -> Iterator[Finding]:
    """Yield what is wrong with the rows of the tables of targets in a file.

    The table `targets` is also looked at for promises inside that cannot support those outside,
    on the calendars that lie beside the file (none there: not looked at).
    """
    # Imported here: most files that are checked are no tables of targets.
    from shared.targets.reading import subject_of
    from shared.targets.review import review_rows, review_support
    from shared.targets.rows import DECISION

    calendars = _beside(Path(file))
    for decision in tables_of_targets(model):
        subject = subject_of(1, content.decode("utf-8-sig"), calendars, decision)
        yield from review_rows(subject)
        if decision == DECISION:
            yield from review_support(subject, at or SystemTime().now())


def _beside(file: Path) -> dict[str, Calendar] | None:
    """Return the calendars of the file's folder, or of the one above it (packs)."""
    from levee.calendars.files import read_calendar

    for folder in (file.parent / "calendars", file.parent.parent / "calendars"):
        found = {}
        for path in sorted(folder.glob("*.yaml")):
            try:
                calendar = read_calendar(path)
            except LeveeError:
                continue  # `levee calendar check` says what is wrong with it
            found[calendar.key] = calendar
        if found:
            return found
    return None
