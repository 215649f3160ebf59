"""Who of a team gets a request, where the table of assignment names a way to choose.

The table says how (`strategy`), what the person must bring (`skill`, `on_shift`) and how much may
be in one pair of hands (`capacity`). The same team, loads and turn give the same person.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from services.router.domain.people import Person

#: Stays with the team until somebody takes it.
QUEUE = "queue"
LEAST_LOADED, ROUND_ROBIN, RELATED_OWNER = "least_loaded", "round_robin", "related_owner"
STRATEGIES = (QUEUE, LEAST_LOADED, ROUND_ROBIN, RELATED_OWNER)


@dataclass(frozen=True, slots=True)
class Rule:
    """What the table of assignment said."""

    strategy: str
    #: What the person has to be able to do.
    skill: str | None = None
    #: Whether only those on shift at the moment.
    on_shift: bool = False
    #: For people without a capacity of their own; None: as many as come.
    capacity: int | None = None
    #: Seconds until it is tried again when nobody could take it; None: it stays in the queue.
    again_after_s: float | None = None
    #: The number of the request whose owner is asked first.
    related: str | None = None


@dataclass(frozen=True, slots=True)
class Member:
    """Somebody of the team as they are at the moment."""

    person: Person
    load: int
    is_away: bool = False
    is_on_shift: bool = True


@dataclass(frozen=True, slots=True)
class Considered:
    """How the rule saw a member; `ruled_out` says why not, None when it could have been them."""

    person: str
    load: int
    capacity: int | None
    ruled_out: str | None


@dataclass(frozen=True, slots=True)
class Choice:
    """Who gets it, and who was looked at; nobody when all were ruled out."""

    person: str | None
    considered: tuple[Considered, ...]


def rule_of(told: Mapping[str, Any]) -> Rule | None:
    """Return the rule a row of the table gives; None where the request stays in the queue.

    An unknown strategy is no strategy: what the table says wrongly leaves the team its queue.
    """
    strategy = told.get("strategy")
    if strategy not in STRATEGIES or strategy == QUEUE:
        return None
    capacity, again = told.get("capacity"), told.get("again_after_s")
    return Rule(
        strategy=str(strategy),
        skill=str(told["skill"]) if told.get("skill") else None,
        on_shift=told.get("on_shift") is True,
        capacity=int(capacity) if isinstance(capacity, int | float) else None,
        again_after_s=max(60.0, float(again)) if isinstance(again, int | float) else None,
        related=str(told["related"]) if told.get("related") else None,
    )


def choose(
    rule: Rule,
    team: Sequence[Member],
    last: str | None,
    related_owner: str | None,
    barred: Collection[str] = (),
    gave_it_back: str | None = None,
) -> Choice:
    """Return who of the team (in the directory's order) gets the request.

    `last` is who was given the last one in turn: equal loads go on behind them. An owner of the
    related request who cannot take it is followed by the least loaded. Who just gave it back is
    not given it again.
    """
    seen = [_look(rule, member, barred, gave_it_back) for member in team]
    able = [entry for entry in seen if entry.ruled_out is None]
    if not able:
        return Choice(None, tuple(seen))
    turn = _in_turn([entry.person for entry in seen], last)
    by_turn = sorted(able, key=lambda entry: turn[entry.person])
    related = next((entry for entry in able if entry.person == related_owner), None)
    if rule.strategy == ROUND_ROBIN:
        chosen = by_turn[0]
    elif rule.strategy == RELATED_OWNER and related is not None:
        chosen = related
    else:
        chosen = min(by_turn, key=lambda entry: entry.load)
    return Choice(chosen.person, tuple(seen))


def _look(
    rule: Rule, member: Member, barred: Collection[str], gave_it_back: str | None
) -> Considered:
    person = member.person
    capacity = person.capacity if person.capacity is not None else rule.capacity
    if person.id in barred:
        why = "barred"
    elif person.id == gave_it_back:
        why = "gave_it_back"
    elif member.is_away:
        why = "absent"
    elif rule.on_shift and not member.is_on_shift:
        why = "off_shift"
    elif rule.skill is not None and rule.skill not in person.skills:
        why = "skill"
    elif capacity is not None and member.load >= capacity:
        why = "full"
    else:
        why = None
    return Considered(person.id, member.load, capacity, why)


def _in_turn(people: Sequence[str], last: str | None) -> dict[str, int]:
    """Return each person's place in the turn that begins behind `last`."""
    start = people.index(last) + 1 if last in people else 0
    return {person: (place - start) % len(people) for place, person in enumerate(people)}
