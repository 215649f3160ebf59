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
) -> Plan:
    """Decide for readable messages what to apply, in order, and what waits.

    `held` are the rows held about the batch's keys, `barred` the ids that must not be applied
    now: guilty ones being set aside or tried again later. A publisher's events about one subject
    apply by sequence without gaps; between publishers by the time of recording, so that the same
    batch always comes out the same. Advances `heard` of the subjects it plans to change.
    """
    outcome = Plan()
    held_ids = {row.event_id for row in held}
    waiting = _waiting(held, barred, outcome)
    for arrival in sorted(arrivals, key=_order):
        header = arrival.header
        assert header is not None
        event_id = str(header.id)
        if arrival.is_latest:
            (outcome.duplicates if event_id in barred else outcome.apply).append(arrival)
            continue
        heard = subjects[header.subject].heard.get(header.source, 0)
        place = (header.subject, header.source, header.sequence)
        if header.sequence <= heard or event_id in held_ids or place in waiting:
            outcome.duplicates.append(arrival)
        elif event_id not in barred:
            waiting[place] = arrival
        _drain(outcome, waiting, subjects[header.subject], header.source)
    for key, publisher in {(key, publisher) for key, publisher, _ in waiting}:
        _drain(outcome, waiting, subjects[key], publisher)
    outcome.early = [a for a in waiting.values() if not a.was_held]
    return outcome


def _waiting(
    held: Sequence[Any], barred: frozenset[str], outcome: Plan
) -> dict[tuple[str, str, int], Arrival]:
    """Return the held messages that wait for their turn; what supersedes itself has it now."""
    waiting: dict[tuple[str, str, int], Arrival] = {}
    for row in held:
        if row.kind != "early" or row.event_id in barred:
            continue
        arrival = read_arrival(row.body, None)
        arrival.was_held = True
        if arrival.is_latest:
            outcome.apply.append(arrival)
        else:
            waiting[(row.key, row.publisher, row.sequence)] = arrival
    return waiting


def _drain(
    outcome: Plan,
    waiting: dict[tuple[str, str, int], Arrival],
    subject: Subject,
    publisher: str,
) -> None:
    """Apply what has no gap before it any more."""
    following = subject.heard.get(publisher, 0) + 1
    while (ready := waiting.pop((subject.key, publisher, following), None)) is not None:
        outcome.apply.append(ready)
        subject.heard[publisher] = following
        subject.is_changed = True
        following += 1


def _order(arrival: Arrival) -> tuple[str, str, str, int]:
    header = arrival.header
    assert header is not None
    return (header.subject, str(header.raw.get("time", "")), header.source, header.sequence)
