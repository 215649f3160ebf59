"""A built service: its runtime, its paths and its own loops; started, watched and stopped."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Awaitable, Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from fastapi import APIRouter, FastAPI
from sqlalchemy.exc import SQLAlchemyError

from shared.consuming.accounts import Accounts, Books
from shared.consuming.backlog import read_backlog
from shared.consuming.runtime import Runtime, log_death
from shared.consuming.transactor import Knobs
from shared.database import migrations
from shared.errors import LeveeError
from shared.http.auth import KeyRing
from shared.http.kit import make_app
from shared.id_source import IdSource
from shared.observability import otel
from shared.service.audit import audit_routes
from shared.service.figures import Own
from shared.service.operating import operator_routes
from shared.service.settings import version
from shared.service.starting import NotStarted, Waiting
from shared.time_source import Activity, TimeSource

if TYPE_CHECKING:
    from shared.bus.port import Bus

#: How long a stopping service finishes what is under way; orchestrators give 30 s.
DRAIN_S = 15.0
#: What is answered before the service has started: below its prefix.
_WATCHED = frozenset({"health", "ready", "metrics", "openapi.json"})


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What a service is given and others may share: time, ids, bus, keys."""

    time: TimeSource
    ids: IdSource
    bus: Bus
    activity: Activity
    keys: KeyRing
    knobs: Knobs = field(default_factory=Knobs)


@dataclass(slots=True)
class Service:
    """A built service: its runtime, its paths and its own loops."""

    name: str
    runtime: Runtime[Any]
    routes: Sequence[APIRouter] = ()
    #: Called in order after the runtime hears and before the API is served.
    on_start: Sequence[Callable[[], Awaitable[None]]] = ()
    #: Endless loops besides the runtime's own.
    loops: Sequence[Callable[[], Coroutine[Any, Any, None]]] = ()
    #: Further facts for /ready, name -> (is_well, detail).
    checks: Callable[[], Awaitable[dict[str, tuple[bool, str]]]] | None = None
    #: Further metrics, name -> labels -> value; only names of shared.observability.metrics.
    figures: Callable[[], Awaitable[Own]] | None = None
    #: The service's own part of what an auditor is told.
    books: Books | None = None
    #: Paths below its prefix whose bodies may have so many bytes: more than the kit lets in.
    large_bodies: Mapping[str, int] = field(default_factory=dict)
    #: How it waits for what is missing while it starts; None where nothing can be.
    waiting: Waiting | None = None
    _is_starting: bool = False
    _has_begun: bool = False
    _tasks: list[asyncio.Task[None]] = field(default_factory=list)
    _end_tracing: Callable[[], None] | None = None

    @property
    def accounts(self) -> Accounts | None:
        """What an auditor may ask."""
        if self.books is None:
            return None
        at = self.runtime
        return Accounts(
            self.name, at.database, at.tables, at.time, at.bus, at.consumers, self.books
        )

    async def start(self, waiting: Waiting | None = None) -> None:
        """Begin to work; its API is closed until that is done, except for the operator's paths.

        A database that does not answer is waited for as `waiting` says; without it,
        `DatabaseUnavailable` is raised. Raises `SchemaBehind` when the database was not migrated.
        """
        self.waiting, self._is_starting = waiting, True
        await self._step(lambda: migrations.require_current(self.name, self.runtime.database))
        self._begin_tracing()
        self._has_begun = True
        # Its first act is to read: where that fails, nothing of it has begun.
        await self._step(self.runtime.start)
        for prepare in self.on_start:
            await self._step(prepare)
        for loop in self.loops:
            task = asyncio.create_task(loop(), name=f"{self.name}-{loop.__name__}")
            task.add_done_callback(log_death)
            self._tasks.append(task)
        self._is_starting = False

    async def _step(self, step: Callable[[], Awaitable[None]]) -> None:
        await (step() if self.waiting is None else self.waiting.until_there(step))

    async def stop(self) -> None:
        """Drain and leave."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        if self._has_begun:
            await self.runtime.stop(DRAIN_S)
        await self.runtime.database.close()
        if self._end_tracing is not None:
            await asyncio.to_thread(self._end_tracing)

    def _begin_tracing(self) -> None:
        """Trace as the standard OTEL_ variables say, unless somebody gave a tracer."""
        if self.runtime.tracer is None and self.runtime.knobs.has_housekeeping:
            found = otel.tracer_for(self.name, version(), os.environ, self.runtime.time.now)
            if found is not None:
                self.runtime.tracer, self._end_tracing = found

    @property
    def dead_loops(self) -> list[str]:
        """Loops that ended although the service runs."""
        own = [task.get_name() for task in self._tasks if task.done()]
        return [*self.runtime.dead_loops, *own]

    async def readiness(self) -> dict[str, Any]:
        """Return the truth about this service: what works and what does not.

        `not_ready`: it cannot do its work (database away, a loop died). `degraded`: it works and
        something waits (bus away: requests are accepted and flow later; messages set aside).
        """
        runtime = self.runtime
        checks = self._begun() if self._is_starting else await self._stored()
        bus = runtime.bus
        away = f"not connected: {bus.problem}".removesuffix(": ")
        checks["bus"] = (bus.is_connected, "connected" if bus.is_connected else away)
        dead = self.dead_loops
        checks["loops"] = (not dead, ", ".join(dead) or "all running")
        is_ready = checks["database"][0] and checks["loops"][0] and not self._is_starting
        if self.checks is not None and checks["database"][0] and not self._is_starting:
            checks |= await self.checks()
        is_well = is_ready and all(is_fine for is_fine, _ in checks.values())
        stats = runtime.stats
        return {
            "service": self.name,
            "version": version(),
            "status": "ready" if is_well else "degraded" if is_ready else "not_ready",
            "time": runtime.time.now(),
            "checks": {k: {"is_well": w, "detail": d} for k, (w, d) in checks.items()},
            "counts": {
                "handled": stats.handled,
                "duplicates": stats.duplicates,
                "set_aside": stats.set_aside,
                "retried": stats.retried,
                "calls": stats.calls,
                "timers_fired": runtime.timers.lateness.fired,
                "timer_worst_lateness_s": round(runtime.timers.lateness.worst_s, 4),
                "published": runtime.relay.published,
            },
        }

    def _begun(self) -> dict[str, tuple[bool, str]]:
        """Return what is known of the start, without asking a database that may not answer."""
        missing = self.waiting.reason if self.waiting is not None else ""
        start = "waits for the database" if missing else "not finished"
        return {"database": (not missing, missing or "answers"), "start": (False, start)}

    async def _stored(self) -> dict[str, tuple[bool, str]]:
        """Return whether the database answers, and what waits in it."""
        runtime = self.runtime
        checks: dict[str, tuple[bool, str]] = {}
        try:
            await runtime.database.ping()
            checks["database"] = (True, "answers")
            found = await read_backlog(runtime.database, runtime.tables, runtime.time.now())
            age_s, set_aside = found.outbox_age_s, sum(found.set_aside.values())
            checks["outbox"] = (age_s < 60, f"{found.outbox} waiting, oldest {age_s:.1f} s")
            checks["set_aside"] = (set_aside == 0, f"{set_aside} set aside")
            checks["parked"] = (True, f"{found.parked} waiting for a predecessor")
        except (LeveeError, SQLAlchemyError) as error:
            checks["database"] = (False, str(error).split("\n", 1)[0])
        return checks

    def _closed(self, path: str) -> NotStarted | None:
        """Tell why a path is not served yet; who watches is answered from the beginning."""
        if not self._is_starting or path.removeprefix(f"/{self.name}/") in _WATCHED:
            return None
        return NotStarted(service=self.name)

    def app(self, keys: KeyRing) -> FastAPI:
        """Return the service's application; its paths begin with its own prefix."""
        app = make_app(
            f"Levee {self.name}",
            version(),
            keys,
            self.runtime.ids,
            prefix=f"/{self.name}",
            answered=self.runtime.stats.measures.answered,
            tracer=lambda: self.runtime.tracer,
            large=self.large_bodies,
            closed=self._closed,
        )
        # Paths are tried in order: the busy ones come before the operator's.
        accounts = self.accounts
        audit = [] if accounts is None else [audit_routes(accounts)]
        for routes in (*self.routes, operator_routes(self), *audit):
            app.include_router(routes, prefix=f"/{self.name}")
        return app
