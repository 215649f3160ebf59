"""Commands of the API, many of them in one transaction (group commit)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar, Generic, TypeVar, cast

from sqlalchemy.exc import IntegrityError

from shared.consuming.transactor import (
    BATCH_MAX,
    Guilty,
    SetCause,
    Spoiled,
    Transactor,
    apply_each,
)
from shared.consuming.work import Cause, Work
from shared.database.trouble import DatabaseUnavailable
from shared.errors import Unavailable
from shared.observability.traces import edge

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence
    from datetime import datetime
    from uuid import UUID

    from shared.observability.traces import Edge

W = TypeVar("W", bound=Work)
R = TypeVar("R")

#: How often a call meets a key another replica stored just now before it gives up.
_COLLISIONS = 3


class TooManyCalls(Unavailable):
    """{waiting} calls wait for the database already; try again in a moment."""

    zh: ClassVar[str] = "已有 {waiting} 个调用在等待数据库；请稍后重试。"


@dataclass(slots=True, eq=False)
class _Call(Generic[W]):
    """A command waiting for its transaction."""

    id: UUID
    locks: tuple[str, ...]
    loads: tuple[str, ...]
    new: tuple[str, ...]
    apply: Callable[[W], Any]
    result: asyncio.Future[Any]
    at: datetime | None
    edge: Edge | None
    collisions: int = 0


class Calls(Generic[W]):
    """Collects what callers want done and does it together."""

    def __init__(self, transactor: Transactor[W]) -> None:
        self._transactor = transactor
        self._waiting: list[_Call[W]] = []
        self._serving: list[_Call[W]] = []
        self._wake = asyncio.Event()
        self._is_closed = False

    async def do(
        self,
        call_id: UUID,
        apply: Callable[[W], R],
        locks: Collection[UUID | str],
        loads: Collection[str],
        new: Collection[UUID | str] = (),
    ) -> R:
        """Run `apply` in the next transaction; see `Runtime.do`.

        Raises `TooManyCalls` beyond `Knobs.calls_limit`: what a slow database cannot take grows
        in front of the house, where it is seen, not inside.
        """
        if self._is_closed:
            raise DatabaseUnavailable(reason="this service is stopping")
        limit = self._transactor.knobs.calls_limit
        if limit is not None and len(self._waiting) >= limit:
            raise TooManyCalls(waiting=len(self._waiting))
        result: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        keys = tuple(sorted({str(key) for key in locks}))
        made = tuple(str(key) for key in new)
        transactor = self._transactor
        at = None if transactor.knobs.turns is None else transactor.time.now()
        self._waiting.append(_Call(call_id, keys, tuple(loads), made, apply, result, at, edge()))
        self._wake.set()
        # Unsettled until answered: simulated time stands still meanwhile.
        with self._transactor.activity.busy():
            return cast("R", await result)

    @property
    def _pending(self) -> list[_Call[W]]:
        return [*self._serving, *self._waiting]

    async def run(self) -> None:
        """Serve for ever; ends when cancelled."""
        limit = BATCH_MAX if self._transactor.knobs.is_batching else 1
        while True:
            await self._wake.wait()
            self._wake.clear()
            while self._waiting:
                self._serving, self._waiting = self._waiting[:limit], self._waiting[limit:]
                await self._serve(self._serving)
                self._serving = []

    def close(self) -> None:
        """Refuse further calls; those that wait are still served."""
        self._is_closed = True

    async def drained(self) -> None:
        """Return when every caller has its answer."""
        while pending := [c.result for c in self._pending if not c.result.done()]:
            await asyncio.wait(pending)

    def abandon(self) -> None:
        """Answer the callers that are left: nothing is known to have been done."""
        for call in self._pending:
            _fail(call, DatabaseUnavailable(reason="this service is stopping"))
        self._waiting.clear()

    async def _serve(self, calls: list[_Call[W]]) -> None:
        """Serve calls together; one that fails leaves the others their transaction."""
        parts = [calls]
        while parts:
            # A caller who has left (a cancelled request) wants nothing any more.
            part = [call for call in parts.pop() if not call.result.done()]
            try:
                if part:
                    await self._together(part)
            except Guilty as guilty:
                parts += _without(part, guilty)
            except Unavailable as error:
                for call in part:
                    _fail(call, error)
            except Spoiled as spoiled:
                parts += _divided(part, spoiled.error)

    async def _together(self, calls: list[_Call[W]]) -> None:
        results: list[Any] = []
        handling = self._transactor.handling("call")

        def run(work: W, cause: SetCause) -> None:
            def apply(call: _Call[W]) -> None:
                traceparent = handling.begin_call(call.locks, call.new, call.edge)
                cause(Cause(call.id, traceparent=traceparent, at=call.at))
                results.append(call.apply(work))
                handling.end()

            apply_each([(str(call.id), call) for call in calls], apply, is_for_callers=True)

        locks = {key for call in calls for key in call.locks}
        loads = {key for call in calls for key in call.loads}
        new = {key for call in calls for key in call.new}
        await self._transactor.run(locks, loads, run, new=new)
        handling.committed(len(calls))
        self._transactor.stats.calls += len(calls)
        for call, result in zip(calls, results, strict=True):
            if not call.result.done():
                call.result.set_result(result)


def _without(calls: Sequence[_Call[W]], guilty: Guilty) -> list[list[_Call[W]]]:
    """Fail the first of the failed calls; return who goes on, the next part last.

    The first saw what is stored. The others may have failed on what an earlier one left behind,
    which is now rolled back: each is tried alone, after those that went well.
    """
    failed = dict(guilty.failed)
    first, error = guilty.failed[0]
    well = [call for call in calls if str(call.id) not in failed]
    again = [[call] for call in calls if str(call.id) in failed and str(call.id) != first]
    for call in calls:
        if str(call.id) == first:
            _fail(call, error)
    return [*reversed(again), well]


def _divided(calls: list[_Call[W]], error: Exception) -> list[list[_Call[W]]]:
    """Return the parts in which to look for the call that spoiled the whole, the last first."""
    if len(calls) > 1:
        return [calls[len(calls) // 2 :], calls[: len(calls) // 2]]
    call = calls[0]
    call.collisions += 1
    if isinstance(error, IntegrityError) and call.collisions < _COLLISIONS:
        # Another replica stored the same key between our look and our write: look again.
        return [calls]
    _fail(call, error)
    return []


def _fail(call: _Call[Any], error: Exception) -> None:
    if not call.result.done():
        call.result.set_exception(error)
