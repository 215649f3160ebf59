"""One escalation: raised, climbing, acknowledged or exhausted, closed."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from uuid import UUID

from services.escalation.domain.causes import Cause, reopens
from services.escalation.domain.plans import Plan
from shared.vocabulary import EscalationState, Priority

#: A telling and its link are void after this: a page that comes a day late wakes for nothing
#: (facts on escalation, complaint 3: an alert of June paged somebody in October).
LINK_LIFE = timedelta(hours=24)
#: Causes that are remembered; a request has a handful of clocks, so more is somebody's robot.
_MAX_CAUSES = 50


@dataclass(frozen=True, slots=True)
class Escalation:
    """One climb through a policy, frozen at the version it began with. Moments are UTC.

    `epoch` grows with every acknowledgement, re-opening and end: what was planned or sent under
    an older one is void. `begun_at` is the moment the plan counts from, `tier` the highest told.
    """

    id: UUID
    request_id: UUID
    policy: str
    policy_version: int
    team: str
    priority: Priority
    causes: tuple[Cause, ...]
    raised_at: datetime
    begun_at: datetime
    state: EscalationState = EscalationState.RAISED
    epoch: int = 1
    tier: int = 0
    next_place: tuple[int, int] | None = None
    next_at: datetime | None = None
    #: People told in this epoch: they hear when it is over.
    told: tuple[str, ...] = ()
    #: "No one answered" was said; it is said once per epoch.
    is_exhaustion_said: bool = False
    #: The first epoch whose links still count: the one after the last acknowledgement. A climb
    #: nobody had answered goes on under a new epoch, and who presses the older page takes it over.
    links_from: int = 1
    acknowledged_by: str | None = None
    acknowledged_at: datetime | None = None
    closed_at: datetime | None = None
    close_reason: str | None = None

    @property
    def is_climbing(self) -> bool:
        """Whether steps follow."""
        return self.state is EscalationState.RAISED

    @property
    def is_unanswered(self) -> bool:
        """Whether it still waits for a person."""
        return self.state in (EscalationState.RAISED, EscalationState.EXHAUSTED)

    def is_answered_by(self, epoch: int | None) -> bool:
        """Whether the button of a message of this epoch takes it over now."""
        is_ours = epoch is not None and self.links_from <= epoch <= self.epoch
        return is_ours and self.is_unanswered

    @property
    def is_closed(self) -> bool:
        """Whether it is over."""
        return self.state is EscalationState.CLOSED

    @property
    def main_cause(self) -> Cause:
        """The cause people are told of: the strongest one, of those the latest."""
        ordered = sorted(self.causes, key=lambda cause: cause.at)
        best = ordered[0]
        for cause in ordered[1:]:
            best = best if _is_below(cause, best) else cause
        return best


def begin(
    escalation_id: UUID,
    request_id: UUID,
    policy: tuple[str, int],
    plan: Plan,
    cause: Cause,
    team: str,
    priority: Priority,
) -> Escalation:
    """Begin to climb, counting from the moment of the cause."""
    first = plan.steps[0]
    return Escalation(
        id=escalation_id,
        request_id=request_id,
        policy=policy[0],
        policy_version=policy[1],
        team=team,
        priority=priority,
        causes=(cause,),
        raised_at=cause.at,
        begun_at=cause.at,
        next_place=first.place,
        next_at=cause.at + first.after,
    )


def attach(escalation: Escalation, cause: Cause, plan: Plan) -> Escalation:
    """Add a cause to an escalation that runs: one matter, one page.

    A stronger cause than those that were taken over, or one more broken promise where nobody
    answered to the end, starts the tier that was reached again, under a new epoch.
    """
    known = escalation.causes
    kept = tuple(c for c in known if not _is_same(c, cause))
    grown = replace(escalation, causes=(*kept, cause)[-_MAX_CAUSES:])
    is_unanswered = escalation.is_unanswered
    if escalation.is_climbing or not reopens(known, cause, is_unanswered=is_unanswered):
        return grown
    step = plan.at((min(max(escalation.tier, 1), plan.tiers + 1), 0))
    return replace(
        grown,
        state=EscalationState.RAISED,
        epoch=escalation.epoch + 1,
        begun_at=cause.at - step.after,
        next_place=step.place,
        next_at=cause.at,
        told=(),
        is_exhaustion_said=False,
    )


def acknowledge(escalation: Escalation, by: str, at: datetime) -> Escalation:
    """Let a person take it over: nothing follows any more."""
    return replace(
        escalation,
        state=EscalationState.ACKNOWLEDGED,
        epoch=escalation.epoch + 1,
        links_from=escalation.epoch + 1,
        next_place=None,
        next_at=None,
        told=(),
        acknowledged_by=by,
        acknowledged_at=at,
    )


def close(escalation: Escalation, reason: str, at: datetime) -> Escalation:
    """End it: its reason is gone or the request is over."""
    return replace(
        escalation,
        state=EscalationState.CLOSED,
        epoch=escalation.epoch + 1,
        next_place=None,
        next_at=None,
        told=(),
        closed_at=at,
        close_reason=reason,
    )


def _is_below(cause: Cause, other: Cause) -> bool:
    order = ("warned", "not_routed", "breached", "requested")
    return order.index(cause.kind) < order.index(other.kind)


def _is_same(known: Cause, cause: Cause) -> bool:
    if cause.clock_id is None:
        return known.kind == cause.kind and cause.kind == "not_routed"
    return _what(known) == _what(cause)


def _what(cause: Cause) -> tuple[object, ...]:
    return (cause.kind, cause.clock_id, cause.threshold_percent, cause.threshold_time)
