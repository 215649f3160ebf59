"""The shapes of answers: clocks, explanations, promises. Durations are seconds of working time."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime
from typing import Any
from urllib.parse import quote
from zoneinfo import ZoneInfo

from services.clock.domain.clocks import Clock, Standing
from services.clock.domain.coverage import Known
from services.clock.domain.editions import edition_of, told_version, version_of
from services.clock.domain.facts import Ledger, name_of
from services.clock.domain.targets import Target
from shared.business_time import Calendar, alarm_at, coverage, due, explain, explain_due
from shared.vocabulary import Metric

_LANGUAGES = ("zh-CN", "en")


def request_clocks(ledger: Ledger, standing: Standing, now: datetime) -> dict[str, Any]:
    """Return all clocks of a request by metric: what is completed and what goes on."""
    assert ledger.routed is not None
    return {
        "request_id": ledger.request_id,
        "number": ledger.routed.number,
        "priority": standing.story.priority,
        "is_import": ledger.routed.is_import,
        "at": now,
        "confirmed_at": standing.story.confirmed_at,
        "metrics": [
            {
                "metric": metric.value,
                "completed": [
                    completed(ledger, c, standing, now)
                    for c in standing.of_metric(metric)
                    if c.is_ended and not c.is_further
                ],
                "ongoing": [
                    clock_shape(ledger, c, now)
                    for c in standing.of_metric(metric)
                    if not c.is_ended and not c.is_further
                ],
            }
            for metric in Metric
        ],
        "agreements": _agreements(ledger, standing, now),
    }


def _agreements(ledger: Ledger, standing: Standing, now: datetime) -> list[dict[str, Any]]:
    """Return the clocks of further agreements and named stages, by agreement and name."""
    found: dict[tuple[str, str, str], dict[str, Any]] = {}
    for clock in standing.clocks:
        if not clock.is_further:
            continue
        place = (clock.target.agreement, clock.metric, name_of(clock.key))
        entry = found.setdefault(
            place,
            {
                "agreement": place[0] or None,
                "metric": place[1],
                "name": place[2],
                "completed": [],
                "ongoing": [],
            },
        )
        entry["completed" if clock.is_ended else "ongoing"].append(clock_shape(ledger, clock, now))
    return [found[place] for place in sorted(found)]


def completed(ledger: Ledger, clock: Clock, standing: Standing, now: datetime) -> dict[str, Any]:
    """Return an ended clock; the resolution also with its figure up to the confirmation."""
    shape = clock_shape(ledger, clock, now)
    confirmed_at = standing.story.confirmed_at
    if clock.metric is Metric.RESOLUTION and confirmed_at is not None:
        elapsed = clock.elapsed_until(confirmed_at)
        shape["elapsed_until_confirmed_s"] = elapsed.total_seconds()
    return shape


def clock_shape(ledger: Ledger, clock: Clock, now: datetime) -> dict[str, Any]:
    """Return one clock as it stands."""
    threshold = clock.next_threshold_at(now)
    pause, reason = clock.open_pause, clock.no_due_reason()
    base = f"/clock/v1/requests/{ledger.request_id}"
    is_percent = threshold is not None and isinstance(threshold[0], int)
    return {
        "clock_id": clock.id,
        "clock": clock.key,
        "metric": str(clock.metric),
        "name": str(name_of(clock.key)),
        "agreement": clock.target.agreement or None,
        "kind": clock.target.candidates[0].row.kind or None,
        "state": clock.state_at(now).value,
        "is_breached": clock.is_breached_at(now),
        "is_breached_by_rebase": clock.is_breached_by_rebase(),
        "target_s": clock.target.time.total_seconds(),
        "elapsed_s": clock.elapsed_at(now).total_seconds(),
        "remaining_s": clock.remaining_at(now).total_seconds(),
        "paused_s": clock.paused_at(now).total_seconds(),
        "started_at": clock.run.started_at,
        "ended_at": clock.run.ended_at,
        "end_reason": clock.run.reason or None,
        "earlier_ends_at": clock.run.stops,
        "due_at": clock.due_at,
        "breaches_after": clock.breaches_at,
        "no_due_reason": reason.value if reason is not None else None,
        "paused_since": pause.start if pause is not None else None,
        "paused_for": pause.reason if pause is not None else None,
        "next_threshold_at": threshold[1] if threshold else None,
        "next_threshold": str(threshold[0]) if threshold else None,
        "next_threshold_percent": threshold[0] if threshold and is_percent else None,
        "thresholds": [str(each) for each in clock.target.thresholds],
        "thresholds_percent": [t for t in clock.target.thresholds if isinstance(t, int)],
        "calendar": clock.target.calendar.key,
        **told_version(clock.target.calendar.version),
        "policy_version": clock.target.table,
        "is_provisional": clock.is_provisional_at(now),
        "explanation": clock.target.explanation(),
        "explain": f"{base}/explanation?clock={quote(clock.key)}",
    }


def explanation(
    ledger: Ledger, clocks: Iterable[Clock], metric: str, now: datetime
) -> dict[str, Any]:
    """Return why each due moment is what it is: the rows, and every span counted or skipped."""
    return {
        "request_id": ledger.request_id,
        "metric": str(metric),
        "at": now,
        "clocks": [_explained(ledger, clock, now) for clock in clocks],
    }


def _explained(ledger: Ledger, clock: Clock, now: datetime) -> dict[str, Any]:
    told = clock.intervals_at(now)
    zone = clock.target.calendar.zone
    sentences = {
        language: [*explain(told, language), explain_due(clock.due, zone, language)]
        for language in _LANGUAGES
    }
    return {
        **clock_shape(ledger, clock, now),
        "table": clock.target.explanation(),
        "intervals": told.as_json(),
        "sentences": sentences,
    }


def promised(metric: Metric, target: Target | None, submitted_at: datetime) -> dict[str, Any]:
    """Return what would be promised for one metric, starting at a moment."""
    if target is None:
        return {"metric": metric.value, "is_clock_wanted": False}
    answer = due(target.calendar, submitted_at, target.time)
    return {
        "metric": metric.value,
        "is_clock_wanted": True,
        "target_s": target.time.total_seconds(),
        "due_at": answer.due_at,
        "no_due_reason": answer.reason.value if answer.reason is not None else None,
        "is_provisional": answer.is_provisional,
        "thresholds_percent": [t for t in target.thresholds if isinstance(t, int)],
        "calendar": target.calendar.key,
        **told_version(target.calendar.version),
        "policy_version": target.table,
        "explanation": target.explanation(),
    }


def promised_further(target: Target, name: str, start: datetime) -> dict[str, Any]:
    """Return what an agreement beside the promise outside, or a named stage, would be promised.

    `due_at` is when it falls due if it begins at `start`.
    """
    row = target.candidates[0].row
    answer = due(target.calendar, start, target.time)
    return {
        "name": name,
        "metric": target.inputs.metric,
        "agreement": target.agreement or None,
        "kind": row.kind or None,
        "target_s": target.time.total_seconds(),
        "due_at": answer.due_at,
        "is_provisional": answer.is_provisional,
        "calendar": target.calendar.key,
        **told_version(target.calendar.version),
        "thresholds": [str(each) for each in target.thresholds],
        "explanation": target.explanation(),
    }


def coverage_shape(calendar: Calendar, known: Known | None, now: datetime) -> dict[str, Any]:
    """Return how far a calendar's holidays are known, and whether somebody was told of the end."""
    found = coverage(calendar, now.astimezone(ZoneInfo(calendar.zone)).date())
    return {
        "calendar": calendar.key,
        **told_version(calendar.version),
        "name": {"zh-CN": calendar.label.zh, "en": calendar.label.en},
        "covered_until": found.until,
        "days_left": found.days_left,
        "alarm_at": alarm_at(calendar),
        "is_alarming": found.is_alarming,
        "was_warned": known is not None
        and found.until is not None
        and known.warned_until == found.until,
    }


def calendar_shape(
    calendar: Calendar,
    *,
    is_in_force: bool,
    released_by: str,
    released_at: datetime,
    data: str | None,
) -> dict[str, Any]:
    """Return one edition of a calendar; `covered_until` is the last date with known holidays."""
    return {
        "key": calendar.key,
        "version": version_of(calendar.version),
        "edition": edition_of(calendar.version),
        "name": {"zh-CN": calendar.label.zh, "en": calendar.label.en},
        "kind": calendar.kind.value,
        "zone": calendar.zone,
        "covered_until": calendar.known_until,
        "holiday_data": data,
        "valid_from": calendar.valid_from,
        "valid_until": calendar.valid_until,
        "is_in_force": is_in_force,
        "released_by": released_by,
        "released_at": released_at,
    }
