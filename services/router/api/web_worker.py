"""Does the jobs of type `levee:call-web-service`: a worker like any other, inside the router."""

from __future__ import annotations

import asyncio
import logging
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.router.gateways.web import Came, Secrets, call_for
from services.router.handlers import working
from shared.errors import LeveeError

if TYPE_CHECKING:
    from services.router.api.workshop import Workshop
    from services.router.domain import Job
    from services.router.store import RouterWork
    from shared.http.client import OutboundClient
    from shared.time_source import TimeSource

_log = logging.getLogger(__name__)

CALL = "levee:call-web-service"
#: Longer than the longest call (60 s): who dies in one is missed after this.
_LEASE = timedelta(seconds=90)
#: Calls of one replica at once; each may hold a connection for a minute.
_AT_ONCE = 20
_LOOK_EVERY_S = 0.5


class WebWorker:
    """Takes, calls, answers; for ever."""

    def __init__(
        self, shop: Workshop, client: OutboundClient, secrets: Secrets, time: TimeSource, name: str
    ) -> None:
        self._shop, self._client, self._secrets = shop, client, secrets
        self._time, self._name = time, name
        self._busy: set[asyncio.Task[None]] = set()

    async def run(self) -> None:
        """Look for jobs for ever; ends when cancelled, and its calls with it."""
        try:
            while True:
                if not await self._begin_some():
                    await self._time.sleep(_LOOK_EVERY_S)
        finally:
            for task in self._busy:
                task.cancel()

    async def once(self) -> int:
        """Do what waits now; return how many calls that were."""
        await self._begin_some()
        begun = list(self._busy)
        await asyncio.gather(*begun)
        return len(begun)

    async def _begin_some(self) -> bool:
        free = _AT_ONCE - len(self._busy)
        if not free:
            return False
        try:
            jobs = await self._shop.take(self._name, [CALL], free, _LEASE, timedelta(0))
        except LeveeError as error:
            _log.warning("calls of web services wait: %s", error)
            return False
        for job in jobs:
            task = asyncio.create_task(self._do(job))
            self._busy.add(task)
            task.add_done_callback(self._busy.discard)
        return bool(jobs)

    async def _do(self, job: dict[str, Any]) -> None:
        came = await call_for(self._client, self._secrets, job["id"], job["variables"])
        try:
            await self._shop.act(UUID(job["id"]), self._answer(job, came))
        except LeveeError as error:
            # Its lease will end; whoever takes it next calls with the same Idempotency-Key.
            _log.warning("job %s: what came of the call was not recorded: %s", job["id"], error)

    def _answer(self, job: dict[str, Any], came: Came) -> Any:
        job_id, attempt, now = UUID(job["id"]), job["attempt"], self._shop.now()

        def answer(work: RouterWork) -> Job:
            if came.result is not None:
                return working.complete_job(job_id, attempt, came.result, now, work)
            if came.error_code is not None:
                code, told = came.error_code, came.failure
                return working.throw_error(job_id, attempt, code, told, {}, now, work)
            rest = None if came.rest_s is None else timedelta(seconds=came.rest_s)
            retries = 0 if came.is_hopeless else None
            return working.fail_job(
                job_id, attempt, came.failure, now, work, retries=retries, rest=rest
            )

        return answer
