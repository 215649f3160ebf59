"""The report of a replay: every request with its clocks, and the totals.

Percentiles are nearest-rank over the requests whose clock was met (late or not), in seconds of
the clock's calendar; attainment is met in time over all that ended or breached.
"""

from __future__ import annotations

import math
from collections import Counter, defaultdict
from typing import Any

Clock = dict[str, Any]

_PERCENTS = (50, 90, 95, 99)


def percentiles(values: list[float]) -> dict[str, float | None]:
    """Return nearest-rank percentiles; None where there is nothing to rank."""
    ordered = sorted(values)
    return {
        f"p{percent}": ordered[math.ceil(percent / 100 * len(ordered)) - 1] if ordered else None
        for percent in _PERCENTS
    }


def metric_totals(requests: list[dict[str, Any]]) -> dict[str, Any]:
    """Return per metric: how many clocks by state, attainment and percentiles of elapsed time."""
    states: dict[str, Counter[str]] = defaultdict(Counter)
    elapsed: dict[str, list[float]] = defaultdict(list)
    for clock in (clock for request in requests for clock in request["clocks"]):
        states[clock["metric"]][clock["state"]] += 1
        if clock["is_stopped"]:
            elapsed[clock["metric"]].append(clock["elapsed_s"])
    totals = {}
    for metric in sorted(states):
        counted = states[metric]
        judged = counted["met"] + counted["breached"]
        totals[metric] = {
            "clocks": sum(counted.values()),
            "states": dict(sorted(counted.items())),
            "attainment": round(counted["met"] / judged, 4) if judged else None,
            "elapsed_s": percentiles(elapsed[metric]),
        }
    return totals


def totals(
    requests: list[dict[str, Any]],
    *,
    escalations: dict[str, Any],
    notifications: dict[str, Any],
    log: dict[str, Any],
) -> dict[str, Any]:
    """Return the totals over all requests."""
    by_priority = Counter(request["priority"] for request in requests)
    return {
        "requests": len(requests),
        "by_priority": dict(sorted(by_priority.items())),
        "by_state": dict(sorted(Counter(request["state"] for request in requests).items())),
        "team_changes": sum(request["team_changes"] for request in requests),
        "metrics": metric_totals(requests),
        "escalations": escalations,
        "notifications": notifications,
        "log": log,
    }
