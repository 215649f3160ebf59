"""Reads a ServiceNow incident event log: one row per audit event of an incident.

Reading rules: order by `event_seq`; submitted at `opened_at` (or at the first event if that is
earlier) with the log's last urgency and impact; an event happens at `sys_updated_at`. Rows that
cannot be read are counted, named and skipped.
"""

from __future__ import annotations

import csv
import gzip
import itertools
import sys
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import TYPE_CHECKING, ClassVar
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from shared.errors import Invalid
from shared.vocabulary import Impact, Urgency

if TYPE_CHECKING:
    from pathlib import Path

_NEEDED = (
    "number",
    "event_seq",
    "incident_state",
    "opened_at",
    "sys_updated_at",
    "impact",
    "urgency",
    "assignment_group",
    "assigned_to",
)
_URGENCY = {"1": Urgency.HIGH, "2": Urgency.MEDIUM, "3": Urgency.LOW}
_IMPACT = {"1": Impact.HIGH, "2": Impact.MEDIUM, "3": Impact.LOW}
#: Years a log may speak of; others are slips of the keyboard, and calendars end somewhere.
_YEARS = range(1990, 2100)
#: People of a group whom an escalation reaches while nobody is named.
_ON_SHIFT = 3
#: Faults told by name in the report; all are counted.
_NAMED = 50


class BadLog(Invalid):
    """{path} is not a ServiceNow event log: {reason}."""

    zh: ClassVar[str] = "{path} 不是 ServiceNow 事件日志：{reason}。"


@dataclass(frozen=True, slots=True)
class Row:
    """One event of an incident; `at` is UTC."""

    sequence: int
    at: datetime
    state: str
    group: str
    person: str

    @property
    def is_waiting(self) -> bool:
        """Whether nobody inside can do anything."""
        return self.state.startswith("Awaiting")


@dataclass(slots=True)
class Incident:
    """One incident with its events in order."""

    external_id: str
    opened_at: datetime
    urgency: Urgency
    impact: Impact
    category: str
    rows: list[Row] = field(default_factory=list)

    @property
    def submitted_at(self) -> datetime:
        """When it was asked: opened, or the first event if the log has that earlier."""
        return min([self.opened_at, *(row.at for row in self.rows[:1])])


@dataclass(slots=True)
class Skipped:
    """What could not be read."""

    count: int = 0
    named: list[dict[str, object]] = field(default_factory=list)

    def note(self, line: int, reason: str, number: str = "") -> None:
        """Count one row, and name it while there are not too many."""
        self.count += 1
        if len(self.named) < _NAMED:
            self.named.append({"line": line, "incident": number, "reason": reason})


def read_log(path: Path, zone: str, limit: int | None = None) -> tuple[list[Incident], Skipped]:
    """Return the incidents of a log (the first `limit` of the file), and what was skipped.

    Wall clock times are read in `zone`. Raises `BadLog` when the file is not such a log.
    """
    try:
        where = ZoneInfo(zone)
    except (ZoneInfoNotFoundError, ValueError) as error:
        raise BadLog(path=path, reason=f"unknown zone {zone!r}") from error
    skipped = Skipped()
    incidents: dict[str, list[tuple[int, dict[str, str]]]] = {}
    for line, raw in _rows(path, skipped):
        number = raw["number"].strip()
        if number not in incidents:
            if limit is not None and len(incidents) >= limit:
                continue
            incidents[number] = []
        # A year of audit events has a few hundred different texts: each is kept once.
        kept = {name: sys.intern(raw.get(name) or "") for name in (*_NEEDED, "category")}
        incidents[number].append((line, kept))
    found = [_incident(number, rows, where, skipped) for number, rows in incidents.items()]
    return [incident for incident in found if incident is not None], skipped


def _rows(path: Path, skipped: Skipped) -> Iterator[tuple[int, dict[str, str]]]:
    opener = gzip.open if path.suffix == ".gz" else open
    try:
        with opener(path, "rt", encoding="utf-8-sig", errors="replace", newline="") as file:
            reader = csv.DictReader(file)
            missing = [name for name in _NEEDED if name not in (reader.fieldnames or ())]
            if missing:
                raise BadLog(path=path, reason=f"columns missing: {', '.join(missing)}")
            for raw in reader:
                fault = _fault(raw)
                if fault:
                    skipped.note(reader.line_num, fault, str(raw.get("number") or ""))
                else:
                    yield reader.line_num, raw
    except (OSError, EOFError, zlib.error, csv.Error) as error:
        raise BadLog(path=path, reason=str(error)) from error


def _fault(raw: dict[str, str]) -> str | None:
    """Say what is wrong with a row, before anything is made of it."""
    if None in raw or any(raw.get(name) is None for name in _NEEDED):
        return "the number of columns is not that of the header"
    if not raw["number"].strip():
        return "no incident number"
    try:
        int(raw["event_seq"])
        moments = [datetime.fromisoformat(raw[name]) for name in ("sys_updated_at", "opened_at")]
    except ValueError as error:
        return str(error)
    strange = [moment.year for moment in moments if moment.year not in _YEARS]
    if strange:
        return f"the year {strange[0]} is not one a log can speak of"
    if raw["urgency"][:1] not in _URGENCY or raw["impact"][:1] not in _IMPACT:
        return f"urgency {raw['urgency']!r} or impact {raw['impact']!r} is unknown"
    return None


def _incident(
    number: str, rows: list[tuple[int, dict[str, str]]], zone: ZoneInfo, skipped: Skipped
) -> Incident | None:
    ordered = sorted(rows, key=lambda row: int(row[1]["event_seq"]))
    last = ordered[-1][1]
    incident = Incident(
        external_id=number,
        opened_at=_moment(ordered[0][1]["opened_at"], zone),
        urgency=_URGENCY[last["urgency"][:1]],
        impact=_IMPACT[last["impact"][:1]],
        category=last["category"],
    )
    seen: set[int] = set()
    for line, raw in ordered:
        sequence = int(raw["event_seq"])
        if sequence in seen:
            skipped.note(line, f"event_seq {sequence} stands twice", number)
            continue
        seen.add(sequence)
        incident.rows.append(
            Row(
                sequence=sequence,
                at=_moment(raw["sys_updated_at"], zone),
                state=raw["incident_state"].strip(),
                group=raw["assignment_group"].strip(),
                person=raw["assigned_to"].strip(),
            )
        )
    return incident if incident.rows else None


def _moment(text: str, zone: ZoneInfo) -> datetime:
    moment = datetime.fromisoformat(text)
    return (moment if moment.tzinfo else moment.replace(tzinfo=zone)).astimezone(UTC)


def teams_of(incidents: list[Incident]) -> tuple[dict[str, list[str]], list[str]]:
    """Return each group of a log with the people most often seen in it, and everybody seen.

    A log has no rosters; whoever did most of a group's work stands in for who is on shift.
    """
    seen: dict[str, Counter[str]] = {}
    people: set[str] = set()
    for row in itertools.chain.from_iterable(incident.rows for incident in incidents):
        if row.person:
            people.add(row.person)
        if row.group:
            members = seen.setdefault(row.group, Counter())
            if row.person:
                members[row.person] += 1
    return {group: _busiest(members) for group, members in sorted(seen.items())}, sorted(people)


def _busiest(members: Counter[str]) -> list[str]:
    ordered = sorted(members.items(), key=lambda item: (-item[1], item[0]))
    return [name for name, _ in ordered[:_ON_SHIFT]]
