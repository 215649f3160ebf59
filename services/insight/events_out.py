"""What insight says: nothing. A read side that spoke would be a decision nobody owns."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from shared.events.base import EventData

EVENTS: tuple[type[EventData], ...] = ()
