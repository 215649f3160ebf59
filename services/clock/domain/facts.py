"""What the clock keeps of a request: facts with their moments, and what was said about them.

Nothing here is a counter. Every clock is computed from these facts, so a rebuilt clock equals
the one that was kept step by step (facts/sla.md 3.1), whatever order the facts arrived in.
"""

from __future__ import annotations

from bisect import insort
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from enum import StrEnum
from functools import lru_cache
from typing import TypeAlias
from uuid import UUID

from shared.id_source import derived
from shared.targets.rows import STAGE, Threshold
from shared.vocabulary import Metric, Priority


class FactKind(StrEnum):
    """What happened to a request, as far as a clock cares."""

    ASSIGNED = "assigned"
    HANDED_OVER = "handed_over"
    #: Back in its team's queue.
    UNASSIGNED = "unassigned"
    WAITING_STARTED = "waiting_started"
    WAITING_ENDED = "waiting_ended"
    RESOLVED = "resolved"
    REOPENED = "reopened"
    CLOSED = "closed"
    CANCELLED = "cancelled"
    PRIORITY_CHANGED = "priority_changed"
    #: The first response and every later effective answer.
    REPLIED = "replied"
    #: The requester wrote.
    ASKED = "asked"
    CONFIRMED = "confirmed"
    ESCALATED = "escalated"
    ACKNOWLEDGED = "acknowledged"
    RELEASED = "released"
    #: A diagram says that a named stage begins or ends; `value` is its name.
    STAGE_STARTED = "stage_started"
    STAGE_ENDED = "stage_ended"


#: Facts of different publishers with the same moment: the router's first, it decides states.
_RANK = {"router": 0, "intake": 1, "escalation": 2}

Order: TypeAlias = tuple[datetime, int, int]

#: Why running clocks are put under other versions: on somebody's word, or because the next
#: holidays of their calendar are known.
VERSION_MOVED, COVERAGE_EXTENDED = "version_moved", "coverage_extended"

_ONE_RUN = frozenset({Metric.FIRST_RESPONSE, Metric.ASSIGNMENT, Metric.HANDLING, Metric.RESOLUTION})


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that happened, with the moment it happened and its place among its publisher's.

    `value` is what the kind needs: the assignee, the wait's reason, the new priority, the
    escalation's id, the reason of an end. `team` is the owning team, where one is named.
    """

    kind: FactKind
    at: datetime
    source: str
    sequence: int
    value: str = ""
    team: str = ""

    @property
    def order(self) -> Order:
        """Where it stands among all facts, the same in whatever order they arrived."""
        return (self.at, _RANK.get(self.source, len(_RANK)), self.sequence)


@dataclass(frozen=True, slots=True)
class Routed:
    """What the router decided; the clocks are armed on it, back-dated to `submitted_at`."""

    at: datetime
    submitted_at: datetime
    number: str
    request_type: str
    domain: str
    channel: str
    customer_tier: str
    priority: Priority
    team: str
    is_import: bool = False
    organisation_unit: str = ""


@dataclass(frozen=True, slots=True)
class Pins:
    """The versions of table and calendars this request was promised under, for good."""

    table: int
    calendars: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Move:
    """The running clocks of a request were moved to other versions."""

    at: datetime
    #: What held before, and still does for clocks that had ended by then.
    before: Pins
    by: str
    #: The job that did it; an undoing names it.
    job: str
    reason: str = VERSION_MOVED


@dataclass(frozen=True, slots=True)
class Told:
    """What was published about one clock, so that only what is new is said."""

    #: running | paused | met | cancelled, in the words of ClockState
    state: str
    started_at: datetime
    target: timedelta
    calendar: str
    calendar_version: int
    due_at: datetime | None = None
    ended_at: datetime | None = None
    #: The working time it had run when it ended, or since it stands still.
    elapsed: timedelta | None = None
    is_breached: bool = False
    #: Every announcement of a threshold, in order; 100 is the breach. One that was taken back is
    #: announced again when it is reached again, and stands here once more.
    fired: tuple[Threshold, ...] = ()
    #: Every time one was taken back: a rebase, a correction or a new beginning showed that it is
    #: not reached after all.
    taken_back: tuple[Threshold, ...] = ()
    #: When the next threshold is reached if nothing happens before; a timer stands for it.
    next_at: datetime | None = None

    @property
    def is_over(self) -> bool:
        """Whether its end was told."""
        return self.state in ("met", "cancelled")

    @property
    def standing(self) -> tuple[Threshold, ...]:
        """Return the thresholds announced and not taken back since, in order."""
        if not self.taken_back:
            return self.fired
        left = Counter(self.fired)
        left.subtract(self.taken_back)
        return tuple(one for one in dict.fromkeys(self.fired) if left[one] > 0)


@dataclass(frozen=True, slots=True)
class Ledger:
    """All facts of one request, in order, and what was told; the only state there is."""

    request_id: UUID
    routed: Routed | None = None
    pins: Pins | None = None
    facts: tuple[Fact, ...] = ()
    told: Mapping[str, Told] = field(default_factory=dict)
    #: Up to here thresholds were announced: the latest fact or due moment handled.
    reached_at: datetime | None = None
    #: Earliest first.
    moves: tuple[Move, ...] = ()

    def all_pins(self) -> tuple[Pins, ...]:
        """Return every set of versions some clock of it was promised under."""
        now = () if self.pins is None else (self.pins,)
        return (*now, *(move.before for move in self.moves))

    def with_fact(self, fact: Fact) -> Ledger:
        """Return the ledger with one more fact, at its place."""
        if not self.facts or self.facts[-1].order <= fact.order:
            return replace(self, facts=(*self.facts, fact))
        facts = list(self.facts)
        insort(facts, fact, key=lambda known: known.order)
        return replace(self, facts=tuple(facts))

    def until(self, moment: datetime) -> Ledger:
        """Return what was so at `moment`: later facts left out."""
        if not self.facts or self.facts[-1].at <= moment:
            return self
        return replace(self, facts=tuple(fact for fact in self.facts if fact.at <= moment))


def clock_id(request_id: UUID, key: str) -> UUID:
    """Return the id of a request's clock: the same on every replica and in every rebuild.

    `key` is the metric, for metrics with several clocks followed by which one, for a further
    agreement followed by its name: `next_response/2`, `escalation_response/<escalation id>`,
    `resolution/2` (second cycle), `stage/recovery/1`, `resolution@ola-desk`.
    """
    return derived(request_id, f"clock/{key}")


def metric_of(key: str) -> str:
    """Return what the clock with this key measures: a metric, or `STAGE`."""
    return key.partition("@")[0].partition("/")[0]


def agreement_of(key: str) -> str:
    """Return under which further agreement a clock runs; empty for the promise outside."""
    return key.partition("@")[2]


def name_of(key: str) -> str:
    """Return what people call the clock: its metric, or the stage's name."""
    metric, _, which = key.partition("@")[0].partition("/")
    return which.partition("/")[0] if metric == STAGE else metric


@lru_cache(maxsize=4096)
def is_further(key: str) -> bool:
    """Whether the clock is none of those every reader knows: another agreement, or a stage."""
    return "@" in key or key.startswith("stage/")


@lru_cache(maxsize=4096)
def run_of(key: str) -> str:
    """Return the key of the run a clock belongs to: all agreements and cycles share one."""
    base = key.partition("@")[0]
    metric = base.partition("/")[0]
    return metric if metric in _ONE_RUN else base
