"""People, policies and escalations for tests; the test says what matters."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from uuid import UUID

from services.escalation.domain import (
    Absence,
    Cause,
    Directory,
    Escalation,
    Person,
    Plan,
    Request,
    Team,
    begin,
    plan_of,
)
from shared.definitions.models import EscalationPolicy, TierRule
from shared.vocabulary import Priority

NINE = datetime(2026, 3, 2, 9, tzinfo=UTC)
REQUEST = UUID(int=1)
CLOCK = UUID(int=2)


def minutes(count: float) -> timedelta:
    return timedelta(minutes=count)


def a_policy(*tiers: TierRule, **changed: object) -> EscalationPolicy:
    """Member at once and again after 15 min, lead after 30, duty 20 after that, twice."""
    given: dict[str, object] = {
        "key": "standard",
        "name": {"en": "Standard"},
        "metrics": ("first_response", "resolution"),
        "tiers": tiers
        or (
            TierRule(notify=("member",), repeats=1, repeat_every=minutes(15)),
            TierRule(notify=("lead",), after=minutes(30)),
        ),
        "duty_after": minutes(20),
        "duty_repeats": 1,
        "duty_repeat_every": minutes(10),
    }
    return EscalationPolicy.model_validate(given | changed)


def a_directory(**absences: Absence) -> Directory:
    """Team desk: members ann and bob, lead lea, manager max; duty; absences by person."""
    people = {
        name: Person(name, name.title(), (absences[name],) if name in absences else ())
        for name in ("ann", "bob", "lea", "max", "duty", "eve")
    }
    team = Team("desk", ("ann", "bob"), "lea", "max")
    return Directory(1, people, {"desk": team}, "duty")


def away(deputy: str | None = None, *, until: datetime = NINE + timedelta(days=1)) -> Absence:
    return Absence(NINE - timedelta(days=1), until, deputy)


def warned(at: datetime = NINE, percent: int = 75) -> Cause:
    return Cause("warned", at, "first_response", percent, CLOCK, due_at=at + minutes(5))


def breached(at: datetime = NINE, metric: str = "first_response") -> Cause:
    return Cause("breached", at, metric, clock_id=CLOCK, due_at=at)


def a_request(assignee: str | None = None) -> Request:
    return Request(REQUEST, "R-2026-000001", "desk", assignee, Priority.P2, is_import=False)


def running(cause: Cause | None = None, policy: EscalationPolicy | None = None) -> Escalation:
    plan = plan_of(policy or a_policy())
    return begin(
        UUID(int=9), REQUEST, ("standard", 1), plan, cause or breached(), "desk", Priority.P2
    )


def a_plan() -> Plan:
    return plan_of(a_policy())


def at_place(escalation: Escalation, place: tuple[int, int], at: datetime) -> Escalation:
    return replace(escalation, next_place=place, next_at=at)
