"""The values of a planned day: what is asked, what people do with it, when somebody reacts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any, Literal
from zoneinfo import ZoneInfo

from shared.vocabulary import Impact, Urgency

#: The company's site; the plan's moments are UTC, its hours are those of this zone.
ZONE = ZoneInfo("Asia/Shanghai")

Verb = Literal[
    "claim",
    "answer",
    "ask",
    "reply",
    "wait",
    "resume",
    "hand_over",
    "correct",
    "resolve",
    "confirm",
    "reopen",
    "rate",
    "withdraw",
]
#: ordinary; storm: one of many about the same outage; forgotten: nobody ever touches it.
Kind = Literal["ordinary", "storm", "forgotten"]

#: Roles of an escalation from the bottom up.
ROLES = ("member", "lead", "manager", "duty")
Role = Literal["member", "lead", "manager", "duty"]


@dataclass(frozen=True, slots=True)
class Asked:
    """What a requester posts."""

    type: str
    title: str
    requester_id: str
    requester_name: str
    channel: str = "portal"
    source: str = "portal"
    urgency: Urgency = Urgency.MEDIUM
    impact: Impact = Impact.MEDIUM
    tier: str = "standard"
    unit: str | None = None
    form: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Step:
    """One thing somebody does at `at` (UTC); `by` is a person of the directory or the requester."""

    at: datetime
    verb: Verb
    by: str = ""
    text: str = ""
    team: str = ""
    score: int = 0


@dataclass(frozen=True, slots=True)
class Ears:
    """From which role on somebody acknowledges an escalation, and how long after being told."""

    role: Role
    after: timedelta


@dataclass(frozen=True, slots=True)
class Case:
    """One request of the day with everything people will do about it, in order of time."""

    key: str
    kind: Kind
    at: datetime
    asked: Asked
    steps: tuple[Step, ...] = ()
    #: None: whoever is told looks away.
    ears: Ears | None = None


@dataclass(frozen=True, slots=True)
class Day:
    """A whole day, from `begins_at` to `ends_at` (UTC), cases in order of submission."""

    date: date
    begins_at: datetime
    ends_at: datetime
    cases: tuple[Case, ...]


def moment(day: date, hour: int, minute: int = 0, second: int = 0) -> datetime:
    """Return a wall clock time of the company on `day` as UTC."""
    return datetime(day.year, day.month, day.day, hour, minute, second, tzinfo=ZONE).astimezone(UTC)
