"""Wires escalation: the only place that knows which store, bus and settings are real."""

from __future__ import annotations

from datetime import timedelta
from typing import TYPE_CHECKING, Any

from services.escalation import api, store
from services.escalation.events_in import SUBSCRIPTIONS, TIMERS
from shared.consuming import Glance, Runtime
from shared.database.engine import Database
from shared.service import Service, Surroundings

if TYPE_CHECKING:
    from services.escalation.settings import Settings
    from shared.consuming import WorkContext

#: A step that is later than this is a fault an operator must see (facts on escalation, §8).
_OVERDUE = timedelta(minutes=2)


def build(settings: Settings, given: Surroundings) -> Service:
    """Return escalation, ready to start."""
    database = Database(settings.database_url, is_durable=settings.is_durable)
    copies = store.Copies(Glance(given.time.monotonic, given.knobs.look_every))
    reading = store.Reading(database, copies)

    def make_work(context: WorkContext) -> store.EscalationWork:
        return store.EscalationWork(context, copies)

    runtime: Runtime[Any] = Runtime(
        service="escalation",
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

    async def checks() -> dict[str, tuple[bool, str]]:
        """Tell whether any climb stands still, and whether there is a policy to climb."""
        overdue = await reading.overdue(given.time.now(), _OVERDUE)
        policies = (await reading.in_force()).latest()
        return {
            "climbs": (overdue == 0, f"{overdue} with an overdue step"),
            "policies": (bool(policies), f"{len(policies)} in force"),
        }

    async def figures() -> dict[str, dict[tuple[str, ...], float]]:
        """Count the policies in force."""
        policies = (await reading.in_force()).latest()
        return {"levee_definitions_in_force": {("policy",): float(len(policies))}}

    return Service(
        "escalation",
        runtime,
        books=store.BOOKS,
        routes=[api.routes(runtime, reading)],
        checks=checks,
        figures=figures,
    )
