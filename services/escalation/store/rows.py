"""How values become rows and come back."""

from __future__ import annotations

from datetime import datetime
from typing import Any
from uuid import UUID

import orjson

from services.escalation.domain import (
    Absence,
    Cause,
    Directory,
    Dropped,
    Escalation,
    Person,
    Reached,
    Request,
    Team,
    Told,
)
from shared.database.tables import from_us, to_us
from shared.vocabulary import EscalationState, Priority


def dumped(body: Any) -> str:
    """Return JSON text; moments with their offset."""
    return orjson.dumps(body, option=orjson.OPT_UTC_Z).decode()


def request_row(request: Request) -> dict[str, Any]:
    """Return the row of a request."""
    body = {
        "team": request.team,
        "assignee": request.assignee,
        "priority": request.priority,
        "is_import": request.is_import,
        "over_at": request.over_at,
        "late_causes": [cause_body(cause) for cause in request.late_causes],
    }
    return {"id": str(request.id), "number": request.number, "body": dumped(body)}


def request_of(row: Any) -> Request:
    """Return the request of a row."""
    body = orjson.loads(row.body)
    return Request(
        id=UUID(row.id),
        number=row.number,
        team=body["team"],
        assignee=body["assignee"],
        priority=Priority(body["priority"]) if body["priority"] else None,
        is_import=body["is_import"],
        over_at=_moment(body["over_at"]),
        late_causes=tuple(cause_of(cause) for cause in body["late_causes"]),
    )


def cause_body(cause: Cause) -> dict[str, Any]:
    """Return the JSON of a cause."""
    return {
        "kind": cause.kind,
        "at": cause.at,
        "metric": cause.metric,
        "threshold_percent": cause.threshold_percent,
        "threshold_time": cause.threshold_time,
        "clock_id": cause.clock_id,
        "reason": cause.reason,
        "due_at": cause.due_at,
        "by": cause.by,
    }


def cause_of(body: dict[str, Any]) -> Cause:
    """Return the cause of a JSON."""
    clock_id = body["clock_id"]
    return Cause(
        kind=body["kind"],
        at=datetime.fromisoformat(body["at"]),
        metric=body["metric"],
        threshold_percent=body["threshold_percent"],
        threshold_time=body.get("threshold_time"),
        clock_id=UUID(clock_id) if clock_id else None,
        reason=body["reason"],
        due_at=_moment(body["due_at"]),
        by=body["by"],
    )


def escalation_row(escalation: Escalation) -> dict[str, Any]:
    """Return the row of an escalation."""
    body = {
        "policy": escalation.policy,
        "policy_version": escalation.policy_version,
        "priority": escalation.priority,
        "causes": [cause_body(cause) for cause in escalation.causes],
        "begun_at": escalation.begun_at,
        "epoch": escalation.epoch,
        "tier": escalation.tier,
        "next_place": escalation.next_place,
        "told": escalation.told,
        "is_exhaustion_said": escalation.is_exhaustion_said,
        "links_from": escalation.links_from,
        "acknowledged_by": escalation.acknowledged_by,
        "acknowledged_at": escalation.acknowledged_at,
        "closed_at": escalation.closed_at,
        "close_reason": escalation.close_reason,
    }
    return {
        "id": str(escalation.id),
        "request_id": str(escalation.request_id),
        "state": escalation.state.value,
        "team": escalation.team,
        "raised_us": to_us(escalation.raised_at),
        "next_us": to_us(escalation.next_at) if escalation.next_at else None,
        "body": dumped(body),
    }


def escalation_of(row: Any) -> Escalation:
    """Return the escalation of a row."""
    body = orjson.loads(row.body)
    place = body["next_place"]
    return Escalation(
        id=UUID(row.id),
        request_id=UUID(row.request_id),
        policy=body["policy"],
        policy_version=body["policy_version"],
        team=row.team,
        priority=Priority(body["priority"]),
        causes=tuple(cause_of(cause) for cause in body["causes"]),
        raised_at=from_us(row.raised_us),
        begun_at=datetime.fromisoformat(body["begun_at"]),
        state=EscalationState(row.state),
        epoch=body["epoch"],
        tier=body["tier"],
        next_place=(place[0], place[1]) if place else None,
        next_at=from_us(row.next_us) if row.next_us is not None else None,
        told=tuple(body["told"]),
        is_exhaustion_said=body["is_exhaustion_said"],
        # The release before counted the links of the current epoch alone.
        links_from=body.get("links_from", body["epoch"]),
        acknowledged_by=body["acknowledged_by"],
        acknowledged_at=_moment(body["acknowledged_at"]),
        closed_at=_moment(body["closed_at"]),
        close_reason=body["close_reason"],
    )


def reached_body(reached: Reached) -> dict[str, Any]:
    """Return the JSON of whom a step reached."""
    return {
        "told": [
            {"person": t.person, "role": t.role, "stands_in_for": t.stands_in_for}
            for t in reached.told
        ],
        "dropped": [
            {"person": d.person, "role": d.role, "reason": d.reason} for d in reached.dropped
        ],
    }


def reached_of(body: dict[str, Any]) -> Reached:
    """Return whom a step reached from its JSON."""
    return Reached(
        tuple(Told(**entry) for entry in body["told"]),
        tuple(Dropped(**entry) for entry in body["dropped"]),
    )


def directory_body(directory: Directory) -> dict[str, Any]:
    """Return the JSON of the directory."""
    return {
        "people": [
            {
                "id": person.id,
                "name": person.name,
                "absences": [[a.starts_at, a.ends_at, a.deputy] for a in person.absences],
            }
            for person in directory.people.values()
        ],
        "teams": [
            [team.id, team.members, team.lead, team.manager, team.policy]
            for team in directory.teams.values()
        ],
        "duty_person": directory.duty_person,
    }


def directory_of(version: int, body: dict[str, Any]) -> Directory:
    """Return the directory of its JSON."""
    people = (
        Person(
            entry["id"],
            entry["name"],
            tuple(
                Absence(datetime.fromisoformat(start), datetime.fromisoformat(end), deputy)
                for start, end, deputy in entry["absences"]
            ),
        )
        for entry in body["people"]
    )
    teams = (
        Team(team, tuple(members), lead, manager, policy)
        for team, members, lead, manager, policy in body["teams"]
    )
    return Directory(
        version,
        {person.id: person for person in people},
        {team.id: team for team in teams},
        body["duty_person"],
    )


def _moment(text: str | None) -> datetime | None:
    return datetime.fromisoformat(text) if text else None
