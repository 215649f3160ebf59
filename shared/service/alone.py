"""A service as its own process: python -m services.<name> serve | migrate | check."""

from __future__ import annotations

import argparse
import asyncio
import gc
import math
import signal
import socket
import sys
from collections.abc import AsyncIterator, Callable, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager
from typing import Any, TypeVar

import uvicorn
from pydantic import ValidationError
from sqlalchemy.engine import make_url

from shared.bus.nats import connect as connect_bus
from shared.bus.port import kept_streams
from shared.consuming.transactor import LOOK_EVERY, PATIENCE, Knobs
from shared.database import migrations
from shared.database.engine import Database
from shared.errors import LeveeError
from shared.http.auth import KeyRing
from shared.id_source import RandomIds
from shared.observability import log_to_stderr
from shared.service.built import DRAIN_S, Service, Surroundings
from shared.service.settings import ServiceSettings
from shared.service.starting import JOB_WAITS_S, Waiting
from shared.time_source import Activity, SystemTime

S = TypeVar("S", bound=ServiceSettings)

#: Under this name an ASGI scope carries an event that is set when the server begins to stop:
#: answers without an end (event streams) end then, instead of holding the stop up.
STOPPING = "levee.stopping"


def run_alone(
    name: str,
    settings_type: type[S],
    build: Callable[[S, Surroundings], Service],
    argv: Sequence[str] | None = None,
) -> int:
    """Run one service as its own process; return the exit code."""
    parser = argparse.ArgumentParser(prog=f"python -m services.{name}")
    verbs = parser.add_subparsers(dest="verb", required=True)
    verbs.add_parser("serve", help="work until SIGTERM; waits for a database that is away")
    migrate = verbs.add_parser("migrate", help="bring the database to the latest schema")
    migrate.add_argument("--step", choices=["pre", "post"], help="only what may come before")
    migrate.add_argument(
        "--wait",
        type=_seconds,
        default=JOB_WAITS_S,
        metavar="SECONDS",
        help="how long to wait for a database that does not answer (default: %(default)g)",
    )
    verbs.add_parser("check", help="read settings, reach database and bus, print readiness")
    asked = parser.parse_args(argv)
    try:
        settings = settings_type()
    except LeveeError as error:
        sys.stderr.write(f"{error.sentence('zh-CN')}\n{error}\n")
        return 2
    except ValidationError as error:
        prefix = settings_type.model_config.get("env_prefix") or f"{name.upper()}_"
        for wrong in error.errors(include_url=False, include_input=False):
            place = ".".join(map(str, wrong["loc"]))
            variable = f"{prefix}{place.upper()}" if place else prefix.rstrip("_")
            sys.stderr.write(f"{variable}: {wrong['msg']}\n")
        return 2
    log_to_stderr(name, settings.log_level)
    acts: dict[str, Callable[[], Coroutine[Any, Any, int]]] = {
        "serve": lambda: _serve(name, settings, build),
        "migrate": lambda: _migrate(name, settings, asked.step, asked.wait),
        "check": lambda: _check(name, settings, build),
    }
    try:
        with asyncio.Runner(loop_factory=loop_factory()) as runner:
            return runner.run(_told(acts[asked.verb]))
    except KeyboardInterrupt:
        return 130


async def _told(act: Callable[[], Coroutine[Any, Any, int]]) -> int:
    try:
        return await act()
    except LeveeError as error:
        sys.stderr.write(f"{error.code}: {error.sentence('zh-CN')}\n{error.code}: {error}\n")
        return 1


def _seconds(told: str) -> float:
    seconds = float(told)
    if not 0 <= seconds < math.inf:
        raise ValueError(told)
    return seconds


def _waiting(name: str, settings: ServiceSettings, within_s: float | None) -> Waiting:
    """Return how a process waits for the database of its settings."""
    prefix = settings.model_config.get("env_prefix", "")
    shown = make_url(settings.database_url).render_as_string(hide_password=True)
    return Waiting(name, shown, f"{prefix}DATABASE_URL".upper(), within_s)


def loop_factory() -> Callable[[], asyncio.AbstractEventLoop] | None:
    """Return what makes event loops: uvloop where it exists (1.35 to 1.85 times as fast)."""
    if sys.platform == "win32":
        return None
    import uvloop

    return uvloop.new_event_loop


@asynccontextmanager
async def surroundings(settings: ServiceSettings, name: str) -> AsyncIterator[Surroundings]:
    """Give a service that runs alone its time, ids, bus and keys."""
    time, activity, password = SystemTime(), Activity(), settings.nats_password
    bus = await connect_bus(
        settings.nats_url.split(","),
        name=f"levee-{name}-{settings.replica}",
        time=time,
        user=settings.nats_user,
        password=password.get_secret_value() if password is not None else None,
        creds=settings.nats_creds,
        tls=settings.nats_tls(),
        replicas=settings.nats_replicas,
        streams=kept_streams({name: settings.stream_keep}),
        owner=name,
    )
    try:
        yield Surroundings(
            time,
            RandomIds(time),
            bus,
            activity,
            KeyRing(settings.keys_file, time),
            Knobs(
                replica=settings.replica,
                is_batching=settings.is_batching,
                patience=PATIENCE,
                look_every=LOOK_EVERY,
            ),
        )
    finally:
        await bus.close()


async def _migrate(
    name: str, settings: ServiceSettings, step: migrations.Step | None, within_s: float
) -> int:
    database = Database(settings.database_url)
    waiting = _waiting(name, settings, within_s)
    try:
        # A step is one transaction: what was cut off half-way was not done.
        await waiting.until_there(lambda: migrations.upgrade(name, database, step))
        found, _ = await migrations.current(name, database)
        sys.stdout.write(f"{name}: database at {found}\n")
    finally:
        await database.close()
    return 0


async def _check(name: str, settings: S, build: Callable[[S, Surroundings], Service]) -> int:
    async with surroundings(settings, name) as given:
        service = build(settings, given)
        at_once = _waiting(name, settings, 0)
        database = service.runtime.database
        await at_once.until_there(lambda: migrations.require_current(name, database))
        told = await service.readiness()
        sys.stdout.write(f"{told['service']} {told['version']}: {told['status']}\n")
        for check, found in told["checks"].items():
            sys.stdout.write(f"  {check}: {found['detail']}\n")
        await service.runtime.database.close()
        return 0 if told["status"] != "not_ready" else 1


async def _serve(name: str, settings: S, build: Callable[[S, Surroundings], Service]) -> int:
    async with surroundings(settings, name) as given:
        service = build(settings, given)
        waiting = _waiting(name, settings, within_s=None)
        starting = asyncio.create_task(service.start(waiting), name=f"{name}-start")
        has_begun = asyncio.create_task(waiting.has_begun.wait())
        try:
            # Who finds everything in place answers once it works; who has to wait says so.
            await asyncio.wait({starting, has_begun}, return_when=asyncio.FIRST_COMPLETED)
            app = service.app(given.keys)
            await serve_app(app, settings.host, settings.port, starting)
        finally:
            for task in (starting, has_begun):
                task.cancel()
            await asyncio.gather(starting, has_begun, return_exceptions=True)
            await service.stop()
    return 0


def collect_rarely() -> None:
    """Keep what exists now out of every garbage collection, and let collections be rare.

    What exists when a process begins to work lives as long as it does: without freezing it, p99
    was 46.7 ms instead of 18 (facts on floors, HTTP). What comes later is freed by its last
    reference, hardly anything in circles: 700 new objects, the default, is a fraction of one
    batch, and looking that often cost 6 to 13 % of a replay's processor time.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 20)


async def serve_app(
    app: Any, host: str, port: int, starting: asyncio.Task[None] | None = None
) -> None:
    """Serve until SIGTERM or SIGINT; open calls are finished, then it returns.

    `starting` is what goes on meanwhile; where that fails, serving ends and its error is raised.
    """
    if starting is not None and starting.done():
        starting.result()
    collect_rarely()
    stopping = asyncio.Event()

    async def told(scope: dict[str, Any], receive: Any, send: Any) -> None:
        scope[STOPPING] = stopping
        await app(scope, receive, send)

    config = uvicorn.Config(
        told,
        host=host,
        port=port,
        log_config=None,
        access_log=False,
        timeout_graceful_shutdown=int(DRAIN_S),
        lifespan="off",
        server_header=False,
    )
    server = _Server(config)
    server.stopping = stopping
    loop = asyncio.get_running_loop()
    for wanted in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(wanted, setattr, server, "should_exit", True)
    if starting is not None:
        starting.add_done_callback(server.started_or_not)
    await server.serve()
    if starting is not None and starting.done():
        starting.result()


class _Server(uvicorn.Server):
    """uvicorn without signal handlers of its own: after its end we still have to drain."""

    #: Set as soon as it begins to stop.
    stopping: asyncio.Event

    def started_or_not(self, starting: asyncio.Task[None]) -> None:
        """Go on with what now lives as long as the process, or end where it could not start."""
        if starting.cancelled() or starting.exception() is not None:
            self.should_exit = True
        else:
            collect_rarely()

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        """Tell endless answers to end, then wait for the others."""
        self.stopping.set()
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Leave the signals to whoever runs the server."""
        yield
