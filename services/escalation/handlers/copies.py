"""What others announce and escalation keeps a copy of: people, teams, policies."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.escalation.domain import (
    Absence,
    BadDefinitionKey,
    ContentMissing,
    Directory,
    Person,
    Team,
)
from shared.definitions.models import EscalationPolicy
from shared.definitions.parsing import parse, read_yaml

if TYPE_CHECKING:
    from services.escalation.store import EscalationWork
    from shared.events.base import Envelope
    from shared.events.router import DefinitionReleased, DirectoryChanged


def keep_directory(event: Envelope[DirectoryChanged], work: EscalationWork) -> None:
    """Put a directory in force, unless a newer one is."""
    said = event.data
    if said.version <= work.in_force.directory.version:
        return
    people = (
        Person(
            person.id,
            person.name,
            tuple(Absence(a.starts_at, a.ends_at, a.deputy) for a in person.absences),
        )
        for person in said.people
    )
    teams = (
        Team(team.id, team.members, team.lead, team.manager, team.escalation_policy)
        for team in said.teams
    )
    work.keep_directory(
        Directory(
            said.version,
            {person.id: person for person in people},
            {team.id: team for team in teams},
            said.duty_person,
        )
    )


def keep_policy(event: Envelope[DefinitionReleased], work: EscalationWork) -> None:
    """Put a version of an escalation policy in force; other definitions are not ours.

    Raises `ContentMissing`, `BadDefinition`, `BadDefinitionKey`: a person must look.
    """
    said = event.data
    if said.kind != "escalation_policy" or work.in_force.has(said.key, said.version):
        return
    if said.content is None:
        raise ContentMissing(key=said.key)
    policy = parse(EscalationPolicy, read_yaml(said.content, said.key), said.key)
    if policy.key != said.key:
        raise BadDefinitionKey(released_as=said.key, key=policy.key)
    work.keep_policy(said.version, policy, said.content, said.content_hash)
