"""What the clock's tests are made with: a request whose facts are told minute by minute."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from uuid import UUID

from services.clock.domain import steps
from services.clock.domain.clocks import Clock, clocks_at
from services.clock.domain.facts import Fact, FactKind, Ledger, Pins, Routed
from services.clock.domain.said import Said, Topic
from services.clock.domain.targets import Library
from services.clock.store import Shelf, Shelved
from services.clock.store.compiling import compile_calendar, compile_table
from shared.targets.rows import Json, Matched, Threshold
from shared.targets.table import Table
from shared.vocabulary import Priority

ROOT = Path(__file__).resolve().parents[3]
REQUEST = UUID("0193b1c0-0000-7000-8000-000000000001")
ESCALATION = "0193b1c0-0000-7000-8000-0000000000e5"
#: A Monday, 10:00 in Shanghai.
START = datetime(2026, 3, 2, 2, 0, tzinfo=UTC)

_PUBLISHERS = {
    FactKind.REPLIED: "intake",
    FactKind.ASKED: "intake",
    FactKind.CONFIRMED: "intake",
    FactKind.ESCALATED: "escalation",
    FactKind.ACKNOWLEDGED: "escalation",
    FactKind.RELEASED: "escalation",
}


def at(minutes: float) -> datetime:
    """Return the moment so many minutes after the submission."""
    return START + timedelta(minutes=minutes)


@cache
def shipped() -> Shelved:
    """Return the table and the calendars that ship."""
    shelf = Shelf()
    shelf.tables[1] = compile_table(1, (ROOT / "bpmn/targets.dmn").read_text())
    versions = {("decision", "targets"): 1}
    for key in ("24x7", "office-cn"):
        text = (ROOT / f"bpmn/calendars/{key}.yaml").read_text()
        shelf.calendars[(key, 1)] = compile_calendar(key, 1, text, {}).calendar
        versions[("calendar", key)] = 1
    return Shelved(shelf, versions)


def library_of(*rows: dict[str, Json]) -> Shelved:
    """Return the shipped calendars with a table whose rows match by `metric` (or always)."""

    def evaluate(inputs: object) -> list[Matched]:
        assert isinstance(inputs, dict)
        return [
            Matched(f"row_{number}", row)
            for number, row in enumerate(rows, 1)
            if row.get("metric") in (None, inputs["metric"])
            and row.get("priority") in (None, inputs["priority"])
        ]

    ships = shipped()
    shelf = Shelf(tables={1: Table(1, evaluate)}, calendars=ships.shelf.calendars)
    return Shelved(shelf, dict(ships.versions))


@dataclass
class Case:
    """One request: facts go in, what is said comes out."""

    priority: Priority = Priority.P1
    domain: str = "it"
    library: Library = field(default_factory=shipped, repr=False)
    ledger: Ledger = field(default_factory=lambda: Ledger(REQUEST), repr=False)
    said: list[Said] = field(default_factory=list, repr=False)
    timers: dict[str, datetime] = field(default_factory=dict)
    sequences: dict[str, int] = field(default_factory=dict)

    def routed(self, minutes: float = 0, *, is_import: bool = False) -> Case:
        """Route it so many minutes after the submission."""
        routed = Routed(
            at(minutes),
            START,
            "R-2026-000001",
            "it-incident",
            self.domain,
            "portal",
            "standard",
            self.priority,
            "desk",
            is_import,
        )
        return self.take(steps.route(self.ledger, routed, self.library))

    def fact(self, kind: FactKind, minutes: float, value: str = "", team: str = "") -> Fact:
        """Return the next fact of its publisher."""
        source = _PUBLISHERS.get(kind, "router")
        self.sequences[source] = self.sequences.get(source, 0) + 1
        return Fact(kind, at(minutes), source, self.sequences[source], value, team)

    def then(self, kind: FactKind, minutes: float, value: str = "", team: str = "") -> Case:
        """Let a fact come."""
        return self.hear(self.fact(kind, minutes, value, team))

    def hear(self, fact: Fact) -> Case:
        """Take a fact."""
        return self.take(steps.note(self.ledger, fact, self.library))

    def wait_until(self, minutes: float) -> Case:
        """Let time pass: timers fire at their moments, in order."""
        while due := sorted(
            (when, key) for key, when in self.timers.items() if when <= at(minutes)
        ):
            when, key = due[0]
            del self.timers[key]
            self.take(steps.fire(self.ledger, when, self.library))
        return self

    def take(self, step: steps.Step) -> Case:
        """Keep what a step brought."""
        self.ledger = step.ledger
        self.said += step.said
        for key, next_at in (step.timers or {}).items():
            self.timers.pop(key, None)
            if next_at is not None:
                self.timers[key] = next_at
        return self

    def clock(self, key: str, minutes: float) -> Clock:
        """Return a clock as it stood then."""
        found = {clock.key: clock for clock in clocks_at(self.ledger, at(minutes), self.library)}
        return found[key]

    def keys(self, minutes: float) -> set[str]:
        """Return which clocks there were then."""
        return {clock.key for clock in clocks_at(self.ledger, at(minutes), self.library)}

    def of(self, topic: Topic, key: str | None = None) -> list[Said]:
        """Return what was said on a topic, about one clock if asked."""
        return [
            said
            for said in self.said
            if said.topic is topic
            and (key is None or any(clock.key == key for clock in said.clocks))
        ]

    def announced(self, key: str) -> list[tuple[Threshold, float]]:
        """Return the percentages announced of a clock, with minutes after the submission."""
        return [
            (said.percent, (said.at - START) / timedelta(minutes=1))
            for said in self.said
            if said.percent and said.clocks[0].key == key
        ]

    def topics(self, key: str) -> list[str]:
        """Return what was said of a clock, in order, by name."""
        return [
            said.topic.name.lower()
            for said in self.said
            if any(clock.key == key for clock in said.clocks)
        ]


def minutes(span: timedelta) -> float:
    """Return a span in minutes."""
    return span / timedelta(minutes=1)


def taken_back(said: Said, key: str) -> tuple[Threshold, ...]:
    """Return the thresholds of a clock that are said not to have been reached after all."""
    found = dict(zip((clock.key for clock in said.clocks), said.withdrawn, strict=True))
    return found[key]


PINS = Pins(1, {"24x7": 1, "office-cn": 1})
