"""Known holidays: the alarm before they end, and running clocks when more are published."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date
from zoneinfo import ZoneInfo

from services.clock import events_out
from services.clock.domain import moving
from services.clock.domain.coverage import Known, outlook, subject_of
from services.clock.domain.targets import CalendarMissing
from services.clock.handlers.moves import MOVE, PAGE_NAME
from services.clock.handlers.port import EXTEND_PAGE, Work, record
from services.clock.store.moves import MoveJob
from shared.database.timers import Timer
from shared.events.base import Envelope
from shared.events.router import DefinitionReleased
from shared.targets.rows import DECISION

#: The kind of the timer each calendar has, at its subject and named by its key.
COVERAGE = "coverage"
#: The kind of the timer by which a calendar is read anew because a part of it changed.
RENEW = "renew"


def take_definition(event: Envelope[DefinitionReleased], work: Work) -> None:
    """Keep tables and calendars the clock computes with; requests stay on their version."""
    data = event.data
    if data.kind == "calendar" or (data.kind == "decision" and data.key == DECISION):
        work.release(data)
    if data.kind == "calendar":
        watch([data.key], work)
        _renew_later(work.made_of(data.key), work)


def renew_calendars(keys: Collection[str], work: Work) -> None:
    """Take calendars into force as they read now, those that are made of others last.

    After a start: newer holiday data may have come with this process. Each look afterwards is for
    any replica, whatever data it has.
    """
    waiting = sorted(keys)
    while found := [key for key in waiting if work.renew(key)]:
        waiting = sorted({other for key in found for other in work.made_of(key)})
    watch(keys, work)


def renew_calendar(timer: Timer, work: Work) -> None:
    """Take a calendar into force as it reads now, and what is made of it after it."""
    if work.renew(timer.name):
        watch([timer.name], work)
        _renew_later(work.made_of(timer.name), work)


def _renew_later(keys: Collection[str], work: Work) -> None:
    for key in keys:
        work.arm(RENEW, subject_of(key), key, work.now)


def watch(keys: Collection[str], work: Work) -> None:
    """Let somebody look at these calendars' known holidays in a moment."""
    for key in keys:
        work.arm(COVERAGE, subject_of(key), key, work.now)


def look_at_coverage(timer: Timer, work: Work) -> None:
    """Warn when a calendar's known holidays end soon; hand running clocks on when more are known.

    Then the timer waits for the moment of the next alarm.
    """
    try:
        calendar = work.library.calendar(timer.name, None)
    except CalendarMissing:
        return  # refused, and never released before
    known = work.known_of(timer.key) or Known(timer.name)
    found = outlook(calendar, known, work.now)
    if found.known != known:
        work.keep_known(found.known)
    until = found.known.until
    job = _hand_on(calendar.key, until, work) if until and found.has_older else None
    if until and found.extended_from:
        extended = events_out.coverage_extended(calendar, found.extended_from, until, job)
        work.publish(extended, subject=timer.key, occurred_at=work.now)
    if until and found.is_ending:
        today = work.now.astimezone(ZoneInfo(calendar.zone)).date()
        ending = events_out.coverage_warned(calendar, until, (until - today).days)
        work.publish(ending, subject=timer.key, occurred_at=work.now)
    if found.next_at is not None:
        work.arm(COVERAGE, timer.key, timer.name, found.next_at)


def _hand_on(key: str, until: date, work: Work) -> str:
    """Begin to put every running request under the version that knows more; return the job."""
    job = MoveJob(
        id=str(work.new_id(f"extend/{key}")),
        pins=work.library.in_force(),
        moved_by=moving.BY_ITSELF,
        reason=f"{key}: holidays known until {until.isoformat()}",
        created_at=work.now,
        extends=key,
    )
    work.keep_job(job)
    work.arm(EXTEND_PAGE, f"{MOVE}/{job.id}", PAGE_NAME, work.now)
    return job.id


def extend_clocks(timer: Timer, work: Work) -> None:
    """Put one request's running clocks under a calendar that knows more holidays, if it is that."""
    ledger, key = work.ledger(timer.key), str(timer.payload["calendar"])
    step = moving.extend(ledger, key, timer.name, work.now, work.library)
    if step.ledger is not ledger:
        record(step, work)
