"""Hears everything the services say during the day: counts it, finds what is worth telling.

Values only; `levee.demo.ear` brings the events.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import TYPE_CHECKING, Any
from uuid import UUID

from levee.demo.words import Line, line

if TYPE_CHECKING:
    from levee.demo.plan import Case

#: Lines that are kept for the screen.
_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Call:
    """People were told by an escalation and somebody may react."""

    request_id: str
    escalation_id: UUID
    at: datetime
    #: (person, role)
    told: tuple[tuple[str, str], ...]


@dataclass(frozen=True, slots=True)
class Duty:
    """Something only somebody with authority can do: a decision, or a review."""

    request_id: str
    work_item_id: UUID
    purpose: str
    at: datetime
    #: Who may do it, in the order they are asked.
    people: tuple[str, ...]


@dataclass(slots=True)
class Followed:
    """What is known of one request."""

    case: Case
    number: str
    priority: str = "–"
    team: str = ""
    state: str = "submitted"
    handovers: int = 0


@dataclass(slots=True)
class Watcher:
    """The day as heard on the bus."""

    #: The day's cases by their key: the external id they are posted under.
    cases: Mapping[str, Case]
    #: What people and teams are called, by id.
    names: Mapping[str, str] = field(default_factory=dict)
    requests: dict[str, Followed] = field(default_factory=dict)
    counts: Counter[str] = field(default_factory=Counter)
    #: Steps of escalations by the role that was told.
    tiers: Counter[str] = field(default_factory=Counter)
    #: Steps of escalations by tier.
    steps: Counter[int] = field(default_factory=Counter)
    #: (deputy, absent person) -> how often the deputy was told instead.
    stand_ins: Counter[tuple[str, str]] = field(default_factory=Counter)
    #: Requests whose escalation told somebody, and everybody who was told.
    escalated: set[str] = field(default_factory=set)
    told: set[str] = field(default_factory=set)
    exhausted: list[str] = field(default_factory=list)
    unanswered: set[str] = field(default_factory=set)
    lines: deque[Line] = field(default_factory=lambda: deque(maxlen=_SHOWN))
    #: Lines nobody has printed yet.
    fresh: list[Line] = field(default_factory=list)
    #: Everything said about the forgotten request that belongs to its story.
    story: list[Line] = field(default_factory=list)
    calls: list[Call] = field(default_factory=list)
    duties: list[Duty] = field(default_factory=list)

    @property
    def open(self) -> int:
        """Requests that are neither resolved nor over."""
        return sum(f.state in ("submitted", "open", "waiting") for f in self.requests.values())

    @property
    def waiting(self) -> int:
        """Requests that wait for somebody outside."""
        return sum(f.state == "waiting" for f in self.requests.values())

    def note(self, event: Mapping[str, Any]) -> None:
        """Take in one event as it travels (CloudEvents form)."""
        kind = event["type"].rsplit(".v", 1)[0]
        data, subject = event["data"], event["subject"]
        self.counts[kind] += 1
        if kind == "request.submitted" and (data["external_id"] or "") in self.cases:
            self.requests[subject] = Followed(self.cases[data["external_id"]], data["number"])
        known = self.requests.get(subject)
        if kind in _STATES and known is not None:
            known.state = _STATES[kind]
        self._learn(kind, subject, known, data, datetime.fromisoformat(event["occurredat"]))
        if known is not None:
            self._tell(kind, known, event)

    def _learn(
        self, kind: str, subject: str, known: Followed | None, data: Any, at: datetime
    ) -> None:
        match kind:
            case "request.routed" if known is not None:
                known.priority, known.team = data["priority"], data["team"]
            case "request.handed_over" if known is not None:
                known.team, known.handovers = data["to_team"], data["handovers"]
            case "request.priority_changed" if known is not None:
                known.priority = data["new"]
            case "work_item.opened" if data.get("purpose") in ("decision", "review"):
                item, people = UUID(data["work_item_id"]), tuple(data["candidate_users"])
                self.duties.append(Duty(subject, item, data["purpose"], at, people))
            case "escalation.stepped":
                self._step(subject, data, at)
            case "escalation.exhausted":
                self.exhausted.append(subject)
            case "escalation.acknowledged" | "escalation.released" | "escalation.closed":
                self.unanswered.discard(subject)
            case _:
                pass

    def _step(self, subject: str, data: Any, at: datetime) -> None:
        self.steps[data["tier"]] += 1
        told = []
        for recipient in data["recipients"]:
            told.append((recipient["person"], recipient["role"]))
            self.told.add(recipient["person"])
            self.tiers[recipient["role"]] += 1
            if recipient["stands_in_for"]:
                self.stand_ins[(recipient["person"], recipient["stands_in_for"])] += 1
        self.unanswered.add(subject)
        self.escalated.add(subject)
        escalation = UUID(data["escalation_id"])
        self.calls.append(Call(subject, escalation, at, tuple(told)))

    def _tell(self, kind: str, known: Followed, event: Mapping[str, Any]) -> None:
        said = line(kind, known.number, known.priority, event, self.names)
        if said is None:
            return
        if known.case.kind == "forgotten":
            self.story.append(said)
        if said.is_loud:
            self.lines.append(said)
            self.fresh.append(said)


_STATES = {
    "request.routed": "open",
    "request.waiting_started": "waiting",
    "request.waiting_ended": "open",
    "request.resolved": "resolved",
    "request.reopened": "open",
    "request.closed": "closed",
    "request.cancelled": "cancelled",
}
