"""After an upgrade: processes of the release before get what they wait for."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from services.router import handlers
from services.router.store.left_behind import left_behind
from shared.errors import LeveeError, Unavailable

if TYPE_CHECKING:
    from uuid import UUID

    from services.router.store import Repository, RouterWork
    from shared.consuming import Runtime

_log = logging.getLogger(__name__)

#: Instances looked at in one go: some milliseconds of reading.
_PAGE = 200
#: Seconds between two pages, so that who is at work hardly notices a long search.
_BREATH_S = 0.05
#: A router of the release before may still be at work beside this one, or be put back: what it
#: leaves behind is found an hour later at most.
_LOOK_EVERY_S = 3600.0


class LeftBehind:
    """Looks for processes that wait for a job or message nobody has a row of."""

    def __init__(
        self, runtime: Runtime[RouterWork], repository: Repository, page: int = _PAGE
    ) -> None:
        self._runtime, self._repository, self._page = runtime, repository, page

    async def look_for_ever(self) -> None:
        """Look at once and then every hour; ends when cancelled."""
        while True:
            try:
                await self.look()
            except Unavailable as error:
                _log.warning("processes of an older release not looked for this time: %s", error)
            await self._runtime.time.sleep(_LOOK_EVERY_S)

    async def look(self) -> int:
        """Look through all running processes once; return how many jobs and messages were missing.

        Each request is taken care of in a transaction of its own. Raises `Unavailable`.
        """
        given, after = 0, ""
        while True:
            async with self._runtime.database.reading() as connection:
                found, last = await left_behind(connection, self._repository, after, self._page)
            for request_id in found:
                given += await self._take_care(request_id)
            if last is None:
                break
            after = last
            await self._runtime.time.sleep(_BREATH_S)
        if given:
            _log.warning("%d jobs and messages of an older release are waited for now", given)
        return given

    async def _take_care(self, request_id: UUID) -> int:
        try:
            return await self._runtime.do(
                lambda work: handlers.take_care(request_id, work.now, work), locks=[request_id]
            )
        except Unavailable:
            raise
        except LeveeError as error:
            # The others do not wait for one; the audit goes on naming it.
            _log.error("request %s keeps waiting as in the older release: %s", request_id, error)
            return 0
