"""What happens inside a request's process: work items, moves of tokens, incidents."""

from __future__ import annotations

from typing import ClassVar
from uuid import UUID

from shared.events.base import Part
from shared.events.router.directory import RouterEvent


class WorkItemOpened(RouterEvent):
    """A diagram's user task waits for a person."""

    type: ClassVar[str] = "work_item.opened.v1"

    work_item_id: UUID
    instance_id: UUID
    #: The user task's id in the diagram.
    element_id: str
    name: dict[str, str]
    candidate_teams: tuple[str, ...] = ()
    candidate_users: tuple[str, ...] = ()
    form: str | None = None
    #: work (whoever does it owns the request) | decision | review
    purpose: str | None = None


class WorkItemClaimed(RouterEvent):
    """A person took the work item."""

    type: ClassVar[str] = "work_item.claimed.v1"

    work_item_id: UUID
    assignee: str
    #: For whom, when a deputy took what only somebody who is away could.
    on_behalf_of: str | None = None


class WorkItemReturned(RouterEvent):
    """The person gave it back to the team."""

    type: ClassVar[str] = "work_item.returned.v1"

    work_item_id: UUID
    returned_by: str
    reason: str


class WorkItemUnclaimed(RouterEvent):
    """It is nobody's again: the person put it back, or somebody in charge of the team did."""

    type: ClassVar[str] = "work_item.unclaimed.v1"

    work_item_id: UUID
    #: In whose hands it was.
    assignee: str
    unclaimed_by: str


class WorkItemDelegated(RouterEvent):
    """Another team or person is to do it."""

    type: ClassVar[str] = "work_item.delegated.v1"

    work_item_id: UUID
    to_team: str
    to_assignee: str | None = None
    reason: str
    delegated_by: str | None = None
    from_assignee: str | None = None
    #: How often this work item was handed on, this time included.
    handovers: int | None = None


class WorkItemCompleted(RouterEvent):
    """The work is done."""

    type: ClassVar[str] = "work_item.completed.v1"

    work_item_id: UUID
    completed_by: str | None = None


class WorkItemCancelled(RouterEvent):
    """The diagram went on without it."""

    type: ClassVar[str] = "work_item.cancelled.v1"

    work_item_id: UUID
    reason: str


class ProcessStarted(RouterEvent):
    """A process instance began, pinned to its version."""

    type: ClassVar[str] = "process.started.v1"

    instance_id: UUID
    process: str
    version: int


class Thrown(Part):
    """An escalation of a diagram; `is_handled` when a boundary event or sub-process took it."""

    element_id: str
    code: str
    name: str = ""
    is_handled: bool = False


class ProcessMoved(RouterEvent):
    """Tokens moved: elements that were left and elements that now hold a token."""

    type: ClassVar[str] = "process.moved.v1"

    instance_id: UUID
    completed: tuple[str, ...] = ()
    active: tuple[str, ...] = ()
    #: Escalations the diagram threw, whether or not it catches them itself.
    escalations: tuple[Thrown, ...] | None = None
    #: Elements that waited for the same message besides the one that got it.
    ambiguous: tuple[str, ...] | None = None


class ProcessEnded(RouterEvent):
    """The instance has no token left."""

    type: ClassVar[str] = "process.ended.v1"

    instance_id: UUID
    #: completed | cancelled
    outcome: str


class IncidentRaised(RouterEvent):
    """A process cannot go on by itself; a person must look."""

    type: ClassVar[str] = "incident.raised.v1"

    incident_id: UUID
    instance_id: UUID
    element_id: str
    code: str
    detail: str
    #: Of the process the instance runs.
    process: str | None = None
    process_version: int | None = None
    #: The job that failed, where it was one.
    job_id: UUID | None = None


class IncidentResolved(RouterEvent):
    """The process goes on, or a person judged that nothing is left to do."""

    type: ClassVar[str] = "incident.resolved.v1"

    incident_id: UUID
    resolved_by: str
    #: retried | dismissed | passed (it went on without anybody's doing)
    resolution: str | None = None
