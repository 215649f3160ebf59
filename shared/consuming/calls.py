"""Commands of the API, many of them in one transaction (group commit)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Generic, TypeVar, cast

from sqlalchemy.exc import IntegrityError

from shared.consuming.transactor import BATCH_MAX, Guilty, SetCause, Transactor
from shared.consuming.work import Cause, Work
from shared.database.engine import DatabaseUnavailable
from shared.errors import LeveeError

if TYPE_CHECKING:
    from collections.abc import Collection
    from uuid import UUID

W = TypeVar("W", bound=Work)
R = TypeVar("R")

#: How often a call meets a key another replica stored just now before it gives up.
_COLLISIONS = 3


@dataclass(slots=True)
class _Call(Generic[W]):
    """A command waiting for its transaction."""

    id: UUID
    locks: tuple[str, ...]
    loads: tuple[str, ...]
    apply: Callable[[W], Any]
    result: asyncio.Future[Any]


class Calls(Generic[W]):
    """Collects what callers want done and does it together."""

    def __init__(self, transactor: Transactor[W]) -> None:
        self._transactor = transactor
        self._waiting: list[_Call[W]] = []
        self._wake = asyncio.Event()
        self._is_closed = False

    @property
    def waiting(self) -> int:
        """Calls that have no transaction yet."""
        return len(self._waiting)

    async def do(
        self,
        call_id: UUID,
        apply: Callable[[W], R],
        locks: Collection[UUID | str],
        loads: Collection[str],
    ) -> R:
        """Run `apply` in the next transaction; see `Runtime.do`."""
        if self._is_closed:
            raise DatabaseUnavailable(reason="this service is stopping")
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        keys = tuple(sorted({str(key) for key in locks}))
        self._waiting.append(_Call(call_id, keys, tuple(loads), apply, result))
        self._wake.set()
        return cast("R", await result)

    async def run(self) -> None:
        """Serve for ever; ends when cancelled."""
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                limit = BATCH_MAX if self._transactor.knobs.is_batching else 1
                taken, self._waiting = self._waiting[:limit], self._waiting[limit:]
                await self._serve(taken)

    def close(self) -> None:
        """Refuse further calls; those that wait are still served."""
        self._is_closed = True

    def abandon(self) -> None:
        """Tell the callers still waiting that nothing was done."""
        for call in self._waiting:
            _fail(call, DatabaseUnavailable(reason="this service is stopping"))
        self._waiting.clear()

    async def _serve(self, calls: list[_Call[W]]) -> None:
        """Serve calls together; one that fails leaves the others their transaction."""
        waiting = calls
        while waiting:
            try:
                await self._together(waiting)
            except Guilty as guilty:
                failed = next(c for c in waiting if str(c.id) == guilty.entry_id)
                _fail(failed, guilty.error)
                waiting = [c for c in waiting if c is not failed]
            except IntegrityError:
                # Another replica stored the same key between our look and our write.
                for call in waiting:
                    await self._alone(call)
                return
            except LeveeError as error:
                for call in waiting:
                    _fail(call, error)
                return
            else:
                return

    async def _alone(self, call: _Call[W]) -> None:
        """Serve one call, looking again when its key has just appeared."""
        for attempt in range(_COLLISIONS):
            try:
                await self._together([call])
            except Guilty as guilty:
                _fail(call, guilty.error)
            except IntegrityError as error:
                if attempt + 1 < _COLLISIONS:
                    continue
                _fail(call, error)
            except LeveeError as error:
                _fail(call, error)
            return

    async def _together(self, calls: list[_Call[W]]) -> None:
        results: list[Any] = []

        def run(work: W, cause: SetCause) -> None:
            for call in calls:
                cause(Cause(call.id))
                try:
                    results.append(call.apply(work))
                except Exception as error:
                    raise Guilty(str(call.id), error) from error

        locks = {key for call in calls for key in call.locks}
        loads = {key for call in calls for key in call.loads}
        await self._transactor.run(locks, loads, run)
        self._transactor.stats.calls += len(calls)
        for call, result in zip(calls, results, strict=True):
            if not call.result.done():
                call.result.set_result(result)


def _fail(call: _Call[Any], error: Exception) -> None:
    if not call.result.done():
        call.result.set_exception(error)
