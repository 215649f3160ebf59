"""The entries of the read model, and what each thing that is heard makes of them.

Plain values and functions. Events of one publisher about a request come in order; those of
different publishers may overtake one another. So a field belongs to one publisher alone, or its
rule gives the same whatever came first. Moments are UTC.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shared.vocabulary import ClockState, RequestState

#: The visible queue for what no table row names an owner for (docs/glossary.md).
TRIAGE = "triage"
#: States in which somebody still has to do something.
OPEN_STATES = (RequestState.SUBMITTED, RequestState.OPEN, RequestState.WAITING)


@dataclass(frozen=True, slots=True)
class RequestEntry:
    """One request as insight knows it. Intake owns what was posted, the router the rest."""

    id: str
    number: str = ""
    source: str | None = None
    external_id: str | None = None
    title: str = ""
    request_type: str = ""
    domain: str = ""
    organisation_unit: str | None = None
    channel: str = ""
    priority: str | None = None
    lane: str | None = None
    #: Empty until it is routed.
    team: str = ""
    assignee: str | None = None
    state: RequestState = RequestState.SUBMITTED
    waiting_reason: str | None = None
    is_posted: bool = False
    is_routed: bool = False
    is_triage: bool = False
    submitted_at: datetime | None = None
    resolved_at: datetime | None = None
    closed_at: datetime | None = None
    handovers: int = 0
    reopenings: int = 0
    rating: int | None = None

    @property
    def is_open(self) -> bool:
        """Whether it was submitted and is not resolved, closed or cancelled."""
        return self.submitted_at is not None and self.state in OPEN_STATES


@dataclass(frozen=True, slots=True)
class Described:
    """What both intake and the router say of a request; intake's word wins."""

    number: str
    request_type: str
    domain: str
    organisation_unit: str | None
    channel: str


def post(
    entry: RequestEntry,
    told: Described,
    *,
    source: str,
    external_id: str | None,
    title: str,
    at: datetime,
) -> RequestEntry:
    """Note what was posted."""
    return replace(
        _described(entry, told),
        source=source,
        external_id=external_id,
        title=title,
        is_posted=True,
        submitted_at=_earlier(entry.submitted_at, at),
    )


def route(
    entry: RequestEntry,
    told: Described,
    *,
    priority: str,
    lane: str,
    team: str,
    is_triage: bool,
    submitted_at: datetime,
) -> RequestEntry:
    """Note lane and owner; what it was called stays when intake has said so already."""
    return replace(
        entry if entry.is_posted else _described(entry, told),
        priority=priority,
        lane=lane,
        team=team,
        is_triage=is_triage,
        is_routed=True,
        state=RequestState.OPEN,
        submitted_at=_earlier(entry.submitted_at, submitted_at),
    )


def assign(entry: RequestEntry, team: str, assignee: str) -> RequestEntry:
    """Note who owns it."""
    return replace(entry, team=team, assignee=assignee)


def hand_over(entry: RequestEntry, to_team: str, handovers: int) -> RequestEntry:
    """Note the new team; nobody there owns it by name yet."""
    return replace(
        entry, team=to_team, assignee=None, handovers=handovers, is_triage=to_team == TRIAGE
    )


def unassign(entry: RequestEntry, team: str) -> RequestEntry:
    """Note that nobody of the team owns it by name any more."""
    return replace(entry, team=team, assignee=None)


def wait(entry: RequestEntry, reason: str) -> RequestEntry:
    """Note that nothing can be done until somebody outside answers."""
    return replace(entry, state=RequestState.WAITING, waiting_reason=reason)


def resume(entry: RequestEntry) -> RequestEntry:
    """Note that the wait is over."""
    return replace(entry, state=RequestState.OPEN, waiting_reason=None)


def resolve(entry: RequestEntry, at: datetime) -> RequestEntry:
    """Note that it is solved."""
    return replace(entry, state=RequestState.RESOLVED, waiting_reason=None, resolved_at=at)


def reopen(entry: RequestEntry, reopenings: int) -> RequestEntry:
    """Note that it was not solved after all."""
    return replace(
        entry,
        state=RequestState.OPEN,
        resolved_at=None,
        closed_at=None,
        reopenings=reopenings,
    )


def close(entry: RequestEntry, at: datetime) -> RequestEntry:
    """Note that it is over."""
    return replace(entry, state=RequestState.CLOSED, waiting_reason=None, closed_at=at)


def cancel(entry: RequestEntry, at: datetime) -> RequestEntry:
    """Note that it ended unsolved."""
    return replace(entry, state=RequestState.CANCELLED, waiting_reason=None, closed_at=at)


def _described(entry: RequestEntry, told: Described) -> RequestEntry:
    return replace(
        entry,
        number=told.number,
        request_type=told.request_type,
        domain=told.domain,
        organisation_unit=told.organisation_unit,
        channel=told.channel,
    )


def _earlier(known: datetime | None, told: datetime) -> datetime:
    return told if known is None else min(known, told)


@dataclass(frozen=True, slots=True)
class Promised:
    """What the clock promises: target in seconds of the calendar's time, due moment, reason."""

    target_s: float
    due_at: datetime | None
    started_at: datetime
    calendar: str
    calendar_version: int
    #: JSON: table, version, rule, inputs.
    explanation: str


@dataclass(frozen=True, slots=True)
class ClockEntry:
    """One clock of a request. Only the clock service speaks of it, in order."""

    id: str
    request_id: str
    metric: str
    state: ClockState = ClockState.RUNNING
    promised: Promised | None = None
    pause_reason: str | None = None
    #: The target passed without being met; stays when it was met late.
    is_breached: bool = False
    breached_at: datetime | None = None
    #: Seconds of the calendar's time, known when it was met.
    elapsed_s: float | None = None
    paused_s: float | None = None
    met_at: datetime | None = None

    @property
    def is_under_way(self) -> bool:
        """Whether it has not ended; it may stand still."""
        return self.state in (ClockState.RUNNING, ClockState.PAUSED)

    @property
    def due_at(self) -> datetime | None:
        """When it is due; None while it stands still."""
        return self.promised.due_at if self.promised else None

    @property
    def decided_at(self) -> datetime | None:
        """When it was decided whether the promise was kept: the breach, or being met in time.

        None while that is open, and for cancelled clocks.
        """
        if self.state is ClockState.CANCELLED:
            return None
        return self.breached_at if self.is_breached else self.met_at


def promise(
    clock: ClockEntry, promised: Promised, at: datetime, *, is_taken_back: bool = False
) -> ClockEntry:
    """Let the clock run under what is promised at `at`: started, resumed, re-based, corrected.

    A breach told before is withdrawn where the clock takes it back, or the promise now lies ahead.
    """
    is_ahead = promised.due_at is not None and promised.due_at > at
    is_breached = clock.is_breached and not is_ahead and not is_taken_back
    return replace(
        clock,
        promised=promised,
        is_breached=is_breached,
        breached_at=clock.breached_at if is_breached else None,
    )


def run(clock: ClockEntry, promised: Promised, at: datetime) -> ClockEntry:
    """Let the clock run (again): started, or resumed after a wait or a reopening."""
    return replace(
        promise(clock, promised, at),
        state=ClockState.RUNNING,
        pause_reason=None,
        elapsed_s=None,
        paused_s=None,
        met_at=None,
    )


def pause(clock: ClockEntry, reason: str) -> ClockEntry:
    """Let the clock stand still: nothing is due until it goes on."""
    promised = replace(clock.promised, due_at=None) if clock.promised else None
    return replace(clock, state=ClockState.PAUSED, pause_reason=reason, promised=promised)


def breach(clock: ClockEntry, at: datetime) -> ClockEntry:
    """Note that the target passed."""
    return replace(clock, is_breached=True, breached_at=at)


def meet(
    clock: ClockEntry, elapsed_s: float, paused_s: float, *, is_breached: bool, at: datetime
) -> ClockEntry:
    """Note that what was promised happened, in time or late."""
    return replace(
        clock,
        state=ClockState.MET,
        pause_reason=None,
        elapsed_s=elapsed_s,
        paused_s=paused_s,
        met_at=at,
        is_breached=is_breached,
        breached_at=(clock.breached_at or at) if is_breached else None,
    )


def withdraw(clock: ClockEntry) -> ClockEntry:
    """Note that the clock has no meaning any more."""
    return replace(clock, state=ClockState.CANCELLED, pause_reason=None, met_at=None)
