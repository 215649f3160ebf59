"""What others announce and notify keeps a copy of: people, teams, templates."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.notify.domain.errors import ContentMissing
from services.notify.domain.people import Directory, Person, Team

if TYPE_CHECKING:
    from services.notify.store import NotifyWork
    from shared.events.base import Envelope
    from shared.events.router import DefinitionReleased, DirectoryChanged


def keep_directory(event: Envelope[DirectoryChanged], work: NotifyWork) -> None:
    """Put a directory in force, unless a newer one is."""
    said = event.data
    if said.version <= work.copies.directory.version:
        return
    people = (
        Person(p.id, p.name, p.language, p.zone, p.addresses, p.channels) for p in said.people
    )
    teams = (Team(team.id, team.name, team.channels) for team in said.teams)
    work.keep_directory(
        Directory(
            said.version,
            {person.id: person for person in people},
            {team.id: team for team in teams},
        )
    )


def keep_templates(event: Envelope[DefinitionReleased], work: NotifyWork) -> None:
    """Put templates in force, unless newer ones are; other definitions are not ours.

    Raises `ContentMissing` and `BadDefinition`: a person must look.
    """
    said = event.data
    if said.kind != "templates" or said.version <= work.copies.versions.get(said.key, 0):
        return
    if said.content is None:
        raise ContentMissing(key=said.key)
    work.keep_templates(said.key, said.version, said.content)
