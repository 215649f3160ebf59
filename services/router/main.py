"""Wires the router: the only place that knows which store, bus and settings are real."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from services.router import api, store
from services.router.api.announcing import Announcer
from services.router.api.desk import Desk
from services.router.api.left_behind import LeftBehind
from services.router.api.mailbox import Mailbox
from services.router.api.web_worker import WebWorker
from services.router.api.workshop import Workshop
from services.router.events_in import SUBSCRIPTIONS, TIMERS
from services.router.gateways import Folder
from services.router.gateways.web import Secrets
from shared.consuming import Glance, Runtime
from shared.consuming.keeping import purge_by
from shared.database.engine import Database
from shared.errors import LeveeError
from shared.http.addresses import OutboundPolicy
from shared.http.client import OutboundClient
from shared.service import Service, Surroundings

if TYPE_CHECKING:
    from services.router.settings import Settings
    from shared.consuming import WorkContext

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class RouterService(Service):
    """The router, with what callers in the same process may ask of it."""

    desk: Desk | None = None
    web_worker: WebWorker | None = None
    left_behind: LeftBehind | None = None


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
        purges=[
            purge_by(
                "messages",
                timedelta(days=settings.keep_messages_days),
                store.messages.c.expires_us,
            )
        ],
    )
    folder = Folder(settings.definitions_folder) if settings.definitions_folder else None
    desk = Desk(runtime, repository, folder)
    shop = Workshop(runtime)
    secrets = settings.web_secrets
    caller = WebWorker(
        shop,
        OutboundClient(
            OutboundPolicy.parse(e for e in settings.outbound_allow.split(",") if e.strip())
        ),
        Secrets.parse(secrets.get_secret_value() if secrets else None),
        given.time,
        f"levee/{given.knobs.replica}",
    )

    async def watch() -> None:
        """Take changed definitions into force, or keep what is wrong with them."""
        while True:
            await given.time.sleep(settings.watch_every_s)
            try:
                await desk.load_folder()
            except LeveeError as error:
                _log.warning("definitions not read this time: %s", error)

    async def figures() -> dict[str, dict[tuple[str, ...], float]]:
        """Count definitions, incidents and jobs."""
        return {**await desk.figures(), **await shop.figures()}

    left_behind = LeftBehind(runtime, repository)
    loops = [
        Announcer(runtime, repository).watch,
        left_behind.look_for_ever,
        caller.run,
        *([watch] if folder is not None else []),
    ]
    return RouterService(
        "router",
        runtime,
        books=store.books(repository),
        routes=[
            api.routes(desk),
            api.job_routes(shop),
            api.message_routes(Mailbox(runtime)),
        ],
        on_start=[desk.begin],
        loops=loops if given.knobs.has_housekeeping else [],
        checks=desk.checks,
        figures=figures,
        large_bodies=api.LARGE_BODIES,
        desk=desk,
        web_worker=caller,
        left_behind=left_behind,
    )
