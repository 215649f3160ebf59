"""Who is reached: the directory as heard, absences, deputies."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime

#: Deputies of deputies that are asked; longer chains are a mistake in the directory.
_MAX_HOPS = 5


@dataclass(frozen=True, slots=True)
class Absence:
    """Away from `starts_at` until just before `ends_at` (UTC)."""

    starts_at: datetime
    ends_at: datetime
    deputy: str | None = None

    def covers(self, at: datetime) -> bool:
        """Return whether the person is away at `at`."""
        return self.starts_at <= at < self.ends_at


@dataclass(frozen=True, slots=True)
class Person:
    """A person who can be told."""

    id: str
    name: str
    absences: tuple[Absence, ...] = ()

    def absence(self, at: datetime) -> Absence | None:
        """Return the absence that covers `at`; of several, one that names a deputy."""
        covering = [absence for absence in self.absences if absence.covers(at)]
        return next((a for a in covering if a.deputy), covering[0] if covering else None)


@dataclass(frozen=True, slots=True)
class Team:
    """A team that owns requests."""

    id: str
    members: tuple[str, ...] = ()
    lead: str | None = None
    manager: str | None = None
    policy: str = "standard"


@dataclass(frozen=True, slots=True)
class Directory:
    """People and teams; version 0 is the one nobody has announced."""

    version: int = 0
    people: Mapping[str, Person] = field(default_factory=dict)
    teams: Mapping[str, Team] = field(default_factory=dict)
    duty_person: str | None = None

    @property
    def is_known(self) -> bool:
        """Whether a directory was ever heard."""
        return self.version > 0

    def name_of(self, person: str) -> str:
        """Return how people call the person; the id for whom the directory does not know."""
        found = self.people.get(person)
        return found.name if found else person


@dataclass(frozen=True, slots=True)
class Told:
    """A person who is told, in which role, and for whom they stand in."""

    person: str
    role: str
    stands_in_for: str | None = None


@dataclass(frozen=True, slots=True)
class Dropped:
    """A person who should have been told and could not: `reason` is absent or unknown."""

    person: str
    role: str
    reason: str


@dataclass(frozen=True, slots=True)
class Reached:
    """Whom a step reaches; each person once."""

    told: tuple[Told, ...] = ()
    dropped: tuple[Dropped, ...] = ()


def reach(
    directory: Directory,
    selectors: Iterable[str],
    team: str | None,
    assignee: str | None,
    at: datetime,
) -> Reached:
    """Return the people that `selectors` mean for a team and assignee at the moment `at`.

    Selectors are member (the assignee, or all members while nobody is named), lead, manager,
    duty and person:<id>. Whoever is away is replaced by their deputy, and that one by theirs;
    whoever has none is dropped.
    """
    told: dict[str, Told] = {}
    dropped: dict[str, Dropped] = {}
    for role, person in _meant(directory, selectors, team, assignee):
        found = _present(directory, person, at)
        if isinstance(found, str):
            entry = Told(found, role, None if found == person else person)
            # Whoever is told in their own name is not shown as somebody's deputy.
            if found not in told or (told[found].stands_in_for and not entry.stands_in_for):
                told[found] = entry
        else:
            dropped.setdefault(person, Dropped(person, role, found.reason))
    return Reached(tuple(told.values()), tuple(dropped.values()))


def _meant(
    directory: Directory, selectors: Iterable[str], team_id: str | None, assignee: str | None
) -> list[tuple[str, str]]:
    team = directory.teams.get(team_id or "")
    meant: list[tuple[str, str]] = []
    for selector in selectors:
        if selector == "member":
            members = (assignee,) if assignee else team.members if team else ()
            meant += [("member", person) for person in members]
        elif selector == "duty":
            meant += [("duty", directory.duty_person)] if directory.duty_person else []
        elif selector.startswith("person:"):
            meant.append(("person", selector.removeprefix("person:")))
        elif team is not None:
            person = team.lead if selector == "lead" else team.manager
            meant += [(selector, person)] if person else []
    return meant


@dataclass(frozen=True, slots=True)
class _Nobody:
    reason: str


def _present(directory: Directory, wanted: str, at: datetime) -> str | _Nobody:
    """Return the first person along the chain of deputies who is there."""
    person, seen = wanted, {wanted}
    for _ in range(_MAX_HOPS + 1):
        found = directory.people.get(person)
        if found is None:
            return _Nobody("unknown" if person == wanted else "absent")
        absence = found.absence(at)
        if absence is None:
            return person
        if absence.deputy is None or absence.deputy in seen:
            return _Nobody("absent")
        person = absence.deputy
        seen.add(person)
    return _Nobody("absent")
