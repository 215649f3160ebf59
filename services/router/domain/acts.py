"""What happened to a work item, for its history: codes and parameters, never sentences."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

CLAIMED, RETURNED, UNCLAIMED = "claimed", "returned", "unclaimed"
#: Not its content: that is for who wrote it.
DRAFT_SAVED, DRAFT_DISCARDED = "draft_saved", "draft_discarded"
DELEGATED, COMPLETED, CANCELLED = "delegated", "completed", "cancelled"


@dataclass(frozen=True, slots=True)
class Act:
    """One thing that happened to a work item, at a moment (UTC), by somebody or by itself."""

    kind: str
    at: datetime
    by: str | None = None
    #: reason, person, team, on_behalf_of, from_person, cause: what this kind of act has to tell.
    told: Mapping[str, Any] = field(default_factory=dict)
