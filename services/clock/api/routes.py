"""The clock's paths: clocks of a request, lists, explanations, calendars, what-if promises."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, ClassVar

from fastapi import APIRouter, Query
from fastapi.responses import Response
from pydantic import AwareDatetime, BaseModel, ConfigDict, Field

from services.clock.api import shapes
from services.clock.api.promising import asked
from services.clock.domain.clocks import standing
from services.clock.domain.coverage import subject_of
from services.clock.domain.facts import Routed
from services.clock.store import (
    ClockWork,
    RequestUnknown,
    Shelf,
    list_calendars,
    list_clocks,
    read_known,
    read_ledger,
    review_in_force,
)
from shared.consuming import Runtime
from shared.database.tables import from_us
from shared.errors import NotFound
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page
from shared.http.references import Reference
from shared.vocabulary import ClockState, Metric, Priority

#: What a list shows when no state is asked for: everything that still runs.
_OPEN = (ClockState.RUNNING, ClockState.PAUSED, ClockState.BREACHED)


class ClockUnknown(NotFound):
    """Request {request_id} has no clock for {metric}."""

    zh: ClassVar[str] = "请求 {request_id} 没有 {metric} 计时。"


class PromiseAsked(BaseModel):
    """A request that might be posted."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    request_type: Annotated[str, Field(max_length=100)]
    priority: Priority
    domain: Annotated[str, Field(max_length=100)]
    channel: Annotated[str, Field(max_length=100)] = "portal"
    customer_tier: Annotated[str, Field(max_length=100)] = "standard"
    #: Whose time it would be, and where it comes from; only tables that ask look at them.
    team: Annotated[str, Field(max_length=100)] = ""
    organisation_unit: Annotated[str, Field(max_length=200)] | None = None
    #: When it would be submitted; now when absent.
    submitted_at: AwareDatetime | None = None

    def routed(self, now: datetime) -> Routed:
        """Return what the router would say of it."""
        return Routed(
            at=now,
            submitted_at=self.submitted_at or now,
            number="",
            request_type=self.request_type,
            domain=self.domain,
            channel=self.channel,
            customer_tier=self.customer_tier,
            priority=self.priority,
            team=self.team,
            organisation_unit=self.organisation_unit or "",
        )


def routes(runtime: Runtime[ClockWork], shelf: Shelf) -> APIRouter:
    """Return the clock's paths below /v1."""
    router = APIRouter(prefix="/v1", tags=["clocks"])
    _add_requests(router, runtime, shelf)
    _add_lists(router, runtime, shelf)
    _add_promises(router, runtime, shelf)
    return router


def _add_requests(router: APIRouter, runtime: Runtime[ClockWork], shelf: Shelf) -> None:
    database, time = runtime.database, runtime.time

    @router.get("/requests/{reference}/clocks", summary="All clocks of a request")
    async def get_clocks(
        reference: Reference, caller: Annotated[Caller, needs("work:read")]
    ) -> Response:
        ledger, library = await read_ledger(database, shelf, reference)
        now = time.now()
        found = standing(ledger, now, library)
        if found is None:
            raise RequestUnknown(request_id=str(reference))
        return json_answer(shapes.request_clocks(ledger, found, now))

    @router.get(
        "/requests/{reference}/clocks/{metric}/explanation",
        summary="Why a due moment is what it is",
    )
    async def get_explanation(
        reference: Reference, metric: Metric, caller: Annotated[Caller, needs("work:read")]
    ) -> Response:
        ledger, library = await read_ledger(database, shelf, reference)
        now = time.now()
        found = standing(ledger, now, library)
        clocks = list(found.of_metric(metric)) if found is not None else []
        if not clocks:
            raise ClockUnknown(request_id=str(reference), metric=metric.value)
        return json_answer(shapes.explanation(ledger, clocks, metric, now))

    @router.get(
        "/requests/{reference}/explanation", summary="Why one clock's due moment is what it is"
    )
    async def get_clock_explanation(
        reference: Reference,
        clock: Annotated[str, Query(max_length=100, description="as `clock` names it")],
        caller: Annotated[Caller, needs("work:read")],
    ) -> Response:
        ledger, library = await read_ledger(database, shelf, reference)
        now = time.now()
        found = standing(ledger, now, library)
        clocks = [each for each in (found.clocks if found else ()) if each.key == clock]
        if not clocks:
            raise ClockUnknown(request_id=str(reference), metric=clock)
        return json_answer(shapes.explanation(ledger, clocks, clocks[0].metric, now))


def _add_lists(router: APIRouter, runtime: Runtime[ClockWork], shelf: Shelf) -> None:
    database, time = runtime.database, runtime.time

    @router.get("/clocks", summary="Clocks, least time left first")
    async def get_list(
        caller: Annotated[Caller, needs("board:read")],
        state: Annotated[list[ClockState] | None, Query(description="repeatable")] = None,
        metric: Annotated[
            str | None, Query(max_length=40, description="a metric, or `stage`")
        ] = None,
        agreement: Annotated[
            str | None, Query(max_length=40, description="its name; empty: the promise outside")
        ] = None,
        due_before: AwareDatetime | None = None,
        limit: Limit = 100,
        offset: Offset = 0,
    ) -> Response:
        found, total, library = await list_clocks(
            database,
            shelf,
            states=[wanted.value for wanted in state or _OPEN],
            metric=metric,
            agreement=agreement,
            due_before=due_before,
            limit=limit,
            offset=offset,
        )
        now = time.now()
        items = []
        for ledger, key in found:
            stands = standing(ledger, now, library)
            items += [
                {"request_id": ledger.request_id, **shapes.clock_shape(ledger, clock, now)}
                for clock in (stands.clocks if stands else ())
                if clock.key == key
            ]
        return json_answer(page(items, total, limit, offset))

    @router.get("/coverage", summary="How far the holidays of each calendar are known")
    async def get_coverage(caller: Annotated[Caller, needs("work:read")]) -> Response:
        async with database.reading() as connection:
            library = await shelf.look(connection)
            keys = sorted(library.calendar_versions())
            known = await read_known(connection, [str(subject_of(key)) for key in keys])
        now = time.now()
        items = [
            shapes.coverage_shape(library.calendar(key, None), known.get(str(subject_of(key))), now)
            for key in keys
        ]
        return json_answer(page(items, len(items), max(len(items), 1), 0))

    @router.get("/calendars", summary="Calendars, every version")
    async def get_calendars(caller: Annotated[Caller, needs("work:read")]) -> Response:
        rows = await list_calendars(database)
        async with database.reading() as connection:
            library = await shelf.look(connection)
            await shelf.ensure_calendars(connection, [(r["key"], r["number"]) for r in rows])
        in_force = library.calendar_versions()
        items: list[dict[str, Any]] = [
            shapes.calendar_shape(
                library.calendar(row["key"], row["number"]),
                is_in_force=in_force.get(row["key"]) == row["number"],
                released_by=row["released_by"],
                released_at=from_us(row["released_us"]),
                data=row["data"] or None,
            )
            for row in rows
        ]
        return json_answer(page(items, len(items), max(len(items), 1), 0))


def _add_promises(router: APIRouter, runtime: Runtime[ClockWork], shelf: Shelf) -> None:
    @router.post("/promises", summary="What would be promised")
    async def ask_promises(
        body: PromiseAsked, caller: Annotated[Caller, needs("work:read")]
    ) -> Response:
        async with runtime.database.reading() as connection:
            library = await shelf.look(connection)
        return json_answer(asked(body.routed(runtime.time.now()), library))

    @router.get("/agreements/findings", summary="What is odd about the targets in force")
    async def get_findings(caller: Annotated[Caller, needs("work:read")]) -> Response:
        now = runtime.time.now()
        version, found = await review_in_force(runtime.database, shelf, now)
        items = [finding.as_json() for finding in found]
        return json_answer({"at": now, "policy_version": version, "items": items})
