"""The shape of what a request nobody posted would be promised, by every agreement."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from services.clock.api.shapes import promised, promised_further
from services.clock.domain.clocks import Clock, percents
from services.clock.domain.editions import told_version
from services.clock.domain.facts import Routed, name_of
from services.clock.domain.promises import Promises
from services.clock.domain.supposing import armed
from services.clock.domain.targets import Library
from shared.targets.rows import STAGE
from shared.vocabulary import Metric


def asked(routed: Routed, library: Library) -> dict[str, Any]:
    """Return what such a request is promised: per metric, by further agreements; what would run."""
    promises = Promises(library, library.in_force(), routed)
    at = routed.submitted_at
    return {
        "submitted_at": at,
        "promises": [
            promised(metric, promises.target(metric, routed.priority, at), at) for metric in Metric
        ],
        "agreements": list(_further(promises)),
        "clocks": [_armed(clock) for clock in armed(routed, library)],
    }


def _further(promises: Promises) -> Iterator[dict[str, Any]]:
    """Yield what other agreements promise, and named stages: as if each began at submission."""
    at, priority = promises.routed.submitted_at, promises.routed.priority
    for metric in Metric:
        for target in promises.targets(metric, priority, at):
            if target.agreement:
                yield promised_further(target, str(metric), at)
    stages = {row.clock: row for row in promises.stage_rows(priority) if not row.fault}
    for name, row in sorted(stages.items()):
        for target in promises.targets(STAGE, priority, at, clock=name):
            told = promised_further(target, name, at)
            yield told | {"starts_on": row.starts_on, "stops_on": row.stops_on}


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
        **told_version(clock.target.calendar.version),
        "policy_version": clock.target.table,
        "explanation": clock.target.explanation(),
    }
