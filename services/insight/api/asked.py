"""What callers may ask for in a URL, checked at the edge."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

from fastapi import Query

from services.insight.domain.board import Scope
from services.insight.domain.rules import Window

#: No control characters: PostgreSQL refuses some of them in its own words.
_PLAIN = r"^[^\x00-\x1f\x7f]*$"
Word = Annotated[str, Query(max_length=200, pattern=_PLAIN)]
Within = Annotated[int, Query(ge=1, le=10_080, description="minutes ahead that count as due soon")]


def scope_of(team: str | None, domain: str | None, window: Window, within_min: int) -> Scope:
    """Return what a board is asked for; an empty choice is none."""
    return Scope(team or None, domain or None, window, timedelta(minutes=within_min))
