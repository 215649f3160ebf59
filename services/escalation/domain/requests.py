"""What escalation knows of a request, filled in by whatever arrives first."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime
from uuid import UUID

from services.escalation.domain.causes import Cause
from shared.vocabulary import Priority


@dataclass(frozen=True, slots=True)
class Request:
    """A request as far as it is known.

    `is_import` is None until the router was heard. `late_causes` came after the end that was
    heard of: another publisher knows of a reopening that has not arrived here yet.
    """

    id: UUID
    number: str | None = None
    team: str | None = None
    assignee: str | None = None
    priority: Priority | None = None
    is_import: bool | None = None
    over_at: datetime | None = None
    late_causes: tuple[Cause, ...] = ()

    @property
    def is_over(self) -> bool:
        """Whether it was resolved, closed or cancelled."""
        return self.over_at is not None

    @property
    def is_routed(self) -> bool:
        """Whether the router has spoken about it."""
        return self.is_import is not None

    @property
    def name(self) -> str:
        """What to call it in front of people: the number, or its id before it has one."""
        return self.number or str(self.id)


def filled_in(
    request: Request,
    *,
    number: str | None = None,
    team: str | None = None,
    assignee: str | None = None,
    priority: Priority | None = None,
) -> Request:
    """Return the request with what somebody else than the router says about it.

    The router decides these things: once it has spoken only a missing number is filled in.
    """
    if request.is_routed:
        return replace(request, number=request.number or number)
    return replace(
        request,
        number=number or request.number,
        team=team or request.team,
        assignee=assignee or request.assignee,
        priority=priority or request.priority,
    )
