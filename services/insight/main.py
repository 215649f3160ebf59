"""Wires insight: the only place that knows which store, bus and settings are real."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from services.insight import store
from services.insight.events_in import SUBSCRIPTIONS
from shared.consuming import Runtime
from shared.database.engine import Database
from shared.service import Service, Surroundings

if TYPE_CHECKING:
    from services.insight.settings import Settings


@dataclass(slots=True)
class InsightService(Service):
    """Insight, with what callers in the same process may ask of it."""


def build(settings: Settings, given: Surroundings) -> InsightService:
    """Return insight, ready to start."""
    database = Database(settings.database_url, is_durable=settings.is_durable)
    runtime: Runtime[Any] = Runtime(
        service="insight",
        database=database,
        tables=store.kit,
        bus=given.bus,
        time=given.time,
        ids=given.ids,
        activity=given.activity,
        work=store.InsightWork,
        subscriptions=SUBSCRIPTIONS,
        knobs=given.knobs,
    )
    return InsightService("insight", runtime)
