"""A catalogue is released: intake keeps its own copy of the newest version."""

from __future__ import annotations

from typing import TYPE_CHECKING

from services.intake.domain.errors import CatalogueNotInside

if TYPE_CHECKING:
    from services.intake.handlers.port import Work
    from shared.events.base import Envelope
    from shared.events.router import DefinitionReleased


def keep_catalogue(event: Envelope[DefinitionReleased], work: Work) -> None:
    """Keep it when it is newer; one whose forms cannot be checked is set aside for a person."""
    data = event.data
    if data.kind != "catalogue" or data.version <= work.catalogue_version(data.key):
        return
    if data.content is None:
        raise CatalogueNotInside(key=data.key, version=data.version)
    work.check_catalogue(data.content_hash, data.content)
    work.keep_catalogue(data.key, data.version, data.content_hash, data.content, event.occurred_at)
