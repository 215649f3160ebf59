"""One batch in one transaction: order, duplicates, early messages, guilty messages.

The decision what to apply is made on values (`plan`), so it can be tested without a bus or a
database.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from shared.events.base import Header, Unreadable, read_header
from shared.events.register import BY_TYPE

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    from shared.bus.port import Delivery
    from shared.database.subjects import Subject


@dataclass(slots=True)
class Arrival:
    """A message of the batch: from the bus, or held earlier (then without a delivery)."""

    body: bytes
    delivery: Delivery | None
    header: Header | None
    error: Unreadable | None = None
    was_held: bool = False

    @property
    def is_latest(self) -> bool:
        """Whether it supersedes what was said before, whatever its sequence."""
        known = BY_TYPE.get(self.header.type) if self.header else None
        return known is not None and known.ordering == "latest"


@dataclass(slots=True)
class Plan:
    """What becomes of the messages of a batch."""

    apply: list[Arrival] = field(default_factory=list)
    duplicates: list[Arrival] = field(default_factory=list)
    early: list[Arrival] = field(default_factory=list)


def read_arrival(body: bytes, delivery: Delivery | None) -> Arrival:
    """Read a message's envelope; an unreadable one keeps its error instead."""
    try:
        return Arrival(body, delivery, read_header(body))
    except Unreadable as error:
        return Arrival(body, delivery, None, error)


def plan(
    arrivals: Iterable[Arrival],
    subjects: Mapping[str, Subject],
    held: Sequence[Any],
    barred: frozenset[str],
    at_most: int | None = None,
) -> Plan:
    """Decide for readable messages what to apply, in order, and what waits.

    `held` are the rows held about the batch's keys, `barred` the ids that must not be applied
    now: guilty ones being set aside or tried again later. A publisher's events about one subject
    apply by sequence without gaps; between publishers by the time of recording, so that the same
    batch always comes out the same. Applies `at_most` that many, for finding a guilty one; the
    others wait as if they had come early. Advances `heard` of the subjects it plans to change.
    """
    planning = _Planning(subjects, at_most)
    held_ids = {row.event_id for row in held}
    for row in held:
        if row.kind == "early" and row.event_id not in barred:
            planning.wait_again(row)
    for arrival in sorted(arrivals, key=_order):
        header = _header(arrival)
        event_id = header.id
        if event_id in held_ids:
            planning.plan.duplicates.append(arrival)
        elif arrival.is_latest:
            planning.take_latest(arrival, is_barred=event_id in barred)
        else:
            planning.take(arrival, is_barred=event_id in barred)
    for key, publisher in sorted({(key, publisher) for key, publisher, _ in planning.waiting}):
        planning.drain(key, publisher)
    planning.plan.early += [a for a in planning.waiting.values() if not a.was_held]
    return planning.plan


class _Planning:
    """A plan in the making."""

    def __init__(self, subjects: Mapping[str, Subject], at_most: int | None) -> None:
        self.plan = Plan()
        #: What waits for its turn, by subject, publisher and sequence.
        self.waiting: dict[tuple[str, str, int], Arrival] = {}
        self._subjects = subjects
        self._left = at_most

    def wait_again(self, row: Any) -> None:
        """Let a held message wait for its turn; one that supersedes has it now."""
        arrival = read_arrival(row.body, None)
        arrival.was_held = True
        if not arrival.is_latest:
            self.waiting[(row.key, row.publisher, row.sequence)] = arrival
        elif self._left != 0:
            self._apply(arrival)

    def take_latest(self, arrival: Arrival, *, is_barred: bool) -> None:
        """Apply a message that supersedes what was said before."""
        if is_barred:
            self.plan.duplicates.append(arrival)
        elif self._left == 0:
            self.plan.early.append(arrival)
        else:
            self._apply(arrival)

    def take(self, arrival: Arrival, *, is_barred: bool) -> None:
        """Let a message wait for its turn, and apply whatever has its turn now."""
        header = _header(arrival)
        place = (header.subject, header.source, header.sequence)
        subject = self._subjects[header.subject]
        heard = subject.heard.get(header.source, 0)
        if subject.is_forgotten or header.sequence <= heard or place in self.waiting:
            self.plan.duplicates.append(arrival)
        elif not is_barred:
            self.waiting[place] = arrival
            self.drain(header.subject, header.source)

    def drain(self, key: str, publisher: str) -> None:
        """Apply what has no gap before it any more."""
        subject = self._subjects[key]
        following = subject.heard.get(publisher, 0) + 1
        while self._left != 0 and (key, publisher, following) in self.waiting:
            self._apply(self.waiting.pop((key, publisher, following)))
            subject.heard[publisher] = following
            subject.is_changed = True
            following += 1

    def _apply(self, arrival: Arrival) -> None:
        self.plan.apply.append(arrival)
        if self._left is not None:
            self._left -= 1


def _header(arrival: Arrival) -> Header:
    assert arrival.header is not None
    return arrival.header


def _order(arrival: Arrival) -> tuple[str, str, str, int]:
    header = _header(arrival)
    # Without the Z a moment with a fraction sorts behind its whole second.
    recorded = str(header.raw.get("time", "")).removesuffix("Z")
    return (header.subject, recorded, header.source, header.sequence)
