"""Builds intake: the only place that knows which store, bus and settings are real."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from services.intake import store
from services.intake.api import Desk, Sealer, routes
from services.intake.events_in import SUBSCRIPTIONS, TIMERS
from shared.consuming import Runtime, WorkContext, lingering
from shared.database.engine import Database
from shared.service import Service

if TYPE_CHECKING:
    from services.intake.settings import Settings
    from shared.service import Surroundings

#: What others say of a request reaches portals so much later at most, many at a time.
_LINGER = timedelta(milliseconds=50)


@dataclass(slots=True, kw_only=True)
class IntakeService(Service):
    """Intake, with the desk that callers in the same process use."""

    desk: Desk
    sealer: Sealer


def build(settings: Settings, given: Surroundings) -> IntakeService:
    """Wire intake."""
    database = Database(settings.database_url, is_durable=settings.is_durable)
    shelf = store.Shelf(database)

    def work(context: WorkContext) -> store.IntakeWork:
        return store.IntakeWork(context, shelf)

    runtime: Runtime[store.IntakeWork] = Runtime(
        service="intake",
        database=database,
        tables=store.kit,
        bus=given.bus,
        time=given.time,
        ids=given.ids,
        activity=given.activity,
        work=work,
        subscriptions=SUBSCRIPTIONS,
        timers=TIMERS,
        knobs=lingering(settings.keeping(given.knobs), _LINGER),
        purges=[store.answer_purge(timedelta(seconds=settings.keep_answers_s))],
    )
    reading = store.Reading(database)
    route_within = timedelta(seconds=settings.route_within_s)
    desk = Desk(
        runtime,
        shelf=shelf,
        numbers=store.Numbers(database, ZoneInfo(settings.zone)),
        reading=reading,
        route_within=route_within,
    )
    housekeeping = store.Housekeeping(given.time, shelf)

    async def checks() -> dict[str, tuple[bool, str]]:
        versions = shelf.versions
        told = ", ".join(f"{key} {version}" for key, version in versions.items())
        late = await reading.unrouted(given.time.now() - route_within)
        return {
            "catalogue": (bool(versions), told or "none has arrived: nothing can be asked yet"),
            "routing": (late == 0, f"{late} not routed within {settings.route_within_s:g} s"),
        }

    sealer = Sealer(runtime, reading, timedelta(days=settings.keep_positions_days))
    loops = [housekeeping.watch_catalogues]
    if settings.keep_positions_days:
        loops.append(sealer.seal_for_ever)
    return IntakeService(
        "intake",
        runtime,
        books=store.BOOKS,
        routes=[routes(desk)],
        on_start=[shelf.refresh],
        loops=loops if given.knobs.has_housekeeping else [],
        checks=checks,
        desk=desk,
        sealer=sealer,
    )
