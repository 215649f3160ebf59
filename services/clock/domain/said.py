"""What there is to say about clocks, in the domain's words; events_out makes events of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntEnum
from itertools import groupby
from uuid import UUID

from services.clock.domain.clocks import Clock
from services.clock.domain.facts import Told, is_further, metric_of
from services.clock.domain.runs import Owner
from shared.targets.rows import Threshold


class Topic(IntEnum):
    """What is said; of things at one moment the lower number is said first."""

    STARTED = 0
    REBASED = 1
    RESUMED = 2
    PAUSED = 3
    WARNED = 4
    BREACHED = 5
    MET = 6
    CANCELLED = 7
    CORRECTED = 8


@dataclass(frozen=True, slots=True)
class Gone:
    """A clock that has no meaning any more, perhaps not even a run."""

    id: UUID
    key: str

    @property
    def metric(self) -> str:
        """What it measured."""
        return metric_of(self.key)


@dataclass(frozen=True, slots=True)
class Said:
    """One thing to say: about which clocks, when it happened, and why.

    `percent` (or working time before or after the target) and `owner` belong to warnings and
    breaches, `gone` to what is cancelled, `was` (what had been told of each clock) to rebases.
    `withdrawn`, of rebases and corrections: per clock the thresholds that were announced and are
    not reached after all.
    """

    topic: Topic
    at: datetime
    clocks: tuple[Clock, ...] = ()
    reason: str = ""
    percent: Threshold = 0
    owner: Owner | None = None
    gone: tuple[Gone, ...] = ()
    was: tuple[Told, ...] = ()
    withdrawn: tuple[tuple[Threshold, ...], ...] = ()

    @property
    def is_further(self) -> bool:
        """Whether it is about what readers of the first nine events cannot know.

        That is a further agreement, a named stage, or a threshold that is no percentage.
        """
        if isinstance(self.percent, str):
            return True
        # What is said together is all of one kind.
        if self.clocks:
            return self.clocks[0].is_further
        return bool(self.gone) and is_further(self.gone[0].key)


#: Said of several clocks in one event where moment and reason are the same.
_GROUPED = frozenset(
    {
        Topic.STARTED,
        Topic.PAUSED,
        Topic.RESUMED,
        Topic.REBASED,
        Topic.CANCELLED,
        Topic.CORRECTED,
    }
)


def _place(one: Said) -> tuple[datetime, Topic, str, bool]:
    return (one.at, one.topic, one.reason, one.is_further)


def in_order(said: Iterable[Said]) -> tuple[Said, ...]:
    """Return what there is to say in the order it happened, joined where it belongs together."""
    ordered: list[Said] = []
    by_order = sorted(said, key=_place)
    for (at, topic, reason, _), group in groupby(by_order, key=_place):
        members = list(group)
        if topic not in _GROUPED or len(members) == 1:
            ordered += members
            continue
        clocks = tuple(clock for one in members for clock in one.clocks)
        gone = tuple(entry for one in members for entry in one.gone)
        was = tuple(told for one in members for told in one.was)
        back = tuple(thresholds for one in members for thresholds in one.withdrawn)
        ordered.append(Said(topic, at, clocks, reason, gone=gone, was=was, withdrawn=back))
    return tuple(ordered)
