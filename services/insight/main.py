"""Wires insight: the only place that knows which store, bus and settings are real."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from services.insight import api, store
from services.insight.events_in import SUBSCRIPTIONS
from shared.consuming import Runtime, lingering
from shared.database.engine import Database
from shared.service import Service, Surroundings
from shared.time_source import SystemTime

if TYPE_CHECKING:
    from services.insight.settings import Settings
    from shared.consuming import WorkContext
    from shared.time_source import TimeSource

#: A board that is a fifth of a second behind looks the same and costs half (docs/performance.md).
_LINGER = timedelta(milliseconds=200)


@dataclass(slots=True)
class InsightService(Service):
    """Insight, with what callers in the same process may ask of it."""

    desk: api.Desk | None = None
    live: api.Live | None = None

    async def stop(self) -> None:
        """Let every viewer go, then drain and leave."""
        if self.live is not None:
            self.live.close()
        # Without arguments super() does not find a dataclass that was made anew for its slots.
        await Service.stop(self)


def build(
    settings: Settings, given: Surroundings, pace: TimeSource | None = None
) -> InsightService:
    """Return insight, ready to start; `pace` is the time viewers live in, really passing."""
    database = Database(settings.database_url, is_durable=settings.is_durable)
    desk = api.Desk(database, given.time, ZoneInfo(settings.zone))
    live = api.Live(desk, pace or SystemTime())
    hosts = frozenset(h.strip().lower() for h in settings.open_hosts.split(",") if h.strip())
    access = api.Access(is_open=settings.open_pages, open_hosts=hosts)

    def make_work(context: WorkContext) -> store.InsightWork:
        return store.InsightWork(context, live.changed)

    runtime: Runtime[Any] = Runtime(
        service="insight",
        database=database,
        tables=store.kit,
        bus=given.bus,
        time=given.time,
        ids=given.ids,
        activity=given.activity,
        work=make_work,
        subscriptions=SUBSCRIPTIONS,
        knobs=lingering(settings.keeping(given.knobs), _LINGER),
    )
    return InsightService(
        "insight",
        runtime,
        books=store.BOOKS,
        routes=[
            api.routes(desk, live, access, settings.due_soon_min),
            api.page_routes(desk, access, settings.due_soon_min),
        ],
        desk=desk,
        live=live,
    )
