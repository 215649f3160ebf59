"""Requests given to somebody of the team, where the table of assignment says how to choose.

The table is asked when a team gets a request; the choice is made in a transaction of its own right
after, which holds the team's turn: two requests at once never look at the same loads.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Any
from uuid import UUID

from services.router import domain
from services.router.domain import assigning
from services.router.handlers.barring import barred_by
from services.router.handlers.incidents import note_fault
from services.router.handlers.steps import follow
from shared.definitions.parsing import parse_duration
from shared.errors import LeveeError
from shared.vocabulary import RequestState

if TYPE_CHECKING:
    from datetime import datetime

    from services.router.domain import Record
    from services.router.store import RouterWork
    from shared.database.timers import Timer

#: The decision asked, and the kind and name of the timer of a choice to be made.
ASSIGNMENT = "assignment"
_LIVE = (RequestState.OPEN, RequestState.WAITING)


def propose(
    work: RouterWork, record: Record, at: datetime, *, gave_it_back: str | None = None
) -> Record:
    """Let a request nobody owns be given to somebody, if the table says so.

    Not to who `gave_it_back` a moment ago.
    """
    if record.assignee is not None or record.is_import or record.state not in _LIVE:
        return record
    if ASSIGNMENT not in work.repository.decision_ids:
        return record
    inputs = {
        "request": record.context,
        "team": record.team,
        "lane": record.lane.value,
        "priority": record.priority.value,
    }
    try:
        result, explanation = work.repository.evaluate(ASSIGNMENT, inputs, at)
        told = _told(result)
    except (LeveeError, ValueError) as error:
        note_fault(work, record, ASSIGNMENT, ASSIGNMENT, "assignment-failed", str(error), at)
        return record
    if assigning.rule_of(told) is None:
        return record
    passed = {"gave_it_back": gave_it_back} if gave_it_back is not None else {}
    record = replace(record, assignment={**told, **passed, "explanation": explanation})
    work.keep(record)
    work.arm(ASSIGNMENT, record.id, ASSIGNMENT, at)
    return record


def assign_by_rule(timer: Timer, work: RouterWork) -> None:
    """Give a request to whom the rule chooses; nobody able means later, or the queue."""
    record, at = work.find(UUID(timer.key)), work.fires_at(timer)
    if record is None or record.assignment is None:
        return
    rule = assigning.rule_of(record.assignment)
    if rule is None or record.assignee is not None or record.state not in _LIVE:
        work.keep(replace(record, assignment=None))
        return
    choice = _choose(work, record, rule, at)
    if choice.person is None:
        if rule.again_after_s is None:
            work.keep(replace(record, assignment=None))
        else:
            later = at + timedelta(seconds=rule.again_after_s)
            work.arm(ASSIGNMENT, record.id, ASSIGNMENT, later)
        return
    how = domain.How(rule.strategy, choice.considered, record.assignment["explanation"])
    record, facts = domain.assign(replace(record, assignment=None), choice.person, how=how)
    work.hands.took(record.team, choice.person)
    follow(work, record, facts, at)


def _choose(
    work: RouterWork, record: Record, rule: assigning.Rule, at: datetime
) -> assigning.Choice:
    people = work.repository.people
    team = people.teams.get(record.team)
    known = [people.people[p] for p in (team.members if team else ()) if p in people.people]
    members = [
        assigning.Member(
            person,
            work.hands.load_of(person.id),
            is_away=person.absence(at) is not None,
            is_on_shift=person.shift is None or work.repository.is_working(person.shift, at),
        )
        for person in known
    ]
    excludes = tuple(word for item in work.open_items(record) for word in item.excludes)
    return assigning.choose(
        rule,
        members,
        work.hands.last_turn(record.team),
        work.hands.owner_of(rule.related) if rule.related else None,
        barred_by(work, record, excludes),
        (record.assignment or {}).get("gave_it_back"),
    )


def _told(result: object) -> dict[str, Any]:
    """Return a row's outputs, durations in seconds."""
    told = dict(result) if isinstance(result, dict) else {}
    again = told.pop("again_after", None)
    if isinstance(again, str) and again:
        told["again_after_s"] = parse_duration(again).total_seconds()
    return told
