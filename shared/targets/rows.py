"""The rows of a table of targets: what one promises, and what the table is asked with."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from enum import StrEnum
from typing import TypeAlias

from shared.business_time import DayEnd
from shared.vocabulary import Metric, Priority

Json: TypeAlias = "str | int | float | bool | Sequence[Json] | Mapping[str, Json] | None"
#: A percentage of the target, or working time before or after it: "-PT30M", "+PT1H".
Threshold: TypeAlias = int | str

#: The decision's id in the file.
DECISION = "targets"
#: The id, in the same file, of the table that is asked where no row of the other matches.
CEILINGS = "ceilings"
#: What the clocks that a table names itself measure: from one fact to another.
STAGE = "stage"

#: Ceilings when no row matches (product.md, The clocks): nothing is ever without a promise.
FALLBACKS: Mapping[str, timedelta] = {
    Metric.FIRST_RESPONSE: timedelta(hours=1),
    Metric.RESOLUTION: timedelta(hours=72),
}
FALLBACK_CALENDAR = "24x7"
#: No promise is longer than this: ten years (facts/sla.md 3.6, horizon of the calendars is 20).
LONGEST = timedelta(days=3653)
FALLBACK_THRESHOLDS: tuple[Threshold, ...] = (50, 75, 90)
#: A row that pauses on every reason.
EVERY_REASON = "*"
#: The agreement of a "no clock" row that means all of them.
EVERY_AGREEMENT = "*"
#: Inputs that are looked up only for tables that use them: few answers to remember else.
BY_TIME = frozenset({"hour", "weekday"})
FURTHER_INPUTS = BY_TIME | {"team", "organisation_unit"}


class Reopen(StrEnum):
    """What a reopening does to a clock that had ended; both numbers stay readable."""

    #: It goes on where it was; the time between is nobody's.
    CONTINUE = "continue"
    #: It counts from the reopening again, as the same clock.
    RESTART = "restart"
    #: The ended one stands; another of the same metric begins at the reopening.
    NEW_CYCLE = "new_cycle"


@dataclass(frozen=True, slots=True)
class Inputs:
    """What the table decides on."""

    #: A metric, or `STAGE`.
    metric: str
    priority: Priority
    channel: str
    customer_tier: str
    domain: str
    request_type: str
    #: These four are empty where the table does not use them.
    team: str = ""
    organisation_unit: str = ""
    #: Of the clock's start, in the zone of the calendar `24x7`: 0 to 23, mon to sun.
    hour: int | None = None
    weekday: str = ""

    def as_json(self) -> dict[str, Json]:
        """Return them under the names the table's expressions use."""
        told: dict[str, Json] = {
            "metric": str(self.metric),
            "priority": self.priority.value,
            "channel": self.channel,
            "customer_tier": self.customer_tier,
            "domain": self.domain,
            "request_type": self.request_type,
        }
        more: dict[str, Json] = {
            "team": self.team,
            "organisation_unit": self.organisation_unit,
            "hour": self.hour,
            "weekday": self.weekday,
        }
        return told | {name: value for name, value in more.items() if value not in ("", None)}


@dataclass(frozen=True, slots=True)
class CellFault:
    """A cell nobody can use: its column, what is wrong with it and how to mend it, per language."""

    column: str
    zh: str
    en: str
    mend_zh: str
    mend_en: str

    def __str__(self) -> str:
        """Say it in English, as logs do."""
        return f"{self.column}: {self.en}"


@dataclass(frozen=True, slots=True)
class Row:
    """One matching row of the table. `target` is working time on the calendar `calendar`."""

    rule: str
    target: timedelta
    calendar: str
    thresholds: tuple[Threshold, ...] = FALLBACK_THRESHOLDS
    pauses_on: frozenset[str] = frozenset()
    is_clock_wanted: bool = True
    #: Which agreement promises this; empty: the promise outside.
    agreement: str = ""
    #: sla | ola | uc
    kind: str = ""
    #: Of a named stage: its name and the words (`stage_words`) that begin and end it.
    clock: str = ""
    starts_on: tuple[str, ...] = ()
    stops_on: tuple[str, ...] = ()
    reopen: Reopen = Reopen.CONTINUE
    #: The share in percent of what is promised that is to be kept; None: not said.
    goal_percent: float | None = None
    #: Working days instead of a time: `target` is what they come to from the clock's start.
    days: int = 0
    day_end: DayEnd = DayEnd.SAME_TIME
    #: Why the row cannot be used, if it cannot.
    fault: CellFault | None = None


@dataclass(frozen=True, slots=True)
class Matched:
    """One matching rule: its id and its outputs by name."""

    rule: str
    outputs: Mapping[str, object]
