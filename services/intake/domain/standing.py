"""Where a request stands, as the router said it and the requester answered.

The router alone decides the state (contracts.md, Owners of state): what the requester does here
(withdraw, confirm, reopen) is remembered until the router has answered, and changes no state.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime

from shared.vocabulary import RequestState

#: States that end a request.
OVER = frozenset({RequestState.CLOSED, RequestState.CANCELLED})


@dataclass(frozen=True, slots=True)
class Standing:
    """The projection of one request; fields are None until somebody said them."""

    state: RequestState = RequestState.SUBMITTED
    #: When the state last changed (business time, UTC).
    changed_at: datetime | None = None
    routed_at: datetime | None = None
    priority: str | None = None
    lane: str | None = None
    team: str | None = None
    is_triage: bool = False
    assignee: str | None = None
    process: str | None = None
    process_version: int | None = None
    waiting_for: str | None = None
    resolution: str | None = None
    resolution_note: str | None = None
    ended_because: str | None = None
    #: What must come before it can close, although everybody agrees that it is solved.
    closing_waits_for: str | None = None
    handovers: int = 0
    reopenings: int = 0
    withdrawn_at: datetime | None = None
    confirmed_at: datetime | None = None
    #: The requester said "not solved" and the router has not answered yet.
    reopen_asked_at: datetime | None = None
    score: int | None = None
    comment: str | None = None
    ratings: int = 0

    @property
    def is_over(self) -> bool:
        """Whether nothing runs any more."""
        return self.state in OVER

    @property
    def is_routed(self) -> bool:
        """Whether the router has dealt with it at all."""
        return self.routed_at is not None or self.state is not RequestState.SUBMITTED


def routed(
    standing: Standing,
    at: datetime,
    *,
    priority: str,
    lane: str,
    team: str,
    is_triage: bool,
    process: str,
    process_version: int,
) -> Standing:
    """It has a lane, an owner team and a running process."""
    return replace(
        _in_state(standing, RequestState.OPEN, at),
        routed_at=at,
        priority=priority,
        lane=lane,
        team=team,
        is_triage=is_triage,
        process=process,
        process_version=process_version,
    )


def reprioritised(standing: Standing, priority: str) -> Standing:
    """It has another priority."""
    return replace(standing, priority=priority)


def in_lane(standing: Standing, lane: str, process: str | None) -> Standing:
    """It goes on in another lane, and in its process where that is named."""
    return replace(standing, lane=lane, process=process or standing.process)


def held(standing: Standing, waits_for: str) -> Standing:
    """It would be closed, were something else done."""
    return replace(standing, closing_waits_for=waits_for)


def assigned(standing: Standing, team: str, assignee: str) -> Standing:
    """One named person owns it."""
    return replace(standing, team=team, assignee=assignee, is_triage=False)


def handed_over(standing: Standing, team: str, handovers: int) -> Standing:
    """Another team owns it, and nobody in person yet."""
    return replace(standing, team=team, assignee=None, is_triage=False, handovers=handovers)


def unassigned(standing: Standing, team: str) -> Standing:
    """Nobody of the team owns it by name any more."""
    return replace(standing, team=team, assignee=None)


def waiting(standing: Standing, at: datetime, reason: str) -> Standing:
    """Nothing can be done until somebody outside answers."""
    return replace(_in_state(standing, RequestState.WAITING, at), waiting_for=reason)


def going_on(standing: Standing, at: datetime) -> Standing:
    """The wait is over."""
    if standing.state is not RequestState.WAITING:
        return replace(standing, waiting_for=None)
    return replace(_in_state(standing, RequestState.OPEN, at), waiting_for=None)


def resolved(standing: Standing, at: datetime, resolution: str, note: str) -> Standing:
    """It is solved in the agent's opinion; the requester is asked anew."""
    return replace(
        _in_state(standing, RequestState.RESOLVED, at),
        resolution=resolution,
        resolution_note=note,
        waiting_for=None,
        confirmed_at=None,
        reopen_asked_at=None,
    )


def reopened(standing: Standing, at: datetime, reopenings: int) -> Standing:
    """It was not solved after all."""
    return replace(
        _in_state(standing, RequestState.OPEN, at),
        resolution=None,
        resolution_note=None,
        ended_because=None,
        closing_waits_for=None,
        confirmed_at=None,
        reopen_asked_at=None,
        reopenings=reopenings,
    )


def closed(standing: Standing, at: datetime, reason: str) -> Standing:
    """Confirmed, by the requester or by time; nothing runs any more."""
    return _ended(standing, RequestState.CLOSED, at, reason)


def cancelled(standing: Standing, at: datetime, reason: str) -> Standing:
    """It ends unsolved."""
    return _ended(standing, RequestState.CANCELLED, at, reason)


def _ended(standing: Standing, state: RequestState, at: datetime, reason: str) -> Standing:
    return replace(
        _in_state(standing, state, at),
        ended_because=reason,
        closing_waits_for=None,
        waiting_for=None,
        reopen_asked_at=None,
    )


def _in_state(standing: Standing, state: RequestState, at: datetime) -> Standing:
    if standing.state is state:
        return standing
    return replace(standing, state=state, changed_at=at)
