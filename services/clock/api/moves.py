"""Moving running clocks to the versions in force: previewed, done in the background, undone."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Any
from uuid import UUID

from fastapi import APIRouter
from fastapi.responses import Response
from pydantic import BaseModel, ConfigDict, Field

from services.clock.domain.editions import edition_of, version_of
from services.clock.domain.moving import held_of, preview, undoing_of
from services.clock.handlers import begin_move
from services.clock.store import (
    ClockWork,
    MoveJob,
    MoveUndone,
    MoveUnfinished,
    NothingToUndo,
    Shelf,
    list_jobs,
    read_job,
    read_page_of_running,
    undone_by,
)
from services.clock.store.moves import PREFIX
from shared.consuming import Runtime
from shared.database.engine import Database
from shared.http.auth import Caller, needs
from shared.http.kit import Limit, Offset, json_answer, page

#: Requests named in a preview; the counts are of all.
_NAMED = 100


class MoveAsked(BaseModel):
    """Who moves, and why: both are kept."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    by: Annotated[str, Field(min_length=1, max_length=200)]
    reason: Annotated[str, Field(min_length=1, max_length=2000)]


def moves(runtime: Runtime[ClockWork], shelf: Shelf) -> APIRouter:
    """Return these paths below /v1."""
    router = APIRouter(prefix="/v1", tags=["moves"])
    _add_preview(router, runtime, shelf)
    _add_moves(router, runtime, shelf)
    return router


def _add_preview(router: APIRouter, runtime: Runtime[ClockWork], shelf: Shelf) -> None:
    @router.get("/moves/preview", summary="What moving the running clocks would do")
    async def get_preview(caller: Annotated[Caller, needs("process:write")]) -> Response:
        now, after = runtime.time.now(), ""
        counts: Counter[str] = Counter()
        named: list[dict[str, Any]] = []
        while True:
            ledgers, library = await read_page_of_running(runtime.database, shelf, after)
            if not ledgers:
                break
            pins = library.in_force()
            for ledger in ledgers:
                found = preview(ledger, pins, now, library)
                counts["requests"] += 1
                counts["requests_changed"] += bool(found.changed)
                counts["newly_breached"] += len(found.newly_breached)
                counts["no_longer_breached"] += len(found.no_longer_breached)
                if found.newly_breached and len(named) < _NAMED:
                    named.append(
                        {"request_id": ledger.request_id, "newly_breached": found.newly_breached}
                    )
            after = str(ledgers[-1].request_id)
        told = {
            name: counts[name]
            for name in ("requests", "requests_changed", "newly_breached", "no_longer_breached")
        }
        return json_answer({"at": now, **told, "examples": named})


def _add_moves(router: APIRouter, runtime: Runtime[ClockWork], shelf: Shelf) -> None:
    @router.post("/moves", summary="Move the running clocks to the versions in force")
    async def post_move(
        body: MoveAsked, caller: Annotated[Caller, needs("process:write")]
    ) -> Response:
        return await _begin(runtime, shelf, body, runtime.ids.new(), None)

    @router.post("/moves/{move_id}/undo", summary="Put them back under what they had")
    async def post_undo(
        move_id: UUID, body: MoveAsked, caller: Annotated[Caller, needs("process:write")]
    ) -> Response:
        await _must_be_undoable(runtime.database, shelf, str(move_id))
        return await _begin(runtime, shelf, body, UUID(undoing_of(str(move_id))), str(move_id))

    @router.get("/moves", summary="The log of moves, newest first")
    async def get_moves(
        caller: Annotated[Caller, needs("work:read")], limit: Limit = 100, offset: Offset = 0
    ) -> Response:
        found, total = await list_jobs(runtime.database, limit, offset)
        return json_answer(page([_told(job, None) for job in found], total, limit, offset))

    @router.get("/moves/{move_id}", summary="How far a move is")
    async def get_move(move_id: UUID, caller: Annotated[Caller, needs("work:read")]) -> Response:
        job, waiting = await read_job(runtime.database, str(move_id))
        return json_answer(_told(job, waiting))


async def _begin(
    runtime: Runtime[ClockWork], shelf: Shelf, body: MoveAsked, move_id: UUID, undoes: str | None
) -> Response:
    async with runtime.database.reading() as connection:
        pins = (await shelf.look(connection)).in_force()
    job = MoveJob(str(move_id), pins, body.by, body.reason, runtime.time.now(), undoes)
    # Locked by its name: an undoing is named after its move, so that of two at once one is told.
    is_new = await runtime.do(lambda work: begin_move(job, work), locks=[f"{PREFIX}{job.id}"])
    if not is_new:
        raise _undone(undoes or job.id, (await read_job(runtime.database, job.id))[0])
    return json_answer(_told(job, 0), 202, {"Location": f"/clock/v1/moves/{job.id}"})


async def _must_be_undoable(database: Database, shelf: Shelf, move_id: str) -> None:
    """Raise `NoSuchMove`, `MoveUnfinished`, `MoveUndone` or `NothingToUndo` unless it is."""
    job, waiting = await read_job(database, move_id)
    if waiting or not job.is_spread:
        raise MoveUnfinished(move_id=job.id, waiting=waiting)
    undoing = await undone_by(database, job.id)
    if undoing is not None:
        raise _undone(job.id, undoing)
    if not await _is_held(database, shelf, job.id):
        [latest], _ = await list_jobs(database, 1, 0)
        raise NothingToUndo(
            move_id=job.id,
            latest=latest.id,
            latest_at=latest.created_at.isoformat(),
            latest_by=latest.moved_by,
        )


async def _is_held(database: Database, shelf: Shelf, move_id: str) -> bool:
    """Whether the move holds for any running request."""
    after = ""
    while True:
        ledgers, _ = await read_page_of_running(database, shelf, after)
        if not ledgers:
            return False
        if any(held_of(ledger, move_id) for ledger in ledgers):
            return True
        after = str(ledgers[-1].request_id)


def _undone(move_id: str, undoing: MoveJob) -> MoveUndone:
    return MoveUndone(
        move_id=move_id,
        undone_at=undoing.created_at.isoformat(),
        undone_by=undoing.moved_by,
        undoing=undoing.id,
    )


def _told(job: MoveJob, waiting: int | None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "id": job.id,
        "moved_by": job.moved_by,
        "reason": job.reason,
        "created_at": job.created_at,
        "undoes": job.undoes,
        "extends": job.extends,
        "policy_version": job.pins.table,
        "calendar_versions": {key: version_of(n) for key, n in job.pins.calendars.items()},
        "calendar_editions": {
            key: edition_of(n) for key, n in job.pins.calendars.items() if edition_of(n)
        },
        "requests": job.requests,
        "is_spread": job.is_spread,
    }
    if waiting is not None:
        told |= {"waiting": waiting, "is_done": job.is_spread and waiting == 0}
    return told
