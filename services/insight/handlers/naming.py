"""What teams, people and request types are called."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from services.insight.domain.followers import Name
from shared.definitions.models import Catalogue
from shared.definitions.parsing import BadDefinition, parse, read_yaml

if TYPE_CHECKING:
    from services.insight.handlers.port import Work
    from shared.events.base import Envelope
    from shared.events.router import DefinitionReleased, DirectoryChanged

_log = logging.getLogger(__name__)


def directory_changed(event: Envelope[DirectoryChanged], work: Work) -> None:
    """Keep the names of teams and people; those who left stay readable in old timelines."""
    if not work.is_news(event.subject, event.data.version):
        return
    for team in event.data.teams:
        work.keep_name(_name("team", team.id, team.name.get("zh-CN"), team.name.get("en")))
    for person in event.data.people:
        work.keep_name(Name("person", person.id, person.name, person.name))


def definition_released(event: Envelope[DefinitionReleased], work: Work) -> None:
    """Keep the names of request types from the catalogue; other definitions have none here."""
    data = event.data
    if data.kind != "catalogue" or data.content is None:
        return
    if not work.is_news(event.subject, data.version):
        return
    try:
        catalogue = parse(Catalogue, read_yaml(data.content))
    except BadDefinition as error:
        # Only labels hang on it here; whoever the catalogue rules judges it.
        _log.warning("catalogue %s v%d not read for its names: %s", data.key, data.version, error)
        return
    for entry in catalogue.types:
        work.keep_name(
            _name("request_type", entry.key, entry.name.get("zh-CN"), entry.name.get("en"))
        )


def _name(kind: str, key: str, zh: str | None, en: str | None) -> Name:
    called = zh or en or key
    return Name(kind, key, called, en or called)
