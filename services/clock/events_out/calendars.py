"""What is said about calendars themselves, not about a request's clocks."""

from __future__ import annotations

from datetime import date
from uuid import UUID

from services.clock.domain.editions import version_of
from shared.business_time import Calendar
from shared.events.clock import CalendarCoverageExtended, CalendarCoverageWarned


def coverage_warned(calendar: Calendar, until: date, days_left: int) -> CalendarCoverageWarned:
    """Return that its known holidays end soon."""
    return CalendarCoverageWarned(
        calendar=calendar.key,
        calendar_version=version_of(calendar.version),
        name=_name(calendar),
        covered_until=until,
        days_left=days_left,
    )


def coverage_extended(
    calendar: Calendar, before: date, until: date, job: str | None
) -> CalendarCoverageExtended:
    """Return that more of its holidays are known."""
    return CalendarCoverageExtended(
        calendar=calendar.key,
        calendar_version=version_of(calendar.version),
        name=_name(calendar),
        covered_until_before=before,
        covered_until=until,
        move_id=UUID(job) if job else None,
    )


def _name(calendar: Calendar) -> dict[str, str]:
    return {"zh-CN": calendar.label.zh or calendar.key, "en": calendar.label.en or calendar.key}
