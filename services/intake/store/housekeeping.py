"""Beside the runtime's own loops: see other replicas' catalogues; which answers are old."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from services.intake.store.tables import answers
from shared.consuming.keeping import Purge, purge_by
from shared.database.trouble import DatabaseUnavailable

if TYPE_CHECKING:
    from datetime import timedelta

    from services.intake.store.shelf import Shelf
    from shared.time_source import TimeSource

_log = logging.getLogger(__name__)

#: How soon a replica sees a catalogue another one has stored.
_LOOK_S = 2.0


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Runs only where time is real: in simulated time a sweep would be a moment to jump to."""

    time: TimeSource
    shelf: Shelf

    async def watch_catalogues(self) -> None:
        """Look for newer catalogues, for ever; ends when cancelled."""
        while True:
            await self.time.sleep(_LOOK_S)
            try:
                await self.shelf.refresh()
            except DatabaseUnavailable as error:
                _log.warning("catalogues: %s", error)


def answer_purge(keep: timedelta) -> Purge:
    """Return the purge of answers given under an Idempotency-Key."""
    return purge_by("answers", keep, answers.c.created_us)
