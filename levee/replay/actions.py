"""What each event of a log means for the services (pure): the reading rules of a replay.

* the first event whose state is not New is an effective first response;
* the first named person is the assignment; a later one takes over;
* a change of a non-empty group to another is a handover;
* from an "Awaiting …" state to the next event in another state is waiting;
* the first Resolved resolves (Closed without Resolved resolves too); a later open state reopens;
* each event acknowledges what escalated before it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from levee.replay.servicenow import Incident, Row

Verb = Literal[
    "acknowledge", "reopen", "hand_over", "assign", "respond", "resume", "wait", "resolve", "close"
]

#: Reasons of waiting by the log's state; another "Awaiting …" waits for an unnamed third party.
_WAITS = {
    "Awaiting User Info": "requester",
    "Awaiting Vendor": "supplier",
    "Awaiting Problem": "problem",
    "Awaiting Evidence": "evidence",
}
_DONE = ("Resolved", "Closed")


@dataclass(frozen=True, slots=True)
class Action:
    """One thing that happened at `at` (UTC)."""

    verb: Verb
    at: datetime
    team: str = ""
    person: str = ""
    reason: str = ""


@dataclass(slots=True)
class Progress:
    """Where one incident stands while its log is played."""

    team: str = ""
    person: str = ""
    has_responded: bool = False
    waits_for: str | None = None
    is_resolved: bool = False
    is_closed: bool = False

    def actions(self, row: Row) -> Iterator[Action]:
        """Return what the event means, in the order in which it is told."""
        yield Action("acknowledge", row.at, person=row.person or "agent")
        if self.is_resolved and row.state not in _DONE:
            self.is_resolved = self.is_closed = False
            yield Action("reopen", row.at, reason="log")
        yield from self._ownership(row)
        if not self.has_responded and row.state != "New":
            self.has_responded = True
            yield Action("respond", row.at, person=row.person or "agent")
        yield from self._waiting(row)
        yield from self._ending(row)

    def _ownership(self, row: Row) -> Iterator[Action]:
        if row.group and row.group != self.team:
            yield Action("hand_over", row.at, team=row.group, reason="log")
            self.team, self.person = row.group, ""
        if row.person and row.person != self.person:
            self.person = row.person
            yield Action("assign", row.at, person=row.person)

    def _waiting(self, row: Row) -> Iterator[Action]:
        reason = _WAITS.get(row.state, "third_party") if row.is_waiting else None
        if reason == self.waits_for:
            return
        if reason is not None:
            yield Action("wait", row.at, reason=reason)
        elif row.state not in _DONE:
            yield Action("resume", row.at)
        self.waits_for = reason

    def _ending(self, row: Row) -> Iterator[Action]:
        if row.state in _DONE and not self.is_resolved:
            self.is_resolved = True
            yield Action("resolve", row.at, person=row.person, reason="log")
        if row.state == "Closed" and not self.is_closed:
            self.is_closed = True
            yield Action("close", row.at, reason="log")


def first_team(incident: Incident) -> str:
    """Return the group the first event names; empty when it starts without an owner."""
    return incident.rows[0].group
