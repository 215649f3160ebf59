"""Why somebody is told: the causes of an escalation and which of them is the stronger one."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from shared.definitions.models import EscalationPolicy

WARNED, BREACHED, REQUESTED, NOT_ROUTED = "warned", "breached", "requested", "not_routed"

#: A person's wish is above a broken promise, and that above one that may still be kept.
_STRENGTH = {WARNED: 1, BREACHED: 2, NOT_ROUTED: 2, REQUESTED: 3}

#: How the clock names the threshold that is the breach.
_BREACH = "100"

#: Never a cause by itself: this clock runs because people were told already.
_OWN_METRIC = "escalation_response"


@dataclass(frozen=True, slots=True)
class Cause:
    """One reason to tell somebody: `kind` is warned, breached, requested or not_routed.

    `at` is when it came about, `due_at` when the promise is (or was) due; both UTC.
    """

    kind: str
    at: datetime
    metric: str | None = None
    threshold_percent: int | None = None
    clock_id: UUID | None = None
    reason: str | None = None
    due_at: datetime | None = None
    by: str | None = None
    #: Working time before or after the target ("-PT30M") where that was the threshold.
    threshold_time: str | None = None


def starts(policy: EscalationPolicy, cause: Cause) -> bool:
    """Return whether the policy wants people told for this cause.

    A policy that names no metrics means all of them, but for the clock of escalation itself.
    """
    if cause.kind in (REQUESTED, NOT_ROUTED):
        return True
    is_named = cause.metric in policy.metrics if policy.metrics else cause.metric != _OWN_METRIC
    if cause.kind == BREACHED:
        return is_named and policy.on_breached
    if cause.threshold_time is not None:
        return is_named and cause.threshold_time in policy.on_warned_time
    return is_named and cause.threshold_percent in policy.on_warned_percent


def strength(causes: Iterable[Cause]) -> int:
    """Return the strength of the strongest cause; 0 when there is none."""
    return max((_STRENGTH[cause.kind] for cause in causes), default=0)


def reopens(known: Collection[Cause], cause: Cause, *, is_unanswered: bool = False) -> bool:
    """Return whether a cause calls people again who had taken over what was known before.

    A person who presses the button wants somebody now, whatever was acknowledged. Where nobody
    had answered at all (`is_unanswered`), every further promise that is broken calls again.
    """
    if cause.kind == REQUESTED or strength([cause]) > strength(known):
        return True
    if not is_unanswered or cause.kind != BREACHED:
        return False
    return all(one.clock_id != cause.clock_id for one in known if one.kind == BREACHED)


def without_clocks(causes: Iterable[Cause], gone: Collection[UUID]) -> tuple[Cause, ...]:
    """Return the causes that are left when these clocks were met or have no meaning any more."""
    return tuple(cause for cause in causes if cause.clock_id not in gone)


def without_thresholds(
    causes: Iterable[Cause], withdrawn: Mapping[UUID, Collection[str]]
) -> tuple[Cause, ...]:
    """Return the causes that are left when clocks take back thresholds they had announced.

    `withdrawn` names them per clock as the clock does: "75", "-PT30M", "100" for the breach.
    """
    return tuple(
        cause
        for cause in causes
        if cause.clock_id is None or _threshold(cause) not in withdrawn.get(cause.clock_id, ())
    )


def _threshold(cause: Cause) -> str:
    if cause.kind == BREACHED:
        return _BREACH
    return cause.threshold_time or str(cause.threshold_percent)


def without_kind(causes: Iterable[Cause], kind: str) -> tuple[Cause, ...]:
    """Return the causes of any other kind."""
    return tuple(cause for cause in causes if cause.kind != kind)
