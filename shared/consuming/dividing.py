"""A batch of messages, and how it is divided while the one that spoils it is sought."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from shared.consuming.batch import Arrival, Plan
from shared.database.tables import to_us

if TYPE_CHECKING:
    from datetime import datetime


@dataclass(slots=True)
class Batch:
    """What one transaction is about to do."""

    arrivals: list[Arrival] = field(default_factory=list)
    #: Subjects to look at although no message about them arrived: something held may go on.
    keys: set[str] = field(default_factory=set)
    #: Entry id -> why it must not be applied: set aside (True) or tried again later (False).
    barred: dict[str, tuple[Exception, bool]] = field(default_factory=dict)
    #: How many entries to apply at most; None for all. One, while the guilty one is sought.
    at_most: int | None = None
    #: What the last attempt was about to do.
    plan: Plan = field(default_factory=Plan)

    def has(self, entry: str) -> bool:
        """Whether the entry came with this batch from the bus (and can be handed back)."""
        return any(a.header is not None and a.header.id == entry for a in self.arrivals)


def entry_of(arrival: Arrival) -> str:
    """Return the id of a readable message."""
    assert arrival.header is not None
    return arrival.header.id


def suspects_of(batch: Batch) -> list[str]:
    """Return the entries that may have spoiled the last attempt at a batch."""
    suspects = [a.header.id for a in batch.plan.apply if a.header]
    if not suspects:
        # Nothing was applied: it failed on storing what waits or is set aside.
        known = [a.header.id for a in batch.arrivals if a.header]
        suspects = [entry for entry in known if entry not in batch.barred]
    return suspects


def divided(batch: Batch) -> list[Batch]:
    """Return the parts in which to go on looking for the guilty entry, the last part first."""
    if len(batch.arrivals) < 2:
        return [replace(batch, at_most=1)]
    middle = len(batch.arrivals) // 2
    ordered = sorted(batch.arrivals, key=_place)
    halves = (ordered[middle:], ordered[:middle])
    return [Batch(half, barred=dict(batch.barred)) for half in halves]


def _place(arrival: Arrival) -> tuple[str, str, int]:
    header = arrival.header
    return (header.subject, header.source, header.sequence) if header else ("", "", 0)


def held_row(arrival: Arrival, kind: str, code: str, detail: str, now: datetime) -> dict[str, Any]:
    """Return the row that keeps a message that waits or is set aside."""
    header = arrival.header
    message = arrival.delivery.message if arrival.delivery else None
    sender = message.subject.split(".")[1] if message and message.subject.count(".") else ""
    unread = str(message.id) if message else ""
    return {
        "event_id": header.id if header else unread,
        "key": header.subject if header else None,
        "publisher": header.source if header else sender,
        "sequence": header.sequence if header else 0,
        "type": header.type if header else "",
        "kind": kind,
        "code": code,
        "detail": detail,
        "body": arrival.body,
        "held_us": to_us(now),
    }
