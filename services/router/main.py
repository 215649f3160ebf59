"""Wires the router: the only place that knows which store, bus and settings are real."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.router import api, store
from services.router.api.announcing import Announcer
from services.router.api.desk import Desk
from services.router.events_in import SUBSCRIPTIONS, TIMERS
from services.router.gateways import Folder
from shared.consuming import Glance, Runtime
from shared.database.engine import Database
from shared.errors import LeveeError
from shared.service import Service, Surroundings

if TYPE_CHECKING:
    from services.router.settings import Settings
    from shared.consuming import WorkContext

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RouterService(Service):
    """The router, with what callers in the same process may ask of it."""

    desk: Desk | None = None


def build(settings: Settings, given: Surroundings) -> RouterService:
    """Return the router, ready to start."""
    database = Database(settings.database_url, is_durable=settings.is_durable)
    repository = store.Repository(Glance(given.time.monotonic, given.knobs.look_every))

    def make_work(context: WorkContext) -> store.RouterWork:
        return store.RouterWork(context, repository)

    runtime: Runtime[Any] = Runtime(
        service="router",
        database=database,
        tables=store.kit,
        bus=given.bus,
        time=given.time,
        ids=given.ids,
        activity=given.activity,
        work=make_work,
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        knobs=settings.keeping(given.knobs),
    )
    folder = Folder(settings.definitions_folder) if settings.definitions_folder else None
    desk = Desk(runtime, repository, folder)

    async def watch() -> None:
        """Take changed definitions into force, or keep what is wrong with them."""
        while True:
            await given.time.sleep(settings.watch_every_s)
            try:
                await desk.load_folder()
            except LeveeError as error:
                _log.warning("definitions not read this time: %s", error)

    loops = [Announcer(runtime, repository).watch, *([watch] if folder is not None else [])]
    return RouterService(
        "router",
        runtime,
        books=store.books(repository),
        routes=[api.routes(desk)],
        on_start=[desk.begin],
        loops=loops if given.knobs.has_housekeeping else [],
        checks=desk.checks,
        figures=desk.figures,
        large_bodies=api.LARGE_BODIES,
        desk=desk,
    )
