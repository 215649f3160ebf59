"""Seals what ended long ago, beside everything else, a few requests at a time.

Several replicas may do so at once: who comes second finds the requests sealed.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING

from services.intake.handlers.sealing import seal
from shared.errors import Unavailable

if TYPE_CHECKING:
    from services.intake.store import IntakeWork, Reading
    from shared.consuming import Runtime

_log = logging.getLogger(__name__)

#: How often it looks, and how many requests one transaction seals.
_LOOK_S, _AT_ONCE = 3_600.0, 100
#: How long to rest after a transaction: sealing a million requests may take its time.
_REST_S = 0.2


@dataclass(frozen=True, slots=True)
class Sealer:
    """Looks for requests that are over and of which nothing was heard for `after`."""

    runtime: Runtime[IntakeWork]
    reading: Reading
    after: timedelta

    async def seal_for_ever(self) -> None:
        """Look for ever; ends when cancelled."""
        while True:
            try:
                await self.go_through()
            except Unavailable as error:
                _log.warning("sealing: %s", error)
            await self.runtime.time.sleep(_LOOK_S)

    async def go_through(self) -> int:
        """Seal everything that is over for long enough; return how many requests."""
        last, count = "", 0
        before = self.runtime.time.now() - self.after
        while True:
            keys, last = await self.reading.quiet_since(before, last, _AT_ONCE)
            if keys:
                count += await self._seal(keys)
            if not last:
                return count
            await self.runtime.time.sleep(_REST_S)

    async def _seal(self, keys: list[str]) -> int:
        return await self.runtime.do(lambda work: seal(keys, work), locks=keys)
