"""Between entries and rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import orjson

from services.insight.domain.entries import ClockEntry, Promised, RequestEntry
from services.insight.domain.followers import (
    DeliveryEntry,
    EscalationEntry,
    IncidentEntry,
    Outcome,
    Told,
)
from shared.database.tables import from_us, to_us
from shared.vocabulary import ClockState, EscalationState, RequestState

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import datetime

Row = dict[str, Any]


def us(moment: datetime | None) -> int | None:
    """Return a moment as it is stored."""
    return None if moment is None else to_us(moment)


def at(microseconds: int | None) -> datetime | None:
    """Return a stored moment."""
    return None if microseconds is None else from_us(microseconds)


def clean(text: str) -> str:
    """Return a text PostgreSQL can keep: it keeps no NUL."""
    return text.replace("\x00", "")


def request_row(entry: RequestEntry, clocks: Iterable[ClockEntry]) -> Row:
    """Return a request's row, with what its clocks mean for boards and lists.

    `due_us`: earliest due of a running clock not breached yet; `urgent_us`: earliest due of any
    running clock, passed or not; `is_overdue`: a breached clock has not ended.
    """
    known = [clock for clock in clocks if clock.is_under_way]
    running = [clock for clock in known if clock.state is ClockState.RUNNING]
    ahead = [to_us(c.due_at) for c in running if c.due_at is not None and not c.is_breached]
    urgent = [to_us(c.due_at) for c in running if c.due_at is not None]
    return {
        "id": entry.id,
        "number": entry.number,
        "source": entry.source,
        "external_id": entry.external_id,
        "title": clean(entry.title),
        "request_type": entry.request_type,
        "domain": entry.domain,
        "organisation_unit": entry.organisation_unit,
        "channel": entry.channel,
        "priority": entry.priority,
        "lane": entry.lane,
        "team": entry.team,
        "assignee": entry.assignee,
        "state": entry.state.value,
        "waiting_reason": entry.waiting_reason,
        "is_posted": entry.is_posted,
        "is_routed": entry.is_routed,
        "is_triage": entry.is_triage,
        "submitted_us": us(entry.submitted_at),
        "resolved_us": us(entry.resolved_at),
        "closed_us": us(entry.closed_at),
        "handovers": entry.handovers,
        "reopenings": entry.reopenings,
        "rating": entry.rating,
        "is_open": entry.is_open,
        "is_overdue": any(clock.is_breached for clock in known),
        "due_us": min(ahead, default=None),
        "urgent_us": min(urgent, default=None),
    }


def request_entry(row: Any) -> RequestEntry:
    """Return a stored request."""
    return RequestEntry(
        id=row.id,
        number=row.number,
        source=row.source,
        external_id=row.external_id,
        title=row.title,
        request_type=row.request_type,
        domain=row.domain,
        organisation_unit=row.organisation_unit,
        channel=row.channel,
        priority=row.priority,
        lane=row.lane,
        team=row.team,
        assignee=row.assignee,
        state=RequestState(row.state),
        waiting_reason=row.waiting_reason,
        is_posted=row.is_posted,
        is_routed=row.is_routed,
        is_triage=row.is_triage,
        submitted_at=at(row.submitted_us),
        resolved_at=at(row.resolved_us),
        closed_at=at(row.closed_us),
        handovers=row.handovers,
        reopenings=row.reopenings,
        rating=row.rating,
    )


def clock_row(clock: ClockEntry) -> Row:
    """Return a clock's row."""
    promised = clock.promised
    return {
        "id": clock.id,
        "request_id": clock.request_id,
        "metric": clock.metric,
        "state": clock.state.value,
        "target_s": promised.target_s if promised else None,
        "due_us": us(clock.due_at) if clock.state is ClockState.RUNNING else None,
        "started_us": us(promised.started_at) if promised else None,
        "calendar": promised.calendar if promised else None,
        "calendar_version": promised.calendar_version if promised else None,
        "explanation": promised.explanation if promised else "{}",
        "pause_reason": clock.pause_reason,
        "is_breached": clock.is_breached,
        "breached_us": us(clock.breached_at),
        "elapsed_s": clock.elapsed_s,
        "paused_s": clock.paused_s,
        "met_us": us(clock.met_at),
        "decided_us": us(clock.decided_at),
    }


def clock_entry(row: Any) -> ClockEntry:
    """Return a stored clock."""
    promised = None
    if row.target_s is not None:
        promised = Promised(
            target_s=row.target_s,
            due_at=at(row.due_us),
            started_at=from_us(row.started_us),
            calendar=row.calendar,
            calendar_version=row.calendar_version,
            explanation=row.explanation,
        )
    return ClockEntry(
        id=row.id,
        request_id=row.request_id,
        metric=row.metric,
        state=ClockState(row.state),
        promised=promised,
        pause_reason=row.pause_reason,
        is_breached=row.is_breached,
        breached_at=at(row.breached_us),
        elapsed_s=row.elapsed_s,
        paused_s=row.paused_s,
        met_at=at(row.met_us),
    )


def escalation_row(entry: EscalationEntry) -> Row:
    """Return an escalation's row."""
    return {
        "id": entry.id,
        "request_id": entry.request_id,
        "policy": entry.policy,
        "priority": entry.priority,
        "trigger": entry.trigger,
        "metric": entry.metric,
        "threshold_percent": entry.threshold_percent,
        "state": entry.state.value,
        "tier": entry.tier,
        "told": orjson.dumps(entry.told).decode(),
        "raised_us": us(entry.raised_at),
        "next_us": us(entry.next_at),
        "acknowledged_by": entry.acknowledged_by,
        "acknowledged_us": us(entry.acknowledged_at),
        "closed_us": us(entry.closed_at),
        "close_reason": entry.close_reason,
        "is_exhausted": entry.is_exhausted,
    }


def escalation_entry(row: Any) -> EscalationEntry:
    """Return a stored escalation."""
    return EscalationEntry(
        id=row.id,
        request_id=row.request_id,
        policy=row.policy,
        priority=row.priority,
        trigger=row.trigger,
        metric=row.metric,
        threshold_percent=row.threshold_percent,
        state=EscalationState(row.state),
        tier=row.tier,
        told=tuple(orjson.loads(row.told)),
        raised_at=at(row.raised_us),
        next_at=at(row.next_us),
        acknowledged_by=row.acknowledged_by,
        acknowledged_at=at(row.acknowledged_us),
        closed_at=at(row.closed_us),
        close_reason=row.close_reason,
        is_exhausted=row.is_exhausted,
    )


def delivery_row(entry: DeliveryEntry) -> Row:
    """Return a delivery's row."""
    return {
        "id": entry.id,
        "channel": entry.channel,
        "request_id": entry.request_id,
        "template": entry.template,
        "recipient": entry.recipient,
        "outcome": entry.outcome.value,
        "attempts": entry.attempts,
        "reason": None if entry.reason is None else clean(entry.reason),
        "is_seen": entry.is_seen,
        "is_acted": entry.is_acted,
        "is_possibly_repeated": entry.is_possibly_repeated,
        "accepted_us": us(entry.accepted_at),
        "outcome_us": us(entry.outcome_at),
    }


def delivery_entry(row: Any) -> DeliveryEntry:
    """Return a stored delivery."""
    return DeliveryEntry(
        id=row.id,
        channel=row.channel,
        request_id=row.request_id,
        template=row.template,
        recipient=row.recipient,
        outcome=Outcome(row.outcome),
        attempts=row.attempts,
        reason=row.reason,
        is_seen=row.is_seen,
        is_acted=row.is_acted,
        is_possibly_repeated=row.is_possibly_repeated,
        accepted_at=at(row.accepted_us),
        outcome_at=at(row.outcome_us),
    )


def incident_row(entry: IncidentEntry) -> Row:
    """Return an incident's row."""
    return {
        "id": entry.id,
        "request_id": entry.request_id,
        "element_id": entry.element_id,
        "code": entry.code,
        "raised_us": us(entry.raised_at),
        "resolved_us": us(entry.resolved_at),
    }


def incident_entry(row: Any) -> IncidentEntry:
    """Return a stored incident."""
    return IncidentEntry(
        id=row.id,
        request_id=row.request_id,
        element_id=row.element_id,
        code=row.code,
        raised_at=at(row.raised_us),
        resolved_at=at(row.resolved_us),
    )


def told_row(told: Told) -> Row:
    """Return a timeline row."""
    return {
        "event_id": told.event_id,
        "request_id": told.request_id,
        "occurred_us": to_us(told.occurred_at),
        "recorded_us": to_us(told.recorded_at),
        "publisher": told.publisher,
        "sequence": told.sequence,
        "type": told.type,
        "params": told.params,
        "actor": told.actor,
    }
