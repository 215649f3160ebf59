"""People and teams: who may take a piece of work, who stands in for whom, who is passed over.

A user task names its candidates by *groups*: a team's id, or a role (`lead`, `manager`, `duty`) of
the owning team, `<team>:lead` or `<team>:manager` of another, `person:<id>`. Nobody is asked in
vain: whoever is away without a deputy, or may not do it, is passed over for the next up the line.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field
from datetime import datetime

#: Up the line: from each of these to those behind it.
LINE = ("lead", "manager", "duty")


@dataclass(frozen=True, slots=True)
class Away:
    """Away from `starts_at` to before `ends_at`; the deputy stands in."""

    starts_at: datetime
    ends_at: datetime
    deputy: str | None = None


@dataclass(frozen=True, slots=True)
class Person:
    """A person, as rules see one."""

    id: str
    away: tuple[Away, ...] = ()
    skills: frozenset[str] = frozenset()
    #: At most so many work items at once; None: as many as come.
    capacity: int | None = None
    #: The calendar of their shifts; None: always on shift.
    shift: str | None = None

    def absence(self, at: datetime) -> Away | None:
        """Return the absence they are in at a moment, if any; of several the first written."""
        return next((a for a in self.away if a.starts_at <= at < a.ends_at), None)


@dataclass(frozen=True, slots=True)
class Team:
    """A team, as rules see one."""

    id: str
    members: tuple[str, ...] = ()
    lead: str | None = None
    manager: str | None = None


@dataclass(frozen=True, slots=True)
class People:
    """The directory."""

    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    duty_person: str | None = None

    def in_role(self, role: str, team: str) -> str | None:
        """Return who has a role of a team; None when nobody has."""
        if role == "duty":
            return self.duty_person
        found = self.teams.get(team)
        return None if found is None else getattr(found, role)

    def deputy_of(self, person: str, at: datetime) -> str | None:
        """Return who stands in for somebody who is away; None when they are there, or nobody does.

        A deputy who is away as well has a deputy too; a circle of deputies ends with nobody.
        """
        seen = {person}
        known = self.people.get(person)
        while known is not None and (absence := known.absence(at)) is not None:
            if absence.deputy is None or absence.deputy in seen:
                return None
            seen.add(absence.deputy)
            known = self.people.get(absence.deputy)
        return known.id if known is not None and known.id != person else None

    def is_away(self, person: str, at: datetime) -> bool:
        """Whether somebody is away at a moment."""
        known = self.people.get(person)
        return known is not None and known.absence(at) is not None

    def absent_of(self, deputy: str, at: datetime) -> frozenset[str]:
        """Return for whom a person stands in at a moment."""
        return frozenset(
            person
            for person, known in self.people.items()
            if known.away and self.deputy_of(person, at) == deputy
        )


def in_charge(people: People, teams: Collection[str], persons: Collection[str]) -> bool:
    """Whether one of these people leads or manages one of these teams."""
    return any(people.in_role(role, team) in persons for role in LINE[:2] for team in teams)


@dataclass(frozen=True, slots=True)
class Candidates:
    """Who may take a work item."""

    teams: tuple[str, ...] = ()
    users: tuple[str, ...] = ()
    #: Deputy → whose authority it is.
    stands_in: Mapping[str, str] = field(default_factory=dict)
    #: Whether the work goes to the owning team itself, so that who takes it owns the request.
    is_owners: bool = False


def candidates(
    groups: Collection[str],
    owner: str,
    chosen: str | None,
    people: People,
    at: datetime,
    barred: Collection[str] = (),
) -> Candidates:
    """Return who may take the work that a user task offers to `groups`.

    `owner` is the team the request belongs to now, `chosen` the one the diagram chose when it
    began: a request that moved meanwhile takes the work for its owner along, and a team nobody
    knows is the owner's too. Who is `barred` is passed over. Nobody at all is never the answer:
    then the owning team is asked.
    """
    teams: dict[str, None] = {}
    users: dict[str, None] = {}
    stands_in: dict[str, str] = {}
    is_owners = False
    for group in groups:
        of_team, _, role = group.rpartition(":")
        if role in LINE:
            _ask_line(role, of_team or owner, people, at, barred, users, stands_in)
        elif of_team == "person":
            _ask(role, people, at, barred, users, stands_in)
        elif group in people.teams and group not in (chosen, owner):
            teams[group] = None
        else:
            teams[owner] = None
            is_owners = True
    if not teams and not users:
        teams[owner] = None
    return Candidates(tuple(teams), tuple(users), stands_in, is_owners)


def _ask_line(
    role: str,
    team: str,
    people: People,
    at: datetime,
    barred: Collection[str],
    users: dict[str, None],
    stands_in: dict[str, str],
) -> None:
    """Ask who has the role, or else the next up the line who can be asked."""
    for step in LINE[LINE.index(role) :]:
        person = people.in_role(step, team)
        if person is not None and _ask(person, people, at, barred, users, stands_in):
            return


def _ask(
    person: str,
    people: People,
    at: datetime,
    barred: Collection[str],
    users: dict[str, None],
    stands_in: dict[str, str],
) -> bool:
    """Ask a person, and who stands in for them; return whether anybody is there to be asked."""
    if person in barred or person not in people.people:
        return False
    if not people.is_away(person, at):
        users[person] = None
        return True
    deputy = people.deputy_of(person, at)
    if deputy is None or deputy in barred:
        return False
    # Whoever comes back early may still do it.
    users[person] = users[deputy] = None
    stands_in[deputy] = person
    return True
