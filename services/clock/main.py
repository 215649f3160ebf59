"""Wires the clock: the only place that knows which store, bus and settings are real."""

from __future__ import annotations

from collections import Counter
from datetime import timedelta
from typing import TYPE_CHECKING

from services.clock import api, store
from services.clock.events_in import SUBSCRIPTIONS, TIMERS
from shared.consuming import Glance, Runtime
from shared.database.engine import Database
from shared.service import Service, Surroundings

if TYPE_CHECKING:
    from services.clock.settings import Settings
    from shared.consuming import WorkContext


def build(settings: Settings, given: Surroundings) -> Service:
    """Return the clock, ready to start."""
    database = Database(settings.database_url, is_durable=settings.is_durable)
    shelf = store.Shelf(glance=Glance(given.time.monotonic, given.knobs.look_every))
    started_at = given.time.now()
    caught_up_at = started_at + timedelta(seconds=settings.catch_up_s)

    def make_work(context: WorkContext) -> store.ClockWork:
        return store.ClockWork(context, shelf, started_at, caught_up_at)

    runtime: Runtime[store.ClockWork] = Runtime(
        service="clock",
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
        """Say whether a released definition was refused."""
        told = "; ".join(reason for _, reason in shelf.refused.values())
        return {"definitions": (not shelf.refused, told or f"{shelf.refusals} refused so far")}

    async def figures() -> dict[str, dict[tuple[str, ...], float]]:
        """Count the definitions in force and those refused."""
        async with database.reading() as connection:
            versions = (await shelf.look(connection)).versions
        in_force = Counter((kind,) for kind, _ in versions)
        return {
            "levee_definitions_in_force": {kind: float(n) for kind, n in in_force.items()},
            "levee_definitions_refused": {(): float(len(shelf.refused))},
        }

    return Service(
        "clock",
        runtime,
        books=store.BOOKS,
        routes=[
            api.routes(runtime, shelf),
            api.asking(runtime, shelf),
            api.moves(runtime, shelf),
        ],
        checks=checks,
        figures=figures,
    )
