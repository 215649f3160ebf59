"""The shape of what a request nobody posted would be promised, and which clocks would run."""

from __future__ import annotations

from typing import Any

from services.clock.api.shapes import promised
from services.clock.domain.clocks import Clock, percents
from services.clock.domain.facts import Routed, name_of
from services.clock.domain.supposing import armed
from services.clock.domain.targets import Library, Promises
from shared.vocabulary import Metric


def asked(routed: Routed, library: Library) -> dict[str, Any]:
    """Return what such a request would be promised: every metric, and what would run at once."""
    promises = Promises(library, library.in_force(), routed)
    at = routed.submitted_at
    return {
        "submitted_at": at,
        "promises": [
            promised(metric, promises.target(metric, routed.priority, at), at) for metric in Metric
        ],
        "clocks": [_armed(clock) for clock in armed(routed, library)],
    }


def _armed(clock: Clock) -> dict[str, Any]:
    """Return a clock that would run, as far as it is known before it does."""
    reason = clock.no_due_reason()
    return {
        "clock": clock.key,
        "metric": str(clock.metric),
        "name": str(name_of(clock.key)),
        "agreement": clock.target.agreement or None,
        "kind": clock.target.candidates[0].row.kind or None,
        "target_s": clock.target.time.total_seconds(),
        "started_at": clock.run.started_at,
        "due_at": clock.due_at,
        "no_due_reason": reason.value if reason is not None else None,
        "is_provisional": clock.due.is_provisional,
        "thresholds": [
            {"at_percent_or_time": str(each), "reached_at": clock.crossing(each)}
            for each in percents(clock.target)
        ],
        "calendar": clock.target.calendar.key,
        "calendar_version": clock.target.calendar.version,
        "policy_version": clock.target.table,
        "explanation": clock.target.explanation(),
    }
