"""The directory of events as the rules see it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.router.domain import Away, People, Person, Team

if TYPE_CHECKING:
    from shared.events.router import DirectoryChanged


def people_of(directory: DirectoryChanged) -> People:
    """Return the people and teams of a directory."""
    return People(
        people={
            person.id: Person(
                id=person.id,
                away=tuple(Away(a.starts_at, a.ends_at, a.deputy) for a in person.absences),
                skills=frozenset(person.skills),
                capacity=person.capacity,
                shift=person.shift,
            )
            for person in directory.people
        },
        teams={
            team.id: Team(team.id, team.members, team.lead, team.manager)
            for team in directory.teams
        },
        duty_person=directory.duty_person,
    )
