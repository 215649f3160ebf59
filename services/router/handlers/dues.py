"""What the router hears of clocks: when something is due, so that an inbox can sort by it.

It decides nothing by it: clocks are the clock's. These handlers need nothing loaded.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from shared.database.tables import to_us

if TYPE_CHECKING:
    from collections.abc import Iterable
    from uuid import UUID

    from services.router.store import RouterWork
    from shared.events import clock
    from shared.events.base import Envelope, EventData

Due = tuple[int, str] | None


def note_running(
    event: Envelope[clock.ClockStarted] | Envelope[clock.ClockResumed], work: RouterWork
) -> None:
    """Clocks run, or run again."""
    _note(event, work, _promised(event.data.clocks))


def note_changed(
    event: Envelope[clock.ClockRebased] | Envelope[clock.ClockCorrected], work: RouterWork
) -> None:
    """Another target applies, or a late fact; to clocks that run."""
    _note(event, work, _promised(event.data.clocks), if_known=True)


def note_standing(
    event: Envelope[clock.ClockPaused] | Envelope[clock.ClockCancelled], work: RouterWork
) -> None:
    """Clocks stand still, or have no meaning any more: nothing is due by them."""
    _note(event, work, _gone(event.data.clock_ids))


def note_met(event: Envelope[clock.ClockMet], work: RouterWork) -> None:
    """What was promised happened."""
    _note(event, work, _gone([event.data.clock_id]))


def note_named_running(
    event: Envelope[clock.AgreementClockStarted] | Envelope[clock.AgreementClockResumed],
    work: RouterWork,
) -> None:
    """Clocks of further agreements or named stages run, or run again."""
    _note(event, work, _named(event.data.clocks))


def note_named_changed(
    event: Envelope[clock.AgreementClockRebased] | Envelope[clock.AgreementClockCorrected],
    work: RouterWork,
) -> None:
    """Another target applies to them."""
    _note(event, work, _named(event.data.clocks), if_known=True)


def note_named_standing(
    event: Envelope[clock.AgreementClockPaused] | Envelope[clock.AgreementClockCancelled],
    work: RouterWork,
) -> None:
    """They stand still, or have no meaning any more."""
    _note(event, work, _gone(named.clock_id for named in event.data.clocks))


def note_named_met(event: Envelope[clock.AgreementClockMet], work: RouterWork) -> None:
    """What was promised by one of them happened."""
    _note(event, work, _gone([event.data.clock.clock_id]))


def _note(
    event: Envelope[EventData], work: RouterWork, dues: dict[str, Due], *, if_known: bool = False
) -> None:
    work.inboxed.note(event.subject, dues, if_known=if_known)


def _promised(promises: Iterable[clock.Promise]) -> dict[str, Due]:
    return {
        str(promise.clock_id): None
        if promise.due_at is None
        else (to_us(promise.due_at), promise.metric.value)
        for promise in promises
    }


def _named(promises: Iterable[clock.NamedPromise]) -> dict[str, Due]:
    return {
        str(promise.clock_id): None
        if promise.due_at is None
        else (
            to_us(promise.due_at),
            f"{promise.name}@{promise.agreement}" if promise.agreement else promise.name,
        )
        for promise in promises
    }


def _gone(ids: Iterable[UUID]) -> dict[str, Due]:
    return {str(clock_id): None for clock_id in ids}
