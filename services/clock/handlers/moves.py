"""Moving running clocks to the versions in force, on somebody's word: pages, then one by one."""

from __future__ import annotations

from services.clock.domain import moving, steps
from services.clock.domain.facts import Move
from services.clock.handlers.port import EXTEND, Work, record
from services.clock.store.moves import MoveJob
from shared.database.timers import Timer

#: The kinds of a move's timers: one that hands on pages of requests, one at each request.
MOVE_PAGE, MOVE, PAGE_NAME = "move_page", "move", "page"


def begin_move(job: MoveJob, work: Work) -> bool:
    """Keep a move and let its first page be handed on; False when it is under way already."""
    if work.page_of(f"{MOVE}/{job.id}") is not None:
        return False
    work.keep_job(job)
    work.arm(MOVE_PAGE, f"{MOVE}/{job.id}", PAGE_NAME, work.now)
    return True


def spread_move(timer: Timer, work: Work) -> None:
    """Hand a page of requests on, each to its own turn; then the next page."""
    found = work.page_of(timer.key)
    if found is None:
        return
    job, page = found
    kind, payload = MOVE, {"by": job.moved_by, "undoes": job.undoes}
    if job.extends is not None:
        kind, payload = EXTEND, {"calendar": job.extends}
    for request_id in page:
        work.arm(kind, request_id, job.id, work.now, payload)
    after = job.spread_over(page)
    work.keep_job(after)
    if not after.is_spread:
        work.arm(timer.kind, timer.key, timer.name, work.now)


def move_clocks(timer: Timer, work: Work) -> None:
    """Put one request's running clocks under the versions in force, or back.

    Should a version be released while the move is under way, whom it reaches later gets that.
    """
    ledger, told = work.ledger(timer.key), timer.payload
    if ledger.pins is None:
        return
    if told["undoes"] is not None:
        step = moving.undo(ledger, told["undoes"], told["by"], timer.name, work.now, work.library)
    else:
        move = Move(work.now, ledger.pins, told["by"], timer.name)
        step = steps.move(ledger, work.library.in_force(), move, work.library)
    if step.ledger is not ledger:
        record(step, work)
