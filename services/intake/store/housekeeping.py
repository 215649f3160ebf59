"""Loops beside the runtime's own: see other replicas' catalogues, forget old answers."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING

from shared.database.engine import DatabaseUnavailable

if TYPE_CHECKING:
    from datetime import timedelta

    from services.intake.store.reading import Reading
    from services.intake.store.shelf import Shelf
    from shared.time_source import TimeSource

_log = logging.getLogger(__name__)

#: How soon a replica sees a catalogue another one has stored.
_LOOK_S = 2.0
#: How often answers past their time are looked for.
_PURGE_S = 600.0


@dataclass(frozen=True, slots=True)
class Housekeeping:
    """Runs only where time is real: in simulated time a sweep would be a moment to jump to."""

    time: TimeSource
    shelf: Shelf
    reading: Reading
    keep_answers: timedelta

    async def watch_catalogues(self) -> None:
        """Look for newer catalogues, for ever; ends when cancelled."""
        while True:
            await self.time.sleep(_LOOK_S)
            try:
                await self.shelf.refresh()
            except DatabaseUnavailable as error:
                _log.warning("catalogues: %s", error)

    async def purge_answers(self) -> None:
        """Forget answers older than they must be kept, for ever; ends when cancelled."""
        while True:
            try:
                before = self.time.now() - self.keep_answers
                while await self.reading.purge_answers(before):
                    pass
            except DatabaseUnavailable as error:
                _log.warning("answers: %s", error)
            await self.time.sleep(_PURGE_S)
