"""Wires the clock: the only place that knows which store, bus and settings are real."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from services.clock import api, handlers, store
from services.clock.domain.coverage import subject_of
from services.clock.events_in import SUBSCRIPTIONS, TIMERS
from shared.business_time import Calendar, Coverage, coverage
from shared.consuming import Glance, Runtime
from shared.database.engine import Database
from shared.service import Service, Surroundings

if TYPE_CHECKING:
    from services.clock.settings import Settings
    from shared.consuming import WorkContext


def seen_from(calendar: Calendar, now: datetime) -> Coverage:
    """Return how far a calendar's holidays are known, seen from the local date of a moment."""
    return coverage(calendar, now.astimezone(ZoneInfo(calendar.zone)).date())


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

    async def prepare() -> None:
        """Fill in what a release before left empty, and read every calendar in force anew.

        This process may know more holidays than the last. Then their known holidays are looked
        at, for what was released before anybody did.
        """
        await store.fill_missing_numbers(database)
        async with database.reading() as connection:
            keys = (await shelf.look(connection)).calendar_versions()
        if keys:
            locks = [subject_of(key) for key in keys]
            await runtime.do(lambda work: handlers.renew_calendars(keys, work), locks=locks)

    async def coverages() -> list[Coverage]:
        """Say how far the holidays of each calendar in force are known."""
        async with database.reading() as connection:
            library = await shelf.look(connection)
        calendars = (library.calendar(key, None) for key in sorted(library.calendar_versions()))
        return [seen_from(calendar, given.time.now()) for calendar in calendars]

    async def checks() -> dict[str, tuple[bool, str]]:
        """Say whether a released definition was refused, and whether known holidays ended."""
        told = "; ".join(reason for _, reason in shelf.refused.values())
        known = [c for c in await coverages() if c.days_left is not None]
        over = [c for c in known if c.days_left is not None and c.days_left < 0]
        until = ", ".join(f"{c.key}: holidays known until {c.until}" for c in over or known)
        return {
            "definitions": (not shelf.refused, told or f"{shelf.refusals} refused so far"),
            "coverage": (not over, until or "no calendar needs holidays"),
        }

    async def figures() -> dict[str, dict[tuple[str, ...], float]]:
        """Count the definitions in force and those refused."""
        async with database.reading() as connection:
            versions = (await shelf.look(connection)).versions
        in_force = Counter((kind,) for kind, _ in versions)
        return {
            "levee_definitions_in_force": {kind: float(n) for kind, n in in_force.items()},
            "levee_definitions_refused": {(): float(len(shelf.refused))},
            "levee_calendar_covered_days": {
                (c.key,): float(c.days_left) for c in await coverages() if c.days_left is not None
            },
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
        on_start=[prepare],
        checks=checks,
        figures=figures,
    )
